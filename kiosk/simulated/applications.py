"""What stands on a simulated card: its applications with their files, PINs and keys, as data.

Ids and access rules are those that the open-source drivers agree on (OpenSC card-jpki, jpki/myna);
where they are silent, a docstring says what was chosen. Everything personal is made up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dedicated_line.contract.simulated_card import (
    CHECK_NUMBER_TRIES,
    PIN_TRIES,
    SIGNATURE_PASSWORD_TRIES,
    OtherApplications,
    SimulatedCardFile,
)
from kiosk.cards.profiles import MY_NUMBER_CARD, PROFILES

FILLER_BYTES: Final = 64
"""Stand after the data of each file, as on a real card."""
SIGNATURE_CERTIFICATE, SIGNATURE_CA = 0x0001, 0x0002
USER_CERTIFICATE, USER_CA = 0x000A, 0x000B
TOKEN_INFO, WHICH_CERTIFICATES = 0x0006, 0x0008
USER_KEY, USER_PIN = 0x0017, 0x0018
SIGNATURE_KEY, SIGNATURE_PASSWORD = 0x001A, 0x001B
INPUT_SUPPORT_AID: Final = bytes.fromhex("D3921000310001010408")
"""券面事項入力補助AP: the individual number and four attributes, to be typed in for the holder."""
INDIVIDUAL_NUMBER, ATTRIBUTES, INPUT_SUPPORT_PIN = 0x0001, 0x0002, 0x0011
FACE_AID: Final = bytes.fromhex("D3921000310001010402")
"""券面事項確認AP: compares what is printed on the card's face; its files are not known here."""
CHECK_NUMBER_A, CHECK_NUMBER_B = 0x0013, 0x0012
JUKI_AID: Final = bytes.fromhex("D3921000310001010401")
"""住基AP: for the municipal office; its files are not known here."""
JUKI_PIN: Final = 0x001C
_FOUR_DIGITS: Final = re.compile(rb"[0-9]{4}")
_PASSWORD: Final = re.compile(rb"[A-Z0-9]{6,16}")


@dataclass(frozen=True)
class PinPlace:
    """Where a PIN and its tries stand in the card's file, and what a new one may look like."""

    secret: str
    tries: str
    most_tries: int
    form: re.Pattern[bytes] | None
    """Of a new PIN; None where it cannot be changed: a number printed on the card."""
    beside: bool = False
    """It is in `SimulatedCardFile.other_applications`."""

    def read(self, file: SimulatedCardFile) -> tuple[bytes, int]:
        """Return the PIN and the tries that are left."""
        home = _beside(file) if self.beside else file
        secret: str = getattr(home, self.secret)
        tries: int = getattr(home, self.tries)
        return secret.encode("ascii"), tries

    def with_tries(self, file: SimulatedCardFile, tries: int) -> SimulatedCardFile:
        """Return the card with so many tries left."""
        return self._with(file, self.tries, tries)

    def with_secret(self, file: SimulatedCardFile, secret: bytes) -> SimulatedCardFile:
        """Return the card with another PIN."""
        return self._with(file, self.secret, secret.decode("ascii"))

    def _with(self, file: SimulatedCardFile, name: str, value: str | int) -> SimulatedCardFile:
        if not self.beside:
            return file.model_copy(update={name: value})
        beside = _beside(file).model_copy(update={name: value})
        return file.model_copy(update={"other_applications": beside})


@dataclass(frozen=True)
class Application:
    """One application of a card; file ids are its own."""

    aid: bytes
    contents: Mapping[int, bytes] = field(repr=False)
    pins: Mapping[int, PinPlace]
    guards: Mapping[int, int]
    """From a file or key to the PIN that opens it; what is not in here is free."""
    keys: Mapping[int, str] = field(default_factory=dict)
    """From a key's id to the field of the card's file that holds it."""

    @property
    def ids(self) -> frozenset[int]:
        """Return every id that can be selected."""
        return frozenset(self.contents) | frozenset(self.pins) | frozenset(self.keys)


