"""A whole load: the stored register is brought to what a file says."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, bindparam, delete, select

from backend.issuer import tables
from backend.issuer.register.model import Household, Resident
from backend.issuer.register.store import (
    HOUSEHOLD,
    RESIDENT,
    HouseholdRecord,
    open_household,
    open_resident,
)
from backend.issuer.register.vault import DataKey, TamperedError

R = TypeVar("R")


@dataclass(frozen=True)
class Changes:
    """How many records a load wrote and took away."""

    households: int
    residents: int
    removed: int
    damaged: int
    """Stored records that were not what had been stored; the load replaces them."""

    @property
    def any(self) -> bool:
        """Tell whether anything differs from before."""
        return self != Changes(0, 0, 0, 0)


class RegisterWriter:
    """Brings the stored register of one municipality to what a whole load says."""

    def __init__(self, connection: Connection, key: DataKey, revision: int) -> None:
        """Read what is stored; records that differ will carry `revision`."""
        self._connection = connection
        self._key = key
        self._revision = revision
        self._damaged = 0
        residents = self._read(tables.resident, open_resident)
        households = self._read(tables.household, open_household)
        self._residents = residents
        self._households = households

    def _read(
        self, table: Table, opened: Callable[[DataKey, Row[Any]], R]
    ) -> dict[str, tuple[int, R | None]]:
        """Return version and content of every stored record; None for what does not open."""
        code = self._key.municipality
        result: dict[str, tuple[int, R | None]] = {}
        for row in self._connection.execute(select(table).where(table.c.municipality == code)):
            try:
                result[row.id] = (row.version, opened(self._key, row))
            except TamperedError:
                self._damaged += 1
                result[row.id] = (row.version, None)
        return result

    def write(self, households: Iterable[Household], *, remove_others: bool) -> Changes:
        """Write what differs; `remove_others` takes away what the load does not have.

        Without it, stored residents that the load does not have stay, and their households are
        marked incomplete: it is not known any more who belongs to them.
        """
        wanted = {household.id: household for household in households}
        if not remove_others:
            self._keep_the_rest(wanted)
        changed_residents, changed_households = [], []
        kept: set[str] = set()
        for household in wanted.values():
            members = []
            for member in household.members:
                kept.add(member.id)
                version, stored = self._residents.get(member.id, (0, None))
                if stored != member:
                    version = self._revision
                    changed_residents.append(self._resident_row(member))
                members.append((member.id, version))
            record = HouseholdRecord(
                household.address, household.householder, household.complete, tuple(members)
            )
            if self._households.get(household.id, (0, None))[1] != record:
                changed_households.append(self._household_row(household.id, record))
        # Households first, then residents: a resident's row refers to its household's.
        self._put(tables.household, changed_households, self._households.keys())
        removed = sorted(self._residents.keys() - kept)
        self._remove(tables.resident, removed)
        self._put(tables.resident, changed_residents, self._residents.keys())
        self._remove(tables.household, sorted(self._households.keys() - wanted.keys()))
        return Changes(
            households=len(changed_households),
            residents=len(changed_residents),
            removed=len(removed),
            damaged=self._damaged,
        )

    def _keep_the_rest(self, wanted: dict[str, Household]) -> None:
        loaded = {member.id for household in wanted.values() for member in household.members}
        rest: dict[str, list[Resident]] = {}
        for name, (_, resident) in self._residents.items():
            if resident is not None and name not in loaded:
                rest.setdefault(resident.household, []).append(resident)
        for name, (version, record) in self._households.items():
            if record is not None and name not in wanted:
                wanted[name] = Household(
                    municipality=self._key.municipality,
                    id=name,
                    address=record.address,
                    householder=record.householder,
                    complete=False,
                    members=(),
                    version=version,
                )
        for name, residents in rest.items():
            household = wanted.get(name)
            if household is not None:
                members = (*household.members, *residents)
                wanted[name] = replace(household, members=members, complete=False)

    def _resident_row(self, resident: Resident) -> dict[str, object]:
        return {
            "municipality": self._key.municipality,
            "id": resident.id,
            "household": resident.household,
            "version": self._revision,
            "sealed": self._key.seal(
                "resident",
                (resident.id, resident.household),
                self._revision,
                RESIDENT.dump_json(resident),
            ),
        }

    def _household_row(self, household: str, record: HouseholdRecord) -> dict[str, object]:
        plain = HOUSEHOLD.dump_json(record)
        return {
            "municipality": self._key.municipality,
            "id": household,
            "version": self._revision,
            "sealed": self._key.seal("household", (household,), self._revision, plain),
        }

    def _put(self, table: Table, rows: list[dict[str, Any]], stored: Collection[str]) -> None:
        new = [row for row in rows if row["id"] not in stored]
        if new:
            self._connection.execute(table.insert(), new)
        changed = [
            {f"new_{name}": value for name, value in row.items()}
            for row in rows
            if row["id"] in stored
        ]
        if changed:
            names = rows[0].keys() - {"municipality", "id"}
            self._connection.execute(
                table.update()
                .where(
                    table.c.municipality == bindparam("new_municipality"),
                    table.c.id == bindparam("new_id"),
                )
                .values({name: bindparam(f"new_{name}") for name in names}),
                changed,
            )

    def _remove(self, table: Table, ids: list[str]) -> None:
        if ids:
            self._connection.execute(
                delete(table).where(
                    table.c.municipality == self._key.municipality,
                    table.c.id == bindparam("gone"),
                ),
                [{"gone": name} for name in ids],
            )
