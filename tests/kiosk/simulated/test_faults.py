"""A card with a fault of contact, and how a person names a fault."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dedicated_line.clock import SystemClock
from dedicated_line.contract.sessions import CardAlgorithm
from dedicated_line.contract.simulated_card import SimulatedCardFile
from dedicated_line.errors import UsageError
from kiosk.cards import dialogue, errors
from kiosk.simulated.card_file import keep_in, load_card_file
from kiosk.simulated.faults import Fault, FaultKind, explained, parse_fault
from kiosk.simulated.faulty_card import FaultyCard
from kiosk.simulated.forgery import forge
from kiosk.simulated.reader import SimulatedReader

MESSAGE = b"the holder asks"


def commands_of_a_sign_in(make_card: Callable[..., Any]) -> int:
    card = FaultyCard(make_card().file)
    dialogue.sign_in(card.answer, "1234", MESSAGE)
    return card.heard


def sign_in(card: FaultyCard, pin: str = "1234") -> None:
    with SimulatedReader(card).dialogue() as transmit:
        dialogue.sign_in(transmit, pin, MESSAGE)


@pytest.mark.parametrize("kind", [FaultKind.PULLED, FaultKind.PULLED_AFTER])
def test_a_card_pulled_at_any_command_costs_no_try_and_the_next_is_served(
    make_card: Callable[..., Any], kind: FaultKind
) -> None:
    reader = SimulatedReader()
    for at in range(1, commands_of_a_sign_in(make_card) + 1):
        card = FaultyCard(make_card().file, [Fault(kind, number=at)])
        reader.insert(card)
        with reader.dialogue() as transmit, pytest.raises(errors.LostContactError):
            dialogue.sign_in(transmit, "1234", MESSAGE)
        assert not reader.card_present(), "it was pulled, so nothing lies there"
        assert card.heard == at, "nothing is sent after contact was lost"
        assert card.file.tries == 3
        reader.insert(FaultyCard(make_card("next-hanako").file))
        with reader.dialogue() as transmit:
            assert dialogue.sign_in(transmit, "1234", MESSAGE).signature


def test_a_wrong_pin_whose_answer_was_lost_is_lost_contact_and_the_card_says_the_truth_later(
    make_card: Callable[..., Any],
) -> None:
    verify = commands_of_a_sign_in(make_card) - 2
    card = FaultyCard(make_card().file, [Fault(FaultKind.PULLED_AFTER, number=verify)])
    with pytest.raises(errors.LostContactError):
        sign_in(card, "0000")
    assert dialogue.look(card.answer).tries_left == 2


@pytest.mark.parametrize("kind", [FaultKind.GARBAGE, FaultKind.TRUNCATED])
def test_an_answer_that_makes_no_sense_is_a_fault_of_the_card_at_every_command(
    make_card: Callable[..., Any], kind: FaultKind
) -> None:
    for at in range(1, commands_of_a_sign_in(make_card) + 1):
        card = FaultyCard(make_card().file, [Fault(kind, number=at)])
        with pytest.raises(errors.CardError) as caught:
            sign_in(card)
        unknown = at == 1 and isinstance(caught.value, errors.UnknownCardError)
        assert isinstance(caught.value, errors.CardFaultError) or unknown
        assert card.file.tries == 3


def test_a_slow_card_is_slow_and_right(make_card: Callable[..., Any]) -> None:
    clock = SystemClock()
    card = FaultyCard(make_card().file, [Fault(FaultKind.DELAY, number=5)])
    before = clock.monotonic()
    sign_in(card)
    assert clock.monotonic() - before >= card.heard * 0.005


def test_faults_add_up(make_card: Callable[..., Any]) -> None:
    other = make_card("other-hanako").file
    card = FaultyCard(
        make_card().file,
        [Fault(FaultKind.CA_OF, other=other), Fault(FaultKind.PULLED, number=2)],
    )
    with pytest.raises(errors.LostContactError):
        sign_in(card)
    assert card.file.user_ca == other.user_ca


def test_tries_of_a_forged_card_are_kept_and_the_forgery_is_not(
    make_card: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(make_card().file.to_json())
    card = FaultyCard(load_card_file(path), [Fault(FaultKind.CLONED)], keep_in(path))
    with pytest.raises(errors.WrongPinError):
        sign_in(card, "0000")
    assert load_card_file(path) == make_card().file.model_copy(update={"tries": 2})


def test_a_key_of_another_kind_of_card_is_refused(make_card: Callable[..., Any]) -> None:
    other = make_card(algorithm=CardAlgorithm.ES384).file
    with pytest.raises(UsageError, match="same kind"):
        forge(make_card().file, [Fault(FaultKind.KEY_OF, other=other)])


def test_every_fault_can_be_typed_and_is_explained(make_card: Callable[..., Any]) -> None:
    file = make_card().file

    def card_of(persona: str) -> SimulatedCardFile:
        assert persona == "test-taro"
        return file

    typed = {"MS": "250", "N": "4", "PERSONA": "test-taro", "": ""}
    said = dict(explained())
    assert len(said) == len(FaultKind)
    for name in said:
        word, _, wants = name.partition(":")
        for between in ":=":
            fault = parse_fault(word + (between + typed[wants] if wants else ""), card_of)
            assert fault.kind == word
            assert (fault.number, fault.other) == (
                int(typed[wants]) if wants in {"MS", "N"} else 0,
                file if wants == "PERSONA" else None,
            )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("broken", "there are delay:MS, pulled:N"),
        ("pulled", "given as pulled:N"),
        ("pulled:", "given as pulled:N"),
        ("pulled:x", "a whole number, not 'x'"),
        ("pulled:0", "from 1 to 10000"),
        ("delay:999999", "from 1 to 60000"),
        ("cloned:3", "given as cloned"),
        ("", "no fault ''"),
    ],
)
def test_a_fault_that_cannot_be_is_answered_with_those_that_can(text: str, sentence: str) -> None:
    def nobody(_persona: str) -> SimulatedCardFile:
        raise AssertionError

    with pytest.raises(UsageError, match=sentence):
        parse_fault(text, nobody)


def test_a_fault_without_the_card_it_needs_cannot_be_made() -> None:
    with pytest.raises(UsageError, match="key-of:PERSONA"):
        Fault(FaultKind.KEY_OF)
