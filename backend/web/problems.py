"""How every application reads a body and answers when it cannot serve."""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

from flask import Flask, Response
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from backend.database import DatabaseDownError
from dedicated_line.contract.message import Message
from dedicated_line.contract.problems import MEDIA_TYPE, Problem, ProblemCode, problem
from dedicated_line.errors import KofuError, record_incident

M = TypeVar("M", bound=Message)
MAX_BODY_BYTES: Final = 64 * 1024
"""The largest request of the contract, an order for `MAX_MEMBERS`, has under 2 KB; a presented
card under 4 KB."""
JSON: Final = "application/json"


class ProblemError(KofuError):
    """An answer that is not a success, ready to be sent."""

    def __init__(self, answer: Problem) -> None:
        """Take the problem to answer with."""
        super().__init__(answer.detail)
        self.problem = answer


Translate = Callable[[Exception], Problem | None]
"""Turns a subject's typed error into a problem; None when it is not of this subject."""


def parse(model: type[M], body: bytes) -> M:
    """Read a body strictly: unknown or missing fields and wrong types are MALFORMED (400).

    The answer names the field, never the value: that may be a resident's.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        # A name that the sender made up is the sender's text: it is not sent back.
        known = [str(part) for part in first["loc"] if isinstance(part, int) or part.isidentifier()]
        place = ".".join(known) if first["type"] != "extra_forbidden" else "an unknown field"
        raise ProblemError(
            problem(
                ProblemCode.MALFORMED,
                HTTPStatus.BAD_REQUEST,
                f"The body is not a {model.__name__}: {place or 'the whole'} "
                f"({first['type'].replace('_', ' ')}).",
            )
        ) from None


def answer(message: Message, status: int = HTTPStatus.OK) -> Response:
    """Return a message of the contract as the answer."""
    return answer_bytes(message.to_json(), status)


def answer_bytes(body: bytes, status: int = HTTPStatus.OK) -> Response:
    """Return JSON bytes that were made before, such as a repeated answer."""
    return _plain(Response(body, status=status, mimetype=JSON))


def answer_problem(found: Problem) -> Response:
    """Return a problem with its media type (RFC 9457)."""
    return _plain(Response(found.to_json(), status=found.status, mimetype=MEDIA_TYPE))


def _plain(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


_HTTP_CODES: Final = {
    HTTPStatus.NOT_FOUND: (ProblemCode.NOT_FOUND, "There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        ProblemCode.MALFORMED,
        "This address does not take this method.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        ProblemCode.TOO_LARGE,
        "The body is larger than any request of the contract.",
    ),
}


def _http_problem(error: HTTPException) -> Problem:
    status = error.code or int(HTTPStatus.INTERNAL_SERVER_ERROR)
    code, detail = _HTTP_CODES.get(
        HTTPStatus(status), (ProblemCode.MALFORMED, "The request cannot be read.")
    )
    return problem(code, status, detail)


def down(sentence: str) -> Problem:
    """Return UNAVAILABLE (503): a part is down, the same request may be repeated."""
    return problem(
        ProblemCode.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE, sentence, retryable=True
    )


def incident_problem(log_folder: Path, part: str) -> Problem:
    """Record the exception being handled and return INTERNAL (500) with the incident's id."""
    incident = record_incident(log_folder, part)
    return problem(
        ProblemCode.INTERNAL,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"Something unexpected happened; operators find it as incident {incident}.",
        incident=incident,
    )


def handle_errors(
    app: Flask,
    *,
    part: str,
    log_folder: Path,
    translate: Translate = lambda _error: None,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> None:
    """Make an application answer every error with a problem, and bound the bodies it reads.

    Args:
        app: the application.
        part: its name in the incident log.
        log_folder: where the incident log lies.
        translate: knows the typed errors of the services that this application calls.
        max_body_bytes: a longer body is TOO_LARGE (413).
    """
    app.config["MAX_CONTENT_LENGTH"] = max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = max_body_bytes

    def _on_error(error: Exception) -> Response:
        if isinstance(error, ProblemError):
            return answer_problem(error.problem)
        if isinstance(error, HTTPException):
            return answer_problem(_http_problem(error))
        known = translate(error)
        if known is not None:
            return answer_problem(known)
        if isinstance(error, DatabaseDownError | OperationalError):
            return answer_problem(down("The database does not answer now; try again later."))
        return answer_problem(incident_problem(log_folder, part))

    app.register_error_handler(Exception, _on_error)
