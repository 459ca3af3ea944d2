"""A virtual card with faults: of contact, here; of what it was made with, in `forgery`."""

import hashlib
from collections.abc import Iterable
from threading import Event

from dedicated_line.contract.simulated_card import SimulatedCardFile
from kiosk.cards.errors import LostContactError
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.card_file import Keep, forget, keep_state_of
from kiosk.simulated.faults import Fault, FaultKind
from kiosk.simulated.forgery import forge


class FaultyCard(VirtualCard):
    """A virtual card with any number of faults; with none it is as good as any other.

    Its tries are kept; what was forged is not.
    """

    def __init__(
        self, file: SimulatedCardFile, faults: Iterable[Fault] = (), keep: Keep = forget
    ) -> None:
        """Take the true card, and what is to be wrong with it."""
        self._faults = tuple(faults)
        self._heard = 0
        self._never = Event()
        super().__init__(forge(file, self._faults), keep_state_of(file, keep))

    @property
    def heard(self) -> int:
        """Return how many commands have come, through all resets."""
        return self._heard

    def answer(self, command: bytes) -> bytes:
        """Answer as the card would, but for the faults.

        Raises:
            LostContactError: the card is pulled now.
        """
        self._heard += 1
        now = {fault.kind for fault in self._faults if fault.number == self._heard}
        milliseconds = sum(f.number for f in self._faults if f.kind is FaultKind.DELAY)
        if milliseconds:
            self._never.wait(milliseconds / 1000)
        if FaultKind.PULLED in now:
            raise LostContactError
        answer = super().answer(command)
        if FaultKind.PULLED_AFTER in now:
            raise LostContactError
        if FaultKind.GARBAGE in now:
            # Always the same bytes, so that a failure comes again.
            answer = hashlib.shake_128(self._heard.to_bytes(4, "big")).digest(len(answer))
        if FaultKind.TRUNCATED in now:
            answer = answer[: len(answer) // 2]
        return answer
