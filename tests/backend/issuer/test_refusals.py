from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from backend.issuer.web.timing import FixedPace
from dedicated_line.clock import FixedClock, SystemClock
from dedicated_line.contract.issuing import IdentifyHolder

NEUTRAL = [
    ({"protected": True}, "protected"),
    ({"deceased_on": "2026-06-01"}, "deceased"),
    ({"moved_out_on": "2026-06-01"}, "moved-out"),
    ({"moved_out_on": "2026-07-01"}, "moved-out"),
    ({"moving": True}, "moving"),
    ({"being_edited": True}, "being-edited"),
]
UNDER_AGE = ({"birth_date": "2011-06-16", "became_resident": "2011-06-16"}, "under-age")
NOT_IN_FONT = ({"name": "\U0002ebf0　太郎"}, "not-printable")
TOO_LONG = ({"name": "EXAMPLENAMEWITHOUTANYSPACEWHATSOEVER"}, "not-printable")


@pytest.mark.parametrize(("change", "reason"), [*NEUTRAL, UNDER_AGE, NOT_IN_FONT, TOO_LONG])
def test_a_holder_is_sent_to_the_counter_and_only_the_municipality_knows_why(
    town: Any, records: Any, change: dict[str, Any], reason: str
) -> None:
    town.settle(records.family(**change))
    answer = town.ask(town.order())
    assert answer.status_code == 403
    assert answer.json == {
        "type": "urn:kofu:problem:refused",
        "title": "Refused",
        "status": 403,
        "code": "refused",
        "detail": "Please ask at the counter of your municipality.",
        "retryable": False,
        "refusal": "counter",
        "kind": None,
        "municipality_name": None,
        "opens_at": None,
        "order": None,
        "incident": None,
    }
    assert town.reasons() == [reason]
    assert town.pace.held == [7.0]


@pytest.mark.parametrize(("change", "reason"), NEUTRAL)
def test_one_member_stops_the_household_but_not_the_holder_alone(
    town: Any, records: Any, change: dict[str, Any], reason: str
) -> None:
    town.settle(records.family(**change), holder="hanako")
    assert town.refusal(town.everybody()) == "counter"
    assert town.reasons() == [reason]
    town.compose(town.order(order="02" * 16))


@pytest.mark.parametrize(("change", "reason"), NEUTRAL)
def test_a_member_stops_the_household_even_when_somebody_else_is_asked_for(
    town: Any, records: Any, change: dict[str, Any], reason: str
) -> None:
    child = records.resident("ichiro", name="見本　壱", relationship="子")
    town.settle([*records.family(**change), child], holder="hanako")
    handle = next(member.handle for member in town.members() if member.name == "見本　壱")
    assert town.refusal(town.order(handle)) == "counter"
    assert town.reasons() == [reason]


@pytest.mark.parametrize(("change", "_reason"), NEUTRAL)
def test_identification_answers_as_ever_for_whom_nothing_is_issued(
    town: Any, records: Any, change: dict[str, Any], _reason: str
) -> None:
    town.settle(records.family(**change))
    assert [member.name for member in town.members()] == ["見本　太郎", "見本　花代"]
    assert town.pace.held == []


def test_a_child_in_the_household_stops_nobody(town: Any, records: Any) -> None:
    child = records.resident(
        "ichiro", name="見本　壱", birth_date="2020-01-01", became_resident="2020-01-01"
    )
    town.settle([*records.family(), child])
    assert len(town.compose(town.everybody()).persons) == 3


def test_on_the_fifteenth_birthday_in_tokyo_one_may(town: Any, records: Any) -> None:
    town.settle(records.family(birth_date="2011-06-16", became_resident="2011-06-16"))
    assert town.refusal(town.order()) == "counter"
    town.clock.move(hours=12)
    town.compose(town.order(order="02" * 16))


