"""A PDF becomes dots: one bit each, exactly as wide as the print head, no stroke lost."""

import subprocess
from typing import Final

from PIL import Image

from dedicated_line.errors import KofuError

WIDTH: Final = 576
"""Dots across 72 mm, the printable width of 80-mm paper."""
DOTS_PER_INCH: Final = 203.2
"""8 dots a millimetre."""
DRAWING_SECONDS: Final = 20
"""No page takes a hundredth of this."""
LONGEST_PAGE: Final = 8_000
"""Dots, one metre: a page longer than this is a fault, not a certificate."""


class RasterError(KofuError):
    """The PDF could not be turned into dots."""


def run_poppler(command: list[str], pdf: bytes) -> bytes:
    """Run one of poppler's tools from standard input to standard output, nothing on disk."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, its input on a pipe
            command, input=pdf, capture_output=True, check=False, timeout=DRAWING_SECONDS
        )
    except FileNotFoundError as error:
        raise RasterError(f"{command[0]} is missing; install the package poppler-utils") from error
    except subprocess.TimeoutExpired as error:
        raise RasterError(f"{command[0]} did not finish; start the kiosk again") from error
    if done.returncode != 0:
        raise RasterError(f"{command[0]} could not read the page (code {done.returncode})")
    return done.stdout


def _bitmaps_in(data: bytes) -> list[Image.Image]:
    """Read PBM images (netpbm's P4) that follow one another."""
    pages = []
    start = 0
    while start < len(data):
        magic, size, rest = data[start:].split(b"\n", 2)
        width, height = (int(number) for number in size.split())
        if magic != b"P4":
            raise RasterError("pdftoppm gave something that is not a bitmap")
        length = (width + 7) // 8 * height
        ink = rest[:length]
        if len(ink) != length:
            raise RasterError("pdftoppm gave half a bitmap")
        pages.append(Image.frombytes("1", (width, height), ink, "raw", "1;I"))
        start = len(data) - len(rest) + length
    return pages


def bitmaps(pdf: bytes) -> list[Image.Image]:
    """Return the pages of any PDF in 1-bit dots, black as False."""
    command = ["pdftoppm", "-mono", "-r", str(DOTS_PER_INCH), "-"]
    return _bitmaps_in(run_poppler(command, pdf))


def rasterise(pdf: bytes) -> list[Image.Image]:
    """Return the pages as 1-bit images, `WIDTH` dots wide, black where the head burns.

    poppler's monochrome mode draws each glyph with FreeType's drop-out control, which never loses
    a thin stroke; thresholding a grey page does (三 would read as 二).
    """
    pages = []
    for bitmap in bitmaps(pdf):
        if not WIDTH <= bitmap.width <= WIDTH + 1 or bitmap.height > LONGEST_PAGE:
            raise RasterError(f"a page has {bitmap.width} x {bitmap.height} dots; it cannot print")
        pages.append(bitmap.crop((0, 0, WIDTH, bitmap.height)))
    return pages
