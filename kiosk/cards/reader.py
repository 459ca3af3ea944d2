"""A card reader, whichever it is: the port that the adapters fill."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from kiosk.cards.model import CardLook, CardWord
from kiosk.cards.pin import Pin

Transmit = Callable[[bytes], bytes]
"""Send one command APDU, return the response APDU with its status word.

Raises `kiosk.cards.errors.LostContactError` when the card does not answer any more.
"""


class Reader(Protocol):
    """One reader of a kiosk."""

    @property
    def name(self) -> str:
        """Return how people and PC/SC call it."""
        ...

    def check(self) -> None:
        """Raise ReaderError, in words for operators, unless the reader can be used now."""
        ...

    def card_present(self) -> bool:
        """Tell whether a card lies on the reader now."""
        ...

    def wait_for_card(self, seconds: float) -> None:
        """Return when a card is there; raise NoCardError when none came within seconds."""
        ...

    def wait_until_removed(self, seconds: float) -> None:
        """Return when no card is there; raise CardLeftError when one still is after seconds."""
        ...

    def dialogue(self) -> AbstractContextManager[Transmit]:
        """Hold the card for one dialogue of our own; at the end it is reset, so logged out."""
        ...


class Cards(Protocol):
    """What a journey asks of the card that lies on the reader."""

    def prepare(self) -> None:
        """Begin what the next dialogue needs, before anybody waits for it; costs nothing twice."""
        ...

    def look(self) -> CardLook:
        """Return what the card tells anyone; costs no try."""
        ...

    def sign_in(self, pin: Pin, message: bytes, *, go_ahead_at_last_try: bool = False) -> CardWord:
        """Do as `kiosk.cards.dialogue.sign_in` does; the PIN is wiped, however it ends."""
        ...

    def close(self) -> None:
        """End what was begun; `prepare` begins anew."""
        ...
