"""A town of made-up residents, an issuing server for it, and kiosks that ask."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from backend.database import issuer_metadata, open_database, transaction
from backend.identity.service import verify_card_word
from backend.issuer.register.service import ImportReport, import_records, link_card
from backend.issuer.register.vault import Vault
from backend.issuer.sealing.keys import KeyFiles, KeyPlaces, init_keys, read_root
from backend.issuer.sealing.paper import PrintersPaper
from backend.issuer.sealing.service import Issuer
from backend.issuer.web.app import Listener, make_app
from dedicated_line.clock import FixedClock, SystemEntropy
from dedicated_line.contract import canonical, cose, sealed_box
from dedicated_line.contract.envelope import Content, EnvelopeHeader
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.issuing import CardWord, Compose, Composed, Confirm, IdentifyHolder
from dedicated_line.contract.key_list import KeyList, KeyUse, read_key_list, trusted_key
from dedicated_line.contract.keys import Purpose, sign_body
from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.orders import PlaceOrder
from dedicated_line.contract.sealed_box import Sealed
from dedicated_line.contract.sessions import Member, PersonalPart

TOWN = "352012"
SESSION = "ab" * 16


def municipality(**changes: Any) -> dict[str, Any]:
    return {
        "type": "municipality",
        "code": TOWN,
        "prefecture": "山口県",
        "name": "下関市",
        "mayor_title": "下関市長",
        "mayor_name": "見本　花子",
    } | changes


def household(
    identifier: str = "h-1", householder: str = "taro", /, **changes: Any
) -> dict[str, Any]:
    return {
        "type": "household",
        "municipality": TOWN,
        "id": identifier,
        "address": "山口県下関市見本町一丁目1番1号",
        "householder": householder,
    } | changes


def resident(identifier: str = "taro", /, **changes: Any) -> dict[str, Any]:
    return {
        "type": "resident",
        "municipality": TOWN,
        "id": identifier,
        "household": "h-1",
        "name": "見本　太郎",
        "kana": "ミホン　タロウ",
        "birth_date": "1970-04-01",
        "sex": "male",
        "relationship": "世帯主",
        "became_resident": "1998-04-10",
        "domicile": "山口県見本郡例示町一番地",
        "head_of_family_register": "見本　一郎",
        "individual_number": "123456789018",
        "resident_record_code": "12345678901",
    } | changes


def family(**changes: Any) -> list[dict[str, Any]]:
    """Return a household of two, 太郎 as changed."""
    wife = resident("hanako", name="見本　花代", sex="female", relationship="妻")
    return [municipality(), household(), resident(**changes), wife]


def lines(records: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(record, ensure_ascii=False).encode() for record in records]


@dataclass
class RecordedPace:
    """Holds nothing back, and remembers that it was asked to."""

    held: list[float] = field(default_factory=list)

    def arrival(self) -> float:
        return 7.0

    def hold(self, arrival: float) -> None:
        self.held.append(arrival)


@dataclass
class Town:
    """An issuing server with its register, and what a kiosk and the centre do with it."""

    folder: Path
    clock: FixedClock
    world: Any
    """The simulated JPKI centre and its cards."""
    engine: Engine
    vault: Vault
    places: KeyPlaces
    client: FlaskClient
    issuer: Issuer
    pace: RecordedPace
    layout: str

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def load(self, records: list[dict[str, Any]]) -> ImportReport:
        return import_records(self.engine, lines(records), self.vault, self.now)

    def settle(self, records: list[dict[str, Any]], holder: str = "taro") -> None:
        """Load records without a refused line, and give the holder the ordinary card."""
        report = self.load(records)
        assert report.refused == ()
        self.link(holder)

    def link(self, holder: str, generation: str = "g2023") -> None:
        card = self.world.card(generation)
        link_card(self.engine, TOWN, holder, card.generation, card.serial, vault=self.vault)

    def word(self, generation: str = "g2023", **given: Any) -> CardWord:
        given = {"municipality": TOWN, "session": SESSION} | given
        word = self.world.word(self.world.card(generation).card, **given)
        assert isinstance(word, CardWord)
        return word

    def post(self, path: str, message: Any) -> Any:
        return self.client.post(path, data=message.to_json(), content_type="application/json")

    def members(self, word: CardWord | None = None) -> tuple[Member, ...]:
        """Return whom the kiosk of this session may show."""
        word = word or self.word()
        answer = self.post("/v1/holders", IdentifyHolder(card=word))
        assert answer.status_code == 200, answer.text
        box = _bytes(answer.json["personal"])
        plain = sealed_box.open_sealed(self.world.receiving_key, Sealed.PERSONAL, word.session, box)
        return PersonalPart.model_validate_json(plain).members

    def order(
        self,
        *handles: str,
        word: CardWord | None = None,
        order: str = "01" * 16,
        key: ec.EllipticCurvePrivateKey | None = None,
        **body: Any,
    ) -> Compose:
        """Return an order for these members; for the holder alone when none is named."""
        word = word or self.word()
        handles = handles or (self.members(word)[0].handle,)
        whole = {
            "session": word.session,
            "kind": Kind.RESIDENCE_CERTIFICATE,
            "options": Options(),
            "members": handles,
            "copies": 1,
            "layout": self.layout,
        } | body
        data = PlaceOrder(**whole).to_json()
        signature = sign_body(key or self.world.signing_key, Purpose.ORDER, data)
        return Compose(order=order, card=word, order_body=data, order_signature=signature)

    def everybody(self, **given: Any) -> Compose:
        """Return an order for the whole household."""
        word = given.get("word")
        return self.order(*(member.handle for member in self.members(word)), **given)

    def ask(self, order: Compose) -> Any:
        return self.post("/v1/compositions", order)

    def compose(self, order: Compose) -> "Opened":
        """Return what the kiosk opens and verifies."""
        answer = self.ask(order)
        assert answer.status_code == 200, answer.text
        return self.open(Composed.model_validate_json(answer.data))

    def open(self, composed: Composed, session: str = SESSION) -> "Opened":
        keys = self.key_list()
        signed = cose.read(composed.header)
        key = trusted_key(keys, signed.key_id, KeyUse.ENVELOPE, TOWN, self.now)
        payload = cose.verify(signed, key, Purpose.ENVELOPE)
        plain = sealed_box.open_sealed(
            self.world.receiving_key, Sealed.CONTENT, session, composed.ciphertext
        )
        return Opened(
            header=canonical.decode_message(EnvelopeHeader, payload),
            content=canonical.decode_message(Content, plain),
            plain=plain,
            keys=keys,
            composed=composed,
        )

    def key_list(self) -> KeyList:
        return read_key_list(
            self.places.key_list.read_bytes(), read_root(self.places.root_public), self.now
        )

    def refusal(self, order: Compose) -> str:
        """Return the public word of a refused order."""
        answer = self.ask(order)
        assert answer.status_code in {403, 503}, answer.text
        assert answer.mimetype == "application/problem+json"
        return str(answer.json["refusal"])

    def confirm(self, order: str = "01" * 16, municipality: str = TOWN) -> Any:
        return self.post("/v1/confirmations", Confirm(order=order, municipality=municipality))

    def reasons(self) -> list[str]:
        """Return the reasons that the municipality's own console can show."""
        with transaction(self.engine) as connection:
            wrapped = connection.execute(text("SELECT data_key FROM municipality")).scalar_one()
            key = self.vault.data_key(TOWN, wrapped)
            rows = connection.execute(
                text("SELECT order_id, sealed FROM refusal ORDER BY id")
            ).all()
        return [
            json.loads(key.open("refusal", (row.order_id or "",), 0, row.sealed))["reason"]
            for row in rows
        ]

    def change(self, statement: str, **values: Any) -> None:
        """Do to the database what a thief or a fault might do."""
        with transaction(self.engine) as connection:
            assert connection.execute(text(statement), values).rowcount > 0


