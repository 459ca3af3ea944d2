"""The hand that holds a persona's card to a reader of this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk.cards import dialogue
from kiosk.simulated.card_file import CardFileError
from kiosk.simulated.hand import SimulatedHand, UnknownPersonaError
from kiosk.simulated.reader import SimulatedReader


@pytest.fixture
def hand(make_card: Callable[..., Any], tmp_path: Path) -> tuple[SimulatedHand, SimulatedReader]:
    cards = tmp_path / "cards"
    cards.mkdir()
    (cards / "b-hanako.json").write_bytes(make_card().file.to_json())
    (cards / "a-taro.json").write_bytes(b"no card")
    reader = SimulatedReader()
    return SimulatedHand(reader, cards), reader


def test_a_card_of_the_world_is_held_up_and_taken_back(
    hand: tuple[SimulatedHand, SimulatedReader],
) -> None:
    holding, reader = hand
    assert holding.personas() == ("a-taro", "b-hanako")
    holding.hold("b-hanako")
    with reader.dialogue() as transmit:
        assert dialogue.look(transmit).tries_left == 3
    holding.take_back()
    assert not reader.card_present()


@pytest.mark.parametrize(
    ("persona", "error"),
    [
        ("nobody", UnknownPersonaError),
        ("../cards/b-hanako", UnknownPersonaError),
        ("a-taro", CardFileError),
    ],
)
def test_what_is_no_card_of_the_world_is_not_held_up(
    hand: tuple[SimulatedHand, SimulatedReader], persona: str, error: type[Exception]
) -> None:
    holding, reader = hand
    with pytest.raises(error):
        holding.hold(persona)
    assert not reader.card_present()
