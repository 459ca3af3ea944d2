"""Paper that comes out of the simulated printer: a picture and the bytes that made it."""

import re
from pathlib import Path
from typing import Final

from PIL import Image

from printers.simulated.decoder import Raster

WIDTH: Final = 576
ROW_BYTES: Final = WIDTH // 8


class Strip:
    """The paper since the last cut."""

    def __init__(self) -> None:
        self.received = bytearray()
        self._rows: list[bytes] = []

    @property
    def rows(self) -> int:
        """Return how long it is, in dots."""
        return len(self._rows)

    def feed(self, rows: int) -> None:
        """Move on without heat."""
        self._rows += [bytes(ROW_BYTES)] * rows

    def burn(self, raster: Raster, row: int, margin: int) -> None:
        """Print one row of a raster; what lies beyond the right edge is lost, as on a real head."""
        start = row * raster.row_bytes
        bits = int.from_bytes(raster.data[start : start + raster.row_bytes], "big")
        shift = WIDTH - margin - 8 * raster.row_bytes
        placed = bits << shift if shift >= 0 else bits >> -shift
        self._rows.append((placed & ((1 << WIDTH) - 1)).to_bytes(ROW_BYTES, "big"))

    def picture(self) -> Image.Image:
        """Return the paper, black on white."""
        return Image.frombytes("1", (WIDTH, self.rows), b"".join(self._rows), "raw", "1;I")


class Tray:
    """The folder where papers lie, numbered in the order in which they came out."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; make it when it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        numbers = [re.match(r"^(\d{6})", path.name) for path in folder.iterdir()]
        self._count = max((int(number[1]) for number in numbers if number), default=0)

    def lay(self, strip: Strip, *, partial: bool = False) -> Path:
        """Write bytes, then picture, each whole or not at all; return the picture's path.

        A paper that was never cut, torn off by an attendant, has ``-partial`` in its name.
        """
        self._count += 1
        stem = f"{self._count:06d}{'-partial' if partial else ''}"
        raw = self._folder / f"{stem}.escpos"
        picture = self._folder / f"{stem}.png"
        hidden = self._folder / f".{stem}.new"
        hidden.write_bytes(strip.received)
        hidden.replace(raw)
        strip.picture().save(hidden, format="PNG")
        hidden.replace(picture)
        return picture
