"""Requests 3 to 5: order, release, outcome."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.message import (
    Bytes,
    Digest,
    MemberHandle,
    Message,
    OrderId,
    SessionId,
    Yen,
)
from dedicated_line.contract.numbers import IssueNumber
from dedicated_line.contract.sessions import Short
from dedicated_line.contract.states import (
    IssueState,
    MoneyState,
    NumberStatus,
    PrintResult,
    ProofStrength,
)

MAX_COPIES = 10
MAX_MEMBERS = 40
MAX_ORDERS_PER_SESSION = 5
SIGNATURE_HEADER = "Kofu-Signature"
"""Base64url of the signature over the exact body bytes (`keys.sign_body`)."""
IDEMPOTENCY_HEADER = "Idempotency-Key"


class PlaceOrder(Message):
    """``POST /v1/sessions/{id}/orders``; signed by the session key for `Purpose.ORDER`."""

    session: SessionId
    kind: Kind
    options: Options
    members: Annotated[tuple[MemberHandle, ...], Field(min_length=1, max_length=MAX_MEMBERS)]
    copies: Annotated[int, Field(ge=1, le=MAX_COPIES)]
    layout: Digest
    replaces: IssueNumber | None = None
    """The spoiled issue that this order reprints."""


class OrderSealed(Message):
    """The answer to `PlaceOrder`: the centre holds the finished, sealed certificate."""

    order: OrderId
    fee: Yen
    """For all copies together."""
    header: Bytes
    """COSE_Sign1 over `EnvelopeHeader`, by the municipality's envelope key."""


class Money(Message):
    """What was taken, by the coin unit's own word."""

    amount: Yen
    receipt: str | None = None
    """The coin unit's receipt; None where nothing was due."""


class Release(Message):
    """``POST /v1/orders/{id}/release``; signed by the session key for `Purpose.RELEASE`."""

    order: OrderId
    money: Money


class Released(Message):
    """The answer to `Release`."""

    order: OrderId
    ciphertext: Bytes
    """`Content`, sealed to the session's receiving key."""
    fence: int
    """Grows with every release of this order; an older release must not be printed."""
    print_window: int
    """Seconds on the kiosk's monotonic clock, from sending the request: no page begins later."""


class OutcomeResult(StrEnum):
    """How an order ended at the kiosk."""

    FINISHED = "finished"
    """Released; `issues` says what became of each."""
    CANCELLED = "cancelled"
    """Left, timed out or given up before release."""
    REJECTED = "rejected"
    """A clerk's check at the kiosk said no; nothing was printed."""


class Check(StrEnum):
    """Which clerk's check said no."""

    HEADER = "header"
    CONTENT = "content"
    PAGES = "pages"


class IssueOutcome(Message):
    """What became of one issue."""

    number: IssueNumber
    result: PrintResult
    proof: ProofStrength
    evidence: Annotated[str, Field(max_length=500)] = ""
    """The printer's own words: status bytes and process id in hexadecimal; never text of a page."""


class MoneyFact(Message):
    """What became of the money of the whole order, by the coin unit's word."""

    taken: Yen
    returned: Yen
    owed: Yen


class Outcome(Message):
    """``POST /v1/orders/{id}/outcome``; signed by the device key for `Purpose.OUTCOME`."""

    order: OrderId
    result: OutcomeResult
    issues: tuple[IssueOutcome, ...] = ()
    check: Check | None = None
    evidence: Annotated[str, Field(max_length=500)] = ""
    money: MoneyFact


class IssueStatus(Message):
    """One issue in the ledger."""

    number: IssueNumber | None
    """None until the issuing server gave one."""
    state: IssueState
    number_status: NumberStatus
    money: MoneyState
    price: Yen


class OrderStatus(Message):
    """``GET /v1/orders/{id}``, and the answer to `Outcome`: states only."""

    order: OrderId
    kind: Kind
    reason: Short | None = None
    issues: tuple[IssueStatus, ...]
