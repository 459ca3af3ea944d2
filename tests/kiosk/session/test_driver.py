"""The driver with fakes of centre and printer, a real (virtual) card, real seals and drawing."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dedicated_line.clock import CountedEntropy, FixedClock
from dedicated_line.contract import canonical
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.line import Health
from dedicated_line.contract.orders import OrderSealed, OrderStatus, Outcome, Released
from dedicated_line.contract.problems import ProblemCode, problem
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sealed_box import Sealed, seal
from dedicated_line.contract.sessions import (
    HolderAccepted,
    KindOffer,
    Member,
    PersonalPart,
    SessionOpened,
)
from dedicated_line.contract.states import PrintResult, ProofStrength
from dedicated_line.errors import KofuError
from dedicated_line.kiosk_end.client import LineLoss, LineLostError
from kiosk.cards.direct import DirectCards
from kiosk.centre.errors import CentreRefusedError
from kiosk.journal.settle import settle_unfinished
from kiosk.journal.store import Journal
from kiosk.session import events as on
from kiosk.session.driver import Driver
from kiosk.session.ports import Identity, Ports
from kiosk.session.script import Plan, ScriptedTouches
from kiosk.session.state import ENDED, Fault, Session, Stage
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.coin_unit import SimulatedCoinUnit
from kiosk.simulated.reader import SimulatedReader
from printers.escpos.model import Paper, PrinterState, PrintProof
from printers.pages.service import DrawnCopy, draw, layout_digest

KIND = Kind.RESIDENCE_CERTIFICATE
NAME = "見本 太郎"
LOST = LineLostError(LineLoss.BROKEN)


class FakeCentre:
    """Seals for whoever asks; breaks where a test says so."""

    def __init__(self, office: Any, asked_with: Any, now: datetime) -> None:
        self.office, self.asked_with, self.now = office, asked_with, now
        self.fails: dict[str, list[Exception]] = {}
        self.calls: list[str] = []
        self.outcomes: list[Outcome] = []
        self.tamper: Callable[[Any], Any] = lambda header: header
        self.offer = KindOffer(kind=KIND, open=True, fee=300)
        self.environment = Environment.SIMULATION
        self.time = now

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.fails.get(name):
            raise self.fails[name].pop(0)

    def key_list(self) -> Any:
        self._called("key_list")
        return self.office.key_list

    def new_key(self) -> str:
        return "k" * 24

    def open_session(self, _request: Any) -> SessionOpened:
        self._called("open_session")
        return SessionOpened(
            session="a" * 32,
            centre="c1",
            environment=self.environment,
            challenge=b"c" * 32,
            time=self.time,
        )

    def present_holder(self, session: str, request: Any) -> HolderAccepted:
        self._called("present_holder")
        self.holder = canonical.digest(request.user_certificate)
        self.receiving = self._point(request.receiving_key)
        part = PersonalPart(members=(Member(handle="b" * 16, name=NAME, holder=True),))
        return HolderAccepted(
            municipality="352012",
            municipality_name="山口県下関市",
            kinds=(self.offer,),
            personal=seal(self.receiving, Sealed.PERSONAL, session, part.to_json()),
        )

    @staticmethod
    def _point(data: bytes) -> Any:
        from dedicated_line.contract.keys import decode_public_key

        return decode_public_key(data)

    def place_order(self, request: Any, _keys: Any) -> OrderSealed:
        self._called("place_order")
        self.order = f"{len(self.calls):032x}"
        asked = self.asked_with(copies=request.copies, holder=self.holder, order=self.order)
        self.content = self.office.content(copies=request.copies)
        header = self.tamper(self.office.header(self.content, asked))
        fee = self.offer.fee * request.copies
        return OrderSealed(order=self.order, fee=fee, header=self.office.sign(header))

    def release(self, request: Any, _keys: Any) -> Released:
        self._called("release")
        plain = canonical.encode_message(self.content)
        box = seal(self.receiving, Sealed.CONTENT, "a" * 32, plain)
        return Released(order=request.order, ciphertext=box, fence=1, print_window=60)

    def send_outcome(
        self, order: str, body: bytes, _key: str, seconds: float = 20.0
    ) -> OrderStatus:
        assert seconds > 0
        self._called("send_outcome")
        self.outcomes.append(Outcome.model_validate_json(body))
        return OrderStatus(order=order, kind=KIND, issues=())


class FakePrinter:
    def __init__(self) -> None:
        self.printed: list[int] = []
        self.results = [PrintResult.PRINTED] * 10
        self.state_now = PrinterState(
            ready=True, health=Health.READY, detail="", paper=Paper.PLENTY
        )
        self.off_after: int | None = None
        self.opened = 0

    @contextmanager
    def __call__(self) -> Iterator["FakePrinter"]:
        self.opened += 1
        if self.off_after is not None and self.opened > self.off_after:
            raise KofuError("the printer does not answer")
        yield self

    def state(self) -> PrinterState:
        return self.state_now

    def print_pages(self, pages: Sequence[Image.Image], job: bytes) -> PrintProof:
        assert len(job) == 4
        self.printed.append(len(pages))
        result = self.results[len(self.printed) - 1]
        proved = result is PrintResult.PRINTED
        return PrintProof(
            result, ProofStrength.PROCESS_ID if proved else ProofStrength.NONE, "37 22"
        )


class FakeDrawing:
    """Draws in the test's own process."""

    open = 0

    def __init__(self) -> None:
        FakeDrawing.open += 1

    def draw(self, document: Any, copy: Any) -> DrawnCopy:
        return draw(document, copy)

    def close(self) -> None:
        FakeDrawing.open -= 1


