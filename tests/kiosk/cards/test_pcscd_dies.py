"""pcscd killed at any moment: lost contact, no try lost, and the next person is served."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pytest

from dedicated_line.clock import SystemClock
from kiosk.cards import dialogue, errors
from kiosk.cards.pcsc import PcscReader
from kiosk.cards.pin import Pin
from kiosk.cards.remote import RemoteCards
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.insertion import _put, inserted

SLOT = 1
MESSAGE = b"the holder asks"
VERIFY = b"\x00\x20\x00\x80\x04"
pytestmark = pytest.mark.pcscd


class DeadlyCard(VirtualCard):
    """Does something when it hears the nth command, before it answers."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.heard: list[bytes] = []
        self.at, self.act = 0, lambda: None

    def answer(self, command: bytes) -> bytes:
        self.heard.append(command)
        answer = super().answer(command)
        if len(self.heard) == self.at:
            self.act()
        return answer

    @property
    def verifies(self) -> int:
        return sum(command.startswith(VERIFY) for command in self.heard)


@contextmanager
def held(card: VirtualCard) -> Iterator[None]:
    """Hold a card in the slot until pcscd gives it power."""
    link = _put(card, SLOT)
    try:
        yield
    finally:
        link.remove()


@pytest.fixture
def reader(pcscd: Any) -> Iterator[PcscReader]:
    found = PcscReader(SLOT, SystemClock())
    found.wait_until_removed(5)
    yield found
    if pcscd.child is not None and pcscd.child.poll() is not None:
        pcscd.start()


@pytest.fixture
def cards() -> Iterator[RemoteCards]:
    made = RemoteCards(SLOT, SystemClock())
    yield made
    made.close()


@pytest.mark.parametrize("at", [1, 5, 10, 11, 13])
def test_pcscd_killed_in_mid_dialogue_is_lost_contact_and_the_next_person_is_served(
    reader: PcscReader, cards: RemoteCards, pcscd: Any, make_card: Callable[..., Any], at: int
) -> None:
    card = DeadlyCard(make_card().file)
    card.at, card.act = at, pcscd.kill
    with held(card):
        reader.wait_for_card(5)
        with pytest.raises(errors.LostContactError):
            cards.sign_in(Pin("1234"), MESSAGE)
    assert card.file.tries == 3
    assert card.verifies <= 1
    assert len(card.heard) == at, "nothing more is sent, and no PIN again"
    pcscd.start()
    reader.wait_until_removed(5)
    with held(VirtualCard(make_card().file)):
        reader.wait_for_card(5)
        assert cards.look().tries_left == 3
        assert cards.sign_in(Pin("1234"), MESSAGE).signature


def test_pcscd_killed_and_started_while_we_watch_is_not_noticed_by_who_waits(
    reader: PcscReader, pcscd: Any, make_card: Callable[..., Any]
) -> None:
    with pytest.raises(errors.NoCardError):
        reader.wait_for_card(0.05)
    pcscd.kill()
    with pytest.raises(errors.NoCardError):
        reader.wait_for_card(0.1)  # a moment without pcscd is no fault yet
    with pytest.raises(errors.PcscDownError):
        PcscReader(SLOT, SystemClock()).wait_for_card(0.1)
    Timer(0.3, pcscd.start).start()
    with pytest.raises(errors.NoCardError):
        reader.wait_for_card(1.5)
    with held(VirtualCard(make_card().file)):
        reader.wait_for_card(5)


def test_pcscd_killed_while_a_card_lies_there_and_is_waited_away(
    reader: PcscReader, pcscd: Any, make_card: Callable[..., Any]
) -> None:
    with held(VirtualCard(make_card().file)):
        reader.wait_for_card(5)
        Timer(0.2, pcscd.kill).start()
        with pytest.raises(errors.CardLeftError):
            reader.wait_until_removed(0.6)
    pcscd.start()
    reader.wait_until_removed(5)


def test_a_card_held_up_for_a_moment_between_two_looks_is_seen(
    reader: PcscReader, make_card: Callable[..., Any]
) -> None:
    other = PcscReader(SLOT, SystemClock())
    with pytest.raises(errors.NoCardError):
        reader.wait_for_card(0.01)
    with held(VirtualCard(make_card().file)):
        other.wait_for_card(5)
    other.wait_until_removed(5)
    reader.wait_for_card(0.01)
    with pytest.raises(errors.LostContactError), reader.dialogue() as transmit:
        dialogue.look(transmit)
    with pytest.raises(errors.NoCardError):
        reader.wait_for_card(0.01)  # a tap counts once


def test_two_readers_are_watched_at_once_and_each_sees_its_own_card(
    reader: PcscReader, make_card: Callable[..., Any], tmp_path: Path
) -> None:
    left = PcscReader(0, SystemClock())
    left.wait_until_removed(5)
    seen: list[str] = []

    def watch(one: PcscReader, name: str) -> None:
        one.wait_for_card(5)
        seen.append(name)

    watching = Thread(target=watch, args=(left, "left"))
    watching.start()
    file = tmp_path / "card.json"
    file.write_bytes(make_card().file.to_json())
    with held(VirtualCard(make_card().file)):
        reader.wait_for_card(5)
        assert seen == []
        with inserted(file, 0):
            watching.join()
            with left.dialogue() as here, reader.dialogue() as there:
                assert dialogue.look(here) == dialogue.look(there)
    assert seen == ["left"]
    left.wait_until_removed(5)
