from datetime import timedelta
from typing import Any

import pytest

from backend.database import transaction
from backend.participation import service
from backend.participation.model import Offer
from backend.staff import service as staff
from backend.staff.model import Role
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.refusals import Refusal

KIND = Kind.RESIDENCE_CERTIFICATE
OFF = "/change/residence-certificate/closed"
ON = "/change/residence-certificate/open"
UNDO = "/undo/residence-certificate"


def offer(town: Any, code: str = "352012", **later: float) -> Offer:
    with transaction(town.engine) as connection:
        at = town.clock.now() + timedelta(**later)
        return service.offers(connection, code, at)[KIND]


def seen(town: Any, code: str = "352012") -> str:
    with transaction(town.engine) as connection:
        return str(service.newest(service.history(connection, code, KIND)))


def switch(town: Any, client: Any, path: str, **fields: str) -> Any:
    values = {"when": "now", "comment": "点検", "fee": "200", "seen": seen(town), "step": "make"}
    return town.post(client, path, **{**values, **fields})


def text(answer: Any) -> str:
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", OFF, ON, UNDO, "/nowhere"])
def test_nothing_is_shown_before_log_in(town: Any, path: str) -> None:
    answer = town.client().get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/log-in")


def test_the_live_part_says_that_nobody_is_logged_in(town: Any) -> None:
    assert town.client().get("/live").status_code == 401


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("shimonoseki", "wrong-password"),
        ("nobody", "made-up-password"),
        ("operator", "made-up-password"),
        ("", ""),
        ("x" * 5000, "y" * 5000),
        ("shimonoseki\x00", "made-up-password"),
    ],
)
def test_whatever_is_wrong_the_log_in_says_the_same(town: Any, login: str, password: str) -> None:
    client = town.client()
    answer = town.post(client, "/log-in", login=login, password=password)
    assert answer.status_code == 403
    assert "ログイン名かパスワードが違います" in text(answer)
    assert client.get("/").status_code == 302


def test_after_five_wrong_passwords_the_right_one_waits_too(town: Any) -> None:
    client = town.client()
    for _ in range(5):
        town.post(client, "/log-in", login="shimonoseki", password="wrong-password")
    answer = town.post(client, "/log-in", login="shimonoseki", password="made-up-password")
    assert answer.status_code == 429
    town.clock.move(minutes=6)
    assert town.logged_in().get("/").status_code == 200


def test_a_form_from_elsewhere_changes_nothing(town: Any) -> None:
    client = town.logged_in()
    answer = client.post(OFF, data={"when": "now", "comment": "x", "step": "make", "seen": "1"})
    assert answer.status_code == 400
    assert offer(town).open


def test_a_log_in_from_elsewhere_is_refused(town: Any) -> None:
    client = town.client()
    answer = client.post("/log-in", data={"login": "shimonoseki", "password": "made-up-password"})
    assert answer.status_code == 400


def test_the_session_ends_after_a_working_day(town: Any) -> None:
    client = town.logged_in()
    town.clock.move(hours=8)
    assert client.get("/").status_code == 302


def test_a_new_password_ends_the_session(town: Any) -> None:
    client = town.logged_in()
    with transaction(town.engine) as connection:
        staff.add(
            connection,
            town.passwords,
            login="shimonoseki",
            role=Role.MUNICIPAL,
            municipality="352012",
            password="another-password",
            at=town.clock.real_now(),
        )
    assert client.get("/").status_code == 302


def test_who_logs_out_is_out(town: Any) -> None:
    client = town.logged_in()
    town.post(client, "/log-out", page="/")
    assert client.get("/").status_code == 302


