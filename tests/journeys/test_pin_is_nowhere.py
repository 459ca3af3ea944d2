"""After a sign-in at the whole system's screen, the PIN is nowhere but on the card."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
import redis
from playwright.sync_api import sync_playwright
from running import Running
from systems import running_system, short_folder

from dedicated_line.clock import SystemClock

PERSONA, PIN = "shimonoseki-taro", "7391"
ALONE = re.compile(rb"(?<![\w.+/=-])" + PIN.encode() + rb"(?![\w+/=-])")
"""The PIN as a word of its own: four digits in a key, a time or a digest are none."""
SECONDS = 30.0


class Page:
    """What the page's script does, one request after the other."""

    def __init__(self, port: str) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._token = re.search(r'name="token" content="(\w+)"', self._get("/"))[1]  # type: ignore[index]

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self._base + path, timeout=SECONDS) as answer:  # noqa: S310 - our own
            text: str = answer.read().decode()
            return text

    def post(self, path: str, body: object) -> int:
        version = re.search(r'data-version="([^"]+)"', self._get("/screen"))[1]  # type: ignore[index]
        asked = urllib.request.Request(  # noqa: S310 - our own
            self._base + path,
            json.dumps(body).encode(),
            {
                "Content-Type": "application/json",
                "Kofu-Token": self._token,
                "Kofu-State": version,
            },
        )
        try:
            with urllib.request.urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310 - our own
                status: int = answer.status
                return status
        except urllib.error.HTTPError as error:
            with closing(error):
                return error.code

    def until(self, stage: str) -> str:
        clock, wait = SystemClock(), Event()
        deadline = clock.monotonic() + SECONDS
        while f'data-stage="{stage}"' not in (shown := self._get("/screen")):
            assert clock.monotonic() < deadline, f"never came to {stage}: {shown}"
            wait.wait(0.1)
        return shown


def kept_in_redis(socket: Path) -> Iterator[bytes]:
    with closing(redis.Redis(unix_socket_path=str(socket))) as store:
        for key in store.scan_iter("*"):
            yield key
            yield store.dump(key) or b""
            for read in (store.get, store.hgetall, store.smembers):
                try:
                    yield repr(read(key)).encode()
                except redis.ResponseError:
                    continue  # it is of another type


def arguments() -> Iterator[bytes]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().replace(b"\0", b" ")
        except OSError:
            continue  # it has just ended
        if b"kofu" in words or b"kiosk" in words:
            yield words


@pytest.mark.browser
@pytest.mark.sockets
def test_the_pin_typed_at_the_screen_is_nowhere_afterwards(worlds: Path) -> None:
    with running_system(worlds) as system, short_folder() as profile:
        card = _give_pin(system)
        in_profile = _sign_in_with_chromium(system, profile)
        assert in_profile == set()
        found = [
            str(file.relative_to(system.var))
            for file in system.var.rglob("*")
            if file.is_file() and file != card and ALONE.search(file.read_bytes())
        ]
        assert found == []
        socket = system.state / "run" / "redis.sock"
        kept = list(kept_in_redis(socket))
        assert kept, "the session is there"
        assert not any(ALONE.search(value) for value in kept)
        assert not any(ALONE.search(words) for words in arguments())
    assert ALONE.search(f'{{"pin": "{PIN}"}}'.encode()), "or nothing would ever be found"


def _sign_in_with_chromium(system: Running, profile: Path) -> set[str]:
    """Sign in at the screen; return the files of the browser's profile that have the PIN now."""
    screen = Page(system.environment["KOFU_KIOSK_PORT"])
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch_persistent_context(
            profile,
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
            viewport={"width": 1080, "height": 1920},
        )
        chromium.set_default_timeout(SECONDS * 1000)
        page = chromium.pages[0]
        page.goto(f"http://127.0.0.1:{system.environment['KOFU_KIOSK_PORT']}/")
        page.get_by_role("button", name="はじめる").click()
        screen.until("hold-card")
        before = _in_profile(profile)
        assert screen.post("/simulated/card", {"persona": PERSONA}) == 204
        for digit in PIN:
            page.get_by_role("button", name=digit, exact=True).click()
        page.get_by_role("button", name="確認", exact=True).click()
        screen.until("take-card")
        assert screen.post("/simulated/card", {"persona": None}) == 204
        assert ALONE.search(screen.until("kind").encode()) is None
        assert PIN not in page.content()
        chromium.close()
    return _in_profile(profile) - before


def _in_profile(profile: Path) -> set[str]:
    """Return the files of a browser profile in which the PIN stands, in UTF-8 or UTF-16."""
    found = set()
    for file in profile.rglob("*"):
        try:
            data = file.read_bytes() if file.is_file() else b""
        except OSError:
            continue  # the browser has just taken it away
        if ALONE.search(data) or f'"{PIN}"'.encode("utf-16-le") in data:
            found.add(str(file.relative_to(profile)))
    return found


def _give_pin(system: Running) -> Path:
    card = system.state / "cards" / f"{PERSONA}.json"
    made = json.loads(card.read_bytes())
    card.write_text(json.dumps({**made, "pin": PIN}), "utf-8")
    return card
