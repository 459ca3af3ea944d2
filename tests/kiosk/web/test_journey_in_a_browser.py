"""The whole journey in a real Chromium, against the real state machine and card."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from dedicated_line.contract.refusals import Refusal
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.state import Fault

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("KOFU_PICTURES")
"""Where to leave pictures of the screens, for people to look at."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, served: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1080, "height": 1920}, locale="ja-JP")
    shown: Page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    shown.on("console", lambda message: complaints.append(message.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.on("request", lambda request: requests.append(request.url))
    shown.goto(served.url)
    yield shown
    context.close()
    assert complaints == [], "the browser finds nothing to complain about"
    assert all(url.startswith((served.url, "data:")) for url in requests)


def heading(page: Page, text: str) -> None:
    expect(page.locator("h1")).to_have_text(text)


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.evaluate("document.fonts.ready.then(() => true)")
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def type_pin(page: Page, pin: str) -> None:
    for digit in pin:
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name="確認").click()


def to_kinds(page: Page, kiosk: Any) -> None:
    page.get_by_role("button", name="はじめる").click()
    heading(page, "カードをかざしてください")
    kiosk.hold()
    heading(page, "暗証番号を入力してください")
    type_pin(page, "1234")
    heading(page, "カードをお取りください")
    kiosk.take_card()


def to_check(page: Page, kiosk: Any) -> None:
    to_kinds(page, kiosk)
    page.get_by_role("button", name="住民票の写し").click()
    for _ in range(3):
        page.get_by_role("button", name="次へ").click()
    heading(page, "内容をご確認ください")


def test_a_resident_gets_two_copies_for_two_persons(  # noqa: PLR0915 - the whole journey
    page: Page, served: Any
) -> None:
    kiosk = served.kiosk
    picture(page, "01-start")
    page.get_by_role("button", name="はじめる").click()
    heading(page, "カードをかざしてください")
    expect(page).to_have_title("カードをかざしてください – 手順 1 / 10")
    picture(page, "02-hold-card")
    kiosk.hold()
    heading(page, "暗証番号を入力してください")
    for digit in "123":
        page.get_by_role("button", name=digit, exact=True).click()
    expect(page.locator("#dots")).to_have_text("●●●○")
    expect(page.get_by_role("button", name="確認")).to_be_disabled()
    picture(page, "03-pin")
    page.get_by_role("button", name="1字消す").click()
    kiosk.pause_at = do.SignIn
    type_pin(page, "34")
    heading(page, "カードを確認しています")
    picture(page, "04-signing-in")
    assert "1234" not in page.content()
    kiosk.go_on()
    heading(page, "カードをお取りください")
    picture(page, "05-take-card")
    kiosk.take_card()
    heading(page, "証明書を選んでください")
    picture(page, "06-kind")
    page.get_by_role("button", name="住民票の写し").click()
    page.get_by_text("見本 花子").click()
    picture(page, "07-who")
    page.get_by_role("button", name="次へ").click()
    expect(page.get_by_label("個人番号(マイナンバー)")).not_to_be_checked()
    page.get_by_text("世帯主・続柄").click()
    picture(page, "08-options")
    page.get_by_role("button", name="次へ").click()
    page.get_by_role("button", name="増やす").click()
    picture(page, "09-copies")
    page.get_by_role("button", name="次へ").click()
    expect(page.locator("main")).to_contain_text("600円")
    expect(page.locator("main")).to_contain_text("見本 太郎、見本 花子")
    picture(page, "10-check")
    page.get_by_role("button", name="この内容で申し込む").click()
    heading(page, "料金をお入れください")
    page.get_by_role("button", name="500円").click()
    expect(page.locator("dl")).to_contain_text("500円")
    picture(page, "11-pay")
    kiosk.pause_at = do.Print
    page.get_by_role("button", name="100円", exact=True).click()
    heading(page, "印刷しています")
    picture(page, "12-printing")
    kiosk.go_on()
    heading(page, "証明書をお取りください")
    expect(page.locator("main")).to_contain_text("全部で2枚")
    picture(page, "13-take-paper")
    page.get_by_role("button", name="受け取りました").click()
    heading(page, "ありがとうございました")
    picture(page, "14-end")
    page.get_by_role("button", name="おわる").click()
    heading(page, "行政サービス")
    assert "見本" not in page.content(), "nothing of the resident reaches the next page"
    (order,) = kiosk.orders
    assert (len(order.members), order.copies, order.options.relationship) == (2, 2, True)


def test_a_wrong_pin_says_how_many_tries_are_left_and_the_last_needs_a_word(
    page: Page, served: Any
) -> None:
    page.get_by_role("button", name="はじめる").click()
    heading(page, "カードをかざしてください")
    served.kiosk.hold()
    for left in (2, 1):
        type_pin(page, "9999")
        expect(page.get_by_role("alert").first).to_contain_text(f"残り{left}回")
    expect(page.get_by_text("あと1回間違えると")).to_be_visible()
    expect(page.locator(".key")).to_have_count(0)
    picture(page, "20-last-try")
    page.get_by_role("button", name="最後の1回を使う").click()
    type_pin(page, "9999")
    expect(page.locator("main")).to_contain_text("暗証番号がロックされています")
    expect(page.locator("main")).to_contain_text("カードが残っています")
    picture(page, "21-blocked")


def test_a_city_that_does_not_take_part_yet_says_when_it_begins(
    page: Page, served: Any, not_yet: Any
) -> None:
    served.kiosk.offers = (not_yet,)
    served.kiosk.municipality = "山口県山口市"
    page.get_by_role("button", name="はじめる").click()
    heading(page, "カードをかざしてください")
    served.kiosk.hold()
    type_pin(page, "1234")
    heading(page, "お手続きできません")
    expect(page.locator("main")).to_contain_text("山口県山口市のサービスは2017年11月に始まります")
    picture(page, "22-not-yet")


def test_a_closed_kind_stays_visible_with_its_reason(page: Page, served: Any, not_yet: Any) -> None:
    kiosk = served.kiosk
    kiosk.offers = (*kiosk.offers, not_yet)
    to_kinds(page, kiosk)
    closed = page.get_by_role("button", name=re.compile("2017年11月に始まります"))
    expect(closed).to_be_disabled()
    picture(page, "23-closed-kind")


def test_what_was_chosen_can_be_changed_and_survives_a_change_of_language(
    page: Page, served: Any
) -> None:
    to_check(page, served.kiosk)
    page.locator(".line", has_text="部数").get_by_role("button", name="変更").click()
    page.get_by_role("button", name="増やす").click()
    page.get_by_role("button", name="次へ").click()
    expect(page.locator("main")).to_contain_text("600円")
    page.get_by_role("button", name="English").click()
    heading(page, "Please check")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("main")).to_contain_text("600 yen")
    picture(page, "24-english")
    page.get_by_role("button", name="Back").click()
    heading(page, "How many copies?")
    expect(page.locator("output")).to_have_text("2")
    page.get_by_role("button", name="Leave").click()
    heading(page, "You have left")
    page.get_by_role("button", name="Finish").click()
    heading(page, "行政サービス")