class SilentTrace:
    def done(self, what: str, seconds: float, detail: str) -> None:
        assert seconds >= 0
        assert NAME not in what + detail


class World:
    """One kiosk on a table."""

    def __init__(
        self, folder: Path, card: Any, office: Any, asked_with: Any, now: datetime
    ) -> None:
        self.folder, self.now = folder, now
        self.card = VirtualCard(card.file)
        self.reader = SimulatedReader(self.card)
        self.centre = FakeCentre(office, asked_with, now)
        self.printer = FakePrinter()
        self.coins = SimulatedCoinUnit(folder / "coins.json", name="k", resident_pays=True)
        self.journal = Journal(folder / "journal.db")
        self.clock = FixedClock(now)
        self.incidents = 0

    def incident(self) -> str:
        self.incidents += 1
        return "abcde"

    @property
    def ports(self) -> Ports:
        return Ports(
            identity=Identity(
                "k000002", "c1", Environment.SIMULATION, "test", {KIND: layout_digest(KIND)}
            ),
            reader=self.reader,
            cards=DirectCards(self.reader),
            centre=self.centre,
            coins=self.coins,
            printer=self.printer,
            drawing=FakeDrawing,
            journal=self.journal,
            clock=self.clock,
            entropy=CountedEntropy(),
            incident=self.incident,
        )

    def journey(
        self,
        *,
        pin: str = "1234",
        copies: int = 1,
        at: Callable[[Session, Driver], None] = lambda _session, _driver: None,
        **changed: Any,
    ) -> Session:
        plan = Plan(pin=on.Pin(pin), kind=KIND, copies=copies, **changed)
        touches = ScriptedTouches(plan, self.clock, self.reader.remove)
        driver = Driver(self.ports, touches, SilentTrace())
        touches.give_up = driver.shut_down
        driver.watch(lambda session: at(session, driver))
        last = driver.run(until=lambda s: s.stage in ENDED and not s.card_in)
        assert FakeDrawing.open == 0
        assert pin not in repr(last)
        assert self.coins.escrow() == 0
        return last

    @property
    def outcome(self) -> Outcome:
        (outcome,) = self.centre.outcomes
        return outcome


@pytest.fixture
def world(
    tmp_path: Path, make_card: Any, office: Any, asked_with: Any, now: datetime
) -> Iterator[World]:
    FakeDrawing.open = 0
    made = World(tmp_path, make_card(), office, asked_with, now)
    yield made
    made.journal.close()


