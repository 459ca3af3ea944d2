"""What stands on the screen when somebody waits, leaves or forgets the card."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from kiosk.session import events as on
from kiosk.session.state import Stage
from kiosk.web.app import create_app

PORT = 8800


@pytest.fixture
def words(fake_kiosk: Any, screen_parts: Callable[..., Any]) -> Callable[[], str]:
    client: FlaskClient = create_app(screen_parts(fake_kiosk, PORT)).test_client()
    return lambda: client.get("/", headers={"Host": f"127.0.0.1:{PORT}"}).text


def test_whoever_is_slow_with_the_pin_is_asked_to_go_on_and_not_to_take_the_card(
    words: Callable[[], str], fake_kiosk: Any
) -> None:
    fake_kiosk.apply(on.Begin())
    fake_kiosk.hold()
    fake_kiosk.apply(on.Waited())
    assert fake_kiosk.session().stage is Stage.PIN
    assert "続けますか?" in words()
    assert "カードが残っています" not in words()


def test_a_card_left_at_the_end_fills_the_screen(words: Callable[[], str], fake_kiosk: Any) -> None:
    fake_kiosk.apply(on.Begin())
    fake_kiosk.hold()
    fake_kiosk.apply(on.Cancel())
    fake_kiosk.apply(on.Waited())
    notice = words().partition("alertdialog")[2]
    assert "カードが残っています" in notice
    assert "続ける" not in notice


def test_leaving_is_said_once(words: Callable[[], str], fake_kiosk: Any) -> None:
    fake_kiosk.apply(on.Begin())
    fake_kiosk.apply(on.Cancel())
    assert words().partition("<main>")[2].count("手続きを取りやめました") == 1
    assert "料金はいただいていません" in words()
