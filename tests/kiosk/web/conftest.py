"""A kiosk behind the page: the real state machine and card, with a made-up centre and printer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from dedicated_line.clock import CountedEntropy
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import KindOffer, Member
from dedicated_line.contract.states import PrintResult, ProofStrength
from kiosk.cards import dialogue, errors
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.model import step
from kiosk.session.state import Session, Stage
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.reader import SimulatedReader
from kiosk.web.app import ScreenParts, create_app

HOLDER, SPOUSE = "a" * 16, "b" * 16
OPEN = KindOffer(kind=Kind.RESIDENCE_CERTIFICATE, open=True, fee=300)
MEMBERS = (
    Member(handle=HOLDER, name="見本 太郎", holder=True),
    Member(handle=SPOUSE, name="見本 花子", holder=False),
)
NOVEMBER = datetime(2017, 10, 31, 15, tzinfo=UTC)


@dataclass
class FakeKiosk:
    """Answers each command at once, as the centre and the devices would."""

    make_card: Callable[..., Any]
    reader: SimulatedReader = field(default_factory=SimulatedReader)
    offers: tuple[KindOffer, ...] = (OPEN,)
    municipality: str = "山口県下関市"
    refusal: on.Refused | None = None
    broken: on.Broken | None = None
    pause_at: type[do.Command] | None = None
    signed: list[str] = field(default_factory=list)
    orders: list[do.PlaceOrder] = field(default_factory=list)
    dropped: int = 0

    def __post_init__(self) -> None:
        self._session = Session()
        self._changed = Condition()
        self._paused: list[do.Command] = []

    # ------------------------------------------------------------ the port of the page
    def session(self) -> Session:
        return self._session

    def touch(self, touch: on.Touch, shown: Session) -> None:
        if shown.version == self._session.version:
            self.apply(touch)

    def wait_for_change(self, known: Session, seconds: float) -> Session:
        with self._changed:
            self._changed.wait_for(lambda: self._session is not known, seconds)
        return self._session

    def drop(self, amount: int) -> None:
        self.dropped += amount
        fee = self._session.order.fee if self._session.order else 0
        complete = self.dropped >= fee
        self.apply(on.MoneyInserted(min(self.dropped, fee), "receipt" if complete else None))

    # ------------------------------------------------------------ the world
    def hold(self, **card: Any) -> VirtualCard:
        held = VirtualCard(self.make_card(**card).file)
        self.reader.insert(held)
        self.apply(self._look())
        return held

    def take_card(self) -> None:
        self.reader.remove()
        self.apply(on.CardTaken())

    def go_on(self) -> None:
        """Carry out what was paused."""
        commands, self._paused, self.pause_at = self._paused, [], None
        for command in commands:
            self._obey(command)

    def apply(self, event: on.Event) -> None:
        following = step(self._session, event)
        with self._changed:
            self._session = following.session
            self._changed.notify_all()
        for command in following.commands:
            if self.pause_at is not None and isinstance(command, self.pause_at):
                self._paused.append(command)
            else:
                self._obey(command)

    def _obey(self, command: do.Command) -> None:
        event = self._answer(command)
        if event is not None:
            self.apply(event)

    def _look(self) -> on.Event:
        with self.reader.dialogue() as transmit:
            try:
                seen = dialogue.look(transmit)
                dialogue.require_servable(seen)
            except errors.CardRefusedError as error:
                return on.Refused(error.refusal, tries_left=error.tries_left)
        return on.CardSeen(seen.medium.value, seen.tries_left)

    def _sign_in(self, command: do.SignIn) -> on.Event:
        self.signed.append(command.pin.digits().decode())
        try:
            with self.reader.dialogue() as transmit:
                dialogue.sign_in(
                    transmit,
                    command.pin,
                    b"message",
                    go_ahead_at_last_try=command.go_ahead_at_last_try,
                )
        except errors.WrongPinError as error:
            return on.PinWrong(error.tries_left or 0)
        except errors.CardRefusedError as error:
            return on.Refused(error.refusal, tries_left=error.tries_left)
        if self.refusal is not None:
            return self.refusal
        return on.SignedIn("5" * 32, self.municipality, self.offers, MEMBERS)

    def _answer(self, command: do.Command) -> on.Event | None:  # noqa: C901, PLR0911 - one line a command
        match command:
            case do.SignIn():
                return self._sign_in(command)
            case do.PlaceOrder():
                self.orders.append(command)
                return self.broken or on.Sealed("6" * 32, 300 * command.copies)
            case do.CheckHeader():
                copies = range(self.orders[-1].copies)
                return on.HeaderPassed(tuple(f"{copy:020d}" for copy in copies), sheets=1)
            case do.AskPrinter():
                return on.PrinterReady()
            case do.AskChange():
                return on.ChangePossible()
            case do.Release():
                return on.Released()
            case do.DrawAndCheck():
                return on.PagesPassed()
            case do.Print(number=number):
                return on.IssueDone(number, PrintResult.PRINTED, ProofStrength.PROCESS_ID, "")
            case do.SettleMoney(keep=keep, give_back=back):
                return on.MoneySettled(keep, back, 0)
            case do.CloseOrder():
                return on.OutcomeKept(acknowledged=True)
            case do.Forget():
                return None


@pytest.fixture
def fake_kiosk(make_card: Callable[..., Any]) -> FakeKiosk:
    return FakeKiosk(make_card)


@dataclass(frozen=True)
class Served:
    """A page that is being served."""

    url: str
    kiosk: FakeKiosk


def parts(kiosk: FakeKiosk, port: int) -> ScreenParts:
    return ScreenParts(
        screen=kiosk,
        port=port,
        node_modules=Path(__file__).parents[3] / "node_modules",
        entropy=CountedEntropy(),
        incident=lambda: "incident-1",
        coin_slot=kiosk,
        simulation=True,
    )


@pytest.fixture
def screen_parts() -> Callable[[FakeKiosk, int], ScreenParts]:
    return parts


@pytest.fixture
def served(fake_kiosk: FakeKiosk, free_port: int) -> Iterator[Served]:
    server = make_server(
        "127.0.0.1", free_port, create_app(parts(fake_kiosk, free_port)), threaded=True
    )
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{free_port}", fake_kiosk)
    finally:
        fake_kiosk.apply(on.Begin())
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


@pytest.fixture
def not_yet() -> KindOffer:
    return KindOffer(
        kind=Kind.RESIDENCE_CERTIFICATE,
        open=False,
        reason=Refusal.NOT_YET_PARTICIPATING,
        opens_at=NOVEMBER,
    )


@pytest.fixture
def stages() -> type[Stage]:
    return Stage
