"""Reads ESC/POS bytes as a printer does; written apart from the driver, and shares nothing with it.

Commands known: those that a page of dots needs (GS v 0, ESC J, ESC d, LF, GS L, GS P, GS V,
ESC @) and those that ask (GS a, GS r, GS ( H). Text is not printed: anything else is a fault of
the sender.
"""

from dataclasses import dataclass
from typing import Final

ESC: Final = 0x1B
GS: Final = 0x1D
DLE: Final = 0x10
LF: Final = 0x0A


class UnknownBytesError(ValueError):
    """The bytes are no command that this printer knows."""


@dataclass(frozen=True)
class Raster:
    """Rows of dots, eight a byte, the leftmost in the highest bit."""

    row_bytes: int
    data: bytes


@dataclass(frozen=True)
class Feed:
    """Blank rows."""

    rows: int


@dataclass(frozen=True)
class Margin:
    """Where rows begin from now on, in dots from the left."""

    dots: int


@dataclass(frozen=True)
class Cut:
    """The cutter falls."""


@dataclass(frozen=True)
class AskProcessId:
    """To be answered when all before it has been printed."""

    name: bytes


@dataclass(frozen=True)
class AskStatus:
    """GS r."""

    which: int


@dataclass(frozen=True)
class Automatic:
    """GS a: which changes are told from now on."""

    mask: int


@dataclass(frozen=True)
class Reset:
    """ESC @."""


@dataclass(frozen=True)
class Nothing:
    """A command without effect on dots."""


Command = Raster | Feed | Margin | Cut | AskProcessId | AskStatus | Automatic | Reset | Nothing
LINE_ROWS: Final = 30
"""A line of text at the usual spacing."""
_REAL_TIME_LENGTHS: Final = {0x04: 3, 0x05: 3}
_DC4_LENGTHS: Final = {1: 5, 2: 5, 8: 10}


def real_time_length(data: bytes, start: int) -> int:
    """Return the length of the real-time command at start; 0 when more bytes have to come."""
    if len(data) < start + 3:
        return 0
    second = data[start + 1]
    length = _REAL_TIME_LENGTHS.get(second) or _DC4_LENGTHS.get(data[start + 2], 3)
    return length if len(data) >= start + length else 0


def _gs(data: bytes) -> tuple[Command, int] | None:
    """Read a command that begins with GS."""
    kind = data[1:2]
    need = {b"v": 8, b"L": 4, b"P": 4, b"V": 3, b"a": 3, b"r": 3, b"(": 5}.get(kind)
    if need is None:
        raise UnknownBytesError(f"GS {data[1]:02x}" if len(data) > 1 else "GS")
    if len(data) < need:
        return None
    if kind == b"v":
        row_bytes = data[4] + 256 * data[5]
        length = 8 + row_bytes * (data[6] + 256 * data[7])
        if data[2:4] != b"0\x00" or not row_bytes:
            raise UnknownBytesError("GS v with a density that pages do not use")
        return (Raster(row_bytes, data[8:length]), length) if len(data) >= length else None
    if kind == b"V":
        feeds = data[2] in (0x41, 0x42)
        return (Cut(), 4 if feeds else 3) if len(data) >= 3 + feeds else None
    if kind == b"(":
        length = 5 + data[3] + 256 * data[4]
        if len(data) < length:
            return None
        asks = data[2:3] == b"H" and data[5:7] == b"\x30\x30"
        return (AskProcessId(data[7:length]) if asks else Nothing()), length
    simple: dict[bytes, Command] = {
        b"L": Margin(int.from_bytes(data[2:4], "little")),
        b"P": Nothing(),
        b"a": Automatic(data[2]),
        b"r": AskStatus(data[2]),
    }
    return simple[kind], need


def _esc(data: bytes) -> tuple[Command, int] | None:
    """Read a command that begins with ESC."""
    kind = data[1:2]
    if kind == b"@":
        return Reset(), 2
    if kind not in {b"J", b"d"}:
        raise UnknownBytesError(f"ESC {data[1]:02x}" if len(data) > 1 else "ESC")
    if len(data) < 3:  # noqa: PLR2004 - ESC, letter, count
        return None
    return Feed(data[2] if kind == b"J" else data[2] * LINE_ROWS), 3


def read_command(data: bytes) -> tuple[Command, int] | None:
    """Return the command at the beginning of data and its length; None when more has to come.

    Raises:
        UnknownBytesError: no command begins so.
    """
    if len(data) < 2 and data[:1] != b"\n":  # noqa: PLR2004 - every other command has two or more
        return None
    first = data[0]
    if first == DLE:
        length = real_time_length(data, 0)
        return (Nothing(), length) if length else None
    if first == LF:
        return Feed(LINE_ROWS), 1
    if first == GS:
        return _gs(data)
    if first == ESC:
        return _esc(data)
    raise UnknownBytesError(f"{first:02x}")
