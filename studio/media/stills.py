"""A stranger's picture as a still: upright, cropped to the frame, without anything else it held."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from studio.media.child import MediaRefused, Told

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
MAX_PIXELS = 64_000_000


def still_task(arguments: dict[str, Any], told: Told) -> dict[str, Any]:
    """Make a still as the media child's task."""
    size = (arguments["width"], arguments["height"])
    make_still(Path(arguments["path"]), arguments["name"], Path(arguments["out"]), size)
    told(1.0)
    return {}


def make_still(path: Path, name: str, out: Path, size: tuple[int, int]) -> None:
    """Write the picture of `path` to `out` as a PNG that fills `size`, cropped at the centre.

    Raises:
        MediaRefused: not a picture, or one that is too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise MediaRefused(
                        f"{name} has {image.width} x {image.height} pixels. Expected at most "
                        f"{MAX_PIXELS // 1_000_000} million."
                    )
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MediaRefused(
            f"{name} cannot be read as a picture. Expected PNG, JPEG, WebP, BMP or TIFF."
        ) from error
    still = ImageOps.fit(upright, size, Image.Resampling.LANCZOS)
    # A new image: colour profiles, places and comments of the original stay behind.
    clean = Image.new("RGB", size)
    clean.paste(still)
    clean.save(out, "PNG")
