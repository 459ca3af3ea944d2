"""Requests 3, 4 and 5 on the ledger, the same on SQLite and PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend.database import transaction
from backend.orders.errors import (
    BadOrderSignatureError,
    CannotReplaceError,
    ClerkSaysNoError,
    KeyReusedError,
    OrderRefusedError,
    TooManyOrdersError,
    UnknownOrderError,
    WindowClosedError,
    WrongAmountError,
    WrongStateError,
)
from backend.orders.model import Finding
from backend.orders.service import integrity_alarms, latest_orders, order_status
from dedicated_line.contract.orders import Check, Outcome, OutcomeResult
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.states import (
    IssueState,
    MoneyState,
    NumberStatus,
    PrintResult,
    ProofStrength,
)

World = Any
PRINTED, SPOILED, UNKNOWN = PrintResult.PRINTED, PrintResult.SPOILED, PrintResult.UNKNOWN


def states(world: World, order: str) -> list[tuple[str, str, str]]:
    return [
        (issue.state.value, issue.money.value, issue.number_status.value)
        for issue in world.order(order).issues
    ]


def alarms(world: World) -> list[Finding]:
    with transaction(world.engine) as connection:
        return [alarm.finding for alarm in integrity_alarms(connection, 10)]


def test_an_order_goes_from_intent_to_kept_money(world: World) -> None:
    sealed = world.place(world.wish(copies=2))
    assert sealed.fee == 600
    assert states(world, sealed.order) == [("sealed", "due", "pending")] * 2
    released = world.release(sealed.order, 600)
    assert (released.ciphertext, released.fence) == (b"sealed to the session", 1)
    assert states(world, sealed.order) == [("released", "taken", "pending")] * 2
    status = world.tell(world.finished(sealed.order, PRINTED, PRINTED, money=(600, 0, 0)))
    assert [issue.state for issue in status.issues] == [IssueState.PRINTED] * 2
    assert states(world, sealed.order) == [("printed", "kept", "valid")] * 2
    assert world.order(sealed.order).ciphertext is None
    assert alarms(world) == []


def test_the_intent_is_durable_before_the_issuing_server_is_asked(world: World) -> None:
    seen = []

    def look() -> None:
        with transaction(world.engine) as connection:
            seen.extend(row.state for row in latest_orders(connection, 10))

    world.issuer.before_answer = look
    world.place()
    assert seen == [IssueState.INTENDED]


def test_the_same_key_and_body_get_the_same_answer(world: World) -> None:
    wish = world.wish()
    first = world.place(wish, key="the-same-key-again")
    assert world.place(wish, key="the-same-key-again") == first
    assert len(world.issuer.asked) == 1
    released = world.release(first.order, key="another-key-again")
    assert world.release(first.order, key="another-key-again") == released
    assert world.order(first.order).fence == 1


def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    world.place(world.wish(), key="the-same-key-again")
    with pytest.raises(KeyReusedError):
        world.place(world.wish(copies=2), key="the-same-key-again")
    with pytest.raises(KeyReusedError):
        world.release(world.place_elsewhere(), key="the-same-key-again")


def test_a_crash_between_intent_and_seal_is_finished_by_the_same_key(world: World) -> None:
    class CrashError(Exception):
        pass

    def crash() -> None:
        raise CrashError

    world.issuer.before_answer = crash
    with pytest.raises(CrashError):
        world.place(key="the-same-key-again")
    with transaction(world.engine) as connection:
        assert [row.state for row in latest_orders(connection, 9)] == [IssueState.INTENDED]
    world.issuer.before_answer = lambda: None
    sealed = world.place(key="the-same-key-again")
    assert states(world, sealed.order) == [("sealed", "due", "pending")]
    assert len(set(world.issuer.asked)) == 1


def test_an_idempotency_key_itself_is_not_in_the_ledger(world: World) -> None:
    world.place(key="secret-key-of-a-kiosk")
    with transaction(world.engine) as connection:
        rows = connection.execute(text("SELECT * FROM idempotency")).all()
    assert "secret-key-of-a-kiosk" not in str(rows)


@pytest.mark.parametrize("refusal", [Refusal.COUNTER, Refusal.REGISTERED_TOMORROW])
def test_a_rule_of_the_issuing_server_refuses_the_order(world: World, refusal: Refusal) -> None:
    world.issuer.refuses = refusal
    with pytest.raises(OrderRefusedError) as caught:
        world.place(key="the-same-key-again")
    assert caught.value.refusal is refusal
    assert states(world, caught.value.order) == [("refused", "none", "void")]
    world.issuer.refuses = None
    with pytest.raises(OrderRefusedError) as again:  # the same answer, whatever has changed
        world.place(key="the-same-key-again")
    assert again.value.refusal is refusal


def test_an_issuing_server_that_is_down_refuses_the_order(world: World) -> None:
    world.issuer.is_down = True
    with pytest.raises(OrderRefusedError) as caught:
        world.place()
    assert caught.value.refusal is Refusal.UNAVAILABLE
    assert world.order(caught.value.order).reason == "unavailable"


def test_a_closed_kind_is_refused_without_asking_the_issuing_server(world: World) -> None:
    world.switch(open=False)
    with pytest.raises(OrderRefusedError) as caught:
        world.place()
    assert caught.value.refusal is Refusal.KIND_CLOSED
    assert world.issuer.asked == []


def test_a_kiosk_with_another_layout_is_refused(world: World) -> None:
    with pytest.raises(OrderRefusedError) as caught:
        world.place(world.wish(layout="00" * 32))
    assert caught.value.refusal is Refusal.KIOSK_OUTDATED


def test_a_header_that_differs_is_an_alarm_and_nothing_is_sealed(world: World) -> None:
    world.issuer.forged = {"holder": "99" * 32}
    with pytest.raises(ClerkSaysNoError) as caught:
        world.place()
    assert states(world, caught.value.order) == [("refused", "none", "void")]
    assert alarms(world) == [Finding.CLERK_AT_CENTRE]
    with transaction(world.engine) as connection:
        assert integrity_alarms(connection, 1)[0].detail == "holder"


def test_a_number_that_was_given_before_is_an_alarm(world: World) -> None:
    first = world.place()
    number = world.order(first.order).issues[0].number
    world.tell(world.cancelled(first.order))
    world.issuer.forged = {"issues": (number,)}
    with pytest.raises(ClerkSaysNoError):
        world.place()
    assert alarms(world) == [Finding.NUMBER_TWICE]


def test_a_session_has_one_open_order_and_at_most_five(world: World) -> None:
    first = world.place()
    with pytest.raises(WrongStateError):
        world.place()
    world.tell(world.cancelled(first.order))
    for _ in range(4):
        world.tell(world.cancelled(world.place().order))
    with pytest.raises(TooManyOrdersError):
        world.place()


def test_a_wrong_signature_leaves_no_trace(world: World) -> None:
    sealed = world.place()
    own = world.signing_key
    world.signing_key = world.device_key
    with pytest.raises(BadOrderSignatureError):
        world.release(sealed.order)
    world.signing_key, world.device_key = own, own
    with pytest.raises(BadOrderSignatureError):
        world.tell(world.cancelled(sealed.order))
    assert states(world, sealed.order) == [("sealed", "due", "pending")]


def test_an_order_of_another_kiosk_is_unknown(world: World) -> None:
    sealed = world.place()
    with pytest.raises(UnknownOrderError):
        order_status(world.engine, "k000002", sealed.order)
    assert order_status(world.engine, "k000001", sealed.order).order == sealed.order


def test_too_little_money_releases_nothing(world: World) -> None:
    sealed = world.place()
    with pytest.raises(WrongAmountError):
        world.release(sealed.order, 299)
    assert states(world, sealed.order) == [("sealed", "due", "pending")]


@pytest.mark.parametrize(
    ("what", "refusal"),
    [
        ("closed", Refusal.KIND_CLOSED),
        ("changed", Refusal.CHANGED),
        ("protected", Refusal.COUNTER),
        ("down", Refusal.UNAVAILABLE),
    ],
)
def test_whatever_changed_before_release_abandons_the_order(
    world: World, what: str, refusal: Refusal
) -> None:
    sealed = world.place()
    match what:
        case "closed":
            world.switch(open=False)
        case "changed":
            world.issuer.confirms = False
        case "protected":
            world.issuer.refuses = Refusal.COUNTER
        case _:
            world.issuer.is_down = True
    with pytest.raises(OrderRefusedError) as caught:
        world.release(sealed.order, key="the-same-key-again")
    assert caught.value.refusal is refusal
    assert states(world, sealed.order) == [("abandoned", "due", "void")]
    assert world.order(sealed.order).ciphertext is None
    with pytest.raises(OrderRefusedError):
        world.release(sealed.order, key="the-same-key-again")
    world.tell(world.cancelled(sealed.order, money=(300, 300, 0)))
    assert states(world, sealed.order) == [("abandoned", "refunded", "void")]
    assert alarms(world) == []


def test_after_the_print_window_the_certificate_is_gone(world: World) -> None:
    sealed = world.place()
    world.release(sealed.order, key="the-same-key-again")
    world.clock.move(seconds=61)
    with pytest.raises(WindowClosedError):
        world.release(sealed.order, key="the-same-key-again")


def test_a_released_order_is_not_released_under_another_key(world: World) -> None:
    sealed = world.place()
    world.release(sealed.order)
    with pytest.raises(WrongStateError):
        world.release(sealed.order)


def test_of_three_copies_each_ends_by_itself(world: World) -> None:
    sealed = world.place(world.wish(copies=3))
    world.release(sealed.order, 900)
    world.tell(world.finished(sealed.order, PRINTED, SPOILED, UNKNOWN, money=(900, 300, 300)))
    assert states(world, sealed.order) == [
        ("printed", "kept", "valid"),
        ("spoiled", "refunded", "void"),
        ("unknown", "owed", "suspended"),
    ]
    assert alarms(world) == []


def test_printed_without_proof_keeps_no_money(world: World) -> None:
    sealed = world.place()
    world.release(sealed.order)
    outcome = world.finished(sealed.order, PRINTED, money=(300, 0, 0), proof=ProofStrength.NONE)
    world.tell(outcome)
    assert states(world, sealed.order) == [("unknown", "owed", "suspended")]
    assert set(alarms(world)) == {Finding.NO_PROOF, Finding.MONEY_DIFFERS}


def test_an_outcome_may_come_as_often_as_it_likes(world: World) -> None:
    sealed = world.place()
    world.release(sealed.order)
    outcome = world.finished(sealed.order, PRINTED, money=(300, 0, 0))
    first = world.tell(outcome)
    assert world.tell(outcome) == first
    assert world.tell(outcome, key="a-key-for-an-outcome") == first
    with transaction(world.engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM outcome")).scalar() == 1


def test_a_contradicting_outcome_is_evidence_and_changes_nothing(world: World) -> None:
    sealed = world.place()
    world.release(sealed.order)
    world.tell(world.finished(sealed.order, PRINTED, money=(300, 0, 0)))
    world.tell(world.finished(sealed.order, SPOILED, money=(300, 300, 0)))
    assert states(world, sealed.order) == [("printed", "kept", "valid")]
    books = world.order(sealed.order)
    assert (books.taken, books.returned, books.owed) == (300, 0, 0)
    assert Finding.CONTRADICTION in alarms(world)
    with transaction(world.engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM outcome")).scalar() == 2


def test_an_outcome_that_claims_print_without_release_is_an_alarm(world: World) -> None:
    sealed = world.place()
    world.tell(world.finished(sealed.order, PRINTED, money=(0, 0, 0)))
    assert states(world, sealed.order) == [("sealed", "due", "pending")]
    assert Finding.CONTRADICTION in alarms(world)


def test_a_rejection_by_the_kiosk_raises_an_alarm_and_gives_the_money_back(world: World) -> None:
    sealed = world.place()
    world.release(sealed.order)
    cancelled = world.cancelled(sealed.order, money=(300, 300, 0))
    outcome: Outcome = cancelled.model_copy(
        update={"result": OutcomeResult.REJECTED, "check": Check.PAGES, "evidence": "page 1"}
    )
    status = world.tell(outcome)
    assert status.reason == "rejected-pages"
    assert states(world, sealed.order) == [("spoiled", "refunded", "void")]
    assert alarms(world) == [Finding.CLERK_AT_KIOSK]


def test_a_spoiled_issue_is_reprinted_once_in_the_same_session(world: World) -> None:
    sealed = world.place()
    number = world.order(sealed.order).issues[0].number
    with pytest.raises(WrongStateError):
        world.place(world.wish(replaces=number))
    world.release(sealed.order)
    world.tell(world.finished(sealed.order, SPOILED, money=(300, 300, 0)))
    stranger = world.new_session("34" * 16)
    wish = world.wish(replaces=number, session=stranger.session)
    with pytest.raises(CannotReplaceError):
        world.place(wish, asker=stranger)
    again = world.place(world.wish(replaces=number))
    world.release(again.order)
    world.tell(world.finished(again.order, SPOILED, money=(300, 300, 0)))
    with pytest.raises(CannotReplaceError):
        world.place(world.wish(replaces=number))


def test_a_free_certificate_moves_no_money(world: World) -> None:
    world.switch(open=True, fee=0)
    sealed = world.place()
    world.release(sealed.order, 0)
    world.tell(world.finished(sealed.order, PRINTED, money=(0, 0, 0)))
    assert states(world, sealed.order) == [("printed", "none", "valid")]
    assert alarms(world) == []


def test_the_lists_for_consoles_show_states_and_money(world: World) -> None:
    sealed = world.place(world.wish(copies=2))
    world.clock.move(seconds=1)
    world.tell(world.cancelled(sealed.order))
    with transaction(world.engine) as connection:
        (row,) = latest_orders(connection, 10, "352012")
        assert latest_orders(connection, 10, "131016") == []
        assert integrity_alarms(connection, 10, "352012") == []
    assert (row.order, row.kiosk, row.copies, row.fee) == (sealed.order, "k000001", 2, 600)
    assert (row.state, row.money, row.reason) == (
        IssueState.ABANDONED,
        MoneyState.DUE,
        "cancelled",
    )
    assert row.updated_at - row.created_at == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("state", "money", "number"),
    [
        ("spoiled", "kept", "void"),
        ("printed", "refunded", "valid"),
        ("printed", "kept", "suspended"),
        ("abandoned", "taken", "void"),
        ("refused", "kept", "void"),
    ],
)
def test_the_database_itself_refuses_impossible_pairs(
    world: World, state: str, money: str, number: str
) -> None:
    sealed = world.place()
    statement = text("UPDATE issue SET state = :s, money = :m, number_status = :n")
    with pytest.raises(IntegrityError), transaction(world.engine) as connection:
        connection.execute(statement, {"s": state, "m": money, "n": number})
    assert world.order(sealed.order).issues[0].number_status is NumberStatus.PENDING
