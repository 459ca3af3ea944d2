"""How participation is kept: municipalities, changes that are only ever added, one lock a kind."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from backend.database import Instant, centre_metadata
from backend.participation.model import Change, Municipality
from dedicated_line.contract.kinds import Kind

municipality_table: Final = Table(
    "municipality",
    centre_metadata,
    Column("code", String(6), primary_key=True),
    Column("prefecture", Text, nullable=False),
    Column("name", Text, nullable=False, comment="empty for a prefecture"),
    Column("kana", Text, nullable=False),
)

change_table: Final = Table(
    "participation_change",
    centre_metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("municipality", ForeignKey("municipality.code"), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("effective_from", Instant, nullable=False),
    Column("fee", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("made_at", Instant, nullable=True, comment="null: loaded, and nobody knows"),
    CheckConstraint("fee >= 0", name="fee"),
    Index(None, "municipality", "kind"),
    sqlite_autoincrement=True,
    comment="only ever added to",
)

lock_table: Final = Table(
    "participation_lock",
    centre_metadata,
    Column("municipality", ForeignKey("municipality.code"), primary_key=True),
    Column("kind", String(40), primary_key=True),
    comment="the row that stop and release both lock",
)


def keep_municipalities(connection: Connection, rows: Iterable[Municipality]) -> None:
    """Insert each municipality, or write its names anew."""
    values = [
        {"code": row.code, "prefecture": row.prefecture, "name": row.name, "kana": row.kana}
        for row in rows
    ]
    if connection.dialect.name == "postgresql":
        new = postgresql.insert(municipality_table)
        statement: postgresql.Insert | sqlite.Insert = new.on_conflict_do_update(
            index_elements=["code"],
            set_={name: new.excluded[name] for name in ("prefecture", "name", "kana")},
        )
    else:
        new_row = sqlite.insert(municipality_table)
        statement = new_row.on_conflict_do_update(
            index_elements=["code"],
            set_={name: new_row.excluded[name] for name in ("prefecture", "name", "kana")},
        )
    connection.execute(statement, values)


def municipalities(connection: Connection, code: str | None = None) -> tuple[Municipality, ...]:
    """Return all municipalities by code, or the one with this code."""
    query = select(municipality_table).order_by(municipality_table.c.code)
    if code is not None:
        query = query.where(municipality_table.c.code == code)
    return tuple(
        Municipality(code=row.code, prefecture=row.prefecture, name=row.name, kana=row.kana)
        for row in connection.execute(query)
    )


def add_change(connection: Connection, municipality: str, change: Change) -> int:
    """Append a change; return its sequence."""
    result = connection.execute(
        insert(change_table).values(
            municipality=municipality,
            kind=change.kind.value,
            open=change.open,
            effective_from=change.effective_from,
            fee=change.fee,
            actor=change.actor,
            comment=change.comment,
            made_at=change.made_at,
        )
    )
    key = result.inserted_primary_key
    return int(key[0]) if key else 0


def _change(row: Row[tuple[object, ...]]) -> Change:
    effective_from: datetime = row.effective_from
    return Change(
        kind=Kind(row.kind),
        open=row.open,
        effective_from=effective_from,
        fee=row.fee,
        actor=row.actor,
        comment=row.comment,
        made_at=row.made_at,
        sequence=row.sequence,
    )


def changes(connection: Connection, municipality: str) -> tuple[Change, ...]:
    """Return all changes of a municipality, in the order in which they were made."""
    query = (
        select(change_table)
        .where(change_table.c.municipality == municipality)
        .order_by(change_table.c.sequence)
    )
    return tuple(_change(row) for row in connection.execute(query))


def latest_changes(connection: Connection, most: int) -> tuple[tuple[str, Change], ...]:
    """Return what people have decided lately, each with its municipality; the last made first."""
    query = (
        select(change_table)
        .where(change_table.c.made_at.is_not(None))
        .order_by(change_table.c.sequence.desc())
        .limit(most)
    )
    return tuple((row.municipality, _change(row)) for row in connection.execute(query))


def all_changes(connection: Connection) -> dict[str, list[Change]]:
    """Return the changes of every municipality that has any, by its code."""
    found: dict[str, list[Change]] = {}
    for row in connection.execute(select(change_table).order_by(change_table.c.sequence)):
        found.setdefault(row.municipality, []).append(_change(row))
    return found


def lock_row(connection: Connection, municipality: str, kind: Kind) -> None:
    """Hold the lock row until the transaction ends; make it first where there is none."""
    held = (
        select(lock_table)
        .where(lock_table.c.municipality == municipality, lock_table.c.kind == kind.value)
        .with_for_update()
    )
    if connection.execute(held).first() is not None:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(lock_table)
        .values(municipality=municipality, kind=kind.value)
        .on_conflict_do_nothing()
    )
    connection.execute(held).one()
