"""A virtual My Number Card: what a card answers, byte for byte, from a `SimulatedCardFile`.

Its manners, odd ones as well, follow the cards that the open-source drivers were written for;
OpenSC accepts it.
"""

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from cryptography.hazmat.primitives.serialization import load_der_private_key

from dedicated_line.contract.simulated_card import SimulatedCardFile
from kiosk.simulated import apdu as words
from kiosk.simulated.apdu import Apdu, parse_apdu
from kiosk.simulated.applications import Application, PinPlace, applications_of
from kiosk.simulated.card_file import Keep, forget

ATR: Final = bytes.fromhex("3BE000FF8131FE4514")
"""Of a contact reader; OpenSC knows the card by it."""
MOST_SIGNED_BYTES: Final = 245
"""Of RSA-2048 with PKCS#1 v1.5 padding (RFC 8017, section 7.2: 256 - 11)."""
SHA384_BYTES: Final = 48
BY_NAME, BY_FILE, MASTER_FILE = 0x04, 0x02, 0x00
"""P1 of SELECT: an application, an EF of it, the MF."""
WITHOUT_FCI: Final = 0x0C
FILE_ID_BYTES: Final = 2
SHORT_FILE_ID: Final = 0x80
"""In P1 of READ BINARY; the offset ends at 7FFF."""


class VirtualCard:
    """One simulated card; `answer` is its side of a dialogue."""

    def __init__(self, file: SimulatedCardFile, keep: Keep = forget) -> None:
        """Take what the card was personalised with, and what keeps it when its tries change."""
        self._file = file
        self._keep = keep
        self._applications = {app.aid: app for app in applications_of(file)}
        self._handlers = {
            (0x00, 0xA4): self._select,
            (0x00, 0xB0): self._read,
            (0x00, 0x20): self._verify,
            (0x00, 0x24): self._change,
            (0x80, 0x2A): self._sign,
        }
        self.reset()

    @property
    def file(self) -> SimulatedCardFile:
        """Return the card as it is now, with its tries."""
        return self._file

    def reset(self) -> None:
        """Forget what was selected and who was let in."""
        self._application: Application | None = None
        self._selected: int | None = None
        self._open: set[int] = set()

    def answer(self, command: bytes) -> bytes:
        """Return the response APDU to a command APDU."""
        apdu = parse_apdu(command)
        if apdu is None:
            return words.WRONG_LENGTH
        handler = self._handlers.get((apdu.cla, apdu.ins))
        if handler is None:
            known = apdu.cla in {cla for cla, _ in self._handlers}
            return words.WRONG_INSTRUCTION if known else words.WRONG_CLASS
        return handler(apdu)

    def _select(self, apdu: Apdu) -> bytes:
        if apdu.p1 == BY_NAME:
            return self._select_application(apdu.data)
        if (apdu.p1, apdu.p2, apdu.data) == (MASTER_FILE, 0x00, b""):
            # The master file is a trap: unknown after a reset, without effect inside.
            return words.WRONG_PARAMETERS if self._application is None else words.OK
        if (apdu.p1, apdu.p2) != (BY_FILE, WITHOUT_FCI):
            return words.WRONG_PARAMETERS
        if len(apdu.data) != FILE_ID_BYTES:
            return words.WRONG_LENGTH
        file = int.from_bytes(apdu.data, "big")
        if self._application is None or file not in self._application.ids:
            return words.NOT_FOUND
        self._selected = file
        return words.OK

    def _select_application(self, aid: bytes) -> bytes:
        application = self._applications.get(aid)
        if application is None:
            return words.NOT_FOUND
        self.reset()
        self._application = application
        return words.OK

    def _guarded(self, application: Application, file: int) -> bool:
        guard = application.guards.get(file)
        return guard is not None and guard not in self._open

    def _read(self, apdu: Apdu) -> bytes:
        application, file = self._application, self._selected
        if application is None or file is None:
            return words.WRONG_STATE
        if apdu.p1 & SHORT_FILE_ID:
            return words.WRONG_PARAMETERS
        content = application.contents.get(file)
        if content is None or apdu.data or apdu.le is None:
            return words.WRONG_STATE
        if self._guarded(application, file):
            return words.NOT_ALLOWED
        offset = apdu.p1 << 8 | apdu.p2
        if offset >= len(content):
            return words.PAST_THE_END
        return content[offset : offset + apdu.le] + words.OK

    def _selected_pin(self) -> tuple[int, PinPlace] | None:
        if self._application is None or self._selected is None:
            return None
        place = self._application.pins.get(self._selected)
        return None if place is None else (self._selected, place)

    def _verify(self, apdu: Apdu) -> bytes:
        if (apdu.p1, apdu.p2) != (0x00, 0x80):
            return words.WRONG_PARAMETERS
        pin = self._selected_pin()
        if pin is None:
            return words.WRONG_STATE
        number, place = pin
        secret, tries = place.read(self._file)
        if not apdu.data:
            return words.tries_left(tries)
        if tries == 0:
            return words.BLOCKED
        # The counter goes down before the comparison: power cut in between gains nothing.
        self._become(place.with_tries(self._file, tries - 1))
        self._open.discard(number)
        if apdu.data != secret:
            return words.tries_left(tries - 1)
        self._become(place.with_tries(self._file, place.most_tries))
        self._open.add(number)
        return words.OK

    def _change(self, apdu: Apdu) -> bytes:
        """Set a new PIN: after a VERIFY of the old one, which the command does not repeat."""
        if (apdu.p1, apdu.p2) != (0x01, 0x80):
            return words.WRONG_PARAMETERS
        pin = self._selected_pin()
        if pin is None:
            return words.WRONG_STATE
        number, place = pin
        if number not in self._open:
            return words.NOT_ALLOWED
        if not apdu.data:
            return words.WRONG_LENGTH
        if place.form is None or not place.form.fullmatch(apdu.data):
            return words.WRONG_STATE
        self._become(place.with_secret(self._file, apdu.data))
        return words.OK

    def _become(self, file: SimulatedCardFile) -> None:
        self._file = file
        self._keep(file)

    def _sign(self, apdu: Apdu) -> bytes:
        if (apdu.p1, apdu.p2) != (0x00, 0x80):
            return words.WRONG_PARAMETERS
        application, key = self._application, self._selected
        if application is None or key is None or key not in application.keys:
            return words.WRONG_STATE
        if self._guarded(application, key):
            return words.NOT_ALLOWED
        if apdu.le is None:
            return words.WRONG_LENGTH
        private: bytes = getattr(self._file, application.keys[key])
        return _signature(private, apdu.data)


def _signature(private: bytes, data: bytes) -> bytes:
    # Our own JPKI centre made the key; checking it takes ten times as long as signing with it.
    key = load_der_private_key(private, None, unsafe_skip_rsa_key_validation=True)
    if isinstance(key, rsa.RSAPrivateKey) and 1 <= len(data) <= MOST_SIGNED_BYTES:
        return key.sign(data, padding.PKCS1v15(), NoDigestInfo()) + words.OK
    if isinstance(key, ec.EllipticCurvePrivateKey) and len(data) == SHA384_BYTES:
        return key.sign(data, ec.ECDSA(Prehashed(hashes.SHA384()))) + words.OK
    return words.WRONG_STATE
