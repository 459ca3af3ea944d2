from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from backend.database import transaction
from backend.orders import store as orders
from backend.orders.turned_away import STREAM, RedisVisitors, TurnedAway
from backend.participation import service as participation
from backend.participation.announcer import RedisAnnouncer
from backend.participation.model import Wish
from backend.web.words import SCREENS
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.line import (
    EVENTS_STREAM,
    KIOSK_STATES_KEY,
    SECURITY_STREAM,
    Health,
    Heartbeat,
    KioskState,
    LineEvent,
    LineEventKind,
    PartHealth,
    SecurityEvent,
    SecurityEventKind,
)
from dedicated_line.contract.refusals import Refusal
from kiosk.session.state import Stage

pytestmark = pytest.mark.sockets
READY = PartHealth(health=Health.READY)
ORDER = "a1b2c3d4" + "0" * 24
NUMBER = "352012-7K3MQ9-XT2WVB-5"


def text(answer: Any) -> str:
    return answer.get_data(as_text=True)


def say(watch: Any, kiosk: str, *, connected: bool = True, **parts: PartHealth) -> None:
    health = {"reader": READY, "printer": READY, "coins": READY, "paper": READY, **parts}
    state = KioskState(
        kiosk=kiosk,
        circuit=f"127.1.0.{int(kiosk[1:])}",
        connected=connected,
        seen_at=watch.clock.real_now(),
        heartbeat=Heartbeat(software="0.1.0", state="welcome", **health),
    )
    watch.redis.hset(KIOSK_STATES_KEY, kiosk, state.to_json())


def add_order(watch: Any) -> None:
    at = watch.clock.real_now()
    with transaction(watch.engine) as connection:
        connection.execute(
            insert(orders.order_table).values(
                id=ORDER,
                session="5e" * 16,
                kiosk="k000001",
                municipality="352012",
                kind="residence-certificate",
                copies=1,
                members=1,
                fee=200,
                signing_key=bytes(65),
                created_at=at,
                updated_at=at,
            )
        )
        connection.execute(
            insert(orders.issue_table).values(
                order=ORDER,
                place=0,
                number=NUMBER,
                state="printed",
                money="kept",
                number_status="valid",
                price=200,
            )
        )


def row(page: str, kiosk: str) -> str:
    return page.partition(f'id="kiosk-{kiosk}"')[2].partition("</tr>")[0]


def test_nothing_is_shown_before_log_in(watch: Any) -> None:
    client = watch.app.test_client()
    for path in ("/", "/orders", f"/orders/{ORDER}"):
        assert client.get(path).headers["Location"] == "/log-in"
    assert client.get("/live").status_code == 401


def test_municipal_staff_are_no_operators(watch: Any) -> None:
    assert watch.logged_in("shimonoseki").get("/").status_code == 302


def test_kiosks_show_circuit_printer_and_paper(watch: Any) -> None:
    say(watch, "k000001")
    say(watch, "k000002", paper=PartHealth(health=Health.WARNING, detail="near end"))
    page = text(watch.logged_in().get("/"))
    assert "● 接続中" in row(page, "k000001")
    assert "見本商店 一号店" in row(page, "k000001")
    assert "127.1.0.1" in row(page, "k000001")
    assert "near end" in row(page, "k000002")
    assert "2台、うち確認が必要 1台" in page


def test_a_kiosk_that_falls_silent_is_shown_so(watch: Any) -> None:
    say(watch, "k000001")
    say(watch, "k000002", connected=False)
    client = watch.logged_in()
    watch.clock.move(seconds=16)
    page = text(client.get("/"))
    assert "▲ 応答なし" in row(page, "k000001")
    assert "■ 切断" in row(page, "k000002")


def test_a_kiosk_that_nobody_listed_stands_out(watch: Any) -> None:
    say(watch, "k000009")
    page = text(watch.logged_in().get("/"))
    assert "未登録" in row(page, "k000009")
    assert "未接続" in row(page, "k000001")


def test_security_events_are_shown_newest_first(watch: Any) -> None:
    for number, kind in enumerate((SecurityEventKind.REVOKED, SecurityEventKind.WRONG_CIRCUIT)):
        event = SecurityEvent(
            kind=kind,
            at=watch.clock.real_now() + timedelta(seconds=number),
            source="127.1.0.9",
            detail="<b>hostile</b>",
        )
        watch.redis.xadd(SECURITY_STREAM, {"event": event.to_json()})
    page = text(watch.logged_in().get("/"))
    assert page.index("回線の不一致") < page.index("失効した証明書")
    assert "<b>hostile</b>" not in page


def test_entries_that_cannot_be_read_are_counted(watch: Any) -> None:
    watch.redis.hset(KIOSK_STATES_KEY, "k000001", b"{}")
    watch.redis.xadd(SECURITY_STREAM, {"other": b"x"})
    assert "読み取れない記録が 2 件" in text(watch.logged_in().get("/"))


