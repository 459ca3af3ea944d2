"""Drives a journey: one thread that carries commands out and waits for what comes from outside.

The same driver stands behind the page and behind the headless journey; they differ in who
touches.
"""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Lock
from typing import Final

from kiosk.cards.errors import CardLeftError, NoCardError, ReaderError
from kiosk.coins.unit import CoinFaultError
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.hands import Hands
from kiosk.session.model import step
from kiosk.session.ports import Ports, Touches, Trace
from kiosk.session.state import ENDED, Awaits, Fault, Session, Stage, patience

SLICE_SECONDS: Final = 0.1
"""How long one port is waited for before the others are looked at."""
Watcher = Callable[[Session], None]
BETWEEN_SECONDS: Final = 30.0
"""How often unfinished business is taken up while nobody is there."""


class QueuedTouches:
    """Touches that come from another thread, such as the page's."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[tuple[on.Event, int]] = SimpleQueue()

    def post(self, event: on.Event, version: int) -> None:
        """Hand a touch over, with the version of the state that the screen was showing."""
        self._queue.put((event, version))

    def next(self, session: Session, seconds: float) -> on.Event | None:
        """Return the next touch made on this very state; older ones are dropped."""
        try:
            event, version = (
                self._queue.get(timeout=seconds) if seconds else self._queue.get_nowait()
            )
        except Empty:
            return None
        return event if version == session.version else None


class Driver:
    """One kiosk's journeys, one after the other."""

    def __init__(
        self,
        ports: Ports,
        touches: Touches,
        trace: Trace,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what a kiosk is made of.

        Args:
            ports: everything outside.
            touches: what the resident does.
            trace: told of each step and its time.
            between: called every `BETWEEN_SECONDS` while nobody is there, in this thread.
        """
        self._ports = ports
        self._between = between
        self._idle_since = ports.clock.monotonic()
        self._touches = touches
        self._hands = Hands(ports, trace)
        self._session = Session()
        self._commands: list[do.Command] = []
        self._watchers: list[Watcher] = []
        self._lock = Lock()
        self._shutdown = Flag()
        self._changed_at = ports.clock.monotonic()

    @property
    def session(self) -> Session:
        """Return the present state; safe from any thread."""
        with self._lock:
            return self._session

    def watch(self, watcher: Watcher) -> None:
        """Have a function called, in the driver's thread, with every new state."""
        self._watchers.append(watcher)

    def shut_down(self) -> None:
        """End the journey as soon as the present command is done; safe from a signal handler."""
        self._shutdown.set()

    def run(self, until: Callable[[Session], bool] = lambda _session: False) -> Session:
        """Go on until the condition holds and nothing is left to do, or until shut down."""
        told = False
        if self.session.stage is Stage.START:
            self._hands.prepare()
        while True:
            if self._shutdown.is_set() and not told:
                told = True
                self._apply(on.Shutdown())
            elif self._commands:
                self._carry_out()
            elif told or until(self.session):
                if told or self.session.stage in ENDED:
                    self._hands.forget()
                return self.session
            else:
                event = self._await()
                if event is not None:
                    self._apply(event)

    def _carry_out(self) -> None:
        command = self._commands.pop(0)
        event = self._hands.carry_out(self.session, command)
        if event is not None:
            self._apply(event)
        elif self.session.stage is Stage.START:
            self._hands.prepare()

    def _apply(self, event: on.Event) -> None:
        following = step(self.session, event)
        if following.session == self.session:
            return
        self._commands = list(following.commands)
        self._changed_at = self._ports.clock.monotonic()
        with self._lock:
            self._session = following.session
        for watcher in self._watchers:
            watcher(following.session)

    # ---------------------------------------------------------------- what comes from outside
    def _await(self) -> on.Event | None:
        session = self.session
        waiting = session.awaits is not Awaits.NOTHING
        touch = self._touches.next(session, 0 if waiting else SLICE_SECONDS)
        if touch is not None:
            return touch
        if session.stage is Stage.START:
            self._look_after_books()
        due = patience(session)
        if due is not None and self._ports.clock.monotonic() - self._changed_at >= due:
            self._changed_at = self._ports.clock.monotonic()
            return on.Waited()
        try:
            return self._from_ports(session)
        except ReaderError as error:
            if session.stage in ENDED:
                return on.CardTaken()  # nobody can say; a dead reader must not hold the screen
            return on.Broken(Fault.READER_DOWN, str(error))
        except CoinFaultError as error:
            return on.Broken(Fault.COINS_FAILED, str(error))

    def _look_after_books(self) -> None:
        now = self._ports.clock.monotonic()
        if now - self._idle_since >= BETWEEN_SECONDS:
            self._idle_since = now
            self._between()

    def _from_ports(self, session: Session) -> on.Event | None:
        match session.awaits:
            case Awaits.CARD:
                return self._card()
            case Awaits.CARD_REMOVAL:
                return self._removal()
            case Awaits.MONEY:
                return self._money(session)
            case Awaits.PAPER_TAKEN:
                return self._touches.next(session, SLICE_SECONDS)
            case Awaits.NOTHING:
                return None

    def _card(self) -> on.Event | None:
        self._hands.expect_card()
        try:
            self._ports.reader.wait_for_card(SLICE_SECONDS)
        except NoCardError:
            return None
        event = self._hands.look_at_card()
        if isinstance(event, on.CardLost):
            self._shutdown.wait(SLICE_SECONDS)
        return event

    def _removal(self) -> on.Event | None:
        try:
            self._ports.reader.wait_until_removed(SLICE_SECONDS)
        except CardLeftError:
            return None
        return on.CardTaken()

    def _money(self, session: Session) -> on.Event | None:
        due = 0 if session.order is None else session.order.fee
        deposit = self._ports.coins.accept(due, SLICE_SECONDS)
        if deposit.inserted == session.till.inserted and deposit.receipt is None:
            return None
        return on.MoneyInserted(deposit.inserted, deposit.receipt)
