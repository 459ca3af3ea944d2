"""The screen's application, request by request."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from dedicated_line.contract.refusals import Refusal
from kiosk.cards.pin import Pin
from kiosk.session import events as on
from kiosk.session.state import Fault, Stage
from kiosk.web.app import create_app
from kiosk.web.texts import TEXTS, TITLES
from kiosk.web.touches import press, read_touch

PORT = 8800
HOST = {"Host": f"127.0.0.1:{PORT}"}
TOKEN = (1).to_bytes(24, "big").hex()


@pytest.fixture
def client(fake_kiosk: Any, screen_parts: Callable[..., Any]) -> FlaskClient:
    return create_app(screen_parts(fake_kiosk, PORT)).test_client()


def version(client: FlaskClient) -> str:
    page = client.get("/screen", headers=HOST).text
    return page.split('data-version="')[1].split('"')[0]


def post(client: FlaskClient, body: object, **headers: str) -> int:
    own = {**HOST, "Kofu-Token": TOKEN, "Kofu-State": version(client)}
    return client.post("/touch", json=body, headers={**own, **headers}).status_code


def key(client: FlaskClient, place: int, digit: object) -> int:
    own = {**HOST, "Kofu-Token": TOKEN, "Kofu-State": version(client)}
    body = {"place": place, "digit": digit}
    return client.post("/pin", json=body, headers=own).status_code


def test_a_touch_moves_the_journey(client: FlaskClient, fake_kiosk: Any) -> None:
    assert post(client, {"do": "begin"}) == 204
    assert fake_kiosk.session().stage is Stage.HOLD_CARD


def test_a_touch_on_a_screen_no_longer_shown_is_refused(
    client: FlaskClient, fake_kiosk: Any
) -> None:
    old = version(client)
    fake_kiosk.apply(on.Begin())
    assert post(client, {"do": "cancel"}, **{"Kofu-State": old}) == 409
    assert fake_kiosk.session().stage is Stage.HOLD_CARD


def test_only_our_own_page_may_touch(client: FlaskClient, fake_kiosk: Any) -> None:
    assert post(client, {"do": "begin"}, **{"Kofu-Token": "guess"}) == 403
    assert post(client, {"do": "begin"}, **{"Kofu-Token": "推測".encode().decode("latin-1")}) == 403
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert fake_kiosk.session().stage is Stage.START


@pytest.mark.parametrize("path", ["/", "/screen", "/static/kiosk.js", "/assets/tokens/tokens.css"])
def test_every_answer_closes_the_windows(client: FlaskClient, path: str) -> None:
    with client.get(path, headers=HOST) as answer:
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/assets/morphdom/x.js", "/assets/tokens/../../x", "/assets/font/no"]
)
def test_nothing_else_of_the_disk_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers=HOST).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"do": "fly"},
        {"do": "pin"},
        {"do": "pin", "pin": "1234"},
        {"do": "copies", "copies": 11},
        {"do": "members", "members": ["x"]},
        {"do": "begin", "extra": 1},
        {"do": "change", "to": "moon"},
    ],
)
def test_a_touch_that_makes_no_sense_changes_nothing(
    client: FlaskClient, fake_kiosk: Any, body: object
) -> None:
    assert post(client, body) == 400
    assert fake_kiosk.session().stage is Stage.START


def test_a_huge_body_is_refused(client: FlaskClient) -> None:
    headers = {**HOST, "Kofu-Token": TOKEN, "Kofu-State": version(client)}
    assert client.post("/touch", data=b"x" * 5000, headers=headers).status_code == 413


def test_the_pin_reaches_the_card_and_nothing_else(
    client: FlaskClient, fake_kiosk: Any, caplog: pytest.LogCaptureFixture
) -> None:
    post(client, {"do": "begin"})
    fake_kiosk.hold()
    for place, digit in enumerate((1, 2, 9)):
        assert key(client, place, digit) == 204
    assert key(client, 2, None) == 204
    assert post(client, {"do": "pin"}) == 400, "two digits are no PIN"
    for place, digit in ((2, 3), (3, 4)):
        assert key(client, place, digit) == 204
    assert post(client, {"do": "pin"}) == 204
    assert fake_kiosk.signed == ["1234"]
    assert "1234" not in repr(fake_kiosk.session())
    assert "1234" not in client.get("/", headers=HOST).text
    assert "1234" not in caplog.text
    typed = Pin("1234")
    assert "1234" not in repr(read_touch(b'{"do": "pin"}', typed))
    assert len(typed) == 0, "wiped once it went on"


def test_keys_of_the_pin_count_only_on_the_pin_screen_and_in_order(
    client: FlaskClient, fake_kiosk: Any
) -> None:
    assert key(client, 0, 1) == 409, "no PIN is asked for"
    post(client, {"do": "begin"})
    fake_kiosk.hold()
    assert [key(client, place, 9) for place in (0, 2)] == [204, 409], "a digit is missing"
    assert key(client, 0, None) == 409, "nothing was typed that could be taken away"
    assert key(client, 0, 10) == key(client, 4, 1) == key(client, 0, "1") == 400
    for place, digit in ((0, 8), (0, 1), (1, 2), (2, 3), (3, 4)):
        assert key(client, place, digit) == 204, "a page that begins anew types from the start"
    post(client, {"do": "pin"})
    assert fake_kiosk.signed == ["1234"]


def test_digits_of_one_resident_never_meet_those_of_the_next(
    client: FlaskClient, fake_kiosk: Any
) -> None:
    post(client, {"do": "begin"})
    fake_kiosk.hold()
    for place, digit in enumerate((1, 2, 3, 4)):
        key(client, place, digit)
    post(client, {"do": "cancel"})
    client.get("/", headers=HOST)
    fake_kiosk.apply(on.CardTaken())
    fake_kiosk.apply(on.Done())
    fake_kiosk.apply(on.Begin())
    fake_kiosk.hold()
    assert fake_kiosk.session().stage is Stage.PIN
    assert post(client, {"do": "pin"}) == 400
    assert fake_kiosk.signed == []


def test_coins_fall_only_when_they_are_asked_for(client: FlaskClient, fake_kiosk: Any) -> None:
    headers = {**HOST, "Kofu-Token": TOKEN}
    assert client.post("/simulated/coins", json={"amount": 100}, headers=headers).status_code == 409
    for amount in (1, -100, "100", True, None):
        answer = client.post("/simulated/coins", json={"amount": amount}, headers=headers)
        assert answer.status_code == 400
    assert fake_kiosk.dropped == 0


def test_the_next_resident_begins_in_japanese(client: FlaskClient, fake_kiosk: Any) -> None:
    headers = {**HOST, "Kofu-Token": TOKEN}
    client.post("/language", headers=headers)
    assert "Begin" in client.get("/", headers=HOST).text
    fake_kiosk.apply(on.Begin())
    assert "Hold up your card" in client.get("/", headers=HOST).text
    fake_kiosk.apply(on.Cancel())
    assert "You have left" in client.get("/", headers=HOST).text
    fake_kiosk.apply(on.Done())
    assert "はじめる" in client.get("/", headers=HOST).text


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("reason", [*Refusal, *Fault])
def test_every_refusal_and_every_fault_has_words_in_both_languages(
    client: FlaskClient, fake_kiosk: Any, reason: Refusal | Fault, language: str
) -> None:
    fake_kiosk.apply(on.Begin())
    if isinstance(reason, Refusal):
        fake_kiosk.apply(on.Refused(reason, tries_left=2))
    else:
        fake_kiosk.apply(on.Broken(reason, "for operators"))
    if language == "en":
        client.post("/language", headers={**HOST, "Kofu-Token": TOKEN})
    page = client.get("/", headers=HOST).text
    said = page.split('class="lead ending">')[1].split("<")[0]
    assert len(said) > 8
    assert ("。" in said) is (language == "ja")
    assert "for operators" not in page


def test_an_unexpected_error_becomes_an_incident_and_tells_nothing(
    fake_kiosk: Any, screen_parts: Callable[..., Any]
) -> None:
    class Broken:
        def session(self) -> None:
            raise RuntimeError("見本 太郎")

    fake = screen_parts(fake_kiosk, PORT)
    app = create_app(type(fake)(**{**vars(fake), "screen": Broken()}))
    answer = app.test_client().get("/", headers=HOST)
    assert answer.status_code == 500
    assert answer.json == {"incident": "incident-1"}


def test_every_stage_has_a_title_and_every_text_both_languages() -> None:
    assert set(TITLES) == set(Stage)
    for text in (*TITLES.values(), *TEXTS.values()):
        assert text.ja.strip()
        assert text.en.strip()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_touch_or_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_touch(body, Pin())
    with pytest.raises(ValueError, match=r"."):
        press(body, Pin())


class FakeHand:
    """Remembers whose card lies on the reader."""

    def __init__(self) -> None:
        self.held: list[str | None] = []

    def personas(self) -> tuple[str, ...]:
        return ("shimonoseki-taro", "yamaguchi-hanako")

    def hold(self, persona: str) -> None:
        self.held.append(persona)

    def take_back(self) -> None:
        self.held.append(None)


@pytest.fixture
def hand() -> FakeHand:
    return FakeHand()


@pytest.fixture
def with_hand(fake_kiosk: Any, screen_parts: Callable[..., Any], hand: FakeHand) -> FlaskClient:
    return create_app(replace(screen_parts(fake_kiosk, PORT), hand=hand)).test_client()


def hold(client: FlaskClient, body: object) -> int:
    headers = {**HOST, "Kofu-Token": TOKEN}
    return client.post("/simulated/card", json=body, headers=headers).status_code


def test_a_card_can_be_chosen_on_the_page_where_it_lies_in_this_process(
    with_hand: FlaskClient, fake_kiosk: Any, hand: FakeHand
) -> None:
    assert hold(with_hand, {"persona": "shimonoseki-taro"}) == 409, "no card is asked for"
    fake_kiosk.apply(on.Begin())
    assert "<option>yamaguchi-hanako</option>" in with_hand.get("/", headers=HOST).text
    for nobody in ("nobody", "../line/ca", 7, ["shimonoseki-taro"]):
        assert hold(with_hand, {"persona": nobody}) == 400
    for nothing in ({}, [], None):
        assert hold(with_hand, nothing) == 400
    assert hold(with_hand, {"persona": "shimonoseki-taro"}) == 204
    fake_kiosk.hold()
    assert "data-take" in with_hand.get("/", headers=HOST).text
    assert hold(with_hand, {"persona": None}) == 204
    assert hand.held == ["shimonoseki-taro", None]


def test_with_a_real_reader_the_page_names_the_command_that_holds_a_card_up(
    client: FlaskClient, fake_kiosk: Any
) -> None:
    fake_kiosk.apply(on.Begin())
    assert "kofu-kiosk card insert shimonoseki-taro" in client.get("/", headers=HOST).text
    assert hold(client, {"persona": "shimonoseki-taro"}) == 404


def test_outside_simulation_the_page_speaks_of_no_made_up_card(
    fake_kiosk: Any, screen_parts: Callable[..., Any]
) -> None:
    real = create_app(replace(screen_parts(fake_kiosk, PORT), simulation=False)).test_client()
    fake_kiosk.apply(on.Begin())
    page = real.get("/", headers=HOST).text
    assert "カードをかざしてください" in page
    assert "模擬" not in page
