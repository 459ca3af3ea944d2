"""Dialogues in this process: for a simulated reader, for tools, and inside the child process."""

from kiosk.cards import dialogue
from kiosk.cards.model import CardLook, CardWord
from kiosk.cards.pin import Pin
from kiosk.cards.reader import Reader


class DirectCards:
    """Speaks with the card itself."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def prepare(self) -> None:
        """Need nothing beforehand."""

    def look(self) -> CardLook:
        """Return what the card tells anyone."""
        with self._reader.dialogue() as transmit:
            return dialogue.look(transmit)

    def sign_in(self, pin: Pin, message: bytes, *, go_ahead_at_last_try: bool = False) -> CardWord:
        """Let the card sign; the PIN is wiped."""
        try:
            with self._reader.dialogue() as transmit:
                return dialogue.sign_in(
                    transmit, pin, message, go_ahead_at_last_try=go_ahead_at_last_try
                )
        finally:
            pin.wipe()

    def close(self) -> None:
        """Have nothing to end."""
