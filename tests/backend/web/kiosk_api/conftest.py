"""The kiosk API with real cards and a real Redis; issuing server and validity centre as told."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from backend.database import open_database, transaction
from backend.identity.errors import CardRefusedError
from backend.identity.model import CardHolder
from backend.identity.sessions import SessionStore
from backend.kiosks.service import load_register
from backend.network.service import register_card
from backend.orders.desk import Desk
from backend.orders.errors import (
    IssuerRefusedError,
    IssuerUnavailableError,
    KeyListMissingError,
)
from backend.orders.holders import Reception
from backend.orders.turned_away import TurnedAway
from backend.participation import service as participation
from backend.participation.model import Municipality
from backend.participation.store import keep_municipalities
from backend.web.kiosk_api.app import KioskApi, create_app
from backend.web.schema import Database, upgrade
from dedicated_line.clock import FixedClock, SystemEntropy
from dedicated_line.contract import CONTRACT_VERSION, canonical, cose
from dedicated_line.contract.envelope import EnvelopeHeader
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.issuing import (
    Compose,
    Composed,
    Confirm,
    Confirmed,
    HolderIdentified,
    IdentifyHolder,
)
from dedicated_line.contract.key_list import KeyList, KeyUse, ListedKey
from dedicated_line.contract.keys import Purpose, encode_public_key, sign_body
from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.line import CircuitRegister, RegisteredKiosk
from dedicated_line.contract.message import Message, decode_base64url, encode_base64url
from dedicated_line.contract.numbers import issue_number
from dedicated_line.contract.orders import (
    IssueOutcome,
    Money,
    MoneyFact,
    Outcome,
    OutcomeResult,
    PlaceOrder,
    Release,
)
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import OpenSession
from dedicated_line.contract.states import PrintResult, ProofStrength

CITY, KIND, LAYOUT = "352012", Kind.RESIDENCE_CERTIFICATE, "ab" * 32
CENTRE = "kofu-centre-1"


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class ToldIssuer:
    """An issuing server that seals what is asked, or refuses as told."""

    clock: FixedClock
    key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    refuses: Refusal | None = None
    is_down: bool = False
    fingerprint: str = ""
    identified: list[IdentifyHolder] = field(default_factory=list)
    given: int = 0

    def keys(self) -> KeyList:
        now = self.clock.now()
        listed = ListedKey(
            key_id="envelope-1",
            municipality=CITY,
            use=KeyUse.ENVELOPE,
            public_key=encode_public_key(self.key.public_key()),
            valid_from=now - timedelta(days=1),
            valid_until=now + timedelta(days=9),
        )
        return KeyList(version=1, issued_at=now, expires_at=now + timedelta(days=9), keys=(listed,))

    def _answer(self) -> None:
        if self.is_down:
            raise IssuerUnavailableError("down")
        if self.refuses is not None:
            raise IssuerRefusedError(self.refuses)

    def identify(self, question: IdentifyHolder) -> HolderIdentified:
        self._answer()
        self.identified.append(question)
        return HolderIdentified(personal=b"names, sealed to the session")

    def compose(self, question: Compose) -> Composed:
        self._answer()
        wish = PlaceOrder.model_validate_json(question.order_body)
        self.given += 1
        now = self.clock.now()
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
            holder=canonical.digest(question.card.holder.user_certificate),
            issues=(issue_number(CITY, self.given),),
            record_version=1,
            register_as_of=now,
            sealed_at=now,
            attested_on=(now + timedelta(hours=9)).date(),
            content="ef" * 32,
        )
        payload = canonical.encode_message(header)
        return Composed(
            order=question.order,
            header=cose.sign(self.key, "envelope-1", Purpose.ENVELOPE, payload),
            ciphertext=b"sealed to the session",
        )

    def confirm(self, question: Confirm) -> Confirmed:
        self._answer()
        assert question.municipality == CITY
        return Confirmed(unchanged=True, record_version=1)


@dataclass
class ToldValidityCentre:
    """A validity centre that says good, or refuses as told."""

    refuses: Refusal | None = None
    asked: int = 0

    def require_good(self, holder: CardHolder, user_certificate: bytes) -> None:
        self.asked += 1
        assert canonical.digest(user_certificate) == holder.fingerprint
        if self.refuses is not None:
            raise CardRefusedError(self.refuses)


@dataclass
class NotedVisitors:
    """Remembers who was turned away."""

    noted: list[TurnedAway] = field(default_factory=list)

    def note(self, turned_away: TurnedAway) -> None:
        self.noted.append(turned_away)


@dataclass
class KioskAtTheApi:
    """What a kiosk sends, and the centre that hears it."""

    client: FlaskClient
    jpki: Any
    engine: Engine
    issuer: ToldIssuer
    validity: ToldValidityCentre
    clock: FixedClock
    device_key: ec.EllipticCurvePrivateKey
    headers: dict[str, str] = field(
        default_factory=lambda: {"Kofu-Kiosk": "k000001", "Kofu-Circuit": "127.1.0.1"}
    )
    keys_made: int = 0
    turned_away: list[TurnedAway] = field(default_factory=list)

    def send(self, method: str, path: str, body: bytes | None = None, **more: str) -> TestResponse:
        headers = {**self.headers, **{name.replace("_", "-"): text for name, text in more.items()}}
        return self.client.open(path, method=method, data=body, headers=headers)

    def signed(
        self,
        path: str,
        message: Message,
        purpose: Purpose,
        key: ec.EllipticCurvePrivateKey | None = None,
        idempotency: str | None = None,
    ) -> TestResponse:
        body = message.to_json()
        self.keys_made += 1
        signature = encode_base64url(sign_body(key or self.jpki.signing_key, purpose, body))
        return self.send(
            "POST",
            path,
            body,
            Kofu_Signature=signature,
            Idempotency_Key=idempotency or f"key-of-a-test-{self.keys_made:06}",
        )

    def open(self, layout: str = LAYOUT) -> dict[str, Any]:
        wish = OpenSession(contract=CONTRACT_VERSION, software="0.1.0", layouts={KIND: layout})
        answer = self.send("POST", "/v1/sessions", wish.to_json())
        assert answer.status_code == 201
        opened: dict[str, Any] = answer.get_json()
        return opened

    def holder_body(self, opened: dict[str, Any], card: Any = None) -> bytes:
        word = self.jpki.word(
            (card or self.jpki.card()).card,
            session=opened["session"],
            challenge=decode_base64url(opened["challenge"]),
        )
        body: bytes = word.holder.to_json()
        return body

    def present(self, opened: dict[str, Any], card: Any = None) -> TestResponse:
        path = f"/v1/sessions/{opened['session']}/holder"
        return self.send("PUT", path, self.holder_body(opened, card))

    def wish(self, session: str) -> PlaceOrder:
        return PlaceOrder(
            session=session,
            kind=KIND,
            options=Options(),
            members=("00" * 8,),
            copies=1,
            layout=LAYOUT,
        )

    def place(self, session: str, idempotency: str | None = None) -> TestResponse:
        path = f"/v1/sessions/{session}/orders"
        return self.signed(path, self.wish(session), Purpose.ORDER, idempotency=idempotency)

    def release(self, order: str, idempotency: str | None = None) -> TestResponse:
        wish = Release(order=order, money=Money(amount=300, receipt="r-1"))
        path = f"/v1/orders/{order}/release"
        return self.signed(path, wish, Purpose.RELEASE, idempotency=idempotency)

    def printed(self, order: str, number: str) -> TestResponse:
        outcome = Outcome(
            order=order,
            result=OutcomeResult.FINISHED,
            issues=(
                IssueOutcome(
                    number=number, result=PrintResult.PRINTED, proof=ProofStrength.PROCESS_ID
                ),
            ),
            money=MoneyFact(taken=300, returned=0, owed=0),
        )
        return self.signed(f"/v1/orders/{order}/outcome", outcome, Purpose.OUTCOME, self.device_key)

    def rows(self, table: str) -> list[Any]:
        with transaction(self.engine) as connection:
            return list(connection.execute(text(f'SELECT * FROM "{table}"')))  # noqa: S608 - ours

    def switch(self, *, open: bool, days_ago: int = 0) -> None:  # noqa: A002 - the field's own word
        with transaction(self.engine) as connection:
            participation.change(
                connection,
                CITY,
                KIND,
                open=open,
                effective_from=self.clock.now() - timedelta(days=days_ago),
                fee=300,
                actor="test",
                comment="",
                made_at=None,
            )


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of an empty centre's database."""
    path = tmp_path_factory.mktemp("empty") / "centre.db"
    engine = open_database(f"sqlite:///{path}")
    upgrade(engine, Database.CENTRE)
    engine.dispose()
    return path.read_bytes()


