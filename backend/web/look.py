"""What both consoles look like and are guarded by: files, headers, sessions, errors, live pages."""

import hashlib
import hmac
import logging
from http import HTTPStatus
from pathlib import Path
from typing import Final

from flask import Flask, Response, abort, make_response, render_template, request, send_file
from flask_wtf.csrf import CSRFError, CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from backend.database import DatabaseDownError
from backend.web import words
from backend.web.bootstrap import ConsoleParts
from dedicated_line.contract.kinds import KIND_NAMES_JA
from dedicated_line.errors import KofuError, record_incident

_HERE: Final = Path(__file__).parent
_MODULES: Final = _HERE.parents[1] / "node_modules"
_FONTS: Final = _MODULES / "@fontsource" / "biz-udpgothic" / "files"
_FONT_FILES: Final = tuple(
    f"biz-udpgothic-{script}-{weight}-normal.woff2"
    for script in ("japanese", "latin")
    for weight in (400, 700)
)
_FILES: Final = {
    "look.css": _HERE / "static" / "look.css",
    "live.js": _HERE / "static" / "live.js",
    "tokens.css": _MODULES / "@digital-go-jp" / "design-tokens" / "dist" / "tokens.css",
    "morphdom.js": _MODULES / "morphdom" / "dist" / "morphdom-umd.min.js",
    **{name: _FONTS / name for name in _FONT_FILES},
}
_FILE_SECONDS: Final = 3600
MAX_FORM_BYTES: Final = 16 * 1024
"""The longest form is a comment of a few hundred characters."""
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types kofu-live"
)
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_log = logging.getLogger(__name__)


def dress(app: Flask, parts: ConsoleParts, audience: str, title: str) -> None:
    """Give an application its look, its guards and its errors.

    Raises:
        KofuError: what the browser needs is not installed.
    """
    missing = [name for name, path in _FILES.items() if not path.exists()]
    if missing:
        raise KofuError(
            f"what the browser needs is not installed ({missing[0]}); run 'make setup', or 'npm ci'"
        )
    app.config.update(
        # One key file, another key for each console: a cookie of one is nothing to the other.
        SECRET_KEY=hmac.digest(parts.session_key, audience.encode(), "sha256"),
        SESSION_COOKIE_NAME=f"kofu-{audience}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=not parts.centre.simulation,
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
    )
    CSRFProtect(app)
    templates = [FileSystemLoader(_HERE / "templates")]
    if app.jinja_loader is not None:
        templates.insert(0, app.jinja_loader)  # type: ignore[arg-type] # any loader will do
    app.jinja_loader = ChoiceLoader(templates)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        words=words,
        kind_names=KIND_NAMES_JA,
        console_title=title,
        simulation=parts.centre.simulation,
        now=parts.centre.clock.now,
    )
    app.jinja_env.filters.update(
        moment=words.moment, exact=words.exact, second=words.second, yen=words.yen
    )
    app.add_url_rule("/look/<name>", "look", _file)
    app.after_request(_guard)
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DatabaseDownError, _database_down)
    app.register_error_handler(OperationalError, _database_down)
    app.register_error_handler(Exception, lambda _error: _incident(parts.log_folder, audience))


def _file(name: str) -> Response:
    path = _FILES.get(name)
    if path is None:
        abort(HTTPStatus.NOT_FOUND)
    return send_file(path, conditional=True, max_age=_FILE_SECONDS)


def _guard(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "look":
        response.headers["Cache-Control"] = "no-store"
    return response


def live(template: str, **values: object) -> Response:
    """Return a part of a page with an ETag over its text; nothing but 304 when it is known."""
    text = render_template(template, **values)
    response = make_response(text)
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response


def page_of_error(title: str, text: str, status: int) -> Response:
    """Return a page that says what happened and what to do."""
    return make_response(render_template("look/error.html", title=title, text=text), status)


def _expired(_error: Exception) -> Response:
    return page_of_error(
        "画面の有効期限が切れました",
        "変更は行われていません。最初の画面に戻って、もう一度お試しください。",
        HTTPStatus.BAD_REQUEST,
    )


def _http_error(error: Exception) -> Response:
    code = error.code if isinstance(error, HTTPException) else None
    status = HTTPStatus(code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if status is HTTPStatus.NOT_FOUND:
        return page_of_error("見つかりません", "このアドレスには何もありません。", status)
    return page_of_error(
        "受け付けられませんでした",
        "変更は行われていません。最初の画面に戻って、もう一度お試しください。",
        status,
    )


def _database_down(_error: Exception) -> Response:
    _log.warning("the database does not answer")
    return page_of_error(
        "データベースが応答しません",
        "変更は行われていません。しばらく待って、もう一度お試しください。続くときは運用担当へ連絡してください。",
        HTTPStatus.SERVICE_UNAVAILABLE,
    )


def _incident(log_folder: Path, audience: str) -> Response:
    incident = record_incident(log_folder, f"console-{audience}")
    return page_of_error(
        "予期しないことが起きました",
        f"運用担当に、番号 {incident} を伝えてください。",
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