def test_card_and_pin_lead_to_paper_in_the_hand(world: World) -> None:
    last = world.journey()
    assert last.stage is Stage.FINISHED
    assert world.printer.printed == [1]
    assert last.till.kept == 300
    assert world.coins.counters().kept == 300
    assert [issue.result for issue in world.outcome.issues] == [PrintResult.PRINTED]
    assert world.journal.unfinished() == ()


def test_two_copies_are_two_issues(world: World) -> None:
    last = world.journey(copies=2)
    assert world.printer.printed == [1, 1]
    assert len({issue.number for issue in world.outcome.issues}) == 2
    assert last.till.kept == 600


def test_a_wrong_pin_ends_the_headless_journey_with_its_refusal(world: World) -> None:
    last = world.journey(pin="0000")
    assert last.ending is not None
    assert last.ending.refusal is Refusal.WRONG_PIN
    assert last.tries_left == 2
    assert "place_order" not in world.centre.calls


def test_the_last_try_is_left_alone(world: World, make_card: Any) -> None:
    world.reader.insert(VirtualCard(make_card(tries=1).file))
    last = world.journey()
    assert last.ending is not None
    assert last.ending.refusal is Refusal.LAST_TRY
    world.reader.insert(VirtualCard(make_card(tries=1).file))
    assert world.journey(use_last_try=True).stage is Stage.FINISHED


@pytest.mark.parametrize(
    ("card", "refusal"),
    [
        ({"tries": 0}, Refusal.PIN_BLOCKED),
        ({"label": "JPKIAPICCTOKEN"}, Refusal.OLD_JUKI_CARD),
        ({"label": "NOTHING"}, Refusal.UNKNOWN_CARD),
    ],
)
def test_a_card_that_cannot_be_served_says_why(
    card: dict[str, Any], refusal: Refusal, world: World, make_card: Any
) -> None:
    world.reader.insert(VirtualCard(make_card(**card).file))
    last = world.journey()
    assert last.ending is not None
    assert last.ending.refusal is refusal
    assert world.centre.calls == []


@pytest.mark.parametrize(
    "request_", ["key_list", "open_session", "present_holder", "place_order", "release"]
)
def test_a_line_lost_at_any_request_charges_nothing(request_: str, world: World) -> None:
    world.centre.fails[request_] = [LOST]
    last = world.journey()
    assert last.ending is not None
    assert last.ending.fault is Fault.LINE_LOST
    assert world.printer.printed == []
    assert world.coins.counters().kept == 0
    if request_ == "release":
        assert world.outcome.result == "cancelled"
        assert (world.outcome.money.taken, world.outcome.money.returned) == (300, 300)


def test_an_outcome_that_the_line_loses_is_told_later(world: World) -> None:
    world.centre.fails["send_outcome"] = [LOST]
    last = world.journey()
    assert last.stage is Stage.FINISHED
    assert last.order is not None
    assert not last.order.acknowledged
    settled = settle_unfinished(world.journal, world.coins, world.centre)
    assert settled.told == (last.order.order,)
    assert world.outcome.result == "finished"


@pytest.mark.parametrize("request_", ["present_holder", "place_order", "release"])
@pytest.mark.parametrize("refusal", [Refusal.COUNTER, Refusal.STOPPED, Refusal.CHANGED])
def test_a_refusal_of_the_centre_is_passed_on(
    request_: str, refusal: Refusal, world: World
) -> None:
    said = problem(ProblemCode.REFUSED, 403, "No.", refusal=refusal)
    world.centre.fails[request_] = [CentreRefusedError(said)]
    last = world.journey()
    assert last.stage is Stage.REFUSED
    assert last.ending is not None
    assert last.ending.refusal is refusal
    assert world.coins.counters().kept == 0
    assert world.printer.printed == []


def test_a_closed_kind_says_why(world: World) -> None:
    world.centre.offer = KindOffer(kind=KIND, open=False, reason=Refusal.KIND_CLOSED)
    last = world.journey()
    assert last.ending is not None
    assert last.ending.refusal is Refusal.KIND_CLOSED


