"""The console of a municipality in a world of two, with staff and a still clock."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import argon2
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from backend.database import open_database, transaction
from backend.migrations.metadata import centre_tables
from backend.participation import service
from backend.staff import service as staff
from backend.staff.model import Role
from backend.staff.passwords import Passwords
from backend.web.bootstrap import CentreParts, ConsoleParts
from backend.web.municipality.app import console
from dedicated_line.clock import CountedEntropy, FixedClock
from dedicated_line.contract.line import LineEvent

TOWNS = """municipality,kind,from,until,fee
352012,residence-certificate,2012-07,,200
352039,residence-certificate,2017-11,,300
""".splitlines(keepends=True)
PASSWORD = "made-up-password"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class HeardAnnouncer:
    """Keeps what was announced."""

    events: list[LineEvent] = field(default_factory=list)

    def announce(self, event: LineEvent) -> None:
        self.events.append(event)


@dataclass
class Town:
    """The console and what stands behind it."""

    app: Flask
    engine: Engine
    clock: FixedClock
    announcer: HeardAnnouncer
    passwords: Passwords

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def logged_in(self, login: str = "shimonoseki") -> FlaskClient:
        client = self.client()
        answer = self.post(client, "/log-in", login=login, password=PASSWORD)
        assert answer.status_code == 303
        return client

    def post(self, client: FlaskClient, path: str, page: str | None = None, **fields: str):  # noqa: ANN201 - the test client's own answer
        token = CSRF.search(client.get(page or path).get_data(as_text=True))
        assert token is not None
        return client.post(path, data={"csrf_token": token[1], **fields})


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    engine = open_database(f"sqlite:///{tmp_path / 'centre.db'}")
    centre_tables().create_all(engine)
    clock = FixedClock(datetime(2026, 11, 24, 1, 0, tzinfo=UTC))
    entropy = CountedEntropy()
    passwords = Passwords(entropy, argon2.PasswordHasher(1, 8, 1))
    with transaction(engine) as connection:
        service.load_municipalities(connection)
        service.load_participation(connection, TOWNS)
        for login, role, code in (
            ("shimonoseki", Role.MUNICIPAL, "352012"),
            ("yamaguchi", Role.MUNICIPAL, "352039"),
            ("operator", Role.OPERATOR, None),
        ):
            staff.add(
                connection,
                passwords,
                login=login,
                role=role,
                municipality=code,
                password=PASSWORD,
                at=clock.real_now(),
            )
    announcer = HeardAnnouncer()
    centre = CentreParts(
        engine=engine,
        redis=redis.Redis.from_url(f"unix://{tmp_path}/no-redis.sock"),
        announcer=announcer,
        passwords=passwords,
        clock=clock,
        entropy=entropy,
        state=tmp_path,
        simulation=True,
    )
    app = console(ConsoleParts(centre=centre, session_key=bytes(32), log_folder=tmp_path / "log"))
    yield Town(app, engine, clock, announcer, passwords)
    engine.dispose()
