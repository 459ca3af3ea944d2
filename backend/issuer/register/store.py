"""How the register is kept: rows whose personal part is sealed for its place."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Table, bindparam, delete, func, select

from backend.issuer import tables
from backend.issuer.register.model import Household, Municipality, Resident
from backend.issuer.register.vault import DataKey, TamperedError, Vault

_RESIDENT: Final = TypeAdapter(Resident)


@dataclass(frozen=True)
class HouseholdRecord:
    """What is sealed of a household; it names its members and their versions.

    So a resident's row that was taken away, put back or moved elsewhere is noticed.
    """

    address: str
    householder: str
    complete: bool
    members: tuple[tuple[str, int], ...]


_HOUSEHOLD: Final = TypeAdapter(HouseholdRecord)


@dataclass(frozen=True)
class Hosted:
    """A municipality that is hosted here, with its open data key."""

    municipality: Municipality
    revision: int
    key: DataKey


def find_municipality(
    connection: Connection, vault: Vault, code: str, *, to_load: bool = False
) -> Hosted | None:
    """Return a municipality hosted here, its row locked until the transaction ends.

    Readers share the lock, a load (`to_load`) has it alone: so nobody reads a household of which
    half is from before a load and half from after it.
    """
    row = connection.execute(
        select(tables.municipality)
        .where(tables.municipality.c.code == code)
        .with_for_update(read=not to_load)
    ).one_or_none()
    if row is None:
        return None
    return Hosted(
        municipality=Municipality(
            code=row.code,
            prefecture=row.prefecture,
            name=row.name,
            mayor_title=row.mayor_title,
            mayor_name=row.mayor_name,
            register_as_of=row.register_as_of,
            stale_after=timedelta(seconds=row.stale_after_seconds),
        ),
        revision=row.revision,
        key=vault.data_key(code, row.data_key),
    )


def municipality_codes(connection: Connection) -> tuple[str, ...]:
    """Return the codes of all municipalities hosted here, in order."""
    codes = select(tables.municipality.c.code).order_by(tables.municipality.c.code)
    return tuple(connection.execute(codes).scalars())


def freshness_marks(connection: Connection) -> dict[str, datetime]:
    """Return, for each municipality hosted here, until when its copy is known to be right."""
    table = tables.municipality
    rows = connection.execute(select(table.c.code, table.c.register_as_of))
    return {row.code: row.register_as_of for row in rows}


def count_records(connection: Connection, code: str) -> tuple[int, int]:
    """Return how many households and residents a municipality has here."""
    households, residents = (
        connection.execute(
            select(func.count()).select_from(table).where(table.c.municipality == code)
        ).scalar_one()
        for table in (tables.household, tables.resident)
    )
    return households, residents


def save_municipality(
    connection: Connection, vault: Vault, municipality: Municipality, revision: int
) -> Hosted:
    """Insert or update a municipality; a new one gets a data key of its own."""
    values = {
        "prefecture": municipality.prefecture,
        "name": municipality.name,
        "mayor_title": municipality.mayor_title,
        "mayor_name": municipality.mayor_name,
        "register_as_of": municipality.register_as_of,
        "stale_after_seconds": int(municipality.stale_after.total_seconds()),
        "revision": revision,
    }
    table = tables.municipality
    known = connection.execute(
        select(table.c.data_key).where(table.c.code == municipality.code)
    ).scalar_one_or_none()
    if known is None:
        known = vault.new_data_key(municipality.code)
        connection.execute(table.insert().values(code=municipality.code, data_key=known, **values))
    else:
        connection.execute(table.update().where(table.c.code == municipality.code).values(**values))
    return Hosted(municipality, revision, vault.data_key(municipality.code, known))


def _open_resident(key: DataKey, row: Row[Any]) -> Resident:
    plain = key.open("resident", (row.id, row.household), row.version, row.sealed)
    return _RESIDENT.validate_json(plain)


def find_household(connection: Connection, key: DataKey, resident: str) -> Household | None:
    """Return the household that a resident belongs to, with all its members.

    Raises:
        TamperedError: rows were changed, swapped, taken away or put back.
    """
    table = tables.resident
    household = connection.execute(
        select(table.c.household).where(
            table.c.municipality == key.municipality, table.c.id == resident
        )
    ).scalar_one_or_none()
    return None if household is None else read_household(connection, key, household)


def read_household(connection: Connection, key: DataKey, household: str) -> Household | None:
    """Return a household with all its members; raises as `find_household` does."""
    table = tables.household
    row = connection.execute(
        select(table).where(table.c.municipality == key.municipality, table.c.id == household)
    ).one_or_none()
    if row is None:
        return None
    record = _HOUSEHOLD.validate_json(key.open("household", (household,), row.version, row.sealed))
    rows = {
        member.id: member
        for member in connection.execute(
            select(tables.resident).where(
                tables.resident.c.municipality == key.municipality,
                tables.resident.c.household == household,
            )
        )
    }
    if {name: member.version for name, member in rows.items()} != dict(record.members):
        raise TamperedError(
            f"a household of {key.municipality} has not the members that were stored; "
            "stop issuing, keep the database file as evidence, and load the register again"
        )
    return Household(
        municipality=key.municipality,
        id=household,
        address=record.address,
        householder=record.householder,
        complete=record.complete,
        members=tuple(_open_resident(key, rows[name]) for name, _ in record.members),
        version=row.version,
    )


@dataclass(frozen=True)
class Changes:
    """How many records a load wrote and took away."""

    households: int
    residents: int
    removed: int

    @property
    def any(self) -> bool:
        """Tell whether anything differs from before."""
        return self != Changes(0, 0, 0)


class RegisterWriter:
    """Brings the stored register of one municipality to what a whole load says."""

    def __init__(self, connection: Connection, key: DataKey, revision: int) -> None:
        """Read what is stored; records that differ will carry `revision`."""
        self._connection = connection
        self._key = key
        self._revision = revision
        code = key.municipality
        residents, households = tables.resident, tables.household
        self._residents = {
            row.id: (row.version, _open_resident(key, row))
            for row in connection.execute(select(residents).where(residents.c.municipality == code))
        }
        self._households = {
            row.id: (
                row.version,
                _HOUSEHOLD.validate_json(key.open("household", (row.id,), row.version, row.sealed)),
            )
            for row in connection.execute(
                select(households).where(households.c.municipality == code)
            )
        }

    @property
    def stored_residents(self) -> frozenset[str]:
        """Return the ids of the residents that are stored."""
        return frozenset(self._residents)

    def stored_household_of(self, resident: str) -> str | None:
        """Return the household that a stored resident belongs to."""
        stored = self._residents.get(resident)
        return stored[1].household if stored else None

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
        )

    def _keep_the_rest(self, wanted: dict[str, Household]) -> None:
        loaded = {member.id for household in wanted.values() for member in household.members}
        rest: dict[str, list[Resident]] = {}
        for name, (_, resident) in self._residents.items():
            if name not in loaded:
                rest.setdefault(resident.household, []).append(resident)
        for name, (version, record) in self._households.items():
            if name not in wanted:
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
            household = wanted[name]
            wanted[name] = replace(
                household, members=(*household.members, *residents), complete=False
            )

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
                _RESIDENT.dump_json(resident),
            ),
        }

    def _household_row(self, household: str, record: HouseholdRecord) -> dict[str, object]:
        plain = _HOUSEHOLD.dump_json(record)
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


def save_card_link(
    connection: Connection, key: DataKey, resident: str, generation: str, serial: int
) -> None:
    """Say whose card it is; an older link of the same user certificate is replaced."""
    table, number = tables.card_link, str(serial)
    connection.execute(
        delete(table).where(
            table.c.municipality == key.municipality,
            table.c.generation == generation,
            table.c.serial == number,
        )
    )
    sealed = key.seal("card_link", (generation, number), 0, resident.encode())
    connection.execute(
        table.insert().values(
            municipality=key.municipality, generation=generation, serial=number, sealed=sealed
        )
    )


def find_card_link(
    connection: Connection, key: DataKey, generation: str, serial: int
) -> str | None:
    """Return the resident id that a user certificate belongs to; TamperedError if swapped."""
    table, number = tables.card_link, str(serial)
    sealed = connection.execute(
        select(table.c.sealed).where(
            table.c.municipality == key.municipality,
            table.c.generation == generation,
            table.c.serial == number,
        )
    ).scalar_one_or_none()
    if sealed is None:
        return None
    return key.open("card_link", (generation, number), 0, sealed).decode()
