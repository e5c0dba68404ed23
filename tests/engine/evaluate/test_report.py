"""Pages of numbers: what was run stands above them, and no path of the machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.evaluate.report import Report, Table, facts_of, write_report
from engine.recipes import Model
from engine.video.sheet import contact_sheet, write_sheet


def test_a_page_has_facts_and_tables(tmp_path: Path) -> None:
    table = Table(title="Looks", columns=("memory", "shirt"), rows=(("own", "0.75"),), note="Why.")
    page = tmp_path / "deep" / "identity.md"
    write_report(Report(title="Identity", facts=(("Seed", "0"),), tables=(table,)), page)
    assert page.read_text("utf-8") == (
        "# Identity\n\n* Seed: 0\n\n## Looks\n\nWhy.\n\n"
        "| memory | shirt |\n| --- | --- |\n| own | 0.75 |\n"
    )


def test_a_row_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="A row of 1 cells in 'Looks'"):
        Table(title="Looks", columns=("memory", "shirt"), rows=(("own",),))


def test_facts_name_the_command_without_folders_of_the_machine(
    model: Model, tmp_path: Path
) -> None:
    words = ["--quick", "--checkpoint", str(tmp_path / "model"), "--out", "docs/x.md"]
    facts = dict(facts_of(model, "engine.evaluate.recall", words))
    assert facts["Command"] == (
        "`python -m engine.evaluate.recall --quick --checkpoint model --out docs/x.md`"
    )
    assert str(tmp_path) not in " ".join(facts.values())
    assert "1 threads" in facts["Machine"]
    assert "tiny" in facts["Model"]


def test_a_sheet_shows_every_picture_in_its_place(tmp_path: Path) -> None:
    red, blue = (np.full((20, 30, 3), 0, np.uint8) for _ in range(2))
    red[..., 0], blue[..., 2] = 200, 200
    write_sheet(tmp_path / "sheet.png", contact_sheet(("a", "b"), [("first", [red, blue])]))
    with Image.open(tmp_path / "sheet.png") as picture:
        sheet = np.asarray(picture)
    left, right = sheet[:, : sheet.shape[1] // 2], sheet[:, sheet.shape[1] // 2 :]
    assert (left == (200, 0, 0)).all(-1).sum() == (right == (0, 0, 200)).all(-1).sum() == 600


def test_a_sheet_refuses_a_row_of_another_length() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="A row of 1 pictures"):
        contact_sheet(("a", "b"), [("first", [picture])])
    with pytest.raises(ValueError, match="without rows"):
        contact_sheet(("a",), [])
