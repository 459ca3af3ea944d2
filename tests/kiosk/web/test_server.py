"""The screen's server and the driver's form as a screen."""

import urllib.request
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from flask import Flask

from kiosk.session import events as on
from kiosk.session.driver import QueuedTouches
from kiosk.session.state import Session, Stage
from kiosk.settings import KioskSettings
from kiosk.web.bootstrap import page_files
from kiosk.web.screen import DrivenScreen
from kiosk.web.server import PortTakenError, listen, serving


class FakeDriver:
    """Shows a state, and tells its watchers of the next."""

    def __init__(self) -> None:
        self.session = Session()
        self.watchers: list[Any] = []

    def watch(self, watcher: Any) -> None:
        self.watchers.append(watcher)

    def move(self, session: Session) -> None:
        self.session = session
        for watcher in self.watchers:
            watcher(session)


@pytest.mark.sockets
def test_a_port_that_is_taken_is_said_in_one_sentence(free_port: int) -> None:
    with listen(free_port), pytest.raises(PortTakenError, match="set KOFU_KIOSK_PORT") as caught:
        listen(free_port)
    assert str(free_port) in str(caught.value)


@pytest.mark.sockets
def test_pages_are_served_until_the_block_ends(free_port: int) -> None:
    app = Flask("test")
    app.add_url_rule("/", view_func=lambda: "here")
    url = f"http://127.0.0.1:{free_port}/"
    with (
        listen(free_port) as listener,
        serving(app, listener),
        urllib.request.urlopen(url, timeout=5) as answer,
    ):
        assert answer.read() == b"here"
    listen(free_port).close()


def test_a_change_ends_the_wait_and_so_does_closing() -> None:
    driver: Any = FakeDriver()
    touches = QueuedTouches()
    screen = DrivenScreen(driver, touches)
    known = screen.session()
    assert screen.wait_for_change(known, 0.01) is known
    moved = Session(stage=Stage.HOLD_CARD, version=1)
    for act in (lambda: driver.move(moved), screen.close):
        timer = Timer(0.05, act)
        timer.start()
        assert screen.wait_for_change(screen.session(), 10) is moved
        timer.join()


def test_a_touch_reaches_the_driver_with_the_version_it_was_made_on() -> None:
    driver: Any = FakeDriver()
    touches = QueuedTouches()
    screen = DrivenScreen(driver, touches)
    screen.touch(on.Begin(), Session(version=3))
    screen.touch(on.Cancel(), Session(version=4))
    assert touches.next(Session(version=4), 0) is None, "made on an older state: dropped"
    assert touches.next(Session(version=4), 0) == on.Cancel()


def test_fonts_are_found_beside_the_package_wherever_the_kiosk_is_started(tmp_path: Path) -> None:
    found = page_files(KioskSettings(node_modules=tmp_path / "nothing"))
    assert (found / "@fontsource/biz-udpgothic/400.css").is_file()
