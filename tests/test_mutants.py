"""The mutation drill fits the code: a mutant that matches nothing would take nothing out."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_takes_out_one_place_and_names_tests_that_are_there(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text("utf-8").count(mutant.before) == 1
    assert mutant.before != mutant.after
    for path, _, names in (word.partition("::") for word in mutant.suite if ".py" in word):
        text = (ROOT / path).read_text("utf-8")
        for name in names.partition("[")[0].split("::"):
            assert f"def {name}" in text or f"class {name}" in text
