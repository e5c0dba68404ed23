"""Contact sheets: rows of labelled pictures side by side, so that a person can look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

_GAP = 4
_LINE = 14
Picture = npt.NDArray[np.uint8]


def contact_sheet(columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Picture]]]) -> Picture:
    """Return one picture: a head line, then per row its caption above its pictures.

    Raises:
        ValueError: no rows, or a row with another number of pictures than columns.
    """
    if not rows:
        raise ValueError("A contact sheet without rows. Expected at least one.")
    height, width = rows[0][1][0].shape[:2]
    row_height = height + _LINE + _GAP
    size = (len(columns) * (width + _GAP) + _GAP, _LINE + len(rows) * row_height + _GAP)
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for index, name in enumerate(columns):
        pen.text((_GAP + index * (width + _GAP), 1), name, fill="black")
    for number, (caption, pictures) in enumerate(rows):
        if len(pictures) != len(columns):
            raise ValueError(f"A row of {len(pictures)} pictures. Expected {len(columns)}.")
        top = _LINE + number * row_height
        pen.text((_GAP, top + 1), caption, fill=(90, 90, 90))
        for index, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (_GAP + index * (width + _GAP), top + _LINE))
    return np.asarray(sheet)


def write_sheet(path: Path, picture: Picture) -> None:
    """Write a contact sheet as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, "PNG", optimize=True)