def test_who_moved_in_today_is_told_to_come_tomorrow(town: Any, records: Any) -> None:
    town.settle(records.family(became_resident="2026-06-15"))
    assert town.refusal(town.order()) == "registered-tomorrow"
    assert town.pace.held == []
    town.clock.move(hours=12)
    town.compose(town.order(order="02" * 16))


def test_a_card_that_the_register_does_not_know_is_sent_to_the_counter(
    town: Any, records: Any
) -> None:
    town.settle(records.family())
    answer = town.post("/v1/holders", IdentifyHolder(card=town.word("g2019")))
    assert (answer.status_code, answer.json["refusal"]) == (403, "counter")
    assert town.reasons() == ["not-in-register"]
    assert town.pace.held == [7.0]


def test_who_was_taken_out_of_the_register_is_sent_to_the_counter(town: Any, records: Any) -> None:
    town.settle(records.family())
    order = town.order()
    wife_alone = records.resident("hanako", name="見本　花代")
    town.load([records.municipality(), records.household("h-1", "hanako"), wife_alone])
    assert town.refusal(order) == "counter"
    assert town.reasons() == ["not-in-register"]


def test_a_stale_copy_refuses_everybody(town: Any, records: Any) -> None:
    town.settle(records.family())
    order = town.order()
    town.clock.move(hours=24, seconds=1)
    answer = town.post("/v1/holders", IdentifyHolder(card=town.word()))
    assert (answer.status_code, answer.json["refusal"]) == (503, "unavailable")
    assert town.refusal(order) == "unavailable"
    town.load(records.family())
    town.compose(order)


def test_a_municipality_that_is_not_hosted_here_is_unavailable(town: Any, records: Any) -> None:
    town.settle(records.family())
    answer = town.post("/v1/holders", IdentifyHolder(card=town.word(municipality="352021")))
    assert (answer.status_code, answer.json["refusal"]) == (503, "unavailable")


def test_a_kiosk_with_another_layout_is_outdated(town: Any, records: Any) -> None:
    town.settle(records.family())
    assert town.refusal(town.order(layout="0" * 64)) == "kiosk-outdated"


def test_an_expired_certificate_is_refused_here_too(town: Any, records: Any) -> None:
    town.settle(records.family())
    order = town.order()
    town.clock.move(days=1500)
    assert town.refusal(order) == "certificate-expired"


def test_a_refused_order_stays_refused_after_the_reason_has_gone(town: Any, records: Any) -> None:
    town.settle(records.family(being_edited=True))
    order = town.order()
    assert town.refusal(order) == "counter"
    town.load(records.family())
    assert town.refusal(order) == "counter"
    assert len(town.reasons()) == 1
    town.compose(town.order(order="02" * 16))


def test_a_household_of_which_a_line_was_refused_is_sent_to_the_counter(
    town: Any, records: Any
) -> None:
    broken = records.resident("ichiro", name="見本　壱", birth_date="2020-13-01")
    report = town.load([*records.family(), broken])
    assert [number for number, _ in report.refused] == [5]
    town.link("taro")
    assert town.refusal(town.everybody()) == "counter"
    assert town.reasons() == ["household-incomplete"]


def test_the_pace_ends_at_the_fixed_time_however_long_a_decision_took() -> None:
    clock = SystemClock()
    pace = FixedPace(clock, 0.05)
    for _ in range(3):
        arrival = pace.arrival()
        pace.hold(arrival)
        assert 0.05 <= clock.monotonic() - arrival < 0.5


def test_a_decision_that_took_longer_ends_at_the_next_step() -> None:
    clock = ImpatientClock()
    FixedPace(clock, 0.4).hold(0.0)
    assert 0.8 <= round(clock.seconds, 6) <= 0.9


@dataclass
class ImpatientClock(FixedClock):
    """Moves on by 0.1 s whenever it is looked at, from 0.4 s after arrival."""

    at: datetime = datetime(2026, 6, 15, tzinfo=UTC)
    seconds: float = 0.4

    def monotonic(self) -> float:
        self.seconds += 0.1
        return self.seconds
