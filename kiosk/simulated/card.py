"""A virtual My Number Card: what a card answers, byte for byte, from a `SimulatedCardFile`.

It has the JPKI application alone. Its manners, odd ones as well, follow the cards that the
open-source drivers were written for; OpenSC accepts it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from cryptography.hazmat.primitives.serialization import load_der_private_key

from dedicated_line.contract.simulated_card import (
    PIN_TRIES,
    SIGNATURE_PASSWORD_TRIES,
    SimulatedCardFile,
)
from dedicated_line.errors import KofuError
from kiosk.cards.profiles import PROFILES

ATR: Final = bytes.fromhex("3BE000FF8131FE4514")
"""Of a contact reader; OpenSC knows the card by it."""
FILLER_BYTES: Final = 64
"""Stand after the DER of each certificate, as on a real card."""
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
MOST_SIGNED_BYTES: Final = 245
"""Of RSA-2048 with PKCS#1 v1.5 padding (RFC 8017, section 7.2: 256 - 11)."""
SHA384_BYTES: Final = 48

SIGNATURE_CERTIFICATE, SIGNATURE_CA = 0x0001, 0x0002
USER_CERTIFICATE, USER_CA = 0x000A, 0x000B
TOKEN_INFO, WHICH_CERTIFICATES = 0x0006, 0x0008
USER_KEY, USER_PIN = 0x0017, 0x0018
SIGNATURE_KEY, SIGNATURE_PASSWORD = 0x001A, 0x001B


class CardFileError(KofuError):
    """The file of a simulated card cannot be read or written."""


def load_card_file(path: Path) -> SimulatedCardFile:
    """Read a card's file; raise CardFileError with one sentence when it cannot be."""
    try:
        return SimulatedCardFile.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CardFileError(f"cannot read the card {path}; make it anew: world reset") from error


def keep_in(path: Path) -> Callable[[SimulatedCardFile], None]:
    """Return what writes a card back to its file: whole or not at all, for its owner only."""

    def keep(file: SimulatedCardFile) -> None:
        part = path.with_suffix(".part")
        try:
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            ) as out:
                out.write(file.to_json())
                out.flush()
                os.fsync(out.fileno())
            part.replace(path)
        except OSError as error:
            raise CardFileError(f"cannot write {path}; make its folder writable") from error

    return keep


def _forget(_file: SimulatedCardFile) -> None:
    """Keep the card's tries in memory only."""


@dataclass(frozen=True)
class Apdu:
    """A short command APDU (ISO/IEC 7816-4), taken apart."""

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