def _api(folder: Path, file: bytes, jpki: Any, redis_url: str) -> tuple[KioskAtTheApi, Engine]:
    database = folder / "centre.db"
    database.write_bytes(file)
    engine = open_database(f"sqlite:///{database}")
    clock = FixedClock(jpki.now)
    issuer, validity, device_key = ToldIssuer(clock), ToldValidityCentre(), _key()
    visitors = NotedVisitors()
    list_file = folder / "key-list.cose"

    def key_list() -> bytes:
        try:
            return list_file.read_bytes()
        except FileNotFoundError:
            raise KeyListMissingError("no key list") from None

    list_file.write_bytes(b"a signed key list")
    reception = Reception(
        engine=engine,
        sessions=SessionStore.connect(redis_url, clock, SystemEntropy()),
        cas=jpki.cas,
        validity=validity,
        issuer=issuer,
        environment=Environment.SIMULATION,
        centre=CENTRE,
        clock=clock,
        layouts={KIND: LAYOUT},
        visitors=visitors,
    )
    desk = Desk(engine, issuer, issuer.keys, clock, SystemEntropy(), print_window=60)
    app = create_app(KioskApi(reception, desk, key_list, folder / "log"))
    device = encode_public_key(device_key.public_key())
    register = CircuitRegister(
        kiosks=tuple(
            RegisteredKiosk(
                kiosk=f"k00000{number}",
                circuit=f"127.1.0.{number}",
                name="見本店",
                certificate_serial="1",
                device_key=device,
                in_service=number < 3,
            )
            for number in (1, 2, 3)
        )
    )
    with transaction(engine) as connection:
        keep_municipalities(connection, [Municipality(CITY, "山口県", "下関市", "シモノセキシ")])
        load_register(connection, register)
        register_card(
            connection,
            generation="g2023",
            serial=_serial(jpki.card().card.user_certificate),
            pseudonym="p-1",
            municipality=CITY,
            since=jpki.now - timedelta(days=900),
        )
    client = app.test_client()
    kiosk = KioskAtTheApi(
        client, jpki, engine, issuer, validity, clock, device_key, turned_away=visitors.noted
    )
    kiosk.switch(open=True, days_ago=400)
    return kiosk, engine


def _serial(der: bytes) -> int:
    from cryptography import x509

    return x509.load_der_x509_certificate(der).serial_number


@pytest.fixture
def kiosk(migrated_file: bytes, jpki_world: Any, redis_url: str) -> Iterator[KioskAtTheApi]:
    """A kiosk in service that talks to the API."""
    with tempfile.TemporaryDirectory(prefix="kofu-") as folder:
        found, engine = _api(Path(folder), migrated_file, jpki_world, redis_url)
        yield found
        engine.dispose()


@pytest.fixture
def kiosk_with_mortal_redis(
    migrated_file: bytes, jpki_world: Any, mortal_redis: Any
) -> Iterator[KioskAtTheApi]:
    """The same, with a Redis that the test may stop."""
    with tempfile.TemporaryDirectory(prefix="kofu-") as folder:
        found, engine = _api(Path(folder), migrated_file, jpki_world, mortal_redis.url)
        yield found
        engine.dispose()
