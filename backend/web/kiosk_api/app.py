"""The five requests of a kiosk: parse, call one service, render. No rule lives here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from flask import Flask, Response, request

from backend.database import reading
from backend.kiosks.service import Kiosk, find_kiosk
from backend.orders import holders, service
from backend.orders.desk import Desk, Signed
from backend.orders.holders import Reception
from backend.web.kiosk_api.errors import translate
from backend.web.problems import ProblemError, answer, answer_bytes, handle_errors, parse
from dedicated_line.contract import canonical
from dedicated_line.contract.line import CIRCUIT_HEADER, KIOSK_HEADER
from dedicated_line.contract.message import decode_base64url
from dedicated_line.contract.orders import (
    IDEMPOTENCY_HEADER,
    SIGNATURE_HEADER,
    Outcome,
    PlaceOrder,
    Release,
)
from dedicated_line.contract.problems import ProblemCode, problem
from dedicated_line.contract.sessions import OpenSession, PresentHolder

PART: Final = "kiosk-api"
COSE: Final = "application/cose"
_KEY: Final = re.compile(r"[0-9A-Za-z_-]{16,64}")
_TEXT: Final = "text/plain"


@dataclass(frozen=True)
class KioskApi:
    """What the kiosk API is put together from."""

    reception: Reception
    desk: Desk
    key_list: Callable[[], bytes]
    """The published key list's bytes; KeyListMissingError when there is none."""
    log_folder: Path


def create_app(api: KioskApi) -> Flask:
    """Return the kiosk API."""
    app = Flask(__name__)
    handle_errors(app, part=PART, log_folder=api.log_folder, translate=translate)
    reception, desk = api.reception, api.desk

    @app.post("/v1/sessions")
    def _open_session() -> Response:
        kiosk = _kiosk(api)
        wish = parse(OpenSession, request.get_data())
        return answer(holders.open_session(reception, kiosk.id, wish), HTTPStatus.CREATED)

    @app.put("/v1/sessions/<session>/holder")
    def _present_holder(session: str) -> Response:
        kiosk = _kiosk(api)
        body = request.get_data()
        presented = parse(PresentHolder, body)
        return answer_bytes(holders.present_holder(reception, kiosk.id, session, presented, body))

    @app.post("/v1/sessions/<session>/orders")
    def _place_order(session: str) -> Response:
        kiosk = _kiosk(api)
        signed = _signed()
        wish = parse(PlaceOrder, signed.body)
        asker = holders.asker(reception, kiosk.id, session)
        return answer(service.place_order(desk, asker, wish, signed), HTTPStatus.CREATED)

    @app.post("/v1/orders/<order>/release")
    def _release(order: str) -> Response:
        kiosk = _kiosk(api)
        signed = _signed()
        wish = parse(Release, signed.body)
        _require_same(order, wish.order)
        return answer(service.release(desk, kiosk.id, wish, signed))

    @app.post("/v1/orders/<order>/outcome")
    def _outcome(order: str) -> Response:
        kiosk = _kiosk(api)
        signed = _signed(key_needed=False)
        outcome = parse(Outcome, signed.body)
        _require_same(order, outcome.order)
        return answer(service.settle(desk, kiosk, outcome, signed))

    @app.get("/v1/orders/<order>")
    def _order(order: str) -> Response:
        return answer(service.order_status(desk.engine, _kiosk(api).id, order))

    @app.get("/v1/keys")
    def _keys() -> Response:
        _kiosk(api)
        body = api.key_list()
        response = Response(body, mimetype=COSE)
        response.set_etag(canonical.digest(body))
        response.headers["Cache-Control"] = "no-cache"
        response.make_conditional(request)
        return response

    @app.get("/livez")
    def _livez() -> Response:
        return Response("alive\n", mimetype=_TEXT)

    @app.get("/readyz")
    def _readyz() -> Response:
        with reading(desk.engine):
            pass
        reception.sessions.ping()
        desk.keys()
        return Response("ready\n", mimetype=_TEXT)

    return app


def _kiosk(api: KioskApi) -> Kiosk:
    """Return who asks, by the line's word alone; NOT_A_KIOSK when the centre's list differs."""
    name = request.headers.get(KIOSK_HEADER, "")
    circuit = request.headers.get(CIRCUIT_HEADER, "")
    with reading(api.desk.engine) as connection:
        kiosk = find_kiosk(connection, name)
    if kiosk is None or kiosk.circuit != circuit or not kiosk.in_service:
        raise ProblemError(
            problem(
                ProblemCode.NOT_A_KIOSK,
                HTTPStatus.FORBIDDEN,
                "This is for kiosks in service, on their own circuit; enrol the kiosk.",
            )
        )
    return kiosk


def _signed(*, key_needed: bool = True) -> Signed:
    """Read body, signature and idempotency key as they came; MALFORMED when one is missing."""
    key = request.headers.get(IDEMPOTENCY_HEADER, "")
    if _KEY.fullmatch(key) is None and (key or key_needed):
        raise _malformed(f"The header {IDEMPOTENCY_HEADER} needs 16 to 64 letters and digits.")
    try:
        signature = decode_base64url(request.headers.get(SIGNATURE_HEADER, ""))
    except ValueError:
        raise _malformed(f"The header {SIGNATURE_HEADER} is not base64url.") from None
    return Signed(key=key, body=request.get_data(), signature=signature)


def _require_same(path: str, body: str) -> None:
    if path != body:
        raise _malformed("Address and body name different orders.")


def _malformed(sentence: str) -> ProblemError:
    return ProblemError(problem(ProblemCode.MALFORMED, HTTPStatus.BAD_REQUEST, sentence))
