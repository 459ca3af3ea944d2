"""Requests 1 and 2: a session, and who holds the card."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dedicated_line.contract.environment import Environment
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.message import (
    Bytes,
    Digest,
    MemberHandle,
    Message,
    MunicipalityCode,
    SessionId,
    UtcTime,
    Yen,
)
from dedicated_line.contract.refusals import Refusal

CHALLENGE_BYTES = 32
CHALLENGE_SECONDS = 120
SESSION_SECONDS = 20 * 60
Short = Annotated[str, Field(min_length=1, max_length=200)]


class CardAlgorithm(StrEnum):
    """How a card signs; named as in RFC 7518."""

    RS256 = "RS256"
    """RSASSA-PKCS1-v1_5 with SHA-256, RSA-2048: the card of today."""
    ES384 = "ES384"
    """ECDSA P-384 with SHA-384 (DER): the next card."""


class OpenSession(Message):
    """``POST /v1/sessions``, after the PIN has been typed."""

    contract: int
    software: Short
    layouts: dict[Kind, Digest]
    """The digest of each layout that this kiosk can draw."""


class SessionOpened(Message):
    """The answer to `OpenSession`."""

    session: SessionId
    centre: Short
    environment: Environment
    challenge: Bytes
    """`CHALLENGE_BYTES` bytes, good for `CHALLENGE_SECONDS`, for this kiosk only."""
    time: UtcTime
    """The centre's time; a kiosk more than 60 s off does not sell."""
    outdated: tuple[Kind, ...] = ()
    """Kinds closed at this kiosk because its version is not on the approved list."""


class PresentHolder(Message):
    """``PUT /v1/sessions/{id}/holder``: the card's word."""

    user_certificate: Bytes
    """DER of the user-authentication certificate, as read from the card."""
    algorithm: CardAlgorithm
    signing_key: Bytes
    """The session's signing key (P-256 point, 65 bytes)."""
    receiving_key: Bytes
    """The session's receiving key (the same form); contents are sealed to it."""
    card_signature: Bytes
    """The card's signature over `card_message`."""


class KindOffer(Message):
    """One kind as this resident meets it now."""

    kind: Kind
    open: bool
    reason: Refusal | None = None
    """Why it is closed."""
    opens_at: UtcTime | None = None
    """When it opens, where that is known."""
    fee: Yen = 0
    """For one copy, in yen."""


class HolderAccepted(Message):
    """The answer to `PresentHolder`."""

    municipality: MunicipalityCode
    municipality_name: Short
    """Prefecture and municipality, as in 山口県下関市."""
    kinds: tuple[KindOffer, ...]
    personal: Bytes | None = None
    """`PersonalPart`, sealed to the session's receiving key; None when nothing is open."""


class Member(Message):
    """A member of the holder's household, as shown at the kiosk."""

    handle: MemberHandle
    name: Short
    holder: bool
    """Whether this is the person whose card it is."""


class PersonalPart(Message):
    """What the issuing server lets the kiosk show; the centre passes it as ciphertext."""

    members: tuple[Member, ...]
