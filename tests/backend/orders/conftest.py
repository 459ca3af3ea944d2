"""A world of orders: a ledger on SQLite and PostgreSQL, an issuing server that does as told."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine, insert, text

from backend.database import centre_metadata, open_database, transaction
from backend.identity.store import Access, record_access
from backend.kiosks.service import Kiosk, find_kiosk
from backend.kiosks.store import kiosk_table
from backend.orders import store
from backend.orders.desk import Asker, Desk, Signed
from backend.orders.errors import IssuerRefusedError, IssuerUnavailableError
from backend.orders.service import place_order, release, settle
from backend.orders.store import Order
from backend.participation import service as participation
from backend.participation.model import Municipality
from backend.participation.store import keep_municipalities
from backend.web.schema import Database, upgrade
from dedicated_line.clock import FixedClock, SystemEntropy
from dedicated_line.contract import CONTRACT_VERSION, canonical, cose
from dedicated_line.contract.envelope import EnvelopeHeader
from dedicated_line.contract.issuing import CardWord, Compose, Composed, Confirm, Confirmed
from dedicated_line.contract.key_list import KeyList, KeyUse, ListedKey
from dedicated_line.contract.keys import Purpose, encode_public_key, sign_body
from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.numbers import issue_number
from dedicated_line.contract.orders import (
    IssueOutcome,
    Money,
    MoneyFact,
    OrderSealed,
    OrderStatus,
    Outcome,
    OutcomeResult,
    PlaceOrder,
    Release,
    Released,
)
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import CardAlgorithm, PresentHolder
from dedicated_line.contract.states import PrintResult, ProofStrength

NOW = datetime(2026, 6, 15, 3, 0, tzinfo=UTC)
CITY = "352012"
KIND = Kind.RESIDENCE_CERTIFICATE
LAYOUT = "ab" * 32
HOLDER = "cd" * 32
SESSION = "12" * 16
FEE = 300
TOKYO = ZoneInfo("Asia/Tokyo")
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def _as_postgres(*command: str | Path) -> None:
    """Run a command as the user that PostgreSQL insists on."""
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*user, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of the worker's own, on a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="kofu-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data, tools = folder / "data", _POSTGRES[-1]
        _as_postgres(tools / "initdb", "-D", data, "-A", "trust", "--no-sync", "-E", "UTF8")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        log = folder / "log"
        _as_postgres(tools / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            _as_postgres(tools / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    engine = open_database(postgres_url)
    upgrade(engine, Database.CENTRE)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres(postgres_engine: Engine) -> Engine:
    """The migrated PostgreSQL, emptied."""
    tables = ", ".join(f'"{table.name}"' for table in centre_metadata.sorted_tables)
    with postgres_engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return postgres_engine


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "centre.db"
    engine = open_database(f"sqlite:///{path}")
    upgrade(engine, Database.CENTRE)
    engine.dispose()  # the last connection writes the whole log into the file
    return path


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    path = tmp_path / "centre.db"
    shutil.copy(sqlite_template, path)
    engine = open_database(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.sockets)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """The ledger, on each database that it must behave the same on."""
    found: Engine = request.getfixturevalue(request.param)
    return found


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return encode_public_key(key.public_key())


@dataclass
class TunedIssuer:
    """An issuing server that seals what is asked, or does what a test tells it."""

    clock: FixedClock
    key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    key_id: str = "envelope-1"
    refuses: Refusal | None = None
    is_down: bool = False
    confirms: bool = True
    forged: dict[str, object] = field(default_factory=dict)
    before_answer: Callable[[], None] = lambda: None
    before_confirm: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)
    _composed: dict[str, Composed] = field(default_factory=dict)

    def keys(self) -> KeyList:
        listed = ListedKey(
            key_id=self.key_id,
            municipality=CITY,
            use=KeyUse.ENVELOPE,
            public_key=_point(self.key),
            valid_from=NOW - timedelta(days=1),
            valid_until=NOW + timedelta(days=365),
        )
        return KeyList(
            version=1, issued_at=NOW, expires_at=NOW + timedelta(days=365), keys=(listed,)
        )

    def compose(self, question: Compose) -> Composed:
        self.asked.append(question.order)
        self.before_answer()
        if self.is_down:
            raise IssuerUnavailableError("down")
        if self.refuses:
            raise IssuerRefusedError(self.refuses)
        return self._composed.setdefault(question.order, self._seal(question))

    def header(self, question: Compose) -> EnvelopeHeader:
        wish = PlaceOrder.model_validate_json(question.order_body)
        now = self.clock.now()
        numbers = tuple(
            issue_number(CITY, int.from_bytes(SystemEntropy().token(7), "big"))
            for _ in range(wish.copies)
        )
        header = EnvelopeHeader(
            contract=CONTRACT_VERSION,
            municipality=CITY,
            order=question.order,
            session=question.card.session,
            kiosk=question.card.kiosk,
            kind=wish.kind,
            options=wish.options,
            members=len(wish.members),
            copies=wish.copies,
            sheets=1,
            layout=wish.layout,
            holder=HOLDER,
            issues=numbers,
            record_version=7,
            register_as_of=now - timedelta(hours=1),
            sealed_at=now,
            attested_on=now.astimezone(TOKYO).date(),
            content="ef" * 32,
        )
        return header.model_copy(update=self.forged)

    def _seal(self, question: Compose) -> Composed:
        payload = canonical.encode_message(self.header(question))
        return Composed(
            order=question.order,
            header=cose.sign(self.key, self.key_id, Purpose.ENVELOPE, payload),
            ciphertext=b"sealed to the session",
        )

    def confirm(self, question: Confirm) -> Confirmed:
        assert question.municipality == CITY
        self.before_confirm()
        if self.is_down:
            raise IssuerUnavailableError("down")
        if self.refuses:
            raise IssuerRefusedError(self.refuses)
        return Confirmed(unchanged=self.confirms, record_version=7)


@dataclass
class OrderWorld:
    """One municipality, one kiosk, one session; and what a kiosk would send."""

    engine: Engine
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    signing_key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    device_key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    keys_made: int = 0

    def __post_init__(self) -> None:
        self.issuer = TunedIssuer(self.clock)
        self.desk = Desk(
            engine=self.engine,
            issuer=self.issuer,
            keys=self.issuer.keys,
            clock=self.clock,
            entropy=SystemEntropy(),
            print_window=60,
        )
        with transaction(self.engine) as connection:
            keep_municipalities(
                connection, [Municipality(CITY, "山口県", "下関市", "シモノセキシ")]
            )
            connection.execute(
                insert(kiosk_table).values(
                    id="k000001",
                    circuit="127.1.0.1",
                    name="見本店",
                    device_key=_point(self.device_key),
                    in_service=True,
                )
            )
        self.switch(open=True, at=NOW - timedelta(days=400))
        self.asker = self.new_session(SESSION)

    @property
    def kiosk(self) -> Kiosk:
        with transaction(self.engine) as connection:
            kiosk = find_kiosk(connection, "k000001")
        assert kiosk is not None
        return kiosk

    def new_session(self, session: str) -> Asker:
        presented = PresentHolder(
            user_certificate=b"certificate",
            algorithm=CardAlgorithm.RS256,
            signing_key=_point(self.signing_key),
            receiving_key=_point(self.signing_key),
            card_signature=b"signature",
        )
        card = CardWord(
            municipality=CITY,
            kiosk="k000001",
            session=session,
            challenge=b"\x01" * 32,
            holder=presented,
        )
        access = Access(session, HOLDER, "k000001", "g2023", 1, self.clock.now())
        with transaction(self.engine) as connection:
            record_access(connection, access)
        return Asker("k000001", session, CITY, HOLDER, card, {KIND: LAYOUT})

    def switch(self, *, open: bool, at: datetime | None = None, fee: int = FEE) -> None:  # noqa: A002
        with transaction(self.engine) as connection:
            participation.change(
                connection,
                CITY,
                KIND,
                open=open,
                effective_from=at or self.clock.now(),
                fee=fee,
                actor="test",
                comment="",
                made_at=None,
            )

    def new_key(self) -> str:
        self.keys_made += 1
        return f"key-of-a-test-{self.keys_made:06}"

    def wish(self, copies: int = 1, replaces: str | None = None, **more: object) -> PlaceOrder:
        values: dict[str, object] = {
            "session": self.asker.session,
            "kind": KIND,
            "options": Options(),
            "members": ("00" * 8,),
            "copies": copies,
            "layout": LAYOUT,
            "replaces": replaces,
            **more,
        }
        return PlaceOrder.model_validate(values)

    def place(
        self, wish: PlaceOrder | None = None, key: str | None = None, asker: Asker | None = None
    ) -> OrderSealed:
        wish = wish or self.wish()
        body = wish.to_json()
        signature = sign_body(self.signing_key, Purpose.ORDER, body)
        signed = Signed(key or self.new_key(), body, signature)
        return place_order(self.desk, asker or self.asker, wish, signed)

    def place_elsewhere(self) -> str:
        """Return a sealed order of a session of its own."""
        asker = self.new_session("56" * 16)
        return self.place(self.wish(session=asker.session), asker=asker).order

    def release(self, order: str, amount: int = FEE, key: str | None = None) -> Released:
        wish = Release(order=order, money=Money(amount=amount, receipt="r-1"))
        body = wish.to_json()
        signature = sign_body(self.signing_key, Purpose.RELEASE, body)
        return release(self.desk, "k000001", wish, Signed(key or self.new_key(), body, signature))

    def tell(self, outcome: Outcome, key: str = "") -> OrderStatus:
        body = outcome.to_json()
        signature = sign_body(self.device_key, Purpose.OUTCOME, body)
        return settle(self.desk, self.kiosk, outcome, Signed(key, body, signature))

    def order(self, order: str) -> Order:
        with transaction(self.engine) as connection:
            found = store.find_order(connection, order)
        assert found is not None
        return found

    def finished(
        self,
        order: str,
        *results: PrintResult,
        money: tuple[int, int, int],
        proof: ProofStrength = ProofStrength.PROCESS_ID,
    ) -> Outcome:
        """Return an outcome; money is taken, returned, owed."""
        issues = self.order(order).issues
        taken, returned, owed = money
        return Outcome(
            order=order,
            result=OutcomeResult.FINISHED,
            issues=tuple(
                IssueOutcome(number=issue.number or "", result=result, proof=proof)
                for issue, result in zip(issues, results, strict=True)
            ),
            money=MoneyFact(taken=taken, returned=returned, owed=owed),
        )

    def cancelled(self, order: str, money: tuple[int, int, int] = (0, 0, 0)) -> Outcome:
        taken, returned, owed = money
        return Outcome(
            order=order,
            result=OutcomeResult.CANCELLED,
            money=MoneyFact(taken=taken, returned=returned, owed=owed),
        )


@pytest.fixture
def world(engine: Engine) -> OrderWorld:
    """A world of orders on each database."""
    return OrderWorld(engine)


@pytest.fixture
def busy_world(postgres: Engine) -> OrderWorld:
    """A world of orders on PostgreSQL, where transactions really run side by side."""
    return OrderWorld(postgres)


@pytest.fixture
def quick_world(sqlite: Engine) -> OrderWorld:
    """A world of orders on SQLite alone."""
    return OrderWorld(sqlite)
