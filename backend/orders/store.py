"""How orders are kept: orders, issues, idempotency keys, outcomes as evidence, alarms."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    LABEL_STYLE_TABLENAME_PLUS_COL,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from backend.database import Instant, centre_metadata
from backend.orders.model import NUMBERS, PAIRS, Finding, Issue
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.states import IssueState, MoneyState, NumberStatus


def _in(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in sorted(values))})"


_PAIRS: Final = " OR ".join(
    f"(state = '{state}' AND {_in('money', money)} AND {_in('number_status', NUMBERS[state])})"
    for state, money in PAIRS.items()
)
_WITHOUT_NUMBER: Final = (IssueState.INTENDED, IssueState.REFUSED, IssueState.ABANDONED)

order_table: Final = Table(
    "order",
    centre_metadata,
    Column("id", String(32), primary_key=True),
    Column("session", String(32), nullable=False),
    Column("kiosk", String(7), nullable=False),
    Column("municipality", String(6), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("copies", Integer, nullable=False),
    Column("members", Integer, nullable=False),
    Column("fee", Integer, nullable=False, comment="yen a copy"),
    Column("signing_key", LargeBinary, nullable=False, comment="of the session; P-256 point"),
    Column("replaces", String(40), nullable=True, unique=True, comment="the number it reprints"),
    Column("header", LargeBinary, nullable=True, comment="COSE_Sign1; kept for ever"),
    Column("record_version", Integer, nullable=True),
    Column("ciphertext", LargeBinary, nullable=True, comment="until the print window ends"),
    Column("fence", Integer, nullable=False, default=0),
    Column("print_deadline", Instant(), nullable=True, comment="real time"),
    Column("reason", String(60), nullable=True),
    Column("taken", Integer, nullable=False, default=0, comment="yen, by the coin unit's word"),
    Column("returned", Integer, nullable=False, default=0),
    Column("owed", Integer, nullable=False, default=0),
    Column("receipt", Text, nullable=True),
    Column("created_at", Instant(), nullable=False, comment="real time"),
    Column("updated_at", Instant(), nullable=False, comment="real time"),
    CheckConstraint("fee >= 0 AND copies >= 1 AND members >= 1", name="counts"),
    Index(None, "session"),
    Index(None, "created_at"),
    comment="who asked is known to nobody here: a session, a kiosk, a municipality",
)

_COLUMNS: Final = tuple(column.name for column in order_table.c)

issue_table: Final = Table(
    "issue",
    centre_metadata,
    Column("order", ForeignKey("order.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("number", String(40), nullable=True, unique=True),
    Column("state", String(10), nullable=False, index=True),
    Column("money", String(10), nullable=False),
    Column("number_status", String(10), nullable=False),
    Column("price", Integer, nullable=False),
    Column("loss", Integer, nullable=False, default=0),
    Column("decided", Integer, nullable=False, default=0, comment="1: by two persons"),
    CheckConstraint(_PAIRS, name="pairs"),
    CheckConstraint(
        f"number IS NOT NULL OR {_in('state', _WITHOUT_NUMBER)}",
        name="number",
    ),
    CheckConstraint("price > 0 OR money = 'none'", name="free"),
    CheckConstraint("price >= 0 AND loss >= 0 AND decided IN (0, 1)", name="amounts"),
)

idempotency_table: Final = Table(
    "idempotency",
    centre_metadata,
    Column("key", String(64), primary_key=True, comment="SHA-256 over kiosk and key"),
    Column("request", String(10), nullable=False),
    Column("order", ForeignKey("order.id"), nullable=False),
    Column("body", String(64), nullable=False, comment="HMAC of the body under the key itself"),
    Column("refusal", String(40), nullable=True, comment="what a release was refused with"),
    Column("at", Instant(), nullable=False),
    comment="kept for ever; the key itself is not, so that a body cannot be guessed from it",
)

outcome_table: Final = Table(
    "outcome",
    centre_metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("order", ForeignKey("order.id"), nullable=False),
    Column("body_digest", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False, comment="the exact bytes that were signed"),
    Column("signature", LargeBinary, nullable=False),
    Column("findings", Text, nullable=False, default=""),
    Column("at", Instant(), nullable=False),
    Index(None, "order", "body_digest", unique=True),
    comment="evidence: numbers, states and money; never a text of a page",
)

alarm_table: Final = Table(
    "integrity_alarm",
    centre_metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant(), nullable=False),
    Column("finding", String(20), nullable=False),
    Column("order", String(32), nullable=True),
    Column("kiosk", String(7), nullable=True),
    Column("municipality", String(6), nullable=True),
    Column("detail", Text, nullable=False),
    Column("acknowledged_at", Instant(), nullable=True),
    Column("acknowledged_by", Text, nullable=True),
)


@dataclass(frozen=True)
class Order:
    """One order in the ledger, with its issues in their order."""

    id: str
    session: str
    kiosk: str
    municipality: str
    kind: Kind
    copies: int
    members: int
    fee: int
    signing_key: bytes
    replaces: str | None
    header: bytes | None
    record_version: int | None
    ciphertext: bytes | None
    fence: int
    print_deadline: datetime | None
    reason: str | None
    taken: int
    returned: int
    owed: int
    receipt: str | None
    created_at: datetime
    updated_at: datetime
    issues: tuple[Issue, ...]


def _issue_values(issue: Issue) -> dict[str, object]:
    return {
        "number": issue.number,
        "state": issue.state.value,
        "money": issue.money.value,
        "number_status": issue.number_status.value,
        "price": issue.price,
        "loss": issue.loss,
        "decided": int(issue.decided),
    }


def _orders(connection: Connection, which: ColumnElement[bool]) -> list[Order]:
    """Read orders with their issues in one statement: never half before a move and half after."""
    query = (
        select(order_table, issue_table)
        .set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)
        .join(issue_table, issue_table.c.order == order_table.c.id)
        .where(which)
        .order_by(order_table.c.created_at, order_table.c.id, issue_table.c.place)
    )
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["order_id"], []).append(dict(row))
    return [_order(rows) for rows in found.values()]


def _order(rows: Sequence[Mapping[str, Any]]) -> Order:
    values = {name: rows[0][f"order_{name}"] for name in _COLUMNS}
    values["kind"] = Kind(values["kind"])
    return Order(**values, issues=tuple(_issue(row) for row in rows))


def _issue(row: Mapping[str, Any], prefix: str = "issue_") -> Issue:
    return Issue(
        place=row[f"{prefix}place"],
        number=row[f"{prefix}number"],
        state=IssueState(row[f"{prefix}state"]),
        money=MoneyState(row[f"{prefix}money"]),
        number_status=NumberStatus(row[f"{prefix}number_status"]),
        price=row[f"{prefix}price"],
        loss=row[f"{prefix}loss"],
        decided=bool(row[f"{prefix}decided"]),
    )


def find_order(connection: Connection, order: str, *, lock: bool = False) -> Order | None:
    """Return an order; with `lock` nobody else changes it until the transaction ends."""
    if lock:
        held = select(order_table.c.id).where(order_table.c.id == order)
        connection.execute(held.with_for_update())
    return next(iter(_orders(connection, order_table.c.id == order)), None)


def add_order(connection: Connection, order: Order) -> None:
    """Insert a new order and its issues."""
    values = {name: getattr(order, name) for name in _COLUMNS}
    connection.execute(insert(order_table).values(**{**values, "kind": order.kind.value}))
    connection.execute(
        insert(issue_table),
        [
            {"order": order.id, "place": issue.place, **_issue_values(issue)}
            for issue in order.issues
        ],
    )


def keep_issues(
    connection: Connection, order: str, issues: Iterable[Issue], **columns: object
) -> None:
    """Write an order's issues, and whatever columns of the order itself are named."""
    for issue in issues:
        connection.execute(
            update(issue_table)
            .where(issue_table.c.order == order, issue_table.c.place == issue.place)
            .values(**_issue_values(issue))
        )
    connection.execute(update(order_table).where(order_table.c.id == order).values(**columns))


