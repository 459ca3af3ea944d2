"""HTTP in the words of `contract.issuing`: parse, call one service, render."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

from flask import Flask, Response, request

from backend.identity.service import CardRefusedError
from backend.issuer.register.vault import TamperedError
from backend.issuer.sealing import service
from backend.issuer.sealing.errors import (
    IssueRefusedError,
    OrderForgedError,
    OrderGoneError,
    OrderReusedError,
    OrderUnknownError,
    OrderUnreadableError,
)
from backend.issuer.web.timing import Pace
from backend.web.problems import answer, handle_errors, parse
from dedicated_line.contract.issuing import Compose, Confirm, IdentifyHolder
from dedicated_line.contract.message import Message
from dedicated_line.contract.problems import Problem, ProblemCode, problem
from dedicated_line.contract.refusals import Refusal
from dedicated_line.errors import KofuError, record_incident

M = TypeVar("M", bound=Message)
PART: Final = "issuer"
_log = logging.getLogger(__name__)
MAX_BODY_BYTES: Final = 256 * 1024

_SENTENCES: Final = {
    Refusal.COUNTER: "Please ask at the counter of your municipality.",
    Refusal.UNAVAILABLE: "The municipality cannot issue now; come again later.",
    Refusal.REGISTERED_TOMORROW: "Usable from tomorrow.",
    Refusal.KIOSK_OUTDATED: "This kiosk has another layout than the one approved.",
}
_ORDER_ERRORS: Final[dict[type[KofuError], tuple[ProblemCode, HTTPStatus]]] = {
    OrderUnreadableError: (ProblemCode.MALFORMED, HTTPStatus.BAD_REQUEST),
    OrderForgedError: (ProblemCode.BAD_SIGNATURE, HTTPStatus.FORBIDDEN),
    OrderReusedError: (ProblemCode.KEY_REUSED, HTTPStatus.CONFLICT),
    OrderGoneError: (ProblemCode.GONE, HTTPStatus.GONE),
    OrderUnknownError: (ProblemCode.UNKNOWN_ORDER, HTTPStatus.NOT_FOUND),
}


@dataclass(frozen=True)
class Listener:
    """What the listener needs beside the services' own parts."""

    issuer: service.Issuer
    pace: Pace
    log_folder: Path
    not_ready: Callable[[], str | None]
    """Which part is not ready, None when all are."""


def _refused(refusal: Refusal) -> Problem:
    status = (
        HTTPStatus.SERVICE_UNAVAILABLE if refusal is Refusal.UNAVAILABLE else HTTPStatus.FORBIDDEN
    )
    sentence = _SENTENCES.get(refusal, "The card's word does not hold.")
    return problem(ProblemCode.REFUSED, status, sentence, refusal=refusal)


def _translator(log_folder: Path) -> Callable[[Exception], Problem | None]:
    def _translate(error: Exception) -> Problem | None:
        if isinstance(error, IssueRefusedError | CardRefusedError):
            return _refused(error.refusal)
        if isinstance(error, TamperedError):
            incident = record_incident(log_folder, PART)
            return problem(
                ProblemCode.INTEGRITY,
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"The register is not what was stored; operators find it as incident {incident}.",
                incident=incident,
            )
        if isinstance(error, OrderForgedError):
            _log.warning("security: %s", error)
        for kind, (code, status) in _ORDER_ERRORS.items():
            if isinstance(error, kind):
                return problem(code, status, f"{str(error).capitalize()}.")
        return None

    return _translate


def make_app(listener: Listener) -> Flask:
    """Return the application of one issuing server."""
    app = Flask(__name__)
    handle_errors(
        app,
        part=PART,
        log_folder=listener.log_folder,
        translate=_translator(listener.log_folder),
        max_body_bytes=MAX_BODY_BYTES,
    )

    def _answered(model: type[M], call: Callable[[service.Issuer, M], Message]) -> Response:
        arrival = listener.pace.arrival()
        try:
            return answer(call(listener.issuer, parse(model, request.get_data())))
        except IssueRefusedError as error:
            if error.refusal is Refusal.COUNTER:
                listener.pace.hold(arrival)
            raise

    @app.post("/v1/holders")
    def _holders() -> Response:
        return _answered(IdentifyHolder, service.identify)

    @app.post("/v1/compositions")
    def _compositions() -> Response:
        return _answered(Compose, service.compose)

    @app.post("/v1/confirmations")
    def _confirmations() -> Response:
        return _answered(Confirm, service.confirm)

    @app.get("/livez")
    def _livez() -> Response:
        return Response("alive\n", mimetype="text/plain")

    @app.get("/readyz")
    def _readyz() -> Response:
        missing = listener.not_ready()
        if missing is None:
            return Response("ready\n", mimetype="text/plain")
        return Response(
            f"not ready: {missing}\n",
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            mimetype="text/plain",
        )

    return app
