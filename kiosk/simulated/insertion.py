"""Holding a persona's virtual card to a virtual reader, and taking it away again."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Final

from kiosk.cards.errors import ReaderError
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.card_file import keep_in, load_card_file
from kiosk.simulated.faults import Fault
from kiosk.simulated.faulty_card import FaultyCard
from kiosk.simulated.vpcd import SLOTS, SlotTakenError, VpcdCard

SEEN_SECONDS: Final = 1.2
"""pcscd looks at a slot every 0.4 s and powers a new card; without that it waits behind another."""
AWAY_SECONDS: Final = 0.6
"""Away for longer than pcscd's look: it misses a card that comes back sooner, and says empty."""
ATTEMPTS: Final = 3


class NoSlotError(ReaderError):
    """There is no such slot."""

    def __init__(self, slot: int) -> None:
        super().__init__(f"no reader slot {slot}; the virtual reader has slots 0 to {SLOTS - 1}")


@contextmanager
def inserted(card_file: Path, slot: int, faults: Iterable[Fault] = ()) -> Iterator[VpcdCard]:
    """Hold the card of this file in a slot of the virtual reader; remove it at the end.

    The card's tries are kept in its file; its faults are not.

    Raises:
        CardFileError: the file cannot be read.
        NoVirtualReaderError: pcscd with vpcd does not listen.
        SlotTakenError: another card is in the slot.
    """
    if not 0 <= slot < SLOTS:
        raise NoSlotError(slot)
    card = FaultyCard(load_card_file(card_file), faults, keep_in(card_file))
    held = _put(card, slot)
    try:
        yield held
    finally:
        held.remove()


def _put(card: VirtualCard, slot: int) -> VpcdCard:
    """Hold the card up until pcscd gives it power, as a person does."""
    away = Event()
    for _ in range(ATTEMPTS):
        held = VpcdCard(card, slot)
        if held.powered.wait(SEEN_SECONDS):
            return held
        held.remove()
        away.wait(AWAY_SECONDS)
    raise SlotTakenError(slot)
