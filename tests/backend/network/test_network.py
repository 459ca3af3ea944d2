"""Which municipality keeps whose register, and when."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, create_engine

from backend.network.service import register_card, which_municipality
from backend.network.store import registration

MOVED = datetime(2026, 4, 1, tzinfo=UTC)
BORN = datetime(1990, 1, 1, tzinfo=UTC)
SERIAL = 0xFFEE


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    registration.create(engine)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def register(
    connection: Connection, municipality: str, since: datetime, until: datetime | None = None
) -> bool:
    return register_card(
        connection,
        generation="g2023",
        serial=SERIAL,
        pseudonym="p-1",
        municipality=municipality,
        since=since,
        until=until,
    )


def where(connection: Connection, at: datetime) -> str | None:
    found = which_municipality(connection, "g2023", SERIAL, at)
    return found.municipality if found else None


def test_a_move_ends_the_registration_before_it(connection: Connection) -> None:
    register(connection, "352012", BORN)
    register(connection, "131016", MOVED)
    assert where(connection, MOVED - timedelta(seconds=1)) == "352012"
    assert where(connection, MOVED) == "131016"
    assert where(connection, BORN - timedelta(days=1)) is None


def test_a_registration_that_ended_is_none(connection: Connection) -> None:
    register(connection, "352012", BORN, MOVED)
    assert where(connection, MOVED - timedelta(days=1)) == "352012"
    assert where(connection, MOVED) is None


def test_another_card_is_not_listed(connection: Connection) -> None:
    register(connection, "352012", BORN)
    assert which_municipality(connection, "g2019", SERIAL, MOVED) is None
    assert which_municipality(connection, "g2023", SERIAL + 1, MOVED) is None


def test_listing_the_same_again_changes_nothing(connection: Connection) -> None:
    assert register(connection, "352012", BORN) is True
    assert register(connection, "352012", BORN) is False
    assert where(connection, MOVED) == "352012"