@dataclass(frozen=True)
class Opened:
    """An envelope whose signature holds, and its content."""

    header: EnvelopeHeader
    content: Content
    plain: bytes
    keys: KeyList
    composed: Composed

    @property
    def sheets(self) -> Any:
        return self.content.document.sheets

    @property
    def persons(self) -> list[Any]:
        return [person for sheet in self.sheets for person in sheet.persons]


def _bytes(value: str) -> bytes:
    from dedicated_line.contract.message import decode_base64url

    return decode_base64url(value)


@pytest.fixture
def town(tmp_path: Path, jpki_world: Any) -> Iterator[Town]:
    clock = FixedClock(jpki_world.now)
    entropy = SystemEntropy()
    engine = open_database(f"sqlite:///{tmp_path / 'issuer.db'}")
    issuer_metadata.create_all(engine)
    vault = Vault(b"\x05" * 32, entropy)
    places = KeyPlaces(
        root=tmp_path / "keys" / "root.key",
        root_public=tmp_path / "trust" / "root.pem",
        key_list=tmp_path / "keys" / "key-list.cose",
        municipalities=tmp_path / "issuer" / "keys",
    )
    init_keys(places, [TOWN], clock.now(), entropy)
    paper = PrintersPaper()
    issuer = Issuer(
        engine=engine,
        vault=vault,
        verify=lambda word, now: verify_card_word(
            jpki_world.cas, Environment.SIMULATION, "kofu-centre-1", word, now
        ),
        keys=KeyFiles(places),
        paper=paper,
        handle_secret=b"\x06" * 32,
        environment=Environment.SIMULATION,
        clock=clock,
        entropy=entropy,
        keep=timedelta(hours=1),
    )
    pace = RecordedPace()
    app = make_app(Listener(issuer, pace, tmp_path / "log", lambda: None))
    yield Town(
        folder=tmp_path,
        clock=clock,
        world=jpki_world,
        engine=engine,
        vault=vault,
        places=places,
        client=app.test_client(),
        issuer=issuer,
        pace=pace,
        layout=paper.layout(Kind.RESIDENCE_CERTIFICATE),
    )
    engine.dispose()


@pytest.fixture
def records() -> Any:
    """The builders of register lines."""
    return Records()


class Records:
    """Made-up lines of the register's file."""

    municipality = staticmethod(municipality)
    household = staticmethod(household)
    resident = staticmethod(resident)
    family = staticmethod(family)
    lines = staticmethod(lines)
