from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from backend.database import open_database, transaction
from backend.identity.errors import ChallengeUsedError
from backend.identity.store import Access, access_record, record_access

ACCESS = Access(
    session="ab" * 16,
    body_digest="11" * 32,
    kiosk="k000001",
    generation="g2023",
    serial=2**126 + 5,
    at=datetime(2026, 6, 15, 3, 0, tzinfo=UTC),
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'centre.db'}")
    access_record.create(engine)
    yield engine
    engine.dispose()


def test_an_access_is_recorded_with_purpose_and_legal_basis(engine: Engine) -> None:
    with transaction(engine) as connection:
        assert record_access(connection, ACCESS)
    with transaction(engine) as connection:
        row = connection.execute(select(access_record)).one()
    assert int(row.serial, 16) == ACCESS.serial
    assert row.at == ACCESS.at
    assert row.purpose == "issuance"
    assert "住民基本台帳法" in row.legal_basis


def test_the_same_body_again_is_a_repetition(engine: Engine) -> None:
    with transaction(engine) as connection:
        record_access(connection, ACCESS)
    with transaction(engine) as connection:
        assert not record_access(connection, ACCESS)


@pytest.mark.parametrize("change", [{"body_digest": "22" * 32}, {"kiosk": "k000002"}])
def test_a_challenge_once_answered_is_used_up_for_ever(
    engine: Engine, change: dict[str, str]
) -> None:
    with transaction(engine) as connection:
        record_access(connection, ACCESS)
    with pytest.raises(ChallengeUsedError, match="new session"), transaction(engine) as connection:
        record_access(connection, replace(ACCESS, **change))


def test_the_transaction_goes_on_after_a_repetition(engine: Engine) -> None:
    with transaction(engine) as connection:
        record_access(connection, ACCESS)
        record_access(connection, ACCESS)
        record_access(connection, replace(ACCESS, session="cd" * 16))
    with transaction(engine) as connection:
        assert len(connection.execute(select(access_record)).all()) == 2


def test_of_many_bodies_at_once_one_is_recorded(engine: Engine) -> None:
    def record(number: int) -> bool:
        try:
            with transaction(engine) as connection:
                return record_access(connection, replace(ACCESS, body_digest=f"{number:064x}"))
        except ChallengeUsedError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(record, range(12))) == 1
