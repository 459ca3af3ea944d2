"""The console of operators: kiosks, circuits, printers, orders, alarms; never a person."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, flash, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from backend.database import reading
from backend.kiosks.service import kiosks
from backend.orders.queries import find_by_reference
from backend.orders.service import Alarm, OrderRow, integrity_alarms, latest_orders
from backend.orders.store import find_order
from backend.participation.model import Change
from backend.participation.service import latest_changes, municipality_names
from backend.settings import BackendSettings
from backend.staff.model import Role
from backend.web.bootstrap import CentreParts, ConsoleParts, console_parts
from backend.web.log_in import guard
from backend.web.look import dress, live
from backend.web.operators.fleet import KioskRow, Seen, find_turned_away, look_at_line, rows
from dedicated_line.contract.numbers import reference_number

ORDERS_SHOWN: Final = 30
ALARMS_SHOWN: Final = 20
CHANGES_SHOWN: Final = 10
LONGEST_REFERENCE: Final = 40


@dataclass(frozen=True)
class Overview:
    """What the page shows."""

    line: Seen
    kiosks: tuple[KioskRow, ...]
    orders: list[OrderRow]
    alarms: list[Alarm]
    changes: tuple[tuple[str, Change], ...]
    """What municipal staff decided lately, each with its municipality's code."""
    names: dict[str, str]
    """Of the municipalities on the page, by code."""

    @property
    def troubled(self) -> int:
        """Return how many kiosks somebody should look at."""
        return sum(row.trouble for row in self.kiosks)


def create_app(settings: BackendSettings) -> Flask:
    """Return the console of operators for these settings."""
    return console(console_parts(settings))


def console(parts: ConsoleParts) -> Flask:
    """Return the console of operators made of these parts."""
    app = Flask(__name__, static_folder=None)
    dress(app, parts, "operators", "運用コンソール")
    app.jinja_env.filters["reference"] = reference_number
    guard(app, parts.centre, Role.OPERATOR)
    pages = _Pages(parts.centre)
    app.add_url_rule("/", "home", pages.home)
    app.add_url_rule("/live", "live", pages.live)
    app.add_url_rule("/orders", "search", pages.search)
    app.add_url_rule("/orders/<text>", "order", pages.order)
    return app


class _Pages:
    """The pages, each of which asks services and renders."""

    def __init__(self, parts: CentreParts) -> None:
        self._parts = parts

    def _overview(self) -> Overview:
        seen = look_at_line(self._parts.redis)
        with reading(self._parts.engine) as connection:
            orders = latest_orders(connection, ORDERS_SHOWN)
            changes = latest_changes(connection, CHANGES_SHOWN)
            codes = {row.municipality for row in orders} | {code for code, _ in changes}
            return Overview(
                line=seen,
                kiosks=rows(kiosks(connection), seen, self._parts.clock.real_now()),
                orders=orders,
                alarms=integrity_alarms(connection, ALARMS_SHOWN),
                changes=changes,
                names=municipality_names(connection, codes),
            )

    def home(self) -> str:
        """Show everything."""
        return render_template("wall.html", view=self._overview())

    def live(self) -> Response:
        """Show the part of the page that changes."""
        return live("overview.html", view=self._overview())

    def search(self) -> str | AnyResponse:
        """Go to the order that a reference number names, or show why there is none."""
        text = request.args.get("reference", "").strip()[:LONGEST_REFERENCE]
        with reading(self._parts.engine) as connection:
            found = find_by_reference(connection, text)
        if found is None:
            away = find_turned_away(self._parts.redis, text)
            if away is not None:
                return render_template("turned_away.html", away=away)
            flash("その受付番号の申請は見つかりません。例：A1B2-C3D4", "warn")
            return redirect("/", HTTPStatus.SEE_OTHER)
        return redirect(f"/orders/{found}", HTTPStatus.SEE_OTHER)

    def order(self, text: str) -> str | AnyResponse:
        """Show the states of one order and of its issues."""
        with reading(self._parts.engine) as connection:
            order = find_order(connection, text)
            names = municipality_names(connection, {order.municipality} if order else set())
        if order is None:
            flash("その申請は見つかりません。", "warn")
            return redirect("/", HTTPStatus.SEE_OTHER)
        return render_template(
            "order.html",
            order=order,
            reference=reference_number(order.id),
            session_reference=reference_number(order.session),
            name=names.get(order.municipality, order.municipality),
        )
