"""What staff can ask for: an account, a log-in, and whether it still holds."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from backend.database import transaction
from backend.staff import store
from backend.staff.model import (
    SHORTEST_PASSWORD,
    WINDOW,
    Member,
    Role,
    is_login,
    waits_until,
)
from backend.staff.passwords import Passwords
from dedicated_line.errors import KofuError, UsageError


class LogInRefusedError(KofuError):
    """Log-in and password do not belong together here; which of them is wrong is not said."""


class TooManyAttemptsError(KofuError):
    """This log-in was tried too often; it can be tried again after `until`."""

    def __init__(self, until: datetime) -> None:
        """Take the (real) moment at which it may be tried again."""
        super().__init__(f"too many attempts; try again after {until.isoformat()}")
        self.until = until


@dataclass(frozen=True)
class SignedIn:
    """A person at a console."""

    login: str
    role: Role
    municipality: str | None
    stamp: str
    """Changes with the password, so that a new password ends every session."""


def add(
    connection: Connection,
    passwords: Passwords,
    *,
    login: str,
    role: Role,
    municipality: str | None,
    password: str,
    at: datetime,
) -> None:
    """Keep an account with this password; one that is there is written anew.

    Raises:
        UsageError: log-in, password or municipality cannot be right.
    """
    if not is_login(login):
        raise UsageError(
            f"{login!r} cannot be a log-in; use 2 to 40 lower-case letters, digits, . _ -"
        )
    if len(password) < SHORTEST_PASSWORD:
        raise UsageError(f"the password is too short; it needs {SHORTEST_PASSWORD} characters")
    if (role is Role.MUNICIPAL) != (municipality is not None):
        raise UsageError("municipal staff have a municipality, operators have none")
    store.keep(connection, Member(login, role, municipality, passwords.hash(password), at))


def log_in(
    engine: Engine, passwords: Passwords, *, login: str, password: str, role: Role, at: datetime
) -> SignedIn:
    """Check a password, in transactions of its own; it takes as long whatever is wrong.

    The attempt is noted before the password is looked at, so that parallel attempts count.

    Args:
        engine: the centre's database.
        passwords: checks hashes.
        login: what was typed.
        password: what was typed.
        role: whom this console serves; others are refused like a wrong password.
        at: real time.

    Raises:
        TooManyAttemptsError: wait.
        LogInRefusedError: something is wrong.
    """
    digest = hashlib.sha256(login.encode()).hexdigest()
    with transaction(engine) as connection:
        store.forget_attempts(connection, before=at - WINDOW)
        until = waits_until(store.attempts(connection, digest), at)
        if until is None:
            store.add_attempt(connection, digest, at)
            found = store.member(connection, login) if is_login(login) else None
    if until is not None:
        raise TooManyAttemptsError(until)
    matches = passwords.match(found.password_hash if found else None, password)
    if found is None or not matches or found.role is not role:
        raise LogInRefusedError("log-in or password is wrong; try again")
    with transaction(engine) as connection:
        store.forget_attempts(connection, login_digest=digest)
    return _signed_in(found)


def still_signed_in(connection: Connection, login: str, stamp: str, role: Role) -> SignedIn | None:
    """Return who this is, unless account, password or role have changed since the log-in."""
    found = store.member(connection, login)
    if found is None or found.role is not role:
        return None
    now = _signed_in(found)
    return now if now.stamp == stamp else None


def _signed_in(found: Member) -> SignedIn:
    return SignedIn(
        login=found.login,
        role=found.role,
        municipality=found.municipality,
        stamp=hashlib.sha256(found.password_hash.encode()).hexdigest()[:32],
    )
