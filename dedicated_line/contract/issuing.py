"""Centre ↔ issuing server: HTTP on a Unix socket, the issuing server takes nobody's word.

``POST /v1/holders`` `IdentifyHolder` → `HolderIdentified`;
``POST /v1/compositions`` `Compose` → `Composed` (repeating the same order gives the same answer);
``POST /v1/confirmations`` `Confirm` → `Confirmed`. Refusals are problems with a `refusal`.
"""

from typing import Annotated

from pydantic import Field

from dedicated_line.contract.message import (
    Bytes,
    KioskId,
    Message,
    MunicipalityCode,
    OrderId,
    SessionId,
)
from dedicated_line.contract.sessions import PresentHolder


class CardWord(Message):
    """All that is needed to verify once more that the card's holder asked, at this kiosk, now."""

    municipality: MunicipalityCode
    kiosk: KioskId
    session: SessionId
    challenge: Bytes
    holder: PresentHolder


class IdentifyHolder(Message):
    """Ask for the personal part of a session."""

    card: CardWord


class HolderIdentified(Message):
    """`PersonalPart`, sealed to the session's receiving key."""

    personal: Bytes


class Compose(Message):
    """Ask for a certificate to be composed, signed and sealed."""

    order: OrderId
    card: CardWord
    order_body: Bytes
    """The exact bytes of `PlaceOrder` as the kiosk sent them."""
    order_signature: Bytes


class Composed(Message):
    """A sealed certificate."""

    order: OrderId
    header: Bytes
    """COSE_Sign1 over `EnvelopeHeader`."""
    ciphertext: Bytes
    """`Content`, sealed to the session's receiving key."""


class Confirm(Message):
    """Ask, at release, whether everybody on the paper may still have it."""

    order: OrderId
    municipality: MunicipalityCode


class Confirmed(Message):
    """Whether record version, tombstones, moves, protection and freshness are as at sealing."""

    unchanged: bool
    record_version: Annotated[int, Field(ge=0)]