class VirtualCard:
    """One simulated card; `answer` is its side of a dialogue."""

    def __init__(
        self, file: SimulatedCardFile, keep: Callable[[SimulatedCardFile], None] = _forget
    ) -> None:
        """Take what the card was personalised with, and what keeps it when its tries change."""
        self._file = file
        self._keep = keep
        self._aid = next(p.aid for p in PROFILES if p.algorithm is file.algorithm)
        self._contents = {
            SIGNATURE_CERTIFICATE: file.signature_certificate + bytes(FILLER_BYTES),
            SIGNATURE_CA: file.signature_ca + bytes(FILLER_BYTES),
            USER_CERTIFICATE: file.user_certificate + bytes(FILLER_BYTES),
            USER_CA: file.user_ca + bytes(FILLER_BYTES),
            TOKEN_INFO: file.label.encode("ascii").ljust(32).ljust(160, b"\x00"),
            WHICH_CERTIFICATES: bytes.fromhex("8F8F00"),
        }
        self.reset()

    @property
    def file(self) -> SimulatedCardFile:
        """Return the card as it is now, with its tries."""
        return self._file

    def reset(self) -> None:
        """Forget what was selected and who was let in."""
        self._in_application = False
        self._selected: int | None = None
        self._open: set[int] = set()

    def answer(self, command: bytes) -> bytes:
        """Return the response APDU to a command APDU."""
        apdu = parse_apdu(command)
        if apdu is None:
            return WRONG_LENGTH
        handlers = {
            (0x00, 0xA4): self._select,
            (0x00, 0xB0): self._read,
            (0x00, 0x20): self._verify,
            (0x80, 0x2A): self._sign,
        }
        handler = handlers.get((apdu.cla, apdu.ins))
        if handler is None:
            return WRONG_INSTRUCTION if apdu.cla in (0x00, 0x80) else WRONG_CLASS
        return handler(apdu)

    def _select(self, apdu: Apdu) -> bytes:
        if apdu.p1 == 0x04:  # noqa: PLR2004 - by name
            return self._select_application(apdu.data)
        if (apdu.p1, apdu.p2, apdu.data) == (0x00, 0x00, b""):
            # The master file is a trap: unknown after a reset, without effect inside.
            return OK if self._in_application else WRONG_PARAMETERS
        if apdu.p1 != 0x02:  # noqa: PLR2004 - an EF under the application
            return WRONG_PARAMETERS
        if len(apdu.data) != 2:  # noqa: PLR2004 - a file id
            return WRONG_LENGTH
        file = int.from_bytes(apdu.data, "big")
        keys = {USER_KEY, USER_PIN, SIGNATURE_KEY, SIGNATURE_PASSWORD}
        if not self._in_application or file not in keys | set(self._contents):
            return NOT_FOUND
        self._selected = file
        return OK

    def _select_application(self, aid: bytes) -> bytes:
        if aid != self._aid:
            return NOT_FOUND
        self.reset()
        self._in_application = True
        return OK

    def _read(self, apdu: Apdu) -> bytes:
        if self._selected is None:
            return WRONG_STATE
        if self._selected == SIGNATURE_CERTIFICATE and SIGNATURE_PASSWORD not in self._open:
            return NOT_ALLOWED
        content = self._contents.get(self._selected)
        if content is None or apdu.data or apdu.le is None:
            return WRONG_STATE
        offset = apdu.p1 << 8 | apdu.p2
        if offset >= len(content):
            return PAST_THE_END
        return content[offset : offset + apdu.le] + OK

    def _verify(self, apdu: Apdu) -> bytes:
        if (apdu.p1, apdu.p2) != (0x00, 0x80):
            return WRONG_PARAMETERS
        if self._selected not in {USER_PIN, SIGNATURE_PASSWORD}:
            return WRONG_STATE
        user = self._selected == USER_PIN
        tries = self._file.tries if user else self._file.signature_tries
        if not apdu.data:
            return bytes([0x63, 0xC0 | tries])
        if tries == 0:
            return BLOCKED
        # The counter goes down before the comparison: power cut in between gains nothing.
        self._set_tries(tries - 1, user=user)
        self._open.discard(self._selected)
        secret = self._file.pin if user else self._file.signature_password
        if apdu.data != secret.encode("ascii"):
            return bytes([0x63, 0xC0 | (tries - 1)])
        self._set_tries(PIN_TRIES if user else SIGNATURE_PASSWORD_TRIES, user=user)
        self._open.add(self._selected)
        return OK

    def _set_tries(self, tries: int, *, user: bool) -> None:
        change = {"tries": tries} if user else {"signature_tries": tries}
        self._file = self._file.model_copy(update=change)
        self._keep(self._file)

    def _sign(self, apdu: Apdu) -> bytes:
        if (apdu.p1, apdu.p2) != (0x00, 0x80):
            return WRONG_PARAMETERS
        if self._selected not in {USER_KEY, SIGNATURE_KEY}:
            return WRONG_STATE
        user = self._selected == USER_KEY
        if (USER_PIN if user else SIGNATURE_PASSWORD) not in self._open:
            return NOT_ALLOWED
        if apdu.le is None:
            return WRONG_LENGTH
        return self._signature(self._file.user_key if user else self._file.signature_key, apdu.data)

    @staticmethod
    def _signature(private: bytes, data: bytes) -> bytes:
        key = load_der_private_key(private, None)
        if isinstance(key, rsa.RSAPrivateKey) and 1 <= len(data) <= MOST_SIGNED_BYTES:
            return key.sign(data, padding.PKCS1v15(), NoDigestInfo()) + OK
        if isinstance(key, ec.EllipticCurvePrivateKey) and len(data) == SHA384_BYTES:
            return key.sign(data, ec.ECDSA(Prehashed(hashes.SHA384()))) + OK
        return WRONG_STATE
