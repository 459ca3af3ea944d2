"""What the page needs of whatever drives the journey, and the driver in that form."""

from threading import Condition
from typing import Protocol

from kiosk.session.driver import Driver, QueuedTouches
from kiosk.session.events import Touch
from kiosk.session.state import Session


class Screen(Protocol):
    """One kiosk's journey, as it is shown and touched."""

    def session(self) -> Session:
        """Return what is true now."""
        ...

    def touch(self, touch: Touch, shown: Session) -> None:
        """Hand over a touch made on a state; return when it has been taken, not when it is done."""
        ...

    def wait_for_change(self, known: Session, seconds: float) -> Session:
        """Return when the state is another than the known one, or after seconds."""
        ...


class CoinSlot(Protocol):
    """Where simulated coins are dropped in."""

    def drop(self, amount: int) -> None:
        """Drop coins of this many yen in all."""
        ...


class Hand(Protocol):
    """A made-up resident's hand, which holds simulated cards to a reader of this process."""

    def personas(self) -> tuple[str, ...]:
        """Return the ids of all whose card there is."""
        ...

    def hold(self, persona: str) -> None:
        """Hold up the card of one of them."""
        ...

    def take_back(self) -> None:
        """Take the card back."""
        ...


class DrivenScreen:
    """The journey of a driver that runs in another thread."""

    def __init__(self, driver: Driver, touches: QueuedTouches) -> None:
        """Take a driver and the touches that it was made with."""
        self._driver = driver
        self._touches = touches
        self._changed = Condition()
        self._closed = False
        driver.watch(self._notify)

    def session(self) -> Session:
        """Return what is true now."""
        return self._driver.session

    def touch(self, touch: Touch, shown: Session) -> None:
        """Queue a touch; the driver drops it when the state is another by then."""
        self._touches.post(touch, shown.version)

    def wait_for_change(self, known: Session, seconds: float) -> Session:
        """Return when the state is another than the known one, after seconds, or at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self.session() is not known, seconds)
        return self.session()

    def close(self) -> None:
        """Let go of everybody who waits: the process ends."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _notify(self, _session: Session) -> None:
        with self._changed:
            self._changed.notify_all()
