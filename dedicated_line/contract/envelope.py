"""The envelope: a signed header that the centre can check, and content that it cannot read."""

from datetime import date
from typing import Annotated

from pydantic import Field

from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.message import (
    Bytes,
    Digest,
    KioskId,
    Message,
    MunicipalityCode,
    OrderId,
    SessionId,
    UtcTime,
)
from dedicated_line.contract.numbers import IssueNumber
from dedicated_line.contract.residence import ResidenceCertificate

SALT_BYTES = 16


class EnvelopeHeader(Message):
    """What was sealed, for whom, where: signed by the municipality's envelope key."""

    contract: int
    municipality: MunicipalityCode
    order: OrderId
    session: SessionId
    kiosk: KioskId
    kind: Kind
    options: Options
    members: Annotated[int, Field(ge=1)]
    """How many persons were asked for."""
    copies: Annotated[int, Field(ge=1)]
    sheets: Annotated[int, Field(ge=1)]
    layout: Digest
    holder: Digest
    """Holder fingerprint: SHA-256 of the user certificate's DER."""
    issues: tuple[IssueNumber, ...]
    """One a copy."""
    record_version: Annotated[int, Field(ge=0)]
    register_as_of: UtcTime
    """Until when changes of the register were known at sealing."""
    sealed_at: UtcTime
    attested_on: date
    """The Tokyo date at sealing."""
    content: Digest
    """Over the canonical bytes of `Content`; its salt makes it unguessable."""


class IssuedPage(Message):
    """One page of one copy."""

    salt: Bytes
    """`SALT_BYTES` of its own; it is in the page's QR."""
    seal: Bytes
    """COSE_Sign1 over `seal.SealClaims`, by the paper-seal key."""


class IssuedCopy(Message):
    """One copy: an issue of its own."""

    number: IssueNumber
    pages: tuple[IssuedPage, ...]


class Content(Message):
    """What only the kiosk of this session can open."""

    salt: Bytes
    document: ResidenceCertificate
    copies: tuple[IssuedCopy, ...]
