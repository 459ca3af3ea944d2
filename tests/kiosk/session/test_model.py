"""The state machine alone: every rule of the journey, without any part of a kiosk."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.orders import Check
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import KindOffer, Member
from dedicated_line.contract.states import PrintResult, ProofStrength
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.model import step
from kiosk.session.state import (
    BUSY,
    ENDED,
    MAY_CANCEL,
    Awaits,
    Fault,
    Notice,
    Session,
    Stage,
    patience,
)

KIND = Kind.RESIDENCE_CERTIFICATE
ORDER = "0123456789abcdef0123456789abcdef"
HOLDER = Member(handle="a" * 16, name="見本太郎", holder=True)
OTHER = Member(handle="b" * 16, name="見本花子", holder=False)
OPEN = KindOffer(kind=KIND, open=True, fee=300)
CLOSED = KindOffer(
    kind=KIND,
    open=False,
    reason=Refusal.NOT_YET_PARTICIPATING,
    opens_at=datetime(2017, 10, 31, 15, tzinfo=UTC),
)
PIN = "4649"
SIGNED_IN = on.SignedIn("f" * 32, "山口県下関市", (OPEN,), (HOLDER, OTHER))
PROVED = ProofStrength.PROCESS_ID


def play(*events: on.Event, start: Session | None = None) -> tuple[Session, list[do.Command]]:
    session, commands = start or Session(), []
    for event in events:
        following = step(session, event)
        session = following.session
        commands += following.commands
    return session, commands


TO_PIN = (on.Begin(), on.CardSeen("JPKIAPICCTOKEN2", 3))
TO_TAKE_CARD = (*TO_PIN, on.PinTyped(on.Pin(PIN)), SIGNED_IN)
TO_KIND = (*TO_TAKE_CARD, on.CardTaken())
TO_CONFIRM = (
    *TO_KIND,
    on.KindChosen(KIND),
    on.MembersChosen((HOLDER.handle,)),
    on.OptionsChosen(Options()),
    on.CopiesChosen(1),
)
TO_ORDERING = (*TO_CONFIRM, on.Confirmed())
NUMBERS = ("352012-000000-000000-0", "352012-000000-000001-0")
TO_SEALED = (*TO_ORDERING, on.Sealed(ORDER, 300))
TO_CHECKED = (*TO_SEALED, on.HeaderPassed(NUMBERS[:1], 1))
TO_CHANGE = (*TO_CHECKED, on.PrinterReady())
TO_PAY = (*TO_CHANGE, on.ChangePossible())
TO_RELEASING = (*TO_PAY, on.MoneyInserted(300, "r1"))
TO_DRAWING = (*TO_RELEASING, on.Released())
TO_PRINTING = (*TO_DRAWING, on.PagesPassed())
PRINTED = on.IssueDone(NUMBERS[0], PrintResult.PRINTED, PROVED, "ok")
TO_SETTLING = (*TO_PRINTING, PRINTED)
TO_TELLING = (*TO_SETTLING, on.MoneySettled(300, 0, 0))
TO_TAKE_PAPER = (*TO_TELLING, on.OutcomeKept(acknowledged=True))
TO_FINISHED = (*TO_TAKE_PAPER, on.PaperTaken())

PATHS = {
    Stage.START: (),
    Stage.HOLD_CARD: (on.Begin(),),
    Stage.PIN: TO_PIN,
    Stage.SIGNING_IN: TO_TAKE_CARD[:-1],
    Stage.TAKE_CARD: TO_TAKE_CARD,
    Stage.KIND: TO_KIND,
    Stage.WHO: TO_CONFIRM[:-3],
    Stage.OPTIONS: TO_CONFIRM[:-2],
    Stage.COPIES: TO_CONFIRM[:-1],
    Stage.CONFIRM: TO_CONFIRM,
    Stage.ORDERING: TO_ORDERING,
    Stage.PAY: TO_PAY,
    Stage.RELEASING: TO_RELEASING,
    Stage.DRAWING: TO_DRAWING,
    Stage.PRINTING: TO_PRINTING,
    Stage.CLOSING: TO_SETTLING,
    Stage.TAKE_PAPER: TO_TAKE_PAPER,
    Stage.FINISHED: TO_FINISHED,
}


@pytest.mark.parametrize(("stage", "path"), PATHS.items(), ids=str)
def test_the_way_from_card_to_paper_passes_each_stage(
    stage: Stage, path: tuple[on.Event, ...]
) -> None:
    assert play(*path)[0].stage is stage


def test_the_whole_way_asks_for_each_thing_once_and_in_this_order() -> None:
    _, commands = play(*TO_FINISHED)
    assert [type(command) for command in commands] == [
        do.SignIn,
        do.PlaceOrder,
        do.CheckHeader,
        do.AskPrinter,
        do.AskChange,
        do.Release,
        do.DrawAndCheck,
        do.Print,
        do.SettleMoney,
        do.CloseOrder,
        do.Forget,
    ]


@pytest.mark.parametrize(("stage", "path"), PATHS.items(), ids=str)
def test_the_pin_is_in_no_state_and_no_representation(
    stage: Stage, path: tuple[on.Event, ...]
) -> None:
    session, commands = play(*path)
    seen = repr(session) + repr(commands) + repr(path) + str(on.Pin(PIN))
    assert PIN not in seen, stage


@pytest.mark.parametrize(("stage", "path"), PATHS.items(), ids=str)
def test_names_are_in_no_representation(stage: Stage, path: tuple[on.Event, ...]) -> None:
    session, commands = play(*path)
    assert "見本太郎" not in repr(session) + repr(commands) + repr(path), stage


@pytest.mark.parametrize("stage", sorted(MAY_CANCEL))
def test_whoever_leaves_before_paying_is_charged_nothing(stage: Stage) -> None:
    session, commands = play(*PATHS[stage], on.Cancel())
    assert session.stage in {Stage.CANCELLED, Stage.CLOSING}
    assert not any(isinstance(command, do.Print | do.Release) for command in commands)


@pytest.mark.parametrize("stage", sorted(set(PATHS) - MAY_CANCEL - {Stage.START}))
def test_leaving_is_not_offered_while_something_runs(stage: Stage) -> None:
    before, _ = play(*PATHS[stage])
    assert step(before, on.Cancel()).session == before


@pytest.mark.parametrize("fault", sorted(Fault))
@pytest.mark.parametrize(
    "stage", sorted(set(PATHS) - ENDED - {Stage.CLOSING, Stage.TAKE_PAPER}), ids=str
)
def test_any_fault_anywhere_ends_in_a_fault_with_the_money_back(stage: Stage, fault: Fault) -> None:
    session, commands = play(*PATHS[stage], on.Broken(fault, "why"))
    if session.stage is Stage.CLOSING:
        if session.doing == "settle-money":
            settle = commands[-1]
            assert isinstance(settle, do.SettleMoney)
            assert settle.keep == 0
            session, _ = play(on.MoneySettled(0, settle.give_back, 0), start=session)
        session, _ = play(on.OutcomeKept(acknowledged=False), start=session)
    assert session.stage is Stage.FAULT
    assert session.ending is not None
    assert session.ending.fault is fault
    assert session.members == ()
    assert session.till.kept == 0


@pytest.mark.parametrize("refusal", sorted(Refusal))
@pytest.mark.parametrize("stage", [Stage.HOLD_CARD, Stage.SIGNING_IN, Stage.ORDERING])
def test_a_refusal_is_shown_and_costs_nothing(stage: Stage, refusal: Refusal) -> None:
    session, commands = play(*PATHS[stage], on.Refused(refusal, "山口県山口市", tries_left=2))
    assert session.stage is Stage.REFUSED
    assert session.ending is not None
    assert session.ending.refusal is refusal
    assert session.municipality_name is not None
    assert not any(isinstance(one, do.SettleMoney | do.Print) for one in commands)


@pytest.mark.parametrize("check", sorted(Check))
@pytest.mark.parametrize("path", [TO_SEALED, TO_RELEASING, TO_DRAWING])
def test_nothing_is_printed_after_a_check_said_no(path: tuple[on.Event, ...], check: Check) -> None:
    session, commands = play(
        *path,
        on.CheckFailed(check, "layout"),
        on.PagesPassed(),
        on.Released(),
        on.MoneySettled(0, 300, 0),
        on.PagesPassed(),
        on.OutcomeKept(acknowledged=True),
        on.PagesPassed(),
    )
    assert session.stage is Stage.FAULT
    assert session.ending is not None
    assert session.ending.fault is Fault.CHECK_FAILED
    assert not any(isinstance(command, do.Print) for command in commands)
    close = next(command for command in commands if isinstance(command, do.CloseOrder))
    assert close.rejected is check
    assert close.evidence == "layout"


def test_a_wrong_pin_comes_back_to_the_pin_with_the_tries_left() -> None:
    session, _ = play(*TO_PIN, on.PinTyped(on.Pin("0000")), on.PinWrong(2))
    assert (session.stage, session.notice, session.tries_left) == (Stage.PIN, Notice.WRONG_PIN, 2)


def test_leaving_after_a_wrong_pin_says_why() -> None:
    session, _ = play(*TO_PIN, on.PinTyped(on.Pin("0000")), on.PinWrong(2), on.Cancel())
    assert session.ending is not None
    assert session.ending.refusal is Refusal.WRONG_PIN


def test_the_last_try_is_used_only_after_a_word() -> None:
    start, _ = play(on.Begin(), on.CardSeen("JPKIAPICCTOKEN2", 1))
    assert step(start, on.PinTyped(on.Pin(PIN))).commands == ()
    _, commands = play(on.LastTryAccepted(), on.PinTyped(on.Pin(PIN)), start=start)
    assert commands == [do.SignIn(on.Pin(PIN), go_ahead_at_last_try=True)]


def test_the_third_wrong_pin_is_a_blocked_card() -> None:
    session, _ = play(*TO_PIN, on.PinTyped(on.Pin("0000")), on.PinWrong(0))
    assert session.ending is not None
    assert session.ending.refusal is Refusal.PIN_BLOCKED


@pytest.mark.parametrize("event", [on.CardLost(), on.CardTaken()])
@pytest.mark.parametrize("path", [TO_PIN, TO_TAKE_CARD[:-1]])
def test_contact_lost_is_never_a_wrong_pin(path: tuple[on.Event, ...], event: on.Event) -> None:
    session, _ = play(*path, event)
    assert (session.stage, session.notice) == (Stage.HOLD_CARD, Notice.CARD_LOST)


def test_nothing_is_chosen_before_the_card_is_taken_back() -> None:
    before, _ = play(*TO_TAKE_CARD)
    assert step(before, on.KindChosen(KIND)).session == before
    assert before.awaits is Awaits.CARD_REMOVAL


def test_a_municipality_that_begins_later_says_when() -> None:
    session, _ = play(*TO_TAKE_CARD[:-1], on.SignedIn("f" * 32, "山口県山口市", (CLOSED,), ()))
    assert session.stage is Stage.REFUSED
    assert session.ending is not None
    assert session.ending.opens_at == CLOSED.opens_at
    assert session.card_in


def test_a_fee_that_changed_since_it_was_shown_is_not_charged() -> None:
    session, commands = play(*TO_ORDERING, on.Sealed(ORDER, 400))
    assert session.ending is not None
    assert session.ending.refusal is Refusal.CHANGED
    assert isinstance(commands[-1], do.CloseOrder)


def test_a_certificate_without_a_fee_skips_paying() -> None:
    free = on.SignedIn("f" * 32, "山口県下関市", (OPEN.model_copy(update={"fee": 0}),), (HOLDER,))
    path = [free if event is SIGNED_IN else event for event in TO_ORDERING]
    session, commands = play(
        *path, on.Sealed(ORDER, 0), on.HeaderPassed(NUMBERS[:1], 1), on.PrinterReady()
    )
    assert session.stage is Stage.RELEASING
    assert commands[-1] == do.Release(0, None)


@pytest.mark.parametrize("members", [(), ("c" * 16,), (HOLDER.handle, HOLDER.handle)])
def test_only_members_that_were_shown_can_be_chosen(members: tuple[str, ...]) -> None:
    before, _ = play(*TO_CONFIRM[:-3])
    assert step(before, on.MembersChosen(members)).session == before


@pytest.mark.parametrize("copies", [-1, 0, 11, 1000])
def test_copies_have_bounds(copies: int) -> None:
    before, _ = play(*TO_CONFIRM[:-1])
    assert step(before, on.CopiesChosen(copies)).session == before


def test_going_back_keeps_every_choice_and_never_asks_for_the_pin() -> None:
    session, _ = play(*TO_CONFIRM, on.Back(), on.Back(), on.Back(), on.Back(), on.Back())
    assert session.stage is Stage.KIND
    assert session.wish.members == (HOLDER.handle,)


def test_one_line_of_the_check_screen_can_be_changed() -> None:
    session, _ = play(*TO_CONFIRM, on.Change(Stage.COPIES), on.CopiesChosen(3))
    assert (session.stage, session.total) == (Stage.CONFIRM, 900)


def test_printed_without_proof_counts_as_unknown_and_is_paid_back() -> None:
    event = on.IssueDone(NUMBERS[0], PrintResult.PRINTED, ProofStrength.NONE, "")
    _, commands = play(*TO_PRINTING, event)
    assert commands[-1] == do.SettleMoney(keep=0, give_back=300)


def two_copies() -> Session:
    path = [on.CopiesChosen(2) if isinstance(e, on.CopiesChosen) else e for e in TO_ORDERING]
    return play(
        *path,
        on.Sealed(ORDER, 600),
        on.HeaderPassed(NUMBERS, 1),
        on.PrinterReady(),
        on.ChangePossible(),
        on.MoneyInserted(600, "r"),
        on.Released(),
        on.PagesPassed(),
    )[0]


@pytest.mark.parametrize("result", [PrintResult.SPOILED, PrintResult.UNKNOWN])
def test_only_the_copy_with_proof_is_charged(result: PrintResult) -> None:
    session, commands = play(
        PRINTED, on.IssueDone(NUMBERS[1], result, ProofStrength.NONE, ""), start=two_copies()
    )
    assert commands[-1] == do.SettleMoney(keep=300, give_back=300)
    assert session.ending is not None
    assert session.ending.fault is Fault.NOT_PRINTED


@pytest.mark.parametrize("result", [PrintResult.SPOILED, PrintResult.UNKNOWN])
def test_after_a_failed_copy_no_other_is_begun(result: PrintResult) -> None:
    session, commands = play(
        on.IssueDone(NUMBERS[0], result, ProofStrength.NONE, ""), start=two_copies()
    )
    assert not any(isinstance(command, do.Print) for command in commands)
    assert session.order is not None
    assert session.order.issues[1].result is PrintResult.SPOILED


def test_coins_that_came_in_before_leaving_go_back() -> None:
    _, commands = play(*TO_PAY, on.MoneyInserted(100), on.Cancel())
    assert commands[-1] == do.SettleMoney(keep=0, give_back=100)


def test_three_minutes_with_money_in_give_it_back() -> None:
    session, _ = play(*TO_PAY, on.MoneyInserted(100))
    assert patience(session) == 180
    following = step(session, on.Waited())
    assert following.commands == (do.SettleMoney(keep=0, give_back=100),)


def test_owed_money_is_told() -> None:
    session, _ = play(
        *TO_RELEASING,
        on.Broken(Fault.LINE_LOST),
        on.MoneySettled(0, 0, 300),
        on.OutcomeKept(acknowledged=False),
    )
    assert session.till.owed == 300


@pytest.mark.parametrize("stage", [s for s in PATHS if s not in BUSY | ENDED and s != "start"])
def test_idling_is_warned_about_and_then_ends_it(stage: Stage) -> None:
    warned, _ = play(*PATHS[stage], on.Waited())
    assert warned.warned
    assert not step(warned, on.StillHere()).session.warned
    ended = step(warned, on.Waited()).session
    assert ended.stage in {*ENDED, Stage.CLOSING, Stage.TAKE_PAPER}


def test_the_next_resident_finds_nothing_of_the_last() -> None:
    session, commands = play(*TO_FINISHED, on.Done())
    assert session == Session(version=session.version, journey=1)
    assert isinstance(commands[-1], do.Forget)


def test_no_new_journey_while_the_last_card_still_lies_there() -> None:
    refused, _ = play(*TO_PIN, on.Cancel())
    assert refused.card_in
    assert step(refused, on.Done()).session.stage is Stage.CANCELLED
    gone, _ = play(on.CardTaken(), on.Done(), start=refused)
    assert gone.stage is Stage.START


@pytest.mark.parametrize("stage", sorted(set(PATHS) - ENDED - {Stage.CLOSING, Stage.START}))
def test_shutting_down_prints_nothing_more(stage: Stage) -> None:
    session, commands = play(*PATHS[stage], on.Shutdown())
    assert session.stage in {Stage.FAULT, Stage.CLOSING, Stage.FINISHED}
    if session.stage is Stage.CLOSING and session.till.taken:
        assert commands[-1] == do.SettleMoney(keep=0, give_back=300)


EVENTS = st.one_of(
    [
        st.just(event)
        for event in (
            *TO_FINISHED,
            on.Cancel(),
            on.Back(),
            on.Change(Stage.WHO),
            on.StillHere(),
            on.LastTryAccepted(),
            on.Done(),
            on.CardLost(),
            on.PinWrong(1),
            on.PinWrong(0),
            on.Refused(Refusal.COUNTER),
            on.CheckFailed(Check.PAGES, "x"),
            on.MoneyInserted(100),
            on.Broken(Fault.LINE_LOST),
            on.IssueDone(NUMBERS[0], PrintResult.UNKNOWN, ProofStrength.NONE, ""),
            on.IssueDone(NUMBERS[0], PrintResult.SPOILED, ProofStrength.NONE, ""),
            on.Waited(),
            on.Shutdown(),
            on.OutcomeKept(acknowledged=False),
        )
    ]
)
WALK = st.tuples(st.integers(0, len(TO_FINISHED)), st.lists(EVENTS, min_size=1, max_size=25))


@settings(max_examples=300, deadline=None)
@given(WALK)
def test_on_any_walk_money_is_never_kept_without_proof(
    walk: tuple[int, list[on.Event]],
) -> None:
    session, checks_said_no, printed = Session(), False, 0
    for event in (*TO_FINISHED[: walk[0]], *walk[1]):
        before = session
        following = step(session, event)
        session = following.session
        assert PIN not in repr(session)
        assert session.version >= before.version
        if session.stage is Stage.HOLD_CARD and before.stage is Stage.START:
            checks_said_no, printed = False, 0
        if isinstance(event, on.CheckFailed) and session != before:
            checks_said_no = True
        proved = isinstance(event, on.IssueDone) and event.result is PrintResult.PRINTED
        printed += proved and session != before
        for command in following.commands:
            if isinstance(command, do.SettleMoney):
                assert command.keep <= 300 * printed
                assert command.keep + command.give_back == max(
                    session.till.taken, session.till.inserted
                )
            assert not (checks_said_no and isinstance(command, do.Print))
            if isinstance(command, do.Release):
                assert session.order is not None
                assert session.order.issues


@settings(max_examples=200, deadline=None)
@given(WALK)
def test_any_walk_can_still_be_brought_to_an_end(walk: tuple[int, list[on.Event]]) -> None:
    session, _ = play(*TO_FINISHED[: walk[0]], *walk[1])
    if session.stage is Stage.START:
        return
    session, _ = play(
        on.Shutdown(),
        on.MoneySettled(0, session.till.inserted, 0),
        on.OutcomeKept(acknowledged=False),
        on.Shutdown(),
        start=session,
    )
    assert session.stage in ENDED
    session, _ = play(on.CardTaken(), on.Done(), start=session)
    assert replace(session, version=0, journey=0) == Session()
