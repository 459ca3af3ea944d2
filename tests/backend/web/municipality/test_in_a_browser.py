import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from backend.participation import service
from backend.participation.model import Wish
from dedicated_line.contract.kinds import Kind

pytestmark = [pytest.mark.browser, pytest.mark.sockets]
CHROMIUM = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


@pytest.fixture
def address(town: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, town.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        yield opened
        browser.close()


def test_staff_log_in_switch_off_and_see_it_and_see_what_others_do(
    town: Any, address: str, page: Page
) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address)
    page.get_by_label("ログイン名").fill("shimonoseki")
    page.get_by_label("パスワード").fill("made-up-password")
    page.get_by_role("button", name="ログイン").click()
    expect(page.get_by_role("heading", name="山口県下関市")).to_be_visible()
    sign = page.locator(".sign")
    expect(sign).to_have_text("● 受付中")

    page.get_by_role("link", name="受付を止める").click()
    page.get_by_label("理由").fill("システム点検")
    page.get_by_role("button", name="内容を確かめる").click()
    expect(page.get_by_role("heading", name="この内容で変更しますか")).to_be_visible()
    page.get_by_role("button", name="受付を止める").click()
    expect(sign).to_have_text("■ 停止中")
    expect(page.get_by_text("システム点検")).to_be_visible()

    expect(page.locator("[data-live-state=live]")).to_be_visible()
    town.clock.move(minutes=1)
    service.switch(
        town.engine,
        town.announcer,
        "352012",
        Kind.RESIDENCE_CERTIFICATE,
        Wish(open=True, effective_from=town.clock.now(), fee=200),
        service.Author("another", "点検が終わったため", town.clock.now()),
    )
    expect(sign).to_have_text("● 受付中")
    expect(page.get_by_text("点検が終わったため")).to_be_visible()
    assert complaints == []