def test_a_printer_that_is_off_is_found_before_the_money(world: World) -> None:
    world.printer.off_after = 0
    last = world.journey()
    assert last.ending is not None
    assert last.ending.fault is Fault.PRINTER_NOT_READY
    assert world.coins.counters().accepted == 0
    assert world.outcome.result == "cancelled"


@pytest.mark.parametrize(
    "state",
    [
        PrinterState(ready=False, health=Health.DOWN, detail="cover open", paper=Paper.PLENTY),
        PrinterState(ready=False, health=Health.DOWN, detail="paper end", paper=Paper.END),
    ],
)
def test_a_printer_that_is_not_ready_takes_no_money(state: PrinterState, world: World) -> None:
    world.printer.state_now = state
    last = world.journey()
    assert last.ending is not None
    assert (last.ending.fault, last.ending.detail) == (Fault.PRINTER_NOT_READY, state.detail)
    assert world.coins.counters().accepted == 0


def test_paper_near_its_end_does_not_begin_a_long_set(world: World) -> None:
    world.printer.state_now = PrinterState(
        ready=True, health=Health.WARNING, detail="near", paper=Paper.NEAR_END
    )
    assert world.journey(copies=3).stage is Stage.FAULT


def test_a_printer_switched_off_after_the_money_spoils_and_refunds(world: World) -> None:
    world.printer.off_after = 1
    last = world.journey()
    assert last.ending is not None
    assert last.ending.fault is Fault.NOT_PRINTED
    assert [issue.result for issue in world.outcome.issues] == [PrintResult.SPOILED]
    assert world.outcome.money.returned == 300


@pytest.mark.parametrize("result", [PrintResult.SPOILED, PrintResult.UNKNOWN])
def test_paper_out_in_the_middle_is_refunded(result: PrintResult, world: World) -> None:
    world.printer.results = [PrintResult.PRINTED, result, PrintResult.PRINTED]
    world.journey(copies=3)
    found = [issue.result for issue in world.outcome.issues]
    assert found == [PrintResult.PRINTED, result, PrintResult.SPOILED]
    money = world.outcome.money
    assert (money.taken, money.returned, money.owed) == (900, 600, 0)


def test_no_page_begins_after_the_print_window(world: World) -> None:
    def late(session: Session, _driver: Driver) -> None:
        if session.stage is Stage.PRINTING:
            world.clock.move(seconds=61)

    last = world.journey(at=late)
    assert last.ending is not None
    assert last.ending.fault is Fault.PRINT_WINDOW
    assert world.printer.printed == []
    assert [issue.result for issue in world.outcome.issues] == [PrintResult.SPOILED]


def test_a_header_for_somebody_else_is_rejected_and_stops_the_kind_for_good(world: World) -> None:
    world.centre.tamper = lambda header: header.model_copy(update={"holder": "d" * 64})
    last = world.journey()
    assert last.ending is not None
    assert last.ending.fault is Fault.CHECK_FAILED
    assert (world.outcome.result, world.outcome.check) == ("rejected", "header")
    assert world.coins.counters().accepted == 0
    world.journal.close()
    world.journal = Journal(world.folder / "journal.db")
    world.centre.tamper = lambda header: header
    world.reader.insert(world.card)
    again = world.journey()
    assert again.ending is not None
    assert again.ending.refusal is Refusal.STOPPED


def test_content_for_somebody_else_is_rejected_after_the_money_and_refunded(world: World) -> None:
    def swap(session: Session, _driver: Driver) -> None:
        if session.stage is Stage.PAY:
            world.centre.content = world.centre.office.content(names=("別人 花子",))

    last = world.journey(at=swap)
    assert last.ending is not None
    assert last.ending.fault is Fault.CHECK_FAILED
    assert (world.outcome.result, world.outcome.check) == ("rejected", "content")
    assert world.outcome.money.returned == 300
    assert world.printer.printed == []


