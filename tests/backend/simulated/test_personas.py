"""The sample world's tables hold together, on every day that they speak of."""

import json
from datetime import UTC, date, datetime

import pytest

from backend.issuer.register.lines import MunicipalityLine, ResidentLine
from backend.simulated.personas import (
    all_personas,
    persona_at,
    personas_at,
    resolve_day,
    sample_residents,
)
from backend.simulated.world import card_order
from dedicated_line.clock import TOKYO
from dedicated_line.errors import UsageError

DAYS = [date(2017, 8, 15), date(2017, 11, 1), date(2020, 2, 29), date(2026, 11, 23)]


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=TOKYO).astimezone(UTC)


@pytest.mark.parametrize("day", DAYS)
def test_every_persona_is_in_the_register_of_their_day(day: date) -> None:
    entries = [json.loads(line) for line in sample_residents(day)]
    residents = {entry["id"]: entry for entry in entries if entry["type"] == "resident"}
    for persona in personas_at(_noon(day)).values():
        assert residents[persona.id]["municipality"] == persona.municipality


@pytest.mark.parametrize("day", DAYS)
def test_every_line_of_the_register_has_the_documented_form(day: date) -> None:
    for line in sample_residents(day):
        kind = json.loads(line)["type"]
        if kind == "resident":
            ResidentLine.model_validate_json(line)
        if kind == "municipality":
            MunicipalityLine.model_validate_json(line)


@pytest.mark.parametrize("day", DAYS)
def test_a_persona_meets_one_fate_on_one_day(day: date) -> None:
    rows = [row.id for row in all_personas() if row.holds_at(_noon(day))]
    assert len(rows) == len(set(rows))


def test_the_world_holds_24_residents_in_five_municipalities_at_least() -> None:
    today = personas_at(_noon(DAYS[-1])).values()
    assert len(today) >= 24
    assert len({persona.municipality for persona in today}) >= 5


def test_yamaguchi_starts_in_november_2017() -> None:
    before = datetime(2017, 10, 31, 23, 59, 59, tzinfo=TOKYO)
    start = datetime(2017, 11, 1, tzinfo=TOKYO)
    assert persona_at("yamaguchi-hanako", before).expected == "not-yet-participating"
    assert persona_at("yamaguchi-hanako", start).expected == "served"


def test_an_unknown_persona_is_named_in_the_error() -> None:
    with pytest.raises(UsageError, match="nobody"):
        persona_at("nobody", _noon(DAYS[0]))


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("@0d", date(2026, 3, 1), "2026-03-01"),
        ("@-1d", date(2024, 3, 1), "2024-02-29"),
        ("@-10y", date(2024, 2, 29), "2014-02-28"),
        ("@+2y", date(2026, 11, 23), "2028-11-23"),
        ("1970-04-01", date(2026, 11, 23), "1970-04-01"),
    ],
)
def test_dates_count_from_the_day_of_the_world(text: str, day: date, expected: str) -> None:
    assert resolve_day(text, day) == expected


@pytest.mark.parametrize("day", DAYS)
def test_a_card_is_as_its_row_says_on_its_day(day: date) -> None:
    now = _noon(day)
    for number, persona in enumerate(personas_at(now).values()):
        order = card_order(persona, now, number)
        valid = order.not_before <= now < order.not_after
        assert valid == (persona.expected != "certificate-expired")
        issued_today = order.not_before.astimezone(TOKYO).date() == day
        assert issued_today == (persona.id == "shimonoseki-shinki")
        assert (order.tries == 0) == (persona.expected == "pin-blocked")
