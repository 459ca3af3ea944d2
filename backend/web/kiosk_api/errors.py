"""Which error of which service is which problem: the one table of the kiosk API."""

from http import HTTPStatus
from typing import Final

from backend.identity.errors import ChallengeUsedError, SessionsDownError
from backend.orders.errors import (
    BadOrderSignatureError,
    CannotReplaceError,
    ClerkSaysNoError,
    KeyListMissingError,
    KeyReusedError,
    OrderError,
    OrderRefusedError,
    TooManyOrdersError,
    UnknownOrderError,
    WindowClosedError,
    WrongAmountError,
    WrongStateError,
)
from backend.orders.holders import HolderRefusedError, UnknownSessionError, VersionError
from backend.web.problems import down
from dedicated_line.contract.problems import Problem, ProblemCode, problem
from dedicated_line.contract.refusals import Refusal

_SENTENCES: Final = {
    Refusal.CERTIFICATE_EXPIRED: "The user certificate has expired; renew it.",
    Refusal.CERTIFICATE_REVOKED: "The user certificate is revoked; ask your municipality.",
    Refusal.CERTIFICATE_UNKNOWN: "This card's certificate is not accepted here.",
    Refusal.CARD_NOT_CONFIRMED: "The card could not be confirmed; hold it up again.",
    Refusal.REGISTERED_TOMORROW: "Usable from tomorrow.",
    Refusal.CANNOT_CONFIRM: "The card cannot be confirmed now; come again later.",
    Refusal.NOT_PARTICIPATING: "Your municipality does not take part.",
    Refusal.NOT_YET_PARTICIPATING: "Your municipality does not take part yet.",
    Refusal.KIND_CLOSED: "Your municipality has closed this certificate.",
    Refusal.STOPPED: "Your municipality has stopped this certificate.",
    Refusal.KIOSK_OUTDATED: "This kiosk needs an update; use another one.",
    Refusal.COUNTER: "Please ask at the counter of your municipality.",
    Refusal.UNAVAILABLE: "Your municipality cannot issue now; come again later.",
    Refusal.CHANGED: "Something has changed; nothing is charged, please begin again.",
}
_CODES: Final[dict[type[Exception], tuple[ProblemCode, HTTPStatus]]] = {
    UnknownSessionError: (ProblemCode.UNKNOWN_SESSION, HTTPStatus.NOT_FOUND),
    ChallengeUsedError: (ProblemCode.CHALLENGE_USED, HTTPStatus.CONFLICT),
    VersionError: (ProblemCode.VERSION, HTTPStatus.BAD_REQUEST),
    UnknownOrderError: (ProblemCode.UNKNOWN_ORDER, HTTPStatus.NOT_FOUND),
    WrongStateError: (ProblemCode.WRONG_STATE, HTTPStatus.CONFLICT),
    CannotReplaceError: (ProblemCode.WRONG_STATE, HTTPStatus.CONFLICT),
    WrongAmountError: (ProblemCode.WRONG_STATE, HTTPStatus.CONFLICT),
    KeyReusedError: (ProblemCode.KEY_REUSED, HTTPStatus.CONFLICT),
    BadOrderSignatureError: (ProblemCode.BAD_SIGNATURE, HTTPStatus.FORBIDDEN),
    TooManyOrdersError: (ProblemCode.TOO_MANY_ORDERS, HTTPStatus.FORBIDDEN),
    WindowClosedError: (ProblemCode.GONE, HTTPStatus.GONE),
    ClerkSaysNoError: (ProblemCode.INTEGRITY, HTTPStatus.CONFLICT),
}


def translate(error: Exception) -> Problem | None:
    """Return the problem for an error of a service that the kiosk API calls."""
    if isinstance(error, HolderRefusedError | OrderRefusedError):
        return _refused(error)
    if isinstance(error, SessionsDownError):
        return down("Sessions cannot be kept now; try again in a moment.")
    if isinstance(error, KeyListMissingError):
        return down("There is no key list that holds now; try again later.")
    for kind, (code, status) in _CODES.items():
        if isinstance(error, kind):
            sentence = str(error)
            order = error.order if isinstance(error, OrderError) else None
            return problem(code, status, f"{sentence[:1].upper()}{sentence[1:]}.", order=order)
    return None


def _refused(error: HolderRefusedError | OrderRefusedError) -> Problem:
    sentence = _SENTENCES.get(error.refusal, "Not served now.")
    order = error.order if isinstance(error, OrderRefusedError) else None
    found = problem(
        ProblemCode.REFUSED, HTTPStatus.FORBIDDEN, sentence, refusal=error.refusal, order=order
    )
    if isinstance(error, HolderRefusedError) and error.municipality_name is not None:
        return found.model_copy(update={"municipality_name": error.municipality_name})
    return found
