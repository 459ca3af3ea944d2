"""What can be asked of the register: load it, link a card, find whose card it is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError
from pydantic_core import from_json
from sqlalchemy import Connection, Engine

from backend.database import transaction
from backend.issuer.register.lines import (
    LINE,
    HouseholdLine,
    Line,
    MunicipalityLine,
    ResidentLine,
)
from backend.issuer.register.model import Household, Municipality, Resident
from backend.issuer.register.store import (
    Hosted,
    count_records,
    find_card_link,
    find_household,
    find_municipality,
    freshness_marks,
    municipality_codes,
    save_card_link,
    save_municipality,
)
from backend.issuer.register.vault import Vault
from backend.issuer.register.whole_load import RegisterWriter
from dedicated_line.clock import TOKYO
from dedicated_line.errors import UsageError

LONGEST_LINE: Final = 64 * 1024
"""Bytes; no resident's record comes near it."""
CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead a municipality's own clock may be."""


@dataclass(frozen=True)
class ImportReport:
    """What became of a load."""

    accepted: int
    """Lines."""
    refused: tuple[tuple[int, str], ...]
    """Line number (from 1) and reason; never a value of the line."""
    households: int = 0
    """Written because they are new or differ."""
    residents: int = 0
    """The same of residents."""
    removed: int = 0
    """Residents who are no longer in the register."""
    damaged: int = 0
    """Stored records that were not what had been stored: replaced, and to be looked into."""


class _LineRefusedError(ValueError):
    """A line can be read but contradicts what stands above it."""


@dataclass
class _OpenHousehold:
    line: HouseholdLine
    number: int
    complete: bool = True
    members: list[Resident] = field(default_factory=list)


@dataclass
class _OpenMunicipality:
    line: MunicipalityLine
    households: dict[str, _OpenHousehold] = field(default_factory=dict)
    residents: set[str] = field(default_factory=set)
    refused_households: set[str] = field(default_factory=set)


class _Load:
    """Gathers what the lines say, municipality by municipality."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.municipalities: dict[str, _OpenMunicipality] = {}
        self.accepted = 0
        self.refused: list[tuple[int, str]] = []
        self.owner_unknown = False

    def take(self, number: int, text: bytes, loaded: dict[str, datetime]) -> None:
        """Take a line in, or refuse it with its reason."""
        try:
            if len(text) > LONGEST_LINE:
                raise _LineRefusedError(f"longer than {LONGEST_LINE} bytes")
            self._accept(number, LINE.validate_json(text), loaded)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"][1:])
            reason = first["msg"].removeprefix("Value error, ")
            self._refuse(number, text, f"{place}: {reason}" if place else reason)
        except _LineRefusedError as error:
            self._refuse(number, text, str(error))
        else:
            self.accepted += 1

    def _accept(self, number: int, line: Line, loaded: dict[str, datetime]) -> None:
        match line:
            case MunicipalityLine():
                self._municipality(line, loaded.get(line.code))
            case HouseholdLine():
                self._household(number, line)
            case ResidentLine():
                self._resident(line)

    def _municipality(self, line: MunicipalityLine, loaded: datetime | None) -> None:
        if line.code in self.municipalities:
            raise _LineRefusedError("code: has a line of its own above already")
        if line.register_as_of is not None:
            if line.register_as_of > self._now + CLOCK_SKEW:
                raise _LineRefusedError("register_as_of: lies in the future")
            if loaded is not None and line.register_as_of < loaded:
                raise _LineRefusedError("register_as_of: older than what is loaded already")
        self.municipalities[line.code] = _OpenMunicipality(line)

    def _open(self, code: str) -> _OpenMunicipality:
        if code not in self.municipalities:
            raise _LineRefusedError("municipality: no line of it stands above")
        return self.municipalities[code]

    def _household(self, number: int, line: HouseholdLine) -> None:
        municipality = self._open(line.municipality)
        if line.id in municipality.households:
            raise _LineRefusedError("id: a household of this id stands above already")
        municipality.households[line.id] = _OpenHousehold(line, number)

    def _resident(self, line: ResidentLine) -> None:
        municipality = self._open(line.municipality)
        household = municipality.households.get(line.household)
        if household is None:
            raise _LineRefusedError("household: no line of it stands above")
        if line.id in municipality.residents:
            raise _LineRefusedError("id: a resident of this id stands above already")
        if line.birth_date > self._now.astimezone(TOKYO).date():
            raise _LineRefusedError("birth_date: lies in the future")
        municipality.residents.add(line.id)
        household.members.append(line.resident())

    def _refuse(self, number: int, text: bytes, reason: str) -> None:
        self.refused.append((number, reason))
        owner = _owner(text)
        if owner is None:
            self.owner_unknown = True
            return
        code, household = owner
        if code in self.municipalities and household is not None:
            self.municipalities[code].refused_households.add(household)

    def households(self, code: str) -> list[Household]:
        """Return a municipality's households, refusing those whose householder is missing."""
        opened = self.municipalities[code]
        result = []
        for household in opened.households.values():
            names = {member.id for member in household.members}
            if household.line.householder not in names:
                self.refused.append(
                    (household.number, "householder: is no resident of this household")
                )
                self.accepted -= 1
                household.complete = False
            result.append(
                Household(
                    municipality=code,
                    id=household.line.id,
                    address=household.line.address,
                    householder=household.line.householder,
                    complete=household.complete
                    and household.line.id not in opened.refused_households,
                    members=tuple(household.members),
                    version=0,
                )
            )
        return result


