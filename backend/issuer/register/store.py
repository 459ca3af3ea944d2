"""How the register is kept: rows whose personal part is sealed for its place."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, delete, func, select

from backend.issuer import tables
from backend.issuer.register.model import Household, Municipality, Resident
from backend.issuer.register.vault import DataKey, TamperedError, Vault

RESIDENT: Final = TypeAdapter(Resident)


@dataclass(frozen=True)
class HouseholdRecord:
    """What is sealed of a household; it names its members and their versions.

    So a resident's row that was taken away, put back or moved elsewhere is noticed.
    """

    address: str
    householder: str
    complete: bool
    members: tuple[tuple[str, int], ...]


HOUSEHOLD: Final = TypeAdapter(HouseholdRecord)


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


def open_resident(key: DataKey, row: Row[Any]) -> Resident:
    """Return what is sealed in a row; TamperedError when it does not belong there."""
    plain = key.open("resident", (row.id, row.household), row.version, row.sealed)
    return RESIDENT.validate_json(plain)


def open_household(key: DataKey, row: Row[Any]) -> HouseholdRecord:
    """Return what is sealed in a row; TamperedError when it does not belong there."""
    return HOUSEHOLD.validate_json(key.open("household", (row.id,), row.version, row.sealed))


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
    record = open_household(key, row)
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
        members=tuple(open_resident(key, rows[name]) for name, _ in record.members),
        version=row.version,
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
