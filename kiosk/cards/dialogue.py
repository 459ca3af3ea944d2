"""The dialogue with a card, without I/O: bytes go to `transmit`, bytes come back.

A PIN is sent to VERIFY at most once a dialogue and the counter is read before it, so that contact
lost is never taken for a wrong PIN. The user certificate is read before the PIN is sent: a card
that cannot be read costs no try.
"""

from datetime import datetime
from typing import Final

from kiosk.cards import errors
from kiosk.cards.model import (
    SERVED,
    CardLook,
    CardWord,
    Medium,
    is_pin,
    medium_of,
    old_juki_in_term,
)
from kiosk.cards.pin import Pin
from kiosk.cards.profiles import PROFILES, CardProfile
from kiosk.cards.reader import Transmit

MAX_CERTIFICATE_BYTES: Final = 8192
"""More than any user certificate (about 1.6 KB today); bounds what a hostile card sends."""
READ_BYTES: Final = 256
"""The most that one READ BINARY with a short Le returns (ISO/IEC 7816-4)."""
SUCCESS: Final = 0x9000
_TRIES: Final = 0x63C0
_BLOCKED: Final = frozenset({0x6983, 0x6984})
_FAULTS: Final[dict[int, type[errors.CardFaultError]]] = {
    0x6982: errors.AccessDeniedError,
    0x6985: errors.WrongStateError,
    0x6A82: errors.FileMissingError,
    0x6A86: errors.WrongParametersError,
    0x6B00: errors.PastTheEndError,
    0x6700: errors.WrongLengthError,
}


def _ask(transmit: Transmit, step: str, apdu: bytes) -> tuple[bytes, int]:
    answer = transmit(apdu)
    if len(answer) < 2:  # noqa: PLR2004 - a status word is two bytes
        raise errors.CardFaultError(step, None)
    return answer[:-2], int.from_bytes(answer[-2:], "big")


def _fault(step: str, status: int) -> errors.CardFaultError:
    return _FAULTS.get(status, errors.CardFaultError)(step, status)


def _must(transmit: Transmit, step: str, apdu: bytes) -> bytes:
    data, status = _ask(transmit, step, apdu)
    if status != SUCCESS:
        raise _fault(step, status)
    return data


def _select_file(transmit: Transmit, file: int) -> None:
    apdu = bytes.fromhex("00A4020C02") + file.to_bytes(2, "big")
    _must(transmit, f"selecting file {file:04X}", apdu)


def _read(transmit: Transmit, offset: int, count: int) -> bytes:
    le = count % READ_BYTES
    data = _must(
        transmit, "reading", bytes.fromhex("00B0") + offset.to_bytes(2, "big") + bytes([le])
    )
    if not 1 <= len(data) <= count:
        raise errors.CardFaultError("reading", None)
    return data


def _der_length(start: bytes) -> int:
    """Return the whole length of the DER SEQUENCE that begins so; 0 when none does."""
    if len(start) < 2 or start[0] != 0x30:  # noqa: PLR2004 - tag and length
        return 0
    if start[1] < 0x80:  # noqa: PLR2004 - short form (X.690, 8.1.3.4)
        return 2 + start[1]
    count = start[1] & 0x7F
    if not 1 <= count <= 2 or len(start) < 2 + count:  # noqa: PLR2004 - up to 64 KB is enough
        return 0
    return 2 + count + int.from_bytes(start[2 : 2 + count], "big")


def _enter(transmit: Transmit) -> CardProfile:
    """Select the application of the first profile that the card knows."""
    for profile in PROFILES:
        apdu = bytes.fromhex("00A4040C") + bytes([len(profile.aid)]) + profile.aid
        _, status = _ask(transmit, "selecting the application", apdu)
        if status == SUCCESS:
            return profile
    raise errors.UnknownCardError


def _label(transmit: Transmit, profile: CardProfile) -> str:
    _select_file(transmit, profile.token_info)
    data = _read(transmit, 0, profile.token_info_bytes)
    return data[: profile.token_label_bytes].decode("ascii", "replace").rstrip(" \x00")


def _tries_left(transmit: Transmit, profile: CardProfile) -> int:
    """Ask by a VERIFY without a body; it never tells whether a PIN was given."""
    _select_file(transmit, profile.user_pin)
    step = "asking for the tries left"
    data, status = _ask(transmit, step, bytes.fromhex("00200080"))
    if status in _BLOCKED:
        return 0
    if status & 0xFFF0 != _TRIES or data:
        raise _fault(step, status)
    return status & 0x000F