def test_without_redis_orders_are_still_shown_and_the_page_says_what_is_missing(
    watch_without_redis: Any,
) -> None:
    add_order(watch_without_redis)
    answer = watch_without_redis.logged_in().get("/")
    assert answer.status_code == 200
    assert "Redis が応答しません" in text(answer)
    assert "A1B2-C3D4" in text(answer)
    assert "不明" in row(text(answer), "k000001")


@pytest.mark.parametrize("typed", ["A1B2-C3D4", " a1b2c3d4 ", ORDER])
def test_a_reference_number_leads_to_states_and_money(watch: Any, typed: str) -> None:
    add_order(watch)
    client = watch.logged_in()
    page = text(client.get("/orders", query_string={"reference": typed}, follow_redirects=True))
    for shown in ("受付番号", NUMBER, "印刷済み", "領収", "山口県下関市", "k000001"):
        assert shown in page


@pytest.mark.parametrize("typed", ["", "0000-0000", "%", "' OR 1=1", "x" * 5000, "受付"])
def test_a_reference_number_that_nobody_has_is_answered_so(watch: Any, typed: str) -> None:
    add_order(watch)
    client = watch.logged_in()
    page = text(client.get("/orders", query_string={"reference": typed}, follow_redirects=True))
    assert "その受付番号の申請は見つかりません" in page


def test_the_live_part_is_sent_only_when_it_has_changed(watch: Any) -> None:
    say(watch, "k000001")
    client = watch.logged_in()
    tag = client.get("/live").headers["ETag"]
    assert client.get("/live", headers={"If-None-Match": tag}).status_code == 304
    say(watch, "k000001", printer=PartHealth(health=Health.DOWN, detail="cover open"))
    answer = client.get("/live", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert "cover open" in text(answer)


def test_a_change_reaches_the_stream_that_the_line_hands_down(watch: Any) -> None:
    event = LineEvent(
        kind=LineEventKind.PARTICIPATION_CHANGED,
        municipality="352012",
        at=watch.clock.now(),
    )
    RedisAnnouncer(watch.redis).announce(event)
    ((_, fields),) = watch.redis.xrange(EVENTS_STREAM)
    assert LineEvent.model_validate_json(fields[b"event"]) == event


def test_a_change_without_redis_goes_on_with_a_warning(
    watch_without_redis: Any, caplog: pytest.LogCaptureFixture
) -> None:
    event = LineEvent(
        kind=LineEventKind.PARTICIPATION_CHANGED,
        municipality="352012",
        at=watch_without_redis.clock.now(),
    )
    RedisAnnouncer(watch_without_redis.redis).announce(event)
    assert "Redis does not answer" in caplog.text


def test_who_was_turned_away_before_an_order_is_shown_newest_first(watch: Any) -> None:
    page = text(watch.logged_in().get("/"))
    assert "申請前のお断り" not in page
    visitors = RedisVisitors(watch.redis)
    for session, refusal, name in (
        ("a6d4087f" + "0" * 24, Refusal.KIND_CLOSED, "山口県下関市"),
        ("b" * 32, Refusal.CERTIFICATE_REVOKED, None),
    ):
        at = watch.clock.real_now()
        visitors.note(TurnedAway(session, "k000002", refusal, at, name))
    watch.redis.xadd(STREAM, {"other": b"x"})
    client = watch.logged_in()
    found = text(client.get("/orders", query_string={"reference": "a6d4-087f"}))
    assert "申請にはなりませんでした" in found
    assert "受付を停止中" in found
    page = text(client.get("/"))
    assert "A6D4-087F" in page
    assert page.index("電子証明書の失効") < page.index("受付を停止中")


def test_one_turned_away_without_redis_is_a_warning(
    watch_without_redis: Any, caplog: pytest.LogCaptureFixture
) -> None:
    at = watch_without_redis.clock.real_now()
    visitors = RedisVisitors(watch_without_redis.redis)
    visitors.note(TurnedAway("a" * 32, "k000002", Refusal.COUNTER, at))
    assert "turned away" in caplog.text


def test_what_municipal_staff_decide_is_shown_with_who_and_why(watch: Any) -> None:
    with transaction(watch.engine) as connection:
        participation.change(
            connection,
            "352012",
            Kind.RESIDENCE_CERTIFICATE,
            open=True,
            effective_from=watch.clock.now() - timedelta(days=1),
            fee=300,
            actor="load",
            comment="",
            made_at=None,
        )
    assert "自治体による受付の変更" not in text(watch.logged_in().get("/"))
    participation.switch(
        watch.engine,
        RedisAnnouncer(watch.redis),
        "352012",
        Kind.RESIDENCE_CERTIFICATE,
        Wish(open=False, effective_from=watch.clock.now(), fee=300),
        participation.Author("shimonoseki", "システム点検", watch.clock.now()),
    )
    page = text(watch.logged_in().get("/"))
    shown = page.partition("自治体による受付の変更")[2]
    for word in ("山口県下関市", "■ 停止", "システム点検", "shimonoseki"):
        assert word in shown


def test_every_screen_of_a_kiosk_has_a_word_for_operators() -> None:
    assert set(SCREENS) == {stage.value for stage in Stage}
