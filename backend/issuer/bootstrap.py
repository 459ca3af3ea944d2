"""The one place where the issuing server is put together from its settings."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import OperationalError

from backend.database import open_database, transaction
from backend.identity.service import TrustedCas, verify_card_word
from backend.issuer import tables
from backend.issuer.register.store import municipality_codes
from backend.issuer.register.vault import KEY_BYTES, Vault
from backend.issuer.sealing.keys import KeyFiles, KeyPlaces, Published, init_keys, secret_file
from backend.issuer.sealing.paper import PrintersPaper
from backend.issuer.sealing.service import Holder, Issuer
from backend.issuer.web.app import Listener, make_app
from backend.issuer.web.timing import FixedPace
from backend.settings import BackendSettings
from backend.web.serving import UNIX, run_gunicorn
from dedicated_line.clock import Clock, Entropy, SystemEntropy
from dedicated_line.contract.issuing import CardWord
from dedicated_line.errors import UsageError

KEEP_MARGIN = timedelta(minutes=10)
"""How much longer than an open order a ciphertext is kept."""


@dataclass(frozen=True)
class Register:
    """What loading a register needs."""

    engine: Engine
    vault: Vault
    clock: Clock


def key_places(settings: BackendSettings) -> KeyPlaces:
    """Return where keys lie."""
    return KeyPlaces(
        root=settings.state / "keys" / "root.key",
        root_public=settings.root_public_key,
        key_list=settings.key_list,
        municipalities=settings.state / "issuer" / "keys",
    )


def _vault(settings: BackendSettings, entropy: Entropy) -> Vault:
    master = secret_file(settings.state / "issuer" / "master.key", KEY_BYTES, entropy)
    return Vault(master, entropy)


def _engine(settings: BackendSettings) -> Engine:
    engine = open_database(settings.issuer_database_url)
    try:
        found = inspect(engine).has_table(tables.municipality.name)
    except OperationalError:
        found = False
    if not found:
        engine.dispose()
        raise UsageError("the issuing server has no database yet; run 'kofu-backend migrate'")
    return engine


def open_register(settings: BackendSettings) -> Register:
    """Return the register; UsageError when its database has not been made yet."""
    return Register(_engine(settings), _vault(settings, SystemEntropy()), settings.clock())


def publish_keys(settings: BackendSettings, municipalities: tuple[str, ...]) -> Published:
    """Make and publish keys; of all municipalities hosted here when none is named."""
    if not municipalities:
        register = open_register(settings)
        with transaction(register.engine) as connection:
            municipalities = municipality_codes(connection)
        register.engine.dispose()
    if not municipalities:
        raise UsageError("no municipality is hosted here; import a register or name one")
    return init_keys(key_places(settings), municipalities, settings.clock().now(), SystemEntropy())


def listener(settings: BackendSettings) -> Listener:
    """Return the issuing server's listener, put together for one process."""
    clock, entropy = settings.clock(), SystemEntropy()
    engine = _engine(settings)
    cas = TrustedCas.load(settings.jpki_trust)
    keys = KeyFiles(key_places(settings))
    paper = PrintersPaper()
    paper.warm_up()

    def _verify(word: CardWord, now: datetime) -> Holder:
        return verify_card_word(cas, settings.environment, settings.centre, word, now)

    def _not_ready() -> str | None:
        with transaction(engine) as connection:
            hosted = municipality_codes(connection)
        if not hosted:
            return "register"
        return None if keys.ready(clock.now()) else "key list"

    return Listener(
        issuer=Issuer(
            engine=engine,
            vault=_vault(settings, entropy),
            verify=_verify,
            keys=keys,
            paper=paper,
            handle_secret=secret_file(
                settings.state / "issuer" / "handles.key", KEY_BYTES, entropy
            ),
            environment=settings.environment,
            clock=clock,
            entropy=entropy,
            keep=timedelta(seconds=settings.order_timeout + settings.print_window) + KEEP_MARGIN,
        ),
        pace=FixedPace(clock),
        log_folder=settings.state / "log",
        not_ready=_not_ready,
    )


def serve(settings: BackendSettings) -> None:
    """Run the issuing server until SIGTERM."""
    _engine(settings).dispose()
    TrustedCas.load(settings.jpki_trust)

    def _factory() -> Flask:
        return make_app(listener(settings))

    run_gunicorn(_factory, f"{UNIX}{settings.issuer_socket}", settings, "issuer")
