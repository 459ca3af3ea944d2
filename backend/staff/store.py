"""How staff are kept: accounts, and the log-ins that failed lately."""

from datetime import datetime
from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Integer,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from backend.database import Instant, centre_metadata
from backend.staff.model import Member, Role

staff_table: Final = Table(
    "staff",
    centre_metadata,
    Column("login", String(40), primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("municipality", String(6), nullable=True),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("(role = 'municipal') = (municipality IS NOT NULL)", name="municipality"),
)

attempt_table: Final = Table(
    "staff_attempt",
    centre_metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("login_digest", String(64), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    comment="log-ins tried and not (yet) succeeded; what was typed may be a password: digest only",
)


def keep(connection: Connection, member: Member) -> None:
    """Insert the account, or write it anew."""
    values = {
        "login": member.login,
        "password_hash": member.password_hash,
        "role": member.role.value,
        "municipality": member.municipality,
        "created_at": member.created_at,
    }
    written = connection.execute(
        update(staff_table).where(staff_table.c.login == member.login).values(values)
    )
    if written.rowcount == 0:
        connection.execute(insert(staff_table).values(values))


def member(connection: Connection, login: str) -> Member | None:
    """Return the account with this log-in."""
    row = connection.execute(select(staff_table).where(staff_table.c.login == login)).first()
    if row is None:
        return None
    return Member(
        login=row.login,
        role=Role(row.role),
        municipality=row.municipality,
        password_hash=row.password_hash,
        created_at=row.created_at,
    )


def add_attempt(connection: Connection, login_digest: str, at: datetime) -> None:
    """Note that a password is about to be tried."""
    connection.execute(insert(attempt_table).values(login_digest=login_digest, at=at))


def attempts(connection: Connection, login_digest: str) -> tuple[datetime, ...]:
    """Return when this log-in was tried without success."""
    query = select(attempt_table.c.at).where(attempt_table.c.login_digest == login_digest)
    return tuple(connection.execute(query).scalars())


def forget_attempts(
    connection: Connection, *, login_digest: str | None = None, before: datetime | None = None
) -> None:
    """Delete the attempts of a log-in, or those made before a moment."""
    statement = delete(attempt_table)
    if login_digest is not None:
        statement = statement.where(attempt_table.c.login_digest == login_digest)
    if before is not None:
        statement = statement.where(attempt_table.c.at < before)
    connection.execute(statement)
