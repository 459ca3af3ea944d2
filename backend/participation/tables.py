"""Tables that are loaded: the list of municipalities, and participation as a CSV file has it."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.participation.errors import BadTableError, UnreadableMomentError
from backend.participation.model import MOST_YEN, Change, Municipality
from backend.participation.moments import read_moment
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.municipality import is_municipality_code

MUNICIPALITIES: Final = Path(__file__).with_name("municipalities.csv")
"""47 prefectures and 1,741 municipalities, the Ministry's list of local government codes."""
LOADED: Final = "load"
"""The actor of changes that were loaded."""
_COLUMNS: Final = ("municipality", "kind", "from", "until", "fee")


@dataclass(frozen=True)
class LoadedChange:
    """A change and whose it is."""

    municipality: str
    change: Change


def read_municipalities(lines: Iterable[str]) -> Iterator[Municipality]:
    """Read the list; raise BadTableError at a code whose check digit is wrong."""
    for number, row in enumerate(csv.DictReader(lines), start=2):
        code = row["code"]
        if not is_municipality_code(code):
            raise BadTableError(
                f"municipalities, line {number}: {code!r} is no municipality code; "
                "correct it (six digits, the last one checks the others)"
            )
        yield Municipality(
            code=code,
            prefecture=row["prefecture"],
            name=row["municipality"],
            kana=row["municipality_kana"] or row["prefecture_kana"],
        )


def own_municipalities() -> tuple[Municipality, ...]:
    """Return the list that comes with this package."""
    with MUNICIPALITIES.open(encoding="utf-8", newline="") as lines:
        return tuple(read_municipalities(lines))


def read_participation(lines: Iterable[str]) -> Iterator[LoadedChange]:
    """Read ``municipality,kind,from,until,fee``; a month is its first day, 00:00 Tokyo.

    ``until`` may be empty; otherwise the kind closes at that moment.

    Raises:
        BadTableError: a row cannot be right; the message names its line.
    """
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        raise BadTableError(f"participation: the first line must be {','.join(_COLUMNS)}")
    for number, row in enumerate(reader, start=2):
        try:
            yield from _changes(row)
        except (ValueError, TypeError, AttributeError, UnreadableMomentError) as error:
            raise BadTableError(f"participation, line {number}: {error}") from None


def _changes(row: dict[str, str]) -> Iterator[LoadedChange]:
    code, kind, fee = row["municipality"], Kind(row["kind"]), int(row["fee"])
    if not is_municipality_code(code):
        raise ValueError(f"{code!r} is no municipality code")
    if not 0 <= fee <= MOST_YEN:
        raise ValueError(f"a fee is 0 to {MOST_YEN} yen, not {fee}")
    opens = read_moment(row["from"])
    yield LoadedChange(code, Change(kind, open=True, effective_from=opens, fee=fee, actor=LOADED))
    if row["until"]:
        closes = read_moment(row["until"])
        if closes <= opens:
            raise ValueError(f"until {row['until']} is not after from {row['from']}")
        yield LoadedChange(
            code, Change(kind, open=False, effective_from=closes, fee=fee, actor=LOADED)
        )
