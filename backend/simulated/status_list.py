"""What the simulated national centre knows of each certificate it has issued."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Row, String, Table, select

from backend.database import Instant, open_database, transaction

_metadata = MetaData()
_issued = Table(
    "issued_certificate",
    _metadata,
    Column("number", Integer, primary_key=True),
    Column("serial", String(40), nullable=False, unique=True),
    Column("generation", String(20), nullable=False, index=True),
    Column("persona", String(100), nullable=False, index=True),
    Column("not_before", Instant(), nullable=False),
    Column("not_after", Instant(), nullable=False),
    Column("status", String(10), nullable=False),
    Column("reason", String(30)),
    Column("changed_at", Instant()),
)


class Status(StrEnum):
    """The status of one certificate."""

    GOOD = "good"
    HELD = "held"
    """On hold; in JPKI a hold is never lifted."""
    REVOKED = "revoked"


@dataclass(frozen=True)
class Issued:
    """One certificate that was issued."""

    serial: int
    generation: str
    persona: str
    not_before: datetime
    not_after: datetime
    status: Status = Status.GOOD
    reason: str | None = None
    """As RFC 5280, section 5.3.1 spells it."""
    changed_at: datetime | None = None


def _of(row: Row[tuple[object, ...]]) -> Issued:
    return Issued(
        serial=int(row.serial, 16),
        generation=row.generation,
        persona=row.persona,
        not_before=row.not_before,
        not_after=row.not_after,
        status=Status(row.status),
        reason=row.reason,
        changed_at=row.changed_at,
    )


class StatusList:
    """A SQLite file of the centre's own."""

    def __init__(self, file: Path) -> None:
        """Open the file; make it when it is not there yet."""
        self._engine = open_database(f"sqlite:///{file.absolute()}")
        with transaction(self._engine) as connection:
            _metadata.create_all(connection)

    def close(self) -> None:
        """Close the file; it opens again by itself when it is next needed."""
        self._engine.dispose()

    def add(self, certificates: Iterable[Issued]) -> None:
        """Write new certificates down, all or none."""
        rows = [
            {
                "serial": f"{one.serial:x}",
                "generation": one.generation,
                "persona": one.persona,
                "not_before": one.not_before,
                "not_after": one.not_after,
                "status": one.status.value,
            }
            for one in certificates
        ]
        if rows:
            with transaction(self._engine) as connection:
                connection.execute(_issued.insert(), rows)

    def find(self, serial: int) -> Issued | None:
        """Return the certificate of a serial number."""
        with transaction(self._engine) as connection:
            row = connection.execute(
                select(_issued).where(_issued.c.serial == f"{serial:x}")
            ).one_or_none()
        return None if row is None else _of(row)

    def of_persona(self, persona: str) -> tuple[Issued, ...]:
        """Return all certificates of a persona, oldest first."""
        with transaction(self._engine) as connection:
            rows = connection.execute(
                select(_issued).where(_issued.c.persona == persona).order_by(_issued.c.number)
            ).all()
        return tuple(_of(row) for row in rows)

    def all(self) -> tuple[Issued, ...]:
        """Return all certificates, oldest first."""
        with transaction(self._engine) as connection:
            rows = connection.execute(select(_issued).order_by(_issued.c.number)).all()
        return tuple(_of(row) for row in rows)

    def not_good(self, generation: str) -> tuple[Issued, ...]:
        """Return what a generation's CRL lists."""
        with transaction(self._engine) as connection:
            rows = connection.execute(
                select(_issued)
                .where(_issued.c.generation == generation, _issued.c.status != Status.GOOD.value)
                .order_by(_issued.c.number)
            ).all()
        return tuple(_of(row) for row in rows)

    def change(self, serials: Iterable[int], status: Status, reason: str, at: datetime) -> None:
        """Revoke or hold; what is revoked stays as it is, and a hold is only ever made worse."""
        open_to = [Status.GOOD.value]
        if status is Status.REVOKED:
            open_to.append(Status.HELD.value)
        with transaction(self._engine) as connection:
            connection.execute(
                _issued.update()
                .where(
                    _issued.c.serial.in_([f"{serial:x}" for serial in serials]),
                    _issued.c.status.in_(open_to),
                )
                .values(status=status.value, reason=reason, changed_at=at)
            )
