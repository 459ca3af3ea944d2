"""The virtual card's manners, byte for byte."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedicated_line.contract.sessions import CardAlgorithm
from kiosk.cards.profiles import MY_NUMBER_CARD, NEXT_CARD
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.card_file import CardFileError, keep_in, load_card_file

SELECT_AP = "00A4040C0AD392F000260100000001"
USER_PIN, PASSWORD = "00A4020C020018", "00A4020C02001B"
TRIES = "00200080"
RIGHT, WRONG = "0020008004" + b"1234".hex(), "0020008004" + b"0000".hex()
LOG_IN = (SELECT_AP, USER_PIN, RIGHT)
SIGN = ("00A4020C020017", "802A0080" + "33" + "00" * 51 + "00")


def say(card: VirtualCard, *apdus: str) -> str:
    """Send commands; return the last answer in hexadecimal."""
    answers = [card.answer(bytes.fromhex(apdu)) for apdu in apdus]
    return answers[-1].hex().upper()


@pytest.fixture
def card(make_card: Callable[..., Any]) -> VirtualCard:
    return VirtualCard(make_card().file)


def test_the_master_file_is_a_trap(card: VirtualCard) -> None:
    assert say(card, "00A40000") == "6A86"
    assert say(card, SELECT_AP, "00A40000") == "9000"
    assert say(card, USER_PIN) == "9000", "it had no effect"


def test_an_empty_verify_tells_the_tries_even_after_the_right_pin(card: VirtualCard) -> None:
    assert say(card, SELECT_AP, USER_PIN, TRIES) == "63C3"
    assert say(card, RIGHT) == "9000"
    assert say(card, TRIES) == "63C3"


def test_three_wrong_pins_block(card: VirtualCard) -> None:
    say(card, SELECT_AP, USER_PIN)
    assert [say(card, WRONG) for _ in range(3)] == ["63C2", "63C1", "63C0"]
    assert say(card, TRIES) == "63C0"
    assert say(card, RIGHT) == "6984"
    assert say(card, *SIGN) == "6982"


def test_the_signature_password_has_five_tries_of_its_own(card: VirtualCard) -> None:
    say(card, SELECT_AP, PASSWORD)
    assert [say(card, WRONG) for _ in range(5)] == ["63C4", "63C3", "63C2", "63C1", "63C0"]
    assert say(card, USER_PIN, TRIES) == "63C3"


def test_the_signature_certificate_needs_the_password(card: VirtualCard) -> None:
    assert say(card, SELECT_AP, "00A4020C020001", "00B0000000") == "6982"
    say(card, PASSWORD, "0020008006" + b"ABC123".hex())
    assert say(card, "00A4020C020001", "00B0000000").endswith("9000")


@pytest.mark.parametrize("how", ["reset", "reselect"])
def test_a_reset_or_a_new_selection_logs_out(card: VirtualCard, how: str) -> None:
    assert say(card, *LOG_IN, *SIGN).endswith("9000")
    if how == "reset":
        card.reset()
    assert say(card, SELECT_AP, *SIGN) == "6982"


@pytest.mark.parametrize(
    ("apdus", "status"),
    [
        (("00A4040C0AD3921000310001010409",), "6A82"),
        (("00A4020C020018",), "6A82"),
        ((SELECT_AP, "00A4020C020099"), "6A82"),
        ((SELECT_AP, "00A4010C020018"), "6A86"),
        ((SELECT_AP, "00A402FF020018"), "6A86"),
        ((SELECT_AP, "00A4020C02000A", "00B0800000"), "6A86"),
        ((SELECT_AP, USER_PIN, "0024008004" + b"9999".hex()), "6A86"),
        ((SELECT_AP, USER_PIN, "0024018004" + b"9999".hex()), "6982"),
        ((SELECT_AP, "00A4020C02000A", "0024018004" + b"9999".hex()), "6985"),
        ((*LOG_IN, "00240180"), "6700"),
        ((*LOG_IN, "0024018005" + b"99999".hex()), "6985"),
        ((*LOG_IN, "0024018004" + b"99A9".hex()), "6985"),
        ((SELECT_AP, "00A4020C0100"), "6700"),
        ((SELECT_AP, "00A4020C030018"), "6700"),
        ((SELECT_AP, "00A4020C02000A", "00B07FFF00"), "6B00"),
        ((SELECT_AP, "00B0000000"), "6985"),
        ((SELECT_AP, USER_PIN, "00B0000000"), "6985"),
        ((SELECT_AP, "00A4020C02000A", RIGHT), "6985"),
        ((SELECT_AP, USER_PIN, "00200081"), "6A86"),
        ((*LOG_IN, "802A0080010000"), "6985"),
        ((*LOG_IN, "00A4020C020017", "802A00800100"), "6700"),
        ((*LOG_IN, "00A4020C020017", "802A9E9A010000"), "6A86"),
        ((SELECT_AP, "00CA000000"), "6D00"),
        (("A0A40000",), "6E00"),
        (("00",), "6700"),
    ],
)
def test_each_mistake_has_its_status_word(
    card: VirtualCard, apdus: tuple[str, ...], status: str
) -> None:
    assert say(card, *apdus) == status


def test_the_files_that_are_free_to_read(card: VirtualCard) -> None:
    assert say(card, SELECT_AP, "00A4020C020008", "00B0000000") == "8F8F009000"
    info = bytes.fromhex(say(card, "00A4020C020006", "00B00000A0"))
    assert len(info) == 162
    assert info[:32] == b"JPKIAPICCTOKEN2".ljust(32)
    certificate = bytes.fromhex(say(card, "00A4020C02000A", "00B0000000"))
    assert certificate[:256] == card.file.user_certificate[:256]
    assert say(card, "00A4020C02000B", "00B0000004").endswith("9000")


def test_the_next_card_answers_to_its_own_application_only(make_card: Callable[..., Any]) -> None:
    card = VirtualCard(make_card(algorithm=CardAlgorithm.ES384).file)
    assert say(card, SELECT_AP) == "6A82"
    assert say(card, "00A4040C0A" + NEXT_CARD.aid.hex()) == "9000"
    say(card, USER_PIN, RIGHT)
    assert say(card, *SIGN) == "6985", "51 bytes are no SHA-384"
    assert NEXT_CARD.aid != MY_NUMBER_CARD.aid


def test_tries_are_kept_in_the_file_before_the_card_answers(
    make_card: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "test-taro.json"
    path.write_bytes(make_card().file.to_json())
    card = VirtualCard(load_card_file(path), keep_in(path))
    assert say(card, SELECT_AP, USER_PIN, WRONG) == "63C2"
    assert load_card_file(path).tries == 2
    say(card, RIGHT)
    assert load_card_file(path).tries == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["test-taro.json"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_card_whose_file_cannot_be_used_says_so(
    make_card: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(CardFileError, match="cannot read"):
        load_card_file(tmp_path / "nobody.json")
    (tmp_path / "half.json").write_text("{")
    with pytest.raises(CardFileError, match="cannot read"):
        load_card_file(tmp_path / "half.json")
    gone = VirtualCard(make_card().file, keep_in(tmp_path / "no" / "folder.json"))
    with pytest.raises(CardFileError, match="cannot write"):
        say(gone, SELECT_AP, USER_PIN, WRONG)


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_the_card_answers_anything_with_a_status_word(
    make_card: Callable[..., Any], commands: list[bytes]
) -> None:
    card = VirtualCard(make_card().file)
    for command in (bytes.fromhex(SELECT_AP), *commands):
        assert len(card.answer(command)) >= 2
