"""The console of operators over a real ledger and a real Redis, or none."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import argon2
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from sqlalchemy import Engine, insert

from backend.database import open_database, transaction
from backend.kiosks.store import kiosk_table
from backend.migrations.metadata import centre_tables
from backend.participation import service
from backend.participation.announcer import RedisAnnouncer
from backend.staff import service as staff
from backend.staff.model import Role
from backend.staff.passwords import Passwords
from backend.web.bootstrap import CentreParts, ConsoleParts
from backend.web.operators.app import console
from dedicated_line.clock import CountedEntropy, FixedClock

PASSWORD = "made-up-password"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
KIOSKS = (("k000001", "127.1.0.1", "見本商店 一号店"), ("k000002", "127.1.0.2", "見本商店 二号店"))


@dataclass
class Watch:
    """The console and what stands behind it."""

    app: Flask
    engine: Engine
    clock: FixedClock
    redis: redis.Redis

    def logged_in(self, login: str = "operator") -> FlaskClient:
        client = self.app.test_client()
        token = CSRF.search(client.get("/log-in").get_data(as_text=True))
        assert token is not None
        fields = {"csrf_token": token[1], "login": login, "password": PASSWORD}
        client.post("/log-in", data=fields)
        return client


@pytest.fixture
def redis_socket() -> Iterator[str]:
    """Run a Redis of its own; its socket has to have a short path."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/r.sock"
        server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        client = redis.Redis.from_url(f"unix://{path}", retry=Retry(ConstantBackoff(0.05), 100))
        client.ping()
        yield path
        client.close()
        server.terminate()
        server.wait(10)


def _watch(tmp_path: Path, socket: str) -> Watch:
    engine = open_database(f"sqlite:///{tmp_path / 'centre.db'}")
    centre_tables().create_all(engine)
    clock = FixedClock(datetime(2026, 11, 24, 1, 0, tzinfo=UTC))
    entropy = CountedEntropy()
    passwords = Passwords(entropy, argon2.PasswordHasher(1, 8, 1))
    with transaction(engine) as connection:
        service.load_municipalities(connection)
        for kiosk, circuit, name in KIOSKS:
            connection.execute(
                insert(kiosk_table).values(
                    id=kiosk, circuit=circuit, name=name, device_key=bytes(65), in_service=True
                )
            )
        for login, role, code in (
            ("operator", Role.OPERATOR, None),
            ("shimonoseki", Role.MUNICIPAL, "352012"),
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
    client = redis.Redis.from_url(f"unix://{socket}", socket_timeout=1)
    centre = CentreParts(
        engine=engine,
        redis=client,
        announcer=RedisAnnouncer(client),
        passwords=passwords,
        clock=clock,
        entropy=entropy,
        state=tmp_path,
        simulation=True,
    )
    parts = ConsoleParts(centre=centre, session_key=bytes(32), log_folder=tmp_path / "log")
    return Watch(console(parts), engine, clock, client)


@pytest.fixture
def watch(tmp_path: Path, redis_socket: str) -> Iterator[Watch]:
    made = _watch(tmp_path, redis_socket)
    yield made
    made.redis.close()
    made.engine.dispose()


@pytest.fixture
def watch_without_redis(tmp_path: Path) -> Iterator[Watch]:
    made = _watch(tmp_path, str(tmp_path / "none.sock"))
    yield made
    made.redis.close()
    made.engine.dispose()
