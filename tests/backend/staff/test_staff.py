from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from backend.database import open_database, transaction
from backend.migrations.metadata import centre_tables
from backend.staff import service
from backend.staff.console_key import FILE, console_key
from backend.staff.model import MOST_FAILURES, WINDOW, Role, waits_until, written_password
from backend.staff.passwords import Passwords
from backend.staff.service import LogInRefusedError, TooManyAttemptsError
from backend.staff.store import attempt_table
from dedicated_line.clock import CountedEntropy, SystemEntropy
from dedicated_line.errors import KofuError, UsageError

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
PASSWORD = "made-up-password"


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(CountedEntropy(), argon2.PasswordHasher(1, 8, 1))


@pytest.fixture
def staff_engine(tmp_path: Path, passwords: Passwords) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'centre.db'}")
    centre_tables().create_all(engine)
    with transaction(engine) as connection:
        service.add(
            connection,
            passwords,
            login="operator",
            role=Role.OPERATOR,
            municipality=None,
            password=PASSWORD,
            at=NOW,
        )
    yield engine
    engine.dispose()


def log_in(
    engine: Engine, passwords: Passwords, password: str = PASSWORD, at: datetime = NOW
) -> service.SignedIn:
    return service.log_in(
        engine, passwords, login="operator", password=password, role=Role.OPERATOR, at=at
    )


def test_the_right_password_lets_in_and_forgets_the_attempts(
    staff_engine: Engine, passwords: Passwords
) -> None:
    for _ in range(MOST_FAILURES - 1):
        with pytest.raises(LogInRefusedError):
            log_in(staff_engine, passwords, "wrong")
    assert log_in(staff_engine, passwords).login == "operator"
    with transaction(staff_engine) as connection:
        assert connection.execute(select(attempt_table)).all() == []


def test_a_password_of_another_console_is_a_wrong_one(
    staff_engine: Engine, passwords: Passwords
) -> None:
    with pytest.raises(LogInRefusedError):
        service.log_in(
            staff_engine,
            passwords,
            login="operator",
            password=PASSWORD,
            role=Role.MUNICIPAL,
            at=NOW,
        )


def test_too_many_attempts_wait_and_then_may_go_on(
    staff_engine: Engine, passwords: Passwords
) -> None:
    for _ in range(MOST_FAILURES):
        with pytest.raises(LogInRefusedError):
            log_in(staff_engine, passwords, "wrong")
    with pytest.raises(TooManyAttemptsError) as waiting:
        log_in(staff_engine, passwords)
    assert waiting.value.until == NOW + WINDOW
    assert log_in(staff_engine, passwords, at=NOW + WINDOW).role is Role.OPERATOR


def test_what_was_typed_as_a_login_is_kept_nowhere(
    staff_engine: Engine, passwords: Passwords, tmp_path: Path
) -> None:
    typed = "a-password-typed-in-the-wrong-field"
    with pytest.raises(LogInRefusedError):
        service.log_in(
            staff_engine, passwords, login=typed, password="x", role=Role.OPERATOR, at=NOW
        )
    for file in tmp_path.glob("centre.db*"):
        assert typed.encode() not in file.read_bytes()


@given(st.lists(st.integers(0, 900), max_size=20), st.integers(0, 900))
def test_one_waits_exactly_as_long_as_five_failures_are_recent(
    failures: list[int], at: int
) -> None:
    start = NOW
    times = [start + timedelta(seconds=second) for second in failures if second <= at]
    now = start + timedelta(seconds=at)
    until = waits_until(times, now)
    recent = [time for time in times if time > now - WINDOW]
    assert (until is not None) == (len(recent) >= MOST_FAILURES)
    if until is not None:
        assert until > now
        assert waits_until(times, until) is None


@pytest.mark.parametrize(
    ("login", "role", "municipality", "password", "complaint"),
    [
        ("Operator", Role.OPERATOR, None, PASSWORD, "cannot be a log-in"),
        ("", Role.OPERATOR, None, PASSWORD, "cannot be a log-in"),
        ("a b", Role.OPERATOR, None, PASSWORD, "cannot be a log-in"),
        ("operator", Role.OPERATOR, None, "short", "too short"),
        ("operator", Role.OPERATOR, "352012", PASSWORD, "municipality"),
        ("clerk", Role.MUNICIPAL, None, PASSWORD, "municipality"),
    ],
)
def test_an_account_that_cannot_be_right_is_not_made(
    staff_engine: Engine,
    passwords: Passwords,
    login: str,
    role: Role,
    municipality: str | None,
    password: str,
    complaint: str,
) -> None:
    with (
        pytest.raises(UsageError, match=complaint),
        transaction(staff_engine) as connection,
    ):
        service.add(
            connection,
            passwords,
            login=login,
            role=role,
            municipality=municipality,
            password=password,
            at=NOW,
        )


def test_the_console_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = console_key(tmp_path / "state", SystemEntropy())
    assert console_key(tmp_path / "state", SystemEntropy()) == key
    file = tmp_path / "state" / FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]
    file.write_bytes(b"short")
    with pytest.raises(KofuError, match="is no key"):
        console_key(tmp_path / "state", SystemEntropy())


def test_a_written_password_can_be_read_out() -> None:
    assert written_password(bytes(range(16))) == "0123-4567-89ab-cdef"
