"""SQL databases: one of the centre, one of the issuing server; SQLite or PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import OperationalError

from dedicated_line.errors import KofuError

_READS_ONLY = "kofu_reads_only"
_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
centre_metadata = MetaData(naming_convention=_NAMING)
"""All tables of the centre; no name of a resident in any."""
issuer_metadata = MetaData(naming_convention=_NAMING)
"""All tables of the issuing server."""


class DatabaseDownError(KofuError):
    """The database does not answer, or its file cannot be written."""


class Instant(TypeDecorator[datetime]):
    """An instant in UTC; SQLite, which has no time zones, keeps it without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; refuse a time without offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs its offset")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def open_database(url: str | URL) -> Engine:
    """Return an engine whose transactions are serial where it counts.

    SQLite: WAL, synchronous FULL, foreign keys, and BEGIN IMMEDIATE, so that a transaction that
    reads a row and then writes cannot be overtaken. PostgreSQL: row locks by ``FOR UPDATE``.
    """
    target = make_url(url)
    if target.get_backend_name() != "sqlite":
        return create_engine(target, pool_pre_ping=True)
    engine = create_engine(target, connect_args={"timeout": 10})

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN itself, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(_READS_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Commit what the block does, or nothing of it; DatabaseDownError when there is no database."""
    with _said_clearly(engine), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Read one consistent state, without waiting for whoever writes; errors as `transaction`.

    Writing in such a block could lose to another writer: take `transaction` for it.
    """
    with _said_clearly(engine), engine.connect() as connection:
        connection.execution_options(**{_READS_ONLY: True})
        with connection.begin():
            yield connection


@contextmanager
def _said_clearly(engine: Engine) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise DatabaseDownError(
            f"the {engine.dialect.name} database does not answer or cannot be written; "
            "check that it runs and that its folder is writable"
        ) from error
