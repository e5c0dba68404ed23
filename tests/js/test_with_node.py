"""Runs the tests of the page's modules with node."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_modules_of_the_page_pass_their_tests_in_node() -> None:
    files = sorted(str(path) for path in HERE.glob("*.test.mjs"))
    ran = subprocess.run(["node", "--test", *files], capture_output=True, text=True, check=False)
    assert files
    assert ran.returncode == 0, ran.stdout
