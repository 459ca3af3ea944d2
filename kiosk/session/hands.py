"""Doing what the state machine asks for: each command is answered by exactly one event.

Every failure becomes an event here: what was understood with its reason, what was not as an
incident. Nothing is raised, so that a journey always comes to its end.
"""

from dedicated_line.errors import KofuError
from dedicated_line.kiosk_end.client import LineLostError
from kiosk.cards import errors as card
from kiosk.centre.client import KeyListError
from kiosk.centre.errors import (
    CentreError,
    CentreIntegrityError,
    CentreRefusedError,
    NotUnderstoodError,
    SessionLostError,
)
from kiosk.coins.unit import CoinFaultError
from kiosk.journal.store import JournalError
from kiosk.session import buying, closing, identifying, printing
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.clerk import CheckFailedError
from kiosk.session.memory import Memory
from kiosk.session.ports import Ports, Trace
from kiosk.session.state import Fault, Session
from kiosk.session.stopwatch import Stopwatch

_FAULTS: tuple[tuple[type[KofuError], Fault], ...] = (
    (LineLostError, Fault.LINE_LOST),
    (SessionLostError, Fault.SESSION_LOST),
    (CentreIntegrityError, Fault.CHECK_FAILED),
    (CentreError, Fault.CENTRE_ERROR),
    (NotUnderstoodError, Fault.CENTRE_ERROR),
    (KeyListError, Fault.NOT_TRUSTED),
    (identifying.NotTrustedError, Fault.NOT_TRUSTED),
    (identifying.ClockWrongError, Fault.CLOCK_WRONG),
    (card.ReaderError, Fault.READER_DOWN),
    (card.CardError, Fault.CARD_FAULT),
    (CoinFaultError, Fault.COINS_FAILED),
    (JournalError, Fault.JOURNAL),
)
"""The first that fits."""


def _at_the_end(command: do.Command) -> on.Event | None:
    """Return what counts when closing itself fails: all is owed, and the journal tells it later."""
    match command:
        case do.SettleMoney(keep=keep, give_back=back):
            return on.MoneySettled(kept=0, returned=0, owed=keep + back)
        case do.CloseOrder():
            return on.OutcomeKept(acknowledged=False)
        case _:
            return None


class Hands:
    """Carries commands out for one resident after the other."""

    def __init__(self, ports: Ports, trace: Trace) -> None:
        self._ports = ports
        self._watch = Stopwatch(ports.clock, trace)
        self._memory = Memory()

    def forget(self) -> None:
        """Drop keys, names, content, pages, and a card's process."""
        self._ports.cards.close()
        drawing = self._memory.drawing
        self._memory = Memory()
        if drawing is not None:
            drawing.close()

    def prepare(self) -> None:
        """Begin what the next resident will need, while nobody waits for it."""
        try:
            self._ports.cards.prepare()
            self._begin_drawing()
        except OSError:
            self._ports.incident()  # tried again, and then said, when a card is held up

    def expect_card(self) -> None:
        """Begin what the next dialogue needs, where a dialogue before it has ended that."""
        try:
            self._ports.cards.prepare()
        except OSError:
            self._ports.incident()  # tried again, and then said, when the card is there

    def _begin_drawing(self) -> None:
        if self._memory.drawing is None:
            self._memory.drawing = self._ports.drawing()

    def look_at_card(self) -> on.Event:
        """Look at the card that lies on the reader."""
        try:
            self._begin_drawing()
            return identifying.look_at_card(self._ports, self._watch)
        except Exception as error:  # noqa: BLE001 - becomes an event, with an incident
            return self._said_no(error)

    def carry_out(self, session: Session, command: do.Command) -> on.Event | None:
        """Carry a command out; None where it is answered by nothing."""
        try:
            return self._obey(session, command)
        except CheckFailedError as error:
            return self._check_failed(session, error)
        except Exception as error:  # noqa: BLE001 - becomes an event, with an incident
            last = _at_the_end(command)
            if last is None:
                return self._said_no(error)
            self._ports.incident()
            return last

    def _obey(self, session: Session, command: do.Command) -> on.Event | None:  # noqa: PLR0911, C901 - one line a command
        ports, memory, watch = self._ports, self._memory, self._watch
        match command:
            case do.SignIn():
                try:
                    return identifying.sign_in(ports, memory, watch, command)
                finally:
                    command.pin.wipe()  # also when the line broke before the card was asked
            case do.PlaceOrder():
                return buying.place_order(ports, memory, watch, command)
            case do.CheckHeader():
                return buying.check_header(ports, memory, watch)
            case do.AskPrinter():
                return buying.ask_printer(ports, watch, command)
            case do.AskChange():
                return buying.ask_change(ports, command)
            case do.Release():
                return buying.release(ports, memory, watch, command)
            case do.DrawAndCheck():
                return printing.draw_and_check(memory, watch)
            case do.Print():
                return printing.print_issue(ports, memory, watch, command)
            case do.SettleMoney():
                return closing.settle_money(ports, session, watch, command)
            case do.CloseOrder():
                return closing.close_order(ports, session, watch, command)
            case do.Forget():
                self.forget()
                return None

    def _check_failed(self, session: Session, error: CheckFailedError) -> on.Event:
        """Stop the kind at this kiosk, in the journal first."""
        kind = session.wish.kind
        if session.order is not None and kind is not None:
            try:
                self._ports.journal.rejected(
                    session.order.order,
                    error.check.value,
                    error.evidence,
                    kind,
                    self._ports.clock.now(),
                )
            except JournalError:
                self._ports.incident()
        return on.CheckFailed(error.check, error.evidence)

    def _said_no(self, error: Exception) -> on.Event:
        session = self._memory.session or None
        match error:
            case card.LostContactError():
                return on.CardLost()
            case card.WrongPinError(tries_left=left):
                return on.PinWrong(left or 0)
            case card.CardRefusedError():
                return on.Refused(error.refusal, tries_left=error.tries_left, session=session)
            case CentreRefusedError(problem=problem) if problem.refusal is not None:
                return on.Refused(
                    problem.refusal,
                    municipality_name=problem.municipality_name,
                    kind=problem.kind,
                    opens_at=problem.opens_at,
                    session=session,
                )
            case _:
                return self._broken(error, session)

    def _broken(self, error: Exception, session: str | None) -> on.Broken:
        for type_, fault in _FAULTS:
            if isinstance(error, type_):
                incident = error.problem.incident if isinstance(error, CentreError) else None
                return on.Broken(fault, str(error), incident, session)
        incident = self._ports.incident()
        detail = str(error) if isinstance(error, KofuError) else type(error).__name__
        return on.Broken(Fault.INTERNAL, detail, incident, session)
