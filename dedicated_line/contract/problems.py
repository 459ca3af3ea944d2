"""Errors as problem details (RFC 9457)."""

from enum import StrEnum
from typing import Final

from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.message import Message, UtcTime
from dedicated_line.contract.refusals import Refusal

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:kofu:problem:"


class ProblemCode(StrEnum):
    """What went wrong at the border, beside the refusals."""

    REFUSED = "refused"
    """A rule said no; `refusal` says which."""
    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    VERSION = "version"
    UNKNOWN_SESSION = "unknown-session"
    """Ended, expired, of another kiosk, or lost with Redis: start again."""
    CHALLENGE_USED = "challenge-used"
    UNKNOWN_ORDER = "unknown-order"
    WRONG_STATE = "wrong-state"
    KEY_REUSED = "key-reused"
    """The idempotency key came before with another body."""
    BAD_SIGNATURE = "bad-signature"
    TOO_MANY_ORDERS = "too-many-orders"
    GONE = "gone"
    """The print window ended; the ciphertext is deleted."""
    NOT_A_KIOSK = "not-a-kiosk"
    UNAVAILABLE = "unavailable"
    """A part is down; the same request may be repeated."""
    INTERNAL = "internal"
    """An incident; `incident` is its id."""
    NOT_FOUND = "not-found"
    INTEGRITY = "integrity"
    """A clerk's check said no."""


class Problem(Message):
    """The body of every answer that is not a success."""

    type: str
    title: str
    status: int
    code: ProblemCode
    detail: str
    """One sentence that says what to do; never a name, never a secret."""
    retryable: bool = False
    refusal: Refusal | None = None
    kind: Kind | None = None
    municipality_name: str | None = None
    opens_at: UtcTime | None = None
    order: str | None = None
    incident: str | None = None


def problem(
    code: ProblemCode,
    status: int,
    detail: str,
    *,
    retryable: bool = False,
    refusal: Refusal | None = None,
    order: str | None = None,
    incident: str | None = None,
) -> Problem:
    """Make a problem with its type and title filled in."""
    return Problem(
        type=TYPE_PREFIX + code.value,
        title=code.value.replace("-", " ").capitalize(),
        status=status,
        code=code,
        detail=detail,
        retryable=retryable,
        refusal=refusal,
        order=order,
        incident=incident,
    )