def test_the_same_number_twice_is_rejected(world: World) -> None:
    world.journey()
    world.centre.outcomes.clear()
    world.reader.insert(world.card)
    last = world.journey()
    assert last.ending is not None
    assert last.ending.detail == "header: number seen before"
    assert world.printer.printed == [1]


def test_a_card_pulled_out_while_signing_is_held_up_again(world: World) -> None:
    pulled: list[bool] = []

    def pull(session: Session, driver: Driver) -> None:
        if session.stage is Stage.SIGNING_IN and not pulled:
            pulled.append(True)
            world.reader.remove()
        elif session.stage is Stage.HOLD_CARD and pulled:
            driver.shut_down()

    last = world.journey(at=pull)
    assert last.ending is not None
    assert last.ending.fault is Fault.OUT_OF_SERVICE
    assert world.card.file.tries == 3


@pytest.mark.parametrize(
    "stage", [Stage.SIGNING_IN, Stage.ORDERING, Stage.PAY, Stage.RELEASING, Stage.DRAWING]
)
def test_a_signal_at_any_stage_leaves_nothing_half_done(stage: Stage, world: World) -> None:
    def stop(session: Session, driver: Driver) -> None:
        if session.stage is stage:
            driver.shut_down()

    last = world.journey(at=stop)
    assert last.stage is Stage.FAULT
    assert world.printer.printed == []
    assert world.coins.counters().kept == 0
    assert world.journal.unfinished() == ()


def test_a_journey_that_stands_still_is_given_up(world: World) -> None:
    world.reader.remove()
    plan = Plan(pin=on.Pin("1234"), kind=KIND)
    touches = ScriptedTouches(plan, world.clock, world.reader.remove)
    driver = Driver(world.ports, touches, SilentTrace())
    touches.give_up = driver.shut_down
    looks = iter(range(10))

    def until(session: Session) -> bool:
        if session.stage is Stage.HOLD_CARD and next(looks) == 1:
            world.clock.move(seconds=31)
        return session.stage in ENDED

    last = driver.run(until=until)
    assert last.ending is not None
    assert last.ending.fault is Fault.OUT_OF_SERVICE


def test_a_jammed_coin_unit_owes_what_it_cannot_give_back(world: World) -> None:
    world.printer.off_after = 1

    def jam(session: Session, _driver: Driver) -> None:
        if session.stage is Stage.PRINTING:
            world.coins.jam()

    last = world.journey(at=jam)
    assert last.till.owed == 300
    assert world.outcome.money.owed == 300


def test_a_coin_unit_without_change_is_found_before_the_money(world: World) -> None:
    world.coins.leave_change(0)
    last = world.journey()
    assert last.ending is not None
    assert last.ending.fault is Fault.NO_CHANGE
    assert world.coins.counters().accepted == 0


@pytest.mark.parametrize("seconds", [61, -61])
def test_a_kiosk_with_the_wrong_time_does_not_sell(seconds: int, world: World) -> None:
    world.clock.move(seconds=seconds)
    last = world.journey()
    assert last.ending is not None
    assert last.ending.fault is Fault.CLOCK_WRONG


def test_a_centre_of_another_environment_is_not_trusted(world: World) -> None:
    world.centre.environment = Environment.PRODUCTION
    last = world.journey()
    assert last.ending is not None
    assert last.ending.fault is Fault.NOT_TRUSTED


def test_an_unexpected_error_becomes_an_incident_and_an_end(world: World) -> None:
    world.centre.fails["release"] = [RuntimeError("boom")]
    last = world.journey()
    assert last.ending is not None
    assert (last.ending.fault, last.ending.incident) == (Fault.INTERNAL, "abcde")
    assert world.coins.counters().kept == 0


def test_pages_are_kept_only_when_asked_for(world: World) -> None:
    kept: list[int] = []
    ports = dataclasses.replace(world.ports, keep_pages=lambda number, _pdf: kept.append(number))
    touches = ScriptedTouches(
        Plan(pin=on.Pin("1234"), kind=KIND, copies=2), world.clock, world.reader.remove
    )
    Driver(ports, touches, SilentTrace()).run(until=lambda s: s.stage in ENDED)
    assert kept == [1, 2]