def _owner(text: bytes) -> tuple[str, str | None] | None:
    """Return municipality and household of a refused line, as far as they can be told."""
    try:
        value = from_json(text)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    if value.get("type") == "municipality" and isinstance(value.get("code"), str):
        return value["code"], None
    code = value.get("municipality")
    household = value.get("id" if value.get("type") == "household" else "household")
    if isinstance(code, str) and isinstance(household, str):
        return code, household
    return None


def import_records(
    engine: Engine, lines: Iterable[bytes], vault: Vault, now: datetime
) -> ImportReport:
    """Bring the register to what a file says, in one transaction: whole load, idempotent.

    Args:
        engine: the issuing server's database.
        lines: of the file, see ``docs/register-format.md``.
        vault: the keys of what is kept.
        now: domain time.
    """
    load = _Load(now)
    households = residents = removed = damaged = 0
    with transaction(engine) as connection:
        loaded = freshness_marks(connection)
        for number, text in enumerate(lines, start=1):
            if text.strip():
                load.take(number, text, loaded)
        for code, opened in load.municipalities.items():
            stored = find_municipality(connection, vault, code, to_load=True)
            revision = stored.revision if stored else 0
            municipality = opened.line.municipality(now)
            hosted = save_municipality(connection, vault, municipality, revision)
            changes = RegisterWriter(connection, hosted.key, revision + 1).write(
                load.households(code), remove_others=not load.owner_unknown
            )
            if changes.any:
                save_municipality(connection, vault, municipality, revision + 1)
            households += changes.households
            residents += changes.residents
            removed += changes.removed
            damaged += changes.damaged
    return ImportReport(
        accepted=load.accepted,
        refused=tuple(sorted(load.refused)),
        households=households,
        residents=residents,
        removed=removed,
        damaged=damaged,
    )


def link_card(
    engine: Engine,
    municipality: str,
    resident_id: str,
    generation: str,
    serial: int,
    *,
    vault: Vault,
) -> None:
    """Say that a user certificate is this resident's; UsageError when there is no such resident."""
    with transaction(engine) as connection:
        hosted = find_municipality(connection, vault, municipality)
        if hosted is None or find_household(connection, hosted.key, resident_id) is None:
            raise UsageError(
                f"the register of {municipality} has no resident {resident_id}; import it first"
            )
        save_card_link(connection, hosted.key, resident_id, generation, serial)


@dataclass(frozen=True)
class Found:
    """A card's holder in the register."""

    household: Household
    holder: Resident


def find_holder(
    connection: Connection, hosted: Hosted, generation: str, serial: int
) -> Found | None:
    """Return whose card it is, with their household; None when the register has nobody.

    Runs inside the caller's transaction; raises TamperedError as the store does.
    """
    resident = find_card_link(connection, hosted.key, generation, serial)
    if resident is None:
        return None
    household = find_household(connection, hosted.key, resident)
    holder = household.member(resident) if household else None
    return Found(household, holder) if household and holder else None


@dataclass(frozen=True)
class Summary:
    """One municipality, in figures."""

    municipality: Municipality
    households: int
    residents: int
    fresh: bool


def summaries(engine: Engine, vault: Vault, now: datetime) -> tuple[Summary, ...]:
    """Return every municipality hosted here, in figures."""
    result = []
    with transaction(engine) as connection:
        for code in municipality_codes(connection):
            hosted = find_municipality(connection, vault, code)
            if hosted is not None:
                households, residents = count_records(connection, code)
                fresh = hosted.municipality.is_fresh(now)
                result.append(Summary(hosted.municipality, households, residents, fresh))
    return tuple(result)
