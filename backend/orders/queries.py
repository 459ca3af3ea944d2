"""What consoles and operators may see of orders: numbers, states and money, never a person."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from backend.orders import model, store
from backend.orders.model import Finding
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.numbers import reference_number
from dedicated_line.contract.states import IssueState, MoneyState


@dataclass(frozen=True)
class OrderRow:
    """One order in a list."""

    order: str
    reference: str
    """What a resident can quote (受付番号)."""
    kiosk: str
    municipality: str
    kind: Kind
    copies: int
    state: IssueState
    """Derived from its issues'."""
    money: MoneyState
    fee: int
    """Yen, for all copies together."""
    reason: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Alarm:
    """One integrity alarm."""

    sequence: int
    at: datetime
    finding: Finding
    order: str | None
    kiosk: str | None
    municipality: str | None
    detail: str
    acknowledged_at: datetime | None


def latest_orders(
    connection: Connection, limit: int, municipality: str | None = None
) -> list[OrderRow]:
    """Return the newest orders, the newest first; of one municipality or of all."""
    table = store.order_table
    query = select(table).order_by(table.c.created_at.desc(), table.c.id).limit(limit)
    if municipality is not None:
        query = query.where(table.c.municipality == municipality)
    rows = connection.execute(query).all()
    issues = store.issues_of_many(connection, [row.id for row in rows])
    return [
        OrderRow(
            order=row.id,
            reference=reference_number(row.id),
            kiosk=row.kiosk,
            municipality=row.municipality,
            kind=Kind(row.kind),
            copies=row.copies,
            state=model.order_state(issues[row.id]),
            money=model.order_money(issues[row.id]),
            fee=row.fee * row.copies,
            reason=row.reason,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]


def find_by_reference(connection: Connection, text: str) -> str | None:
    """Return the id of the newest order with this id or reference number; None when none has."""
    prefix = text.replace("-", "").strip().lower()
    if not prefix or not set(prefix) <= set("0123456789abcdef"):
        return None
    table = store.order_table.c
    query = select(table.id).where(table.id.startswith(prefix)).order_by(table.created_at.desc())
    return connection.execute(query.limit(1)).scalar_one_or_none()


def integrity_alarms(
    connection: Connection, limit: int, municipality: str | None = None
) -> list[Alarm]:
    """Return the newest alarms, the newest first; of one municipality or of all."""
    table = store.alarm_table
    query = select(table).order_by(table.c.sequence.desc()).limit(limit)
    if municipality is not None:
        query = query.where(table.c.municipality == municipality)
    return [
        Alarm(
            sequence=row.sequence,
            at=row.at,
            finding=Finding(row.finding),
            order=row.order,
            kiosk=row.kiosk,
            municipality=row.municipality,
            detail=row.detail,
            acknowledged_at=row.acknowledged_at,
        )
        for row in connection.execute(query)
    ]
