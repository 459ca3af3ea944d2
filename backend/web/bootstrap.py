"""Puts the consoles together, and the commands that do the same from a terminal."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis
from sqlalchemy import Engine

from backend.database import open_database
from backend.participation.announcer import RedisAnnouncer
from backend.participation.service import Announcer
from backend.settings import BackendSettings
from backend.staff.console_key import console_key
from backend.staff.passwords import Passwords
from backend.web.schema import Database, require_migrated
from dedicated_line.clock import Clock, Entropy, SystemEntropy

REDIS_SECONDS: Final = 1.0
"""A console shows that Redis is down rather than wait for it."""


@dataclass(frozen=True)
class CentreParts:
    """What staff work with, from a terminal as from a console."""

    engine: Engine
    """The centre's database."""
    redis: redis.Redis
    announcer: Announcer
    passwords: Passwords
    clock: Clock
    entropy: Entropy
    state: Path
    simulation: bool


@dataclass(frozen=True)
class ConsoleParts:
    """What a console is made of."""

    centre: CentreParts
    session_key: bytes
    """Signs the cookies of sessions."""
    log_folder: Path


def centre_parts(settings: BackendSettings | None = None) -> CentreParts:
    """Open what staff work with.

    Raises:
        NotMigratedError, DatabaseDownError: the database is not there, or not as it must be.
    """
    settings = settings or BackendSettings.load()
    entropy = SystemEntropy()
    engine = open_database(settings.centre_database_url)
    require_migrated(engine, Database.CENTRE)
    client = redis.Redis.from_url(
        settings.redis_url,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
    )
    return CentreParts(
        engine=engine,
        redis=client,
        announcer=RedisAnnouncer(client),
        passwords=Passwords(entropy),
        clock=settings.clock(),
        entropy=entropy,
        state=settings.state,
        simulation=settings.simulation,
    )


def console_parts(settings: BackendSettings) -> ConsoleParts:
    """Open what a console needs; the first one makes the key of sessions."""
    centre = centre_parts(settings)
    return ConsoleParts(
        centre=centre,
        session_key=console_key(settings.state, centre.entropy),
        log_folder=settings.state / "log",
    )