@pytest.mark.parametrize("refusal", [Refusal.CERTIFICATE_REVOKED, Refusal.COUNTER])
def test_a_refusal_has_a_screen_of_its_own(page: Page, served: Any, refusal: Refusal) -> None:
    served.kiosk.refusal = on.Refused(refusal, session="5" * 32)
    page.get_by_role("button", name="はじめる").click()
    heading(page, "カードをかざしてください")
    served.kiosk.hold()
    type_pin(page, "1234")
    heading(page, "お手続きできません")
    expect(page.locator("main")).to_contain_text("受付番号")
    expect(page.locator("main")).to_contain_text("料金はいただいていません")


def test_a_fault_says_that_nothing_is_charged(page: Page, served: Any) -> None:
    served.kiosk.broken = on.Broken(Fault.LINE_LOST)
    to_check(page, served.kiosk)
    page.get_by_role("button", name="この内容で申し込む").click()
    heading(page, "ご迷惑をおかけします")
    expect(page.locator("main")).to_contain_text("センターと通信できません")
    picture(page, "25-fault")


def test_the_idle_warning_covers_the_screen_and_going_on_keeps_everything(
    page: Page, served: Any
) -> None:
    to_check(page, served.kiosk)
    served.kiosk.apply(on.Waited())
    expect(page.get_by_role("alertdialog")).to_contain_text("続けますか")
    picture(page, "26-idle")
    page.get_by_role("button", name="続ける").click()
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    heading(page, "内容をご確認ください")


def test_keys_are_large_and_apart(page: Page, served: Any) -> None:
    page.get_by_role("button", name="はじめる").click()
    heading(page, "カードをかざしてください")
    served.kiosk.hold()
    heading(page, "暗証番号を入力してください")
    mm = float(
        page.evaluate(
            "parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--mm'))"
        )
    )
    boxes = [key.bounding_box() for key in page.locator("button.key").all()]
    assert len(boxes) == 12
    sizes = [(box["width"] / mm, box["height"] / mm) for box in boxes if box]
    assert all(width >= 20 and height >= 16 for width, height in sizes)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
