"""The versions that are installed are those in which known holes are closed (S31)."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from packaging.version import Version

FLOORS = {
    "torch": "2.10",
    "transformers": "5.3",
    "gradio": "6.31",
    "starlette": "1.3",
    "safetensors": "0.4",
}
"""Weights-only loading, code in configurations, the file proxy, bad Host headers."""


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_a_version_with_its_holes_closed_is_installed(name: str, floor: str) -> None:
    assert Version(version(name)) >= Version(floor)
