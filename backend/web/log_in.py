"""Log-in and log-out of a console, and who is there."""

from datetime import datetime
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, g, make_response, redirect, render_template, request, session
from werkzeug.wrappers import Response as AnyResponse

from backend.database import reading
from backend.staff import service
from backend.staff.model import SESSION_LENGTH, Role
from backend.staff.service import LogInRefusedError, SignedIn, TooManyAttemptsError
from backend.web.bootstrap import CentreParts
from backend.web.words import moment

_OPEN: Final = {"look", "log_in"}
"""Endpoints that anybody may ask for."""
_LIVE: Final = {"live"}
_LONGEST: Final = 200
"""Of a log-in and of a password that are looked at."""


def guard(app: Flask, parts: CentreParts, role: Role) -> None:
    """Let in only who has logged in with this role; `who` then says who it is."""

    def _require() -> AnyResponse | None:
        g.who = None
        if request.endpoint == "look":
            return None
        g.who = _session_holder(parts, role)
        if g.who is not None or request.endpoint in _OPEN:
            return None
        session.clear()
        if request.endpoint in _LIVE:
            return make_response("", HTTPStatus.UNAUTHORIZED)
        return redirect("/log-in")

    def _log_in() -> Response | AnyResponse:
        if g.who is not None:
            return redirect("/")
        if request.method == "GET":
            return _page("", None, HTTPStatus.OK)
        return _try(parts, role)

    def _log_out() -> AnyResponse:
        session.clear()
        return redirect("/log-in", HTTPStatus.SEE_OTHER)

    app.before_request(_require)
    app.add_url_rule("/log-in", "log_in", _log_in, methods=["GET", "POST"])
    app.add_url_rule("/log-out", "log_out", _log_out, methods=["POST"])


def _try(parts: CentreParts, role: Role) -> Response | AnyResponse:
    login, password = request.form.get("login", ""), request.form.get("password", "")
    at = parts.clock.real_now()
    try:
        found = service.log_in(
            parts.engine,
            parts.passwords,
            login=login.strip()[:_LONGEST],
            password=password[:_LONGEST],
            role=role,
            at=at,
        )
    except TooManyAttemptsError as error:
        text = f"続けて間違えたため、{moment(error.until)}まで待ってください。"
        return _page(login, text, HTTPStatus.TOO_MANY_REQUESTS)
    except LogInRefusedError:
        text = "ログイン名かパスワードが違います。もう一度入力してください。"
        return _page(login, text, HTTPStatus.FORBIDDEN)
    session.clear()
    session.update(login=found.login, stamp=found.stamp, until=(at + SESSION_LENGTH).isoformat())
    return redirect("/", HTTPStatus.SEE_OTHER)


def who() -> SignedIn:
    """Return who is at the console; only where `guard` has let somebody in."""
    signed_in: SignedIn = g.who
    return signed_in


def _page(login: str, error: str | None, status: HTTPStatus) -> Response:
    return make_response(
        render_template("look/log_in.html", login=login[:_LONGEST], error=error), status
    )


def _session_holder(parts: CentreParts, role: Role) -> SignedIn | None:
    login, stamp, until = (session.get(name) for name in ("login", "stamp", "until"))
    if not (isinstance(login, str) and isinstance(stamp, str) and isinstance(until, str)):
        return None
    if datetime.fromisoformat(until) <= parts.clock.real_now():
        return None
    with reading(parts.engine) as connection:
        return service.still_signed_in(connection, login, stamp, role)