def test_the_cookie_is_kept_from_scripts_and_other_sites(town: Any) -> None:
    client = town.client()
    cookie = client.get("/log-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_every_page_keeps_scripts_and_styles_out(town: Any) -> None:
    client = town.logged_in()
    for path in ("/", "/live", OFF, ON, "/nowhere"):
        answer = client.get(path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert "<style" not in text(answer)
        assert " style=" not in text(answer)
        assert "onclick" not in text(answer)


def test_staff_see_their_own_municipality(town: Any) -> None:
    page = text(town.logged_in().get("/"))
    assert "山口県下関市" in page
    assert "● 受付中" in page
    assert "2012年7月1日（日）0:00" in page
    assert "まだ申請はありません" in page
    assert "山口市" not in page


def test_before_switching_off_before_and_after_are_shown_and_nothing_is_done(town: Any) -> None:
    answer = switch(town, town.logged_in(), OFF, step="check")
    assert answer.status_code == 200
    assert "● 受付中" in text(answer)
    assert "■ 停止中" in text(answer)
    assert offer(town).open
    assert town.announcer.events == []


def test_switched_off_it_is_closed_and_switched_on_it_is_open_again(town: Any) -> None:
    client = town.logged_in()
    assert switch(town, client, OFF).status_code == 303
    assert offer(town).reason is Refusal.KIND_CLOSED
    assert "■ 停止中" in text(client.get("/"))
    town.clock.move(minutes=1)
    assert switch(town, client, ON, fee="250").status_code == 303
    assert offer(town) == Offer(open=True, reason=None, opens_at=None, fee=250)
    page = text(client.get("/"))
    assert "点検" in page
    assert len(town.announcer.events) == 2


def test_a_switch_of_one_municipality_leaves_the_others_alone(town: Any) -> None:
    client = town.logged_in("yamaguchi")
    switch(town, client, OFF, seen=seen(town, "352039"), municipality="352012")
    assert offer(town, "352012").open
    assert not offer(town, "352039").open


def test_a_switch_can_be_planned_and_taken_back(town: Any) -> None:
    client = town.logged_in()
    switch(town, client, OFF, when="later", moment="2026-11-25T09:00")
    page = text(client.get("/"))
    assert "2026年11月25日（水）9:00から" in page
    assert offer(town).open
    assert not offer(town, days=1).open
    assert "2026年11月25日（水）9:00" in text(client.get(UNDO))
    assert town.post(client, UNDO, seen=seen(town)).status_code == 303
    assert offer(town, days=1).open
    assert "予定されている変更はありません" in text(client.get("/"))


def test_what_was_loaded_is_not_undone_by_a_click(town: Any) -> None:
    client = town.logged_in()
    assert "直前の変更を取り消す" not in text(client.get("/"))
    assert client.get(UNDO).status_code == 303
    assert offer(town).open


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        (OFF, {"when": "later", "moment": ""}, "日時を選んでください"),
        (OFF, {"when": "later", "moment": "tomorrow"}, "日時を読み取れません"),
        (OFF, {"when": "later", "moment": "2026-11-24T09:59"}, "その日時は過ぎています"),
        (OFF, {"comment": "  "}, "理由を入力してください"),
        (OFF, {"comment": "あ" * 201}, "200文字まで"),
        (ON, {"fee": "二百"}, "数字で入力"),
        (ON, {"fee": "-1"}, "数字で入力"),
        (ON, {"fee": "20000"}, "0円から10,000円"),
        (ON, {}, "すでにその状態です"),
        (OFF, {"seen": "0"}, "ほかの人が変更しました"),
        (OFF, {"seen": "x"}, "ほかの人が変更しました"),
    ],
)
def test_a_form_that_cannot_be_right_says_what_to_do_and_changes_nothing(
    town: Any, path: str, fields: dict[str, str], words: str
) -> None:
    client = town.logged_in()
    answer = switch(town, client, path, **fields)
    assert answer.status_code == 422
    assert words in text(answer)
    assert offer(town).open
    assert offer(town, days=400).open


def test_what_was_typed_stands_there_again_and_only_as_text(town: Any) -> None:
    client = town.logged_in()
    evil = "<script>alert(1)</script>"
    answer = switch(town, client, ON, fee="x", comment=evil)
    assert evil not in text(answer)
    assert "&lt;script&gt;" in text(answer)


@pytest.mark.parametrize("path", ["/change/passport/open", "/change/residence-certificate/maybe"])
def test_a_kind_or_state_that_does_not_exist_is_not_found(town: Any, path: str) -> None:
    assert town.logged_in().get(path).status_code == 404


@pytest.mark.parametrize(
    ("login", "at", "words"),
    [
        ("shimonoseki", "2026-11-24T10:00", "お取りいただけます。1通 200円"),
        ("shimonoseki", "2012-06-30T23:59", "2012年7月1日（日）0:00からご利用いただけます"),
        ("yamaguchi", "2017-08-15T10:00", "2017年11月1日（水）0:00からご利用いただけます"),
        ("yamaguchi", "soon", "日時を読み取れません"),
    ],
)
def test_staff_can_ask_what_a_resident_sees(town: Any, login: str, at: str, words: str) -> None:
    assert words in text(town.logged_in(login).get("/", query_string={"at": at}))


def test_an_unchanged_page_costs_nothing(town: Any) -> None:
    client = town.logged_in()
    first = client.get("/live")
    again = client.get("/live", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    switch(town, client, OFF)
    after = client.get("/live", headers={"If-None-Match": first.headers["ETag"]})
    assert after.status_code == 200


def test_a_form_that_is_too_long_is_refused(town: Any) -> None:
    client = town.logged_in()
    answer = client.post(OFF, data={"comment": "x" * 20_000})
    assert answer.status_code == 413
