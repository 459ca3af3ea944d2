"""A made-up resident's hand: holds a persona's card to the reader in this process."""

from pathlib import Path

from dedicated_line.errors import KofuError
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.card_file import keep_in, load_card_file
from kiosk.simulated.reader import SimulatedReader


class UnknownPersonaError(KofuError):
    """There is no card of that name."""


class SimulatedHand:
    """Takes one of the sample world's cards and holds it up, or takes it back."""

    def __init__(self, reader: SimulatedReader, cards: Path) -> None:
        """Stand before a reader, with the cards of a folder: ``<persona>.json`` each."""
        self._reader = reader
        self._cards = cards

    def personas(self) -> tuple[str, ...]:
        """Return the ids of all whose card there is."""
        return tuple(sorted(file.stem for file in self._cards.glob("*.json")))

    def hold(self, persona: str) -> None:
        """Hold up a card, in place of any other; its tries are kept in its file.

        Raises:
            UnknownPersonaError: there is no such card.
            CardFileError: the card cannot be read.
        """
        if persona not in self.personas():
            raise UnknownPersonaError("there is no such persona; choose one of the world's cards")
        file = self._cards / f"{persona}.json"
        self._reader.insert(VirtualCard(load_card_file(file), keep_in(file)))

    def take_back(self) -> None:
        """Take the card back."""
        self._reader.remove()
