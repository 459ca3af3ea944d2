"""The console of municipal staff: what is open here, since when, and switching it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, abort, flash, make_response, redirect, render_template, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from backend.database import reading
from backend.orders.service import Alarm, OrderRow, integrity_alarms, latest_orders
from backend.participation import service
from backend.participation.errors import ChangeRefusedError, UnreadableMomentError
from backend.participation.model import Wish, offer_after, offer_at
from backend.participation.moments import read_moment
from backend.participation.service import Author, Standing
from backend.settings import BackendSettings
from backend.staff.model import Role
from backend.web.bootstrap import CentreParts, ConsoleParts, console_parts
from backend.web.log_in import guard, who
from backend.web.look import dress, live
from backend.web.municipality.forms import ChangeForm, FormError, read_change
from backend.web.words import change_refusal, resident_sees
from dedicated_line.contract.kinds import KIND_NAMES_JA, Kind

ORDERS_SHOWN: Final = 20
ALARMS_SHOWN: Final = 20
LONGEST_COMMENT: Final = 200


@dataclass(frozen=True)
class Overview:
    """What the page shows of one municipality."""

    name: str
    standings: tuple[Standing, ...]
    orders: list[OrderRow]
    alarms: list[Alarm]


def create_app(settings: BackendSettings) -> Flask:
    """Return the console of municipal staff for these settings."""
    return console(console_parts(settings))


def console(parts: ConsoleParts) -> Flask:
    """Return the console of municipal staff made of these parts."""
    app = Flask(__name__, static_folder=None)
    dress(app, parts, "municipality", "自治体コンソール")
    guard(app, parts.centre, Role.MUNICIPAL)
    pages = _Pages(parts.centre)
    app.add_url_rule("/", "home", pages.home)
    app.add_url_rule("/live", "live", pages.live)
    app.add_url_rule("/change/<kind>/<to>", "change", pages.change, methods=["GET", "POST"])
    app.add_url_rule("/undo/<kind>", "undo", pages.undo, methods=["GET", "POST"])
    return app


def _code() -> str:
    """Return the municipality of who is there: nobody can name another."""
    code = who().municipality
    if code is None:
        abort(HTTPStatus.FORBIDDEN)
    return code


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        abort(HTTPStatus.NOT_FOUND)


def _home() -> AnyResponse:
    return redirect("/", HTTPStatus.SEE_OTHER)


class _Pages:
    """The pages, each of which parses, calls a service and renders."""

    def __init__(self, parts: CentreParts) -> None:
        self._parts = parts

    def _overview(self) -> Overview:
        code = _code()
        with reading(self._parts.engine) as connection:
            return Overview(
                name=service.municipality_name(connection, code),
                standings=service.standing(connection, code, self._parts.clock.now()),
                orders=latest_orders(connection, ORDERS_SHOWN, code),
                alarms=integrity_alarms(connection, ALARMS_SHOWN, code),
            )

    def home(self) -> str:
        """Show the municipality, and what a resident sees at the moment asked for."""
        text, seen, error = request.args.get("at", ""), None, None
        if text:
            try:
                at = read_moment(text)
            except UnreadableMomentError:
                error = "日時を読み取れません。カレンダーから選んでください。"
            else:
                with reading(self._parts.engine) as connection:
                    name = service.municipality_name(connection, _code())
                    offers = service.offers(connection, _code(), at)
                seen = (at, [(kind, resident_sees(offer, name)) for kind, offer in offers.items()])
        return render_template(
            "home.html", view=self._overview(), asked=text[:30], seen=seen, error=error
        )

    def live(self) -> Response:
        """Show the part of the page that changes."""
        return live("overview.html", view=self._overview())

    def change(self, kind: str, to: str) -> Response | AnyResponse:
        """Ask what shall change, show before and after, and make it once that is confirmed."""
        if to not in {"open", "closed"}:
            abort(HTTPStatus.NOT_FOUND)
        chosen, now = _kind(kind), self._parts.clock.now()
        with reading(self._parts.engine) as connection:
            standing = self._standing(connection, chosen)
            name = service.municipality_name(connection, _code())
        form = ChangeForm(seen=standing.seen, fee=str(standing.offer.fee))
        if request.method == "GET":
            return self._form(name, standing, to, form, None)
        form = ChangeForm.of(request.form)
        if request.form.get("step") == "edit":
            return self._form(name, standing, to, form, None)
        try:
            wish = read_change(form, to_open=to == "open", now=now, fee=standing.offer.fee)
            if request.form.get("step") == "make":
                service.switch(
                    self._parts.engine,
                    self._parts.announcer,
                    _code(),
                    chosen,
                    wish,
                    Author(who().login, form.comment.strip(), now),
                    form.seen,
                )
                flash(_done(chosen, wish, later=form.later), "good")
                return _home()
            service.check(standing.history, wish, now)
        except FormError as error:
            return self._form(name, standing, to, form, str(error))
        except ChangeRefusedError as error:
            return self._form(name, standing, to, form, change_refusal(error))
        return make_response(
            render_template(
                "confirm.html",
                name=name,
                standing=standing,
                to=to,
                form=form,
                wish=wish,
                before=offer_at(standing.history, wish.effective_from),
                after=offer_after(standing.history, chosen, wish),
            )
        )

    def undo(self, kind: str) -> Response | AnyResponse:
        """Show what taking the last change back would do, and do it once that is confirmed."""
        chosen, now = _kind(kind), self._parts.clock.now()
        with reading(self._parts.engine) as connection:
            standing = self._standing(connection, chosen)
            name = service.municipality_name(connection, _code())
        if standing.undo is None:
            flash("取り消せる変更がありません。", "warn")
            return _home()
        if request.method == "GET":
            return make_response(render_template("undo.html", name=name, standing=standing))
        try:
            made = service.undo(
                self._parts.engine,
                self._parts.announcer,
                _code(),
                chosen,
                Author(who().login, "直前の変更の取り消し", now),
                ChangeForm.of(request.form).seen,
            )
        except ChangeRefusedError as error:
            flash(change_refusal(error), "bad")
        else:
            state = "受付中" if made.open else "停止中"
            flash(f"{KIND_NAMES_JA[chosen]}の直前の変更を取り消しました（{state}）。", "good")
        return _home()

    def _standing(self, connection: Connection, kind: Kind) -> Standing:
        standings = service.standing(connection, _code(), self._parts.clock.now())
        return next(row for row in standings if row.kind is kind)

    def _form(
        self, name: str, standing: Standing, to: str, form: ChangeForm, error: str | None
    ) -> Response:
        status = HTTPStatus.OK if error is None else HTTPStatus.UNPROCESSABLE_ENTITY
        page = render_template(
            "change.html", name=name, standing=standing, to=to, form=form, error=error
        )
        return make_response(page, status)


def _done(kind: Kind, wish: Wish, *, later: bool) -> str:
    what = "受付を始め" if wish.open else "受付を止め"
    done = f"{what}る予約をしました。" if later else f"{what}ました。"
    return f"{KIND_NAMES_JA[kind]}の{done}"
