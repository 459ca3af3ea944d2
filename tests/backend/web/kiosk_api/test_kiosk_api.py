"""What a kiosk meets at the centre: the five requests, and every way of not being served."""

from typing import Any

import pytest

from backend.network.service import register_card
from dedicated_line.contract.keys import Purpose
from dedicated_line.contract.orders import Money, Release
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import OpenSession

Kiosk = Any
pytestmark = pytest.mark.sockets


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.mimetype == "application/problem+json", answer.data
    found: dict[str, Any] = answer.get_json()
    assert (answer.status_code, found["status"], found["code"]) == (status, status, code)
    return found


def accepted(kiosk: Kiosk) -> str:
    """Open a session and present the card; return the session."""
    opened = kiosk.open()
    assert kiosk.present(opened).status_code == 200
    session: str = opened["session"]
    return session


def sealed(kiosk: Kiosk) -> dict[str, Any]:
    answer = kiosk.place(accepted(kiosk))
    assert answer.status_code == 201, answer.data
    found: dict[str, Any] = answer.get_json()
    return found


def number_of(kiosk: Kiosk, order: str) -> str:
    number: str = kiosk.send("GET", f"/v1/orders/{order}").get_json()["issues"][0]["number"]
    return number


def test_a_resident_is_served_from_session_to_closed_books(kiosk: Kiosk) -> None:
    opened = kiosk.open()
    assert opened["outdated"] == []
    holder = kiosk.present(opened).get_json()
    assert (holder["municipality"], holder["municipality_name"]) == ("352012", "山口県下関市")
    (offer,) = holder["kinds"]
    assert (offer["open"], offer["fee"]) == (True, 300)
    order = kiosk.place(opened["session"]).get_json()
    assert order["fee"] == 300
    released = kiosk.release(order["order"]).get_json()
    assert (released["fence"], released["print_window"]) == (1, 60)
    status = kiosk.printed(order["order"], number_of(kiosk, order["order"])).get_json()
    (issue,) = status["issues"]
    assert (issue["state"], issue["money"], issue["number_status"]) == ("printed", "kept", "valid")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Kofu-Kiosk": "k000001"},
        {"Kofu-Kiosk": "k000001", "Kofu-Circuit": "127.1.0.2"},
        {"Kofu-Kiosk": "k999999", "Kofu-Circuit": "127.1.0.1"},
        {"Kofu-Kiosk": "k000003", "Kofu-Circuit": "127.1.0.3"},
    ],
)
def test_whoever_is_not_a_kiosk_in_service_on_its_circuit_gets_nothing(
    kiosk: Kiosk, headers: dict[str, str]
) -> None:
    kiosk.headers = headers
    for method, path in [
        ("POST", "/v1/sessions"),
        ("PUT", "/v1/sessions/x/holder"),
        ("POST", "/v1/sessions/x/orders"),
        ("POST", "/v1/orders/x/release"),
        ("POST", "/v1/orders/x/outcome"),
        ("GET", "/v1/orders/x"),
        ("GET", "/v1/keys"),
    ]:
        problem(kiosk.send(method, path, b"{}"), 403, "not-a-kiosk")


def test_another_contract_version_is_not_spoken(kiosk: Kiosk) -> None:
    wish = OpenSession(contract=9, software="9", layouts={})
    problem(kiosk.send("POST", "/v1/sessions", wish.to_json()), 400, "version")


def test_a_malformed_body_is_answered_without_its_text(kiosk: Kiosk) -> None:
    for body in (b"", b"{", b'{"contract": 1, "name": "made-up person"}', b"[]", b"\xff"):
        found = problem(kiosk.send("POST", "/v1/sessions", body), 400, "malformed")
        assert "made-up person" not in found["detail"]
    problem(kiosk.send("POST", "/v1/sessions", b"x" * 70_000), 413, "too-large")
    problem(kiosk.send("GET", "/v1/nothing"), 404, "not-found")
    problem(kiosk.send("DELETE", "/v1/sessions"), 405, "malformed")


def test_a_kiosk_with_an_old_layout_is_told_and_its_kind_is_closed(kiosk: Kiosk) -> None:
    opened = kiosk.open(layout="00" * 32)
    assert opened["outdated"] == ["residence-certificate"]
    holder = kiosk.present(opened).get_json()
    (offer,) = holder["kinds"]
    assert (offer["open"], offer["reason"]) == (False, "kiosk-outdated")
    assert holder["personal"] is None
    found = problem(kiosk.place(opened["session"]), 403, "refused")
    assert found["refusal"] == "kiosk-outdated"