def _certificate(transmit: Transmit, profile: CardProfile) -> bytes:
    _select_file(transmit, profile.user_certificate)
    data = _read(transmit, 0, READ_BYTES)
    length = _der_length(data)
    if not 0 < length <= MAX_CERTIFICATE_BYTES:
        raise errors.CardFaultError("reading the user certificate", None)
    while len(data) < length:
        data += _read(transmit, len(data), min(READ_BYTES, length - len(data)))
    return data[:length]


def _verify(transmit: Transmit, pin: Pin) -> None:
    """Send the PIN, once. The PIN's file is selected already."""
    apdu = bytes([0x00, 0x20, 0x00, 0x80, len(pin)]) + pin.digits()
    _, status = _ask(transmit, "checking the PIN", apdu)
    if status == SUCCESS:
        return
    if status in _BLOCKED or status == _TRIES:
        raise errors.PinBlockedError
    if status & 0xFFF0 == _TRIES:
        raise errors.WrongPinError(status & 0x000F)
    raise _fault("checking the PIN", status)


def _sign(transmit: Transmit, profile: CardProfile, message: bytes) -> bytes:
    _select_file(transmit, profile.user_key)
    body = profile.to_be_signed(message)
    apdu = bytes.fromhex("802A0080") + bytes([len(body)]) + body + b"\x00"
    signature = _must(transmit, "signing", apdu)
    if len(signature) not in profile.signature_bytes:
        raise errors.CardFaultError("signing", None)
    return signature


def _require_medium(medium: Medium, now: datetime | None = None) -> None:
    if medium is Medium.OLD_JUKI_CARD:
        raise errors.OldJukiCardError(in_term=None if now is None else old_juki_in_term(now))
    if medium not in SERVED:
        raise errors.UnknownCardError


def _require_tries(tries_left: int, *, go_ahead_at_last_try: bool) -> None:
    if tries_left == 0:
        raise errors.PinBlockedError
    if tries_left == 1 and not go_ahead_at_last_try:
        raise errors.LastTryError


def look(transmit: Transmit) -> CardLook:
    """Return what the card tells anyone; costs no try.

    Raises:
        UnknownCardError: the card has no application that a kiosk knows.
        LostContactError, CardFaultError: it went away, or answered what cannot be.
    """
    profile = _enter(transmit)
    label = _label(transmit, profile)
    return CardLook(
        medium=medium_of(label),
        label=label,
        tries_left=_tries_left(transmit, profile),
        algorithm=profile.algorithm,
    )


def require_servable(look_: CardLook, now: datetime | None = None) -> None:
    """Raise the CardRefusedError that this card meets before any PIN; a last try is none.

    Args:
        look_: as `look` returned it.
        now: domain time, which tells an old Juki card inside its term from one beyond it.
    """
    _require_medium(look_.medium, now)
    _require_tries(look_.tries_left, go_ahead_at_last_try=True)


def user_certificate(transmit: Transmit) -> bytes:
    """Return the user certificate (DER) without a PIN: is this the same card as before?"""
    return _certificate(transmit, _enter(transmit))


def sign_in(
    transmit: Transmit, pin: Pin | str, message: bytes, *, go_ahead_at_last_try: bool = False
) -> CardWord:
    """Let the card sign the message for its holder; sends the PIN once, or not at all.

    Args:
        transmit: to the card, fresh from a reset.
        pin: four digits; a kiosk's own process for cards gives a `Pin`, tools and tests text.
        message: `dedicated_line.contract.card_message.card_message`, built by the kiosk.
        go_ahead_at_last_try: the resident knows that a wrong PIN now blocks the card.

    Raises:
        MalformedPinError: the PIN has not four digits; nothing was sent.
        CardRefusedError: with the refusal that the resident is told.
        LostContactError: the card went away; try anew only when the resident asks for it.
        CardFaultError: the card answered what cannot be.
    """
    if isinstance(pin, str):
        if not is_pin(pin):
            raise errors.MalformedPinError
        pin = Pin(pin)
    if not pin.complete:
        raise errors.MalformedPinError
    profile = _enter(transmit)
    _require_medium(medium_of(_label(transmit, profile)))
    certificate = _certificate(transmit, profile)
    # The counter is asked for last: its file stays selected for the PIN.
    _require_tries(_tries_left(transmit, profile), go_ahead_at_last_try=go_ahead_at_last_try)
    _verify(transmit, pin)
    return CardWord(
        user_certificate=certificate,
        algorithm=profile.algorithm,
        signature=_sign(transmit, profile, message),
    )
