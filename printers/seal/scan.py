"""Pictures of a paper: a scan, a photograph, or a PDF."""

from pathlib import Path
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from dedicated_line.errors import UsageError
from printers.pages.raster import RasterError, bitmaps

LARGEST_FILE: Final = 64 * 1024 * 1024
"""Bytes; a photograph has a tenth of it."""


def pictures(path: Path) -> list[Image.Image]:
    """Return the pictures in a file, one a page; UsageError when it holds none."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(f"{path} is too large; give a picture of the paper")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path} ({error.strerror}); give its path") from error
    try:
        if data.startswith(b"%PDF-"):
            return bitmaps(data)
        with Image.open(path, formats=("PNG", "JPEG")) as picture:
            picture.load()
            return [ImageOps.exif_transpose(picture)]
    except (RasterError, UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
        raise UsageError(f"{path} is not a PNG, JPEG or PDF that can be read") from error
