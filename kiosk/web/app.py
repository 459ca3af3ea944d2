"""The Flask application of the resident's screen; it listens on loopback only.

The digits of a PIN come one at a time, each in the body of a POST of its own; they are held in one
place until they go to the card, and are in no URL, log or page.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from flask import Flask, Response, abort, jsonify, render_template, request, send_from_directory
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as Answer

from dedicated_line.clock import Entropy
from kiosk.cards.pin import Pin
from kiosk.session.state import Session, Stage
from kiosk.web.screen import CoinSlot, Hand, Screen
from kiosk.web.texts import Language
from kiosk.web.touches import press, read_touch
from kiosk.web.view import View

HELD_SECONDS: Final = 15.0
"""How long a request for news is held; shorter than any browser's patience."""
MOST_BODY_BYTES: Final = 4096
COINS: Final = frozenset({10, 50, 100, 500, 1000})
"""What a simulated resident can drop in, in yen."""
CSRF_HEADER: Final = "Kofu-Token"
VERSION_HEADER: Final = "Kofu-State"
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; media-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ASSETS: Final = {
    "tokens": "@digital-go-jp/design-tokens/dist",
    "font": "@fontsource/biz-udpgothic",
}
"""Folders of `node_modules` that the page may read from."""


@dataclass(frozen=True)
class ScreenParts:
    """Everything that the screen is made of."""

    screen: Screen
    port: int
    node_modules: Path
    entropy: Entropy
    incident: Callable[[], str]
    """Records the exception being handled; returns the incident's id."""
    coin_slot: CoinSlot | None = None
    """Only of a simulated coin unit."""
    hand: Hand | None = None
    """Only where cards are held up in this process (simulation)."""
    simulation: bool = False


class _Speech:
    """The language of the resident who stands there; the next one begins in Japanese."""

    def __init__(self) -> None:
        self._chosen: tuple[int, Language] | None = None

    def of(self, session: Session) -> Language:
        """Return the language of this journey."""
        if self._chosen is None or self._chosen[0] != _resident(session):
            return Language.JAPANESE
        return self._chosen[1]

    def switch(self, session: Session) -> None:
        """Change to the other language, for this journey."""
        english = self.of(session) is Language.JAPANESE
        other = Language.ENGLISH if english else Language.JAPANESE
        self._chosen = (_resident(session), other)


def _resident(session: Session) -> int:
    """Count residents; whoever touches the start screen is the next one already."""
    return session.journey + (session.stage is Stage.START)


