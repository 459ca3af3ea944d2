"""Who may do what at a console, and how often a password may be tried."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from dedicated_line.contract.numbers import RANDOM_ALPHABET

MOST_FAILURES: Final = 5
WINDOW: Final = timedelta(minutes=5)
"""So many failures of one log-in within it, and it waits: 1,440 guesses a day at most."""
SHORTEST_PASSWORD: Final = 12
SESSION_LENGTH: Final = timedelta(hours=8)
"""A working day; then one logs in again."""
_LOGIN: Final = re.compile(r"^[a-z][a-z0-9._-]{1,39}$")
_GROUP: Final = 4
DEMO_CHARACTERS: Final = 16
"""Of 32 letters each: 80 bits."""


class Role(StrEnum):
    """Which console a person works at."""

    MUNICIPAL = "municipal"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Member:
    """A person who may log in."""

    login: str
    role: Role
    municipality: str | None
    """The code of their municipality; None for operators."""
    password_hash: str
    """argon2id, in its own notation with salt and cost."""
    created_at: datetime


def is_login(text: str) -> bool:
    """Tell whether text can be a log-in: 2 to 40 lower-case letters, digits, ``. _ -``."""
    return _LOGIN.match(text) is not None


def waits_until(failures: Iterable[datetime], at: datetime) -> datetime | None:
    """Return when this log-in may be tried again; None when it may be tried now."""
    recent = sorted(failure for failure in failures if failure > at - WINDOW)
    return recent[-MOST_FAILURES] + WINDOW if len(recent) >= MOST_FAILURES else None


def written_password(token: bytes) -> str:
    """Return a password that can be read out: lower-case letters in groups, one for each byte."""
    letters = "".join(RANDOM_ALPHABET[byte & 31] for byte in token).lower()
    return "-".join(letters[place : place + _GROUP] for place in range(0, len(letters), _GROUP))