def test_the_same_card_word_gets_the_same_answer_and_another_none(kiosk: Kiosk) -> None:
    opened = kiosk.open()
    path = f"/v1/sessions/{opened['session']}/holder"
    body = kiosk.holder_body(opened)
    first = kiosk.send("PUT", path, body)
    assert kiosk.send("PUT", path, body).data == first.data
    assert (kiosk.validity.asked, len(kiosk.issuer.identified)) == (1, 1)
    other = kiosk.holder_body(opened, kiosk.jpki.card("g2019"))
    problem(kiosk.send("PUT", path, other), 409, "challenge-used")
    assert len(kiosk.rows("access_record")) == 1


def test_every_access_is_written_down_with_its_purpose(kiosk: Kiosk) -> None:
    session = accepted(kiosk)
    (row,) = kiosk.rows("access_record")
    assert (row.session, row.kiosk, row.purpose) == (session, "k000001", "issuance")


def test_a_session_of_another_kiosk_is_unknown(kiosk: Kiosk) -> None:
    opened = kiosk.open()
    kiosk.headers = {"Kofu-Kiosk": "k000002", "Kofu-Circuit": "127.1.0.2"}
    problem(kiosk.present(opened), 404, "unknown-session")
    problem(kiosk.place(opened["session"]), 404, "unknown-session")


def test_nobody_orders_before_the_holder_is_confirmed(kiosk: Kiosk) -> None:
    problem(kiosk.place(kiosk.open()["session"]), 404, "unknown-session")


@pytest.mark.parametrize("refusal", [Refusal.CERTIFICATE_REVOKED, Refusal.CANNOT_CONFIRM])
def test_the_validity_centre_has_the_word(kiosk: Kiosk, refusal: Refusal) -> None:
    kiosk.validity.refuses = refusal
    found = problem(kiosk.present(kiosk.open()), 403, "refused")
    assert found["refusal"] == refusal.value
    assert kiosk.rows("access_record") == []


def test_a_card_that_signed_another_session_is_not_confirmed(kiosk: Kiosk) -> None:
    opened, other = kiosk.open(), kiosk.open()
    path = f"/v1/sessions/{opened['session']}/holder"
    found = problem(kiosk.send("PUT", path, kiosk.holder_body(other)), 403, "refused")
    assert found["refusal"] == "card-not-confirmed"
    assert kiosk.validity.asked == 0


def test_a_card_that_no_municipality_lists_goes_to_the_counter(kiosk: Kiosk) -> None:
    found = problem(kiosk.present(kiosk.open(), kiosk.jpki.card("g2019")), 403, "refused")
    assert (found["refusal"], found["municipality_name"]) == ("counter", None)


def test_a_closed_kind_says_why_and_shows_no_name(kiosk: Kiosk) -> None:
    kiosk.switch(open=False)
    holder = kiosk.present(kiosk.open()).get_json()
    (offer,) = holder["kinds"]
    assert (offer["open"], offer["reason"], holder["personal"]) == (False, "kind-closed", None)
    assert kiosk.issuer.identified == []


def test_who_is_turned_away_before_an_order_is_noted_without_a_name(kiosk: Kiosk) -> None:
    accepted(kiosk)
    assert kiosk.turned_away == []
    kiosk.switch(open=False)
    closed = accepted(kiosk)
    kiosk.validity.refuses = Refusal.CERTIFICATE_REVOKED
    revoked = kiosk.open()
    kiosk.present(revoked)
    first, second = kiosk.turned_away
    assert (first.session, first.refusal) == (closed, Refusal.KIND_CLOSED)
    assert first.municipality == "山口県下関市"
    assert (second.session, second.refusal) == (revoked["session"], Refusal.CERTIFICATE_REVOKED)
    assert (second.kiosk, second.municipality) == ("k000001", None)


def test_an_issuing_server_that_is_down_is_unavailable(kiosk: Kiosk) -> None:
    kiosk.issuer.is_down = True
    found = problem(kiosk.present(kiosk.open()), 403, "refused")
    assert (found["refusal"], found["municipality_name"]) == ("unavailable", "山口県下関市")


def test_a_refused_order_answers_with_the_refusal_and_nothing_else(kiosk: Kiosk) -> None:
    session = accepted(kiosk)
    kiosk.issuer.refuses = Refusal.COUNTER
    found = problem(kiosk.place(session), 403, "refused")
    assert found["refusal"] == "counter"
    assert found["retryable"] is False


