"""Puts the centre together from its settings; nothing else of it reads them."""

import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import redis
from flask import Flask
from sqlalchemy import Engine

from backend.database import DatabaseDownError, open_database
from backend.identity.ocsp import OcspClient
from backend.identity.service import TrustedCas
from backend.identity.sessions import REDIS_SECONDS, SessionStore
from backend.orders.desk import Desk
from backend.orders.holders import Reception
from backend.orders.issuer_client import IssuerClient
from backend.orders.key_list import KeyListFile
from backend.orders.recovery import MOST_AT_ONCE, Limits, Recovered, recover
from backend.orders.turned_away import RedisVisitors
from backend.settings import BackendSettings
from backend.web.kiosk_api.app import KioskApi, create_app
from backend.web.schema import Database, require_migrated
from backend.web.serving import UNIX
from dedicated_line.clock import SystemEntropy
from dedicated_line.contract.kinds import Kind

LOOPBACK: Final = "127.0.0.1"


def centre_engine(settings: BackendSettings) -> Engine:
    """Return the centre's database, with this release's schema.

    Raises:
        NotMigratedError, DatabaseDownError: it is not there, or not as it must be.
    """
    engine = open_database(settings.centre_database_url)
    require_migrated(engine, Database.CENTRE)
    return engine


def kiosk_api(settings: BackendSettings) -> Flask:
    """Return the kiosk API.

    Raises:
        KofuError: database, trusted CAs or layouts are not there.
    """
    from printers.pages.service import layout_digest  # noqa: PLC0415 - typst and fonts take time

    clock, entropy = settings.clock(), SystemEntropy()
    engine = centre_engine(settings)
    cas = TrustedCas.load(settings.jpki_trust)
    issuer = IssuerClient(settings.issuer_socket, clock)
    keys = KeyListFile(settings.key_list, settings.root_public_key, clock)
    reception = Reception(
        engine=engine,
        sessions=SessionStore.connect(settings.redis_url, clock, entropy),
        cas=cas,
        validity=OcspClient(settings.ocsp_url, cas, clock, entropy),
        issuer=issuer,
        environment=settings.environment,
        centre=settings.centre,
        clock=clock,
        layouts={kind: layout_digest(kind) for kind in Kind},
        visitors=RedisVisitors(
            redis.Redis.from_url(
                settings.redis_url,
                socket_timeout=REDIS_SECONDS,
                socket_connect_timeout=REDIS_SECONDS,
            )
        ),
    )
    desk = Desk(
        engine=engine,
        issuer=issuer,
        keys=keys.trusted,
        clock=clock,
        entropy=entropy,
        print_window=settings.print_window,
    )
    return create_app(
        KioskApi(reception, desk, key_list=keys.published, log_folder=settings.state / "log")
    )


def listener(settings: BackendSettings, audience: str) -> tuple[Callable[[], Flask], str]:
    """Return what makes an audience's application, and where it listens."""
    match audience:
        case "kiosk-api":
            return (lambda: kiosk_api(settings)), f"{UNIX}{settings.kiosk_api_socket}"
        case "municipality":
            return (lambda: _municipality(settings)), f"{LOOPBACK}:{settings.municipality_port}"
        case "operators":
            return (lambda: _operators(settings)), f"{LOOPBACK}:{settings.operators_port}"
        case _:
            raise ValueError(f"no audience is called {audience}")


def _municipality(settings: BackendSettings) -> Flask:
    from backend.web.municipality.app import create_app as console  # noqa: PLC0415 - one audience

    centre_engine(settings).dispose()
    return console(settings)


def _operators(settings: BackendSettings) -> Flask:
    from backend.web.operators.app import create_app as console  # noqa: PLC0415 - one audience

    centre_engine(settings).dispose()
    return console(settings)


def recovery_round(settings: BackendSettings, most: int | None) -> Callable[[], Recovered]:
    """Return one round of recovery, to be called as often as wanted."""
    engine, clock = centre_engine(settings), settings.clock()
    limits = Limits(
        order_timeout=timedelta(seconds=settings.order_timeout),
        most_at_once=most or MOST_AT_ONCE,
    )
    return lambda: recover(engine, clock.real_now(), limits)


def run_recovery(settings: BackendSettings, every: float, most: int | None) -> None:
    """Recover each so many seconds until SIGTERM; a database that is down is waited for."""
    one_round = recovery_round(settings, most)
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # a round is never cut in half
    _say(f"kofu-backend recover ready, every {every:g} s")
    while True:
        try:
            done = one_round()
        except DatabaseDownError as error:
            sys.stderr.write(f"kofu-backend recover: {error}\n")
        else:
            if done.halted:
                sys.stderr.write(
                    f"kofu-backend recover: HALTED, {done.halted} orders would end at once; "
                    "check the clocks, then run 'kofu-backend recover --most N'\n"
                )
            elif not done.quiet:
                _say(f"abandoned {len(done.abandoned)}, unknown {len(done.unknown)}")
        if signal.sigtimedwait(ends, every) is not None:
            return


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
