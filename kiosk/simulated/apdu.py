"""Commands to a card and its status words (ISO/IEC 7816-4, short form only)."""

from dataclasses import dataclass
from typing import Final

OK: Final = b"\x90\x00"
NOT_ALLOWED: Final = b"\x69\x82"
BLOCKED: Final = b"\x69\x84"
WRONG_STATE: Final = b"\x69\x85"
NOT_FOUND: Final = b"\x6a\x82"
WRONG_PARAMETERS: Final = b"\x6a\x86"
PAST_THE_END: Final = b"\x6b\x00"
WRONG_LENGTH: Final = b"\x67\x00"
WRONG_CLASS: Final = b"\x6e\x00"
WRONG_INSTRUCTION: Final = b"\x6d\x00"


def tries_left(tries: int) -> bytes:
    """Return ``63Cx``: so many tries are left, 0 to 15."""
    return bytes([0x63, 0xC0 | tries])


@dataclass(frozen=True)
class Apdu:
    """A short command APDU, taken apart."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    le: int | None
    """Bytes wanted, 1 to 256; None when none are."""


def parse_apdu(apdu: bytes) -> Apdu | None:
    """Take a short APDU apart; None when its lengths do not fit."""
    if len(apdu) < 4:  # noqa: PLR2004 - the header
        return None
    cla, ins, p1, p2 = apdu[:4]
    rest = apdu[4:]
    if not rest:
        return Apdu(cla, ins, p1, p2, b"", None)
    if len(rest) == 1:
        return Apdu(cla, ins, p1, p2, b"", rest[0] or 256)
    count, data = rest[0], rest[1:]
    if count and len(data) == count:
        return Apdu(cla, ins, p1, p2, data, None)
    if count and len(data) == count + 1:
        return Apdu(cla, ins, p1, p2, data[:-1], data[-1] or 256)
    return None