def session_orders(connection: Connection, session: str) -> list[Order]:
    """Return the orders of a session, the first made first."""
    return _orders(connection, order_table.c.session == session)


def order_of_number(connection: Connection, number: str) -> str | None:
    """Return the id of the order that an issue number belongs to."""
    return connection.execute(
        select(issue_table.c.order).where(issue_table.c.number == number)
    ).scalar_one_or_none()


@dataclass(frozen=True)
class Key:
    """What is remembered of an idempotency key."""

    request: str
    order: str
    body: str
    refusal: str | None


def find_key(connection: Connection, key: str) -> Key | None:
    """Return what is remembered of a key, by its digest."""
    table = idempotency_table.c
    row = connection.execute(
        select(table.request, table.order, table.body, table.refusal).where(table.key == key)
    ).first()
    return None if row is None else Key(*row)


def keep_key(connection: Connection, key: str, kept: Key, at: datetime) -> None:
    """Remember a key for ever; IntegrityError when somebody else has just done so."""
    connection.execute(insert(idempotency_table).values(key=key, at=at, **vars(kept)))


def raise_alarm(
    connection: Connection, at: datetime, finding: Finding, detail: str, order: Order | None = None
) -> None:
    """Write an alarm for both consoles; detail never speaks of a resident."""
    connection.execute(
        insert(alarm_table).values(
            at=at,
            finding=finding.value,
            order=order.id if order else None,
            kiosk=order.kiosk if order else None,
            municipality=order.municipality if order else None,
            detail=detail,
        )
    )


def has_open_alarm(connection: Connection, finding: Finding) -> bool:
    """Tell whether an alarm of this kind waits for somebody."""
    query = select(alarm_table.c.sequence).where(
        alarm_table.c.finding == finding.value, alarm_table.c.acknowledged_at.is_(None)
    )
    return connection.execute(query.limit(1)).first() is not None


def outcome_known(connection: Connection, order: str, body_digest: str) -> bool:
    """Tell whether this very outcome has come before."""
    table = outcome_table.c
    query = select(table.sequence).where(table.order == order, table.body_digest == body_digest)
    return connection.execute(query).first() is not None


def keep_outcome(connection: Connection, **columns: object) -> None:
    """Keep an outcome as evidence."""
    connection.execute(insert(outcome_table).values(**columns))


def issues_of_many(connection: Connection, orders: list[str]) -> dict[str, list[Issue]]:
    """Return the issues of several orders at once."""
    found: dict[str, list[Issue]] = {order: [] for order in orders}
    query = select(issue_table).where(issue_table.c.order.in_(orders))
    rows = connection.execute(query.order_by(issue_table.c.order, issue_table.c.place))
    for row in rows.mappings():
        found[row["order"]].append(_issue(dict(row), prefix=""))
    return found
