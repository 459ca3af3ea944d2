"""The three screens of the running system, as residents, municipal staff and operators use them."""

import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from running import Running
from systems import journey, running_system

from dedicated_line.clock import TOKYO, SystemClock

pytestmark = [pytest.mark.browser, pytest.mark.sockets]
PATIENCE_MILLISECONDS = 20_000
"""Two cores run the whole system and the browser."""
OpenScreen = Callable[[str], Page]


@pytest.fixture(scope="module")
def changing(worlds: Path) -> Iterator[Running]:
    """Give a system of its own: participation changes in it."""
    with running_system(worlds) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def screen(changing: Running, browser: Browser) -> Iterator[OpenScreen]:
    """Give what opens a screen by its port's name; the browser must find nothing wrong with it."""
    complaints: list[str] = []
    contexts = []

    def open_screen(port: str) -> Page:
        size = (1080, 1920) if port == "KOFU_KIOSK_PORT" else (1366, 900)
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"http://127.0.0.1:{changing.environment[port]}/")
        return page

    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    yield open_screen
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def staff(changing: Running, screen: OpenScreen) -> Page:
    return _log_in(changing, screen("KOFU_MUNICIPALITY_PORT"), "shimonoseki")


@pytest.fixture
def operators(changing: Running, screen: OpenScreen) -> Page:
    return _log_in(changing, screen("KOFU_OPERATORS_PORT"), "operator")


def _log_in(system: Running, page: Page, login: str) -> Page:
    passwords = (system.state / "demo-passwords.txt").read_text("utf-8")
    found = re.search(rf"^{login}\s+(\S+)$", passwords, re.MULTILINE)
    assert found is not None
    page.get_by_label("ログイン名").fill(login)
    page.get_by_label("パスワード").fill(found[1])
    page.get_by_role("button", name="ログイン").click()
    expect(page.get_by_role("button", name="ログアウト")).to_be_visible()
    return page


def _press(page: Page, *buttons: str) -> None:
    for name in buttons:
        page.get_by_role("button", name=name, exact=True).click()


def _heading(page: Page, text: str) -> None:
    expect(page.locator("h1")).to_have_text(text)


def _switch(page: Page, link: str, reason: str, *, moment: str = "") -> None:
    page.get_by_role("link", name=link, exact=True).click()
    if moment:
        page.get_by_label("日時を指定").check()
        page.get_by_label("日時（日本時間）").fill(moment)
    page.get_by_label("理由").fill(reason)
    _press(page, "内容を確かめる")
    _heading(page, "この内容で変更しますか")
    page.locator("button[value=make]").click()
    _heading(page, "山口県下関市")


def _reference(done: subprocess.CompletedProcess[str]) -> str:
    found = re.search(r"reference number: (\S+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    return found[1]


def test_a_resident_walks_from_card_to_paper_at_the_kiosk(
    changing: Running, screen: OpenScreen, operators: Page
) -> None:
    printed = changing.state / "printers" / "k000001"
    before = set(printed.glob("*.png"))
    page = screen("KOFU_KIOSK_PORT")
    _press(page, "はじめる")
    _heading(page, "カードをかざしてください")
    page.get_by_label("だれのカードか").select_option("shimonoseki-taro")
    _press(page, "かざす")
    _heading(page, "暗証番号を入力してください")
    _press(page, "1", "2", "3", "4", "確認")
    _heading(page, "カードをお取りください")
    _press(page, "カードを取る(模擬)")
    _heading(page, "証明書を選んでください")
    page.get_by_role("button", name="住民票の写し").click()
    for question in (
        "どなたの証明書ですか",
        "記載する項目を選んでください",
        "何通必要ですか",
    ):
        _heading(page, question)
        _press(page, "次へ")
    _heading(page, "内容をご確認ください")
    expect(page.locator(".total")).to_contain_text("300円")
    _press(page, "この内容で申し込む")
    _heading(page, "料金をお入れください")
    _press(page, "100円")
    expect(page.locator("main")).to_contain_text("投入済み")
    _press(page, "500円")
    _heading(page, "証明書をお取りください")
    reference = page.locator("main strong").inner_text()
    _press(page, "受け取りました")
    _heading(page, "ありがとうございました")
    _press(page, "おわる")
    _heading(page, "行政サービス")

    (paper,) = set(printed.glob("*.png")) - before
    keys = str(changing.state / "keys" / "key-list.cose")
    verified = changing.command("kofu-printer", "verify", str(paper), "--keys", keys)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    order = operators.locator("tr", has_text=reference)
    expect(order).to_contain_text("印刷済み")
    expect(order).to_contain_text("領収 300円")


def test_what_staff_switch_off_is_refused_and_on_again_served_and_operators_see_both(
    changing: Running, staff: Page, operators: Page
) -> None:
    kiosk = operators.locator("#kiosk-k000001")
    expect(kiosk).to_contain_text("● 接続中")
    expect(kiosk).to_contain_text("127.1.0.1")
    sign = staff.locator(".sign")
    expect(sign).to_have_text("● 受付中")

    _switch(staff, "受付を止める", "システム点検")
    expect(sign).to_have_text("■ 停止中")
    refused = journey(changing, "shimonoseki-taro")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "refused: kind-closed" in refused.stdout

    _switch(staff, "受付を始める", "点検が終わったため")
    expect(sign).to_have_text("● 受付中")
    served = journey(changing, "shimonoseki-taro")
    assert served.returncode == 0, served.stdout + served.stderr

    turned_away = operators.locator("tr", has_text=_reference(refused))
    expect(turned_away).to_contain_text("受付を停止中")
    expect(turned_away).to_contain_text("k000002")
    order = operators.locator("tr", has_text=_reference(served))
    expect(order).to_contain_text("印刷済み")
    for reason in ("システム点検", "点検が終わったため"):
        expect(operators.locator("tr", has_text=reason)).to_contain_text("山口県下関市")
    order.get_by_role("link").click()
    expect(operators.locator("h1")).to_contain_text(_reference(served))
    expect(staff.locator("tr", has_text=_reference(served))).to_contain_text("印刷済み")


def test_a_stop_from_a_moment_on_waits_for_it_and_can_be_taken_back(
    changing: Running, staff: Page
) -> None:
    moment = (SystemClock().real_now() + timedelta(days=30)).astimezone(TOKYO)
    stop = f"{moment:%Y-%m-%d}T09:00"
    _switch(staff, "受付を止める", "庁舎の停電", moment=stop)
    expect(staff.locator(".sign")).to_have_text("● 受付中")
    planned = staff.get_by_role("listitem").filter(has_text="庁舎の停電")
    expect(planned).to_contain_text(f"{moment.month}月{moment.day}日")
    assert journey(changing, "shimonoseki-taro").returncode == 0, "it is open until then"

    def seen_at(day: str) -> str:
        staff.locator("#at").fill(day)
        _press(staff, "確かめる")
        return staff.locator("section[aria-labelledby=seen] dd").inner_text()

    assert "お取りいただけます" in seen_at(f"{moment:%Y-%m-%d}T08:59")
    assert "受付を停止しています" in seen_at(stop)

    staff.get_by_role("link", name="直前の変更を取り消す").click()
    _press(staff, "取り消す")
    assert "お取りいただけます" in seen_at(stop)
