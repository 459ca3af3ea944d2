"""A page is cut into raster blocks whose bytes hold no real-time command.

A printer obeys ``10 04 n``, ``10 05 n`` and ``10 14 n`` wherever it sees them, inside pictures too.
So each block begins where none spans its border and, where one stands inside a row, at a left
margin that packs the same dots into other bytes. Borders and margins move; dots never.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from dedicated_line.errors import KofuError

LEAD: Final = 0x10
REAL_TIME: Final = (0x04, 0x05, 0x14)
"""DLE EOT, DLE ENQ, DLE DC4: the bytes after DLE that a printer obeys at once."""
MOST_MARGIN: Final = 12
"""Dots; pages are white that far in on the left."""
LEAST_GAP: Final = 6
"""Blank rows; where the head may pause unseen."""


class CannotEncodeError(KofuError):
    """A page cannot be put into bytes that hold no real-time command."""


@dataclass(frozen=True)
class Block:
    """Rows of a page, from `margin` dots in."""

    margin: int
    top: int
    image: Image.Image


def has_real_time(data: bytes) -> bool:
    """Tell whether bytes hold a real-time command."""
    return any(bytes((LEAD, second)) in data for second in REAL_TIME)


def _ink(page: Image.Image) -> npt.NDArray[np.bool_]:
    return np.logical_not(np.asarray(page, dtype=np.bool_))


class _Packing:
    """The page's bytes at one margin, and where real-time commands stand in them."""

    def __init__(self, ink: npt.NDArray[np.bool_], margin: int) -> None:
        packed = np.packbits(ink[:, margin:], axis=1)
        second = np.isin(packed, REAL_TIME)
        self.inside = ((packed[:, :-1] == LEAD) & second[:, 1:]).any(axis=1)
        across = np.zeros(len(packed), dtype=np.bool_)
        across[1:] = (packed[:-1, -1] == LEAD) & second[1:, 0]
        self._stops = np.flatnonzero(self.inside | across)

    def reach(self, top: int) -> int | None:
        """Return the row at which a block from top has to end; None when no row stops it."""
        if self.inside[top]:
            return top
        after = self._stops[self._stops > top]
        return int(after[0]) if after.size else None


def blocks(
    page: Image.Image, rows: int, top: int = 0, bottom: int | None = None
) -> Iterator[Block]:
    """Yield the rows from top to bottom as blocks of at most so many rows.

    Raises:
        CannotEncodeError: there is a row that holds a command at every margin.
    """
    ink = _ink(page)
    end = page.height if bottom is None else bottom
    packings: dict[int, _Packing] = {}
    while top < end:
        limit = min(top + rows, end)
        margin, reach = 0, top
        for candidate in range(MOST_MARGIN + 1):
            if ink[top:limit, :candidate].any():
                break
            packing = packings.setdefault(candidate, _Packing(ink, candidate))
            stop = packing.reach(top)
            far = limit if stop is None else min(stop, limit)
            if far > reach:
                margin, reach = candidate, far
            if reach == limit:
                break
        if reach == top:
            raise CannotEncodeError("a row of the page cannot be sent safely; call the operators")
        yield Block(margin, top, page.crop((margin, top, page.width, reach)))
        top = reach


def last_gap(page: Image.Image) -> int:
    """Return the row that ends the last blank stretch above the page's last drawing, the QR code.

    What is below is held back until the printer has proved that it printed what is above. The row
    is 0 where there is no such stretch.
    """
    blank = [not row.any() for row in _ink(page)]
    row = page.height
    while row and blank[row - 1]:
        row -= 1
    run = 0
    while row:
        row -= 1
        run = run + 1 if blank[row] else 0
        if run == LEAST_GAP:
            return row + LEAST_GAP
    return 0