def test_a_key_with_another_body_is_refused(kiosk: Kiosk) -> None:
    order = sealed(kiosk)["order"]
    assert kiosk.release(order, "the-same-key-again").status_code == 200
    wish = Release(order=order, money=Money(amount=300, receipt="another"))
    answer = kiosk.signed(
        f"/v1/orders/{order}/release", wish, Purpose.RELEASE, idempotency="the-same-key-again"
    )
    problem(answer, 409, "key-reused")


def test_an_order_needs_its_key_and_its_signature(kiosk: Kiosk) -> None:
    session = accepted(kiosk)
    path, body = f"/v1/sessions/{session}/orders", kiosk.wish(session).to_json()
    problem(kiosk.send("POST", path, body), 400, "malformed")
    key = "the-key-of-a-test"
    problem(kiosk.send("POST", path, body, Idempotency_Key=key), 403, "bad-signature")
    bad = kiosk.send("POST", path, body, Idempotency_Key=key, Kofu_Signature="A" * 86)
    problem(bad, 403, "bad-signature")
    problem(
        kiosk.send("POST", path, body, Idempotency_Key=key, Kofu_Signature="?"), 400, "malformed"
    )
    assert kiosk.rows("order") == []


def test_the_window_ends_and_the_certificate_is_gone(kiosk: Kiosk) -> None:
    order = sealed(kiosk)["order"]
    kiosk.release(order, "the-same-key-again")
    kiosk.clock.move(seconds=61)
    problem(kiosk.release(order, "the-same-key-again"), 410, "gone")


def test_an_order_of_another_kiosk_is_unknown(kiosk: Kiosk) -> None:
    order = sealed(kiosk)["order"]
    kiosk.headers = {"Kofu-Kiosk": "k000002", "Kofu-Circuit": "127.1.0.2"}
    problem(kiosk.send("GET", f"/v1/orders/{order}"), 404, "unknown-order")
    problem(kiosk.release(order), 404, "unknown-order")


def test_address_and_body_name_the_same_order(kiosk: Kiosk) -> None:
    order = sealed(kiosk)["order"]
    wish = Release(order=order, money=Money(amount=300))
    answer = kiosk.signed(f"/v1/orders/{'0' * 32}/release", wish, Purpose.RELEASE)
    problem(answer, 400, "malformed")


def test_the_key_list_comes_with_an_etag(kiosk: Kiosk) -> None:
    first = kiosk.send("GET", "/v1/keys")
    assert (first.data, first.mimetype) == (b"a signed key list", "application/cose")
    again = kiosk.send("GET", "/v1/keys", If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")


def test_a_move_changes_the_municipality_from_its_day_on(kiosk: Kiosk) -> None:
    row = next(row for row in kiosk.rows("registration"))
    with kiosk.engine.begin() as connection:
        register_card(
            connection,
            generation=row.generation,
            serial=int(row.serial, 16),
            pseudonym="p-1",
            municipality="131016",
            since=kiosk.clock.now(),
        )
    answer = kiosk.present(kiosk.open())
    assert answer.status_code == 500  # 千代田区 is not in this test's table: an incident
    assert len(kiosk.rows("registration")) == 2


def test_no_answer_is_kept_by_a_cache(kiosk: Kiosk) -> None:
    answer = kiosk.present(kiosk.open())
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_says_when_it_lives_and_when_it_is_ready(kiosk: Kiosk) -> None:
    kiosk.headers = {}
    assert kiosk.send("GET", "/livez").data == b"alive\n"
    assert kiosk.send("GET", "/readyz").data == b"ready\n"


def test_losing_redis_after_request_3_does_not_end_an_order(
    kiosk_with_mortal_redis: Kiosk, mortal_redis: Any
) -> None:
    kiosk = kiosk_with_mortal_redis
    order = sealed(kiosk)["order"]
    mortal_redis.stop()
    assert kiosk.release(order).status_code == 200
    assert kiosk.printed(order, number_of(kiosk, order)).status_code == 200
    wish = OpenSession(contract=1, software="1", layouts={})
    found = problem(kiosk.send("POST", "/v1/sessions", wish.to_json()), 503, "unavailable")
    assert found["retryable"] is True
    problem(kiosk.send("GET", "/readyz"), 503, "unavailable")
