"""The sample world's tables: personas, and residents whose dates depend on the day."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from backend.simulated.world_stamp import FOLDER
from dedicated_line.clock import TOKYO
from dedicated_line.contract.refusals import Refusal
from dedicated_line.errors import UsageError

SERVED: Final = "served"
_RELATIVE: Final = re.compile(r"^@(-?|\+?)([0-9]+)([dy])$")


class CardState(StrEnum):
    """What is the matter with a persona's card (column ``card``)."""

    GOOD = ""
    NEXT = "next"
    ISSUED_TODAY = "issued-today"
    EXPIRED = "expired"
    REVOKED = "revoked"
    HELD = "held"
    STRAY = "stray"
    BLOCKED = "blocked"
    JUKI = "juki"


@dataclass(frozen=True)
class Persona:
    """A resident of the sample world, as met in one stretch of time."""

    id: str
    municipality: str
    pin: str
    card: CardState
    expected: str
    """``served``, or the code of a public refusal."""
    since: datetime | None
    until: datetime | None
    note: str

    def holds_at(self, at: datetime) -> bool:
        """Tell whether this row speaks of that instant."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


def _start_of(text: str) -> datetime | None:
    """Read ``2017-11`` or ``2017-11-01`` as its first instant in Tokyo."""
    if not text:
        return None
    parts = [int(part) for part in text.split("-")]
    year, month, day = (*parts, 1, 1)[:3]
    return datetime(year, month, day, tzinfo=TOKYO).astimezone(UTC)


def read_personas(lines: Iterable[str]) -> tuple[Persona, ...]:
    """Read ``personas.csv``."""
    personas = []
    for row in csv.DictReader(lines):
        if row["expected"] != SERVED:
            Refusal(row["expected"])
        personas.append(
            Persona(
                id=row["id"],
                municipality=row["municipality"],
                pin=row["pin"],
                card=CardState(row["card"]),
                expected=row["expected"],
                since=_start_of(row["from"]),
                until=_start_of(row["until"]),
                note=row["note"],
            )
        )
    return tuple(personas)


def all_personas() -> tuple[Persona, ...]:
    """Return every row of the project's own table."""
    return read_personas((FOLDER / "personas.csv").read_text("utf-8").splitlines())


def personas_at(at: datetime) -> dict[str, Persona]:
    """Return the personas that the world of this instant holds, by id."""
    return {persona.id: persona for persona in all_personas() if persona.holds_at(at)}


def persona_at(name: str, at: datetime) -> Persona:
    """Return one persona; raise UsageError when there is none of this name at that time."""
    found = personas_at(at).get(name)
    if found is None:
        raise UsageError(
            f"there is no persona {name!r} in this world; see `kofu-backend world list`"
        )
    return found


def _years_from(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def resolve_day(text: str, today: date) -> str:
    """Return an ISO date: ``@-10y``, ``@+2y``, ``@-5d`` and ``@0d`` count from today."""
    relative = _RELATIVE.match(text)
    if relative is None:
        return text
    count = int(relative[1] + relative[2]) if relative[1] else int(relative[2])
    if relative[3] == "y":
        return _years_from(today, count).isoformat()
    return (today + timedelta(days=count)).isoformat()


def residents_on(lines: Iterable[str], today: date) -> Iterator[str]:
    """Give the register lines of the world on a day: dates resolved, the unborn left out."""
    for line in lines:
        entry = json.loads(line)
        for holder in (entry, entry.get("foreign") or {}):
            for key, value in holder.items():
                if isinstance(value, str) and value.startswith("@"):
                    holder[key] = resolve_day(value, today)
        if entry.get("birth_date", "") > today.isoformat():
            continue
        yield json.dumps(entry, ensure_ascii=False)


def sample_residents(today: date) -> tuple[str, ...]:
    """Return the project's own residents as register lines for one day."""
    lines = (FOLDER / "residents.jsonl").read_text("utf-8").splitlines()
    return tuple(residents_on(lines, today))
