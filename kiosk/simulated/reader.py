"""A reader in this process, without PC/SC: for tests, and where no pcscd can run."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from kiosk.cards import errors
from kiosk.cards.reader import Transmit
from kiosk.simulated.card import VirtualCard


class SimulatedReader:
    """A reader to which a `VirtualCard` is held by a call."""

    name = "SIMULATED in-process reader"

    def __init__(self, card: VirtualCard | None = None) -> None:
        """Begin with this card held to the reader, or with none."""
        self._card = card
        self._contact = 0
        self._changed = Condition()

    def insert(self, card: VirtualCard) -> None:
        """Hold a card to the reader, in place of any other."""
        self._put(card)

    def remove(self) -> None:
        """Take the card back; a dialogue that goes on loses contact."""
        self._put(None)

    def check(self) -> None:
        """Find nothing to complain about: it is always there."""

    def card_present(self) -> bool:
        """Tell whether a card is held to the reader."""
        with self._changed:
            return self._card is not None

    def wait_for_card(self, seconds: float) -> None:
        """Return when a card is there; raise NoCardError when none came within seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._card is not None, seconds):
                raise errors.NoCardError(self.name, seconds)

    def wait_until_removed(self, seconds: float) -> None:
        """Return when no card is there; raise CardLeftError when one still is after seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._card is None, seconds):
                raise errors.CardLeftError(self.name, seconds)

    @contextmanager
    def dialogue(self) -> Iterator[Transmit]:
        """Hold the card for one dialogue; it is reset before and after."""
        with self._changed:
            card, contact = self._card, self._contact
        if card is None:
            raise errors.LostContactError

        def transmit(apdu: bytes) -> bytes:
            with self._changed:
                if self._contact != contact:
                    raise errors.LostContactError
                try:
                    return card.answer(apdu)
                except errors.LostContactError:
                    self._put(None)  # the card's fault: it is pulled by itself
                    raise

        card.reset()
        try:
            yield transmit
        finally:
            card.reset()

    def _put(self, card: VirtualCard | None) -> None:
        with self._changed:
            self._card = card
            self._contact += 1
            self._changed.notify_all()