def _beside(file: SimulatedCardFile) -> OtherApplications:
    return file.other_applications or OtherApplications()


def applications_of(file: SimulatedCardFile) -> tuple[Application, ...]:
    """Return the applications of a card; of the next card, only the one that signs is known."""
    jpki = _jpki(file)
    if jpki.aid != MY_NUMBER_CARD.aid:
        return (jpki,)
    return (jpki, _input_support(_beside(file)), _FACE, _JUKI)


def _jpki(file: SimulatedCardFile) -> Application:
    return Application(
        aid=next(p.aid for p in PROFILES if p.algorithm is file.algorithm),
        contents={
            SIGNATURE_CERTIFICATE: file.signature_certificate + bytes(FILLER_BYTES),
            SIGNATURE_CA: file.signature_ca + bytes(FILLER_BYTES),
            USER_CERTIFICATE: file.user_certificate + bytes(FILLER_BYTES),
            USER_CA: file.user_ca + bytes(FILLER_BYTES),
            TOKEN_INFO: file.label.encode("ascii").ljust(32).ljust(160, b"\x00"),
            WHICH_CERTIFICATES: bytes.fromhex("8F8F00"),
        },
        pins={
            USER_PIN: PinPlace("pin", "tries", PIN_TRIES, _FOUR_DIGITS),
            SIGNATURE_PASSWORD: PinPlace(
                "signature_password", "signature_tries", SIGNATURE_PASSWORD_TRIES, _PASSWORD
            ),
        },
        guards={
            SIGNATURE_CERTIFICATE: SIGNATURE_PASSWORD,
            SIGNATURE_KEY: SIGNATURE_PASSWORD,
            USER_KEY: USER_PIN,
        },
        keys={USER_KEY: "user_key", SIGNATURE_KEY: "signature_key"},
    )


def _private(tag: int, value: bytes) -> bytes:
    """Return a field with a two-byte private tag and a DER length."""
    size = len(value)
    length = bytes([size]) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")  # noqa: PLR2004 - X.690, 8.1.3.4
    return tag.to_bytes(2, "big") + length + value


def _input_support(data: OtherApplications) -> Application:
    attributes = b"".join(
        _private(tag, text.encode())
        for tag, text in (
            (0xDF21, "\x00\x00\x00\x00"),
            (0xDF22, data.name),
            (0xDF23, data.address),
            (0xDF24, data.birth),
            (0xDF25, data.sex),
        )
    )
    return Application(
        aid=INPUT_SUPPORT_AID,
        contents={
            INDIVIDUAL_NUMBER: _private(0xFF10, data.individual_number.encode("ascii"))
            + bytes(FILLER_BYTES),
            ATTRIBUTES: _private(0xFF20, attributes) + bytes(FILLER_BYTES),
        },
        pins={
            INPUT_SUPPORT_PIN: PinPlace(
                "input_support_pin", "input_support_tries", PIN_TRIES, _FOUR_DIGITS, beside=True
            )
        },
        guards={INDIVIDUAL_NUMBER: INPUT_SUPPORT_PIN, ATTRIBUTES: INPUT_SUPPORT_PIN},
    )


_FACE: Final = Application(
    aid=FACE_AID,
    contents={},
    pins={
        CHECK_NUMBER_A: PinPlace(
            "individual_number", "check_number_a_tries", CHECK_NUMBER_TRIES, None, beside=True
        ),
        CHECK_NUMBER_B: PinPlace(
            "check_number_b", "check_number_b_tries", CHECK_NUMBER_TRIES, None, beside=True
        ),
    },
    guards={},
)
_JUKI: Final = Application(
    aid=JUKI_AID,
    contents={},
    pins={JUKI_PIN: PinPlace("juki_pin", "juki_tries", PIN_TRIES, _FOUR_DIGITS, beside=True)},
    guards={},
)