class _Pages:
    """The requests of the page, each a few lines."""

    def __init__(self, parts: ScreenParts) -> None:
        self._parts = parts
        self._speech = _Speech()
        self._pin = Pin()
        self._typing = Lock()
        self.token = parts.entropy.token(24).hex()
        self._hosts = {f"127.0.0.1:{parts.port}", f"localhost:{parts.port}"}

    def guard(self) -> None:
        """Let only our own page in: right host, and for a POST our token."""
        if request.host not in self._hosts:
            abort(403)
        given = request.headers.get(CSRF_HEADER, "").encode()
        if request.method == "POST" and not hmac.compare_digest(given, self.token.encode()):
            abort(403)

    def page(self) -> str:
        """Return the whole page."""
        return self._render("page.html", self._view())

    def screen(self) -> Answer:
        """Return the screen once its state is another than the page's; 204 when it stays."""
        known = request.args.get("known", "")
        shown = self._view()
        if shown.version == known:
            self._parts.screen.wait_for_change(shown.session, HELD_SECONDS)
            shown = self._view()
        if shown.version == known:
            return Response(status=204)
        return Response(self._render("screen.html", shown))

    def touch(self) -> Answer:
        """Take a touch; 409 when the screen it was made on is no longer shown."""
        shown = self._touched()
        try:
            with self._typing:
                event = read_touch(request.get_data(), self._pin)
        except ValueError:
            abort(400)
        self._parts.screen.touch(event, shown.session)
        return Response(status=204)

    def key(self) -> Answer:
        """Take a key of the PIN pad; 409 when none is shown, or digits before it are missing."""
        if self._touched().session.stage is not Stage.PIN:
            abort(409)
        try:
            with self._typing:
                fits = press(request.get_data(), self._pin)
        except ValueError:
            abort(400)
        return Response(status=204 if fits else 409)

    def _touched(self) -> View:
        """Return the screen that was touched; 409 when it is no longer shown."""
        shown = self._view()
        given = request.headers.get(VERSION_HEADER, "").encode()
        if not hmac.compare_digest(given, shown.version.encode()):
            abort(409)
        return shown

    def language(self) -> Answer:
        """Switch the language; every choice is kept."""
        self._speech.switch(self._parts.screen.session())
        return Response(status=204)

    def coins(self) -> Answer:
        """Drop simulated coins in."""
        if self._parts.coin_slot is None:
            abort(404)
        posted = request.get_json(silent=True)
        amount = posted.get("amount") if isinstance(posted, dict) else None
        if type(amount) is not int or amount not in COINS:
            abort(400)
        if self._parts.screen.session().stage is not Stage.PAY:
            abort(409)
        self._parts.coin_slot.drop(amount)
        return Response(status=204)

    def card(self) -> Answer:
        """Hold a persona's simulated card up while one is asked for; with none, take it back."""
        hand = self._parts.hand
        if hand is None:
            abort(404)
        posted = request.get_json(silent=True)
        if not isinstance(posted, dict) or "persona" not in posted:
            abort(400)
        persona = posted["persona"]
        if persona is None:
            hand.take_back()
            return Response(status=204)
        if persona not in hand.personas():
            abort(400)
        if self._parts.screen.session().stage is not Stage.HOLD_CARD:
            abort(409)
        hand.hold(persona)
        return Response(status=204)

    def assets(self, folder: str, name: str) -> Answer:
        """Return a file of one of the npm packages that the page uses."""
        if folder not in ASSETS:
            abort(404)
        return send_from_directory((self._parts.node_modules / ASSETS[folder]).absolute(), name)

    def _view(self) -> View:
        session = self._parts.screen.session()
        if session.stage is not Stage.PIN:
            with self._typing:
                self._pin.wipe()
        language = self._speech.of(session)
        return View(session, language, f"{version_of(session)}.{language}")

    def _render(self, template: str, shown: View) -> str:
        return render_template(
            template,
            view=shown,
            t=shown.t,
            session=shown.session,
            simulation=self._parts.simulation,
            coins=self._parts.coin_slot is not None,
            hand=self._parts.hand,
            token=self.token,
        )


def create_app(parts: ScreenParts) -> Flask:
    """Put the screen's application together."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    pages = _Pages(parts)
    app.before_request(pages.guard)
    app.add_url_rule("/", view_func=pages.page)
    app.add_url_rule("/screen", view_func=pages.screen)
    app.add_url_rule("/touch", view_func=pages.touch, methods=["POST"])
    app.add_url_rule("/pin", view_func=pages.key, methods=["POST"])
    app.add_url_rule("/language", view_func=pages.language, methods=["POST"])
    app.add_url_rule("/simulated/coins", view_func=pages.coins, methods=["POST"])
    app.add_url_rule("/simulated/card", view_func=pages.card, methods=["POST"])
    app.add_url_rule("/assets/<folder>/<path:name>", view_func=pages.assets)

    @app.after_request
    def close_the_windows(response: Response) -> Response:
        response.headers.update(SECURITY_HEADERS)
        return response

    @app.errorhandler(Exception)
    def failed(error: Exception) -> HTTPException | tuple[Answer, int]:
        """Answer an unexpected error with its incident's id, and with nothing else."""
        if isinstance(error, HTTPException):
            return error
        return jsonify(incident=parts.incident()), 500

    return app


def version_of(session: Session) -> str:
    """Return the name of one state of one journey."""
    return f"{session.journey}.{session.version}.{session.stage}"
