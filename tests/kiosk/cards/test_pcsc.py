"""The real pcscd with the virtual card in it: our reader, and OpenSC as an oracle."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from dedicated_line.clock import SystemClock
from kiosk.cards import dialogue, errors
from kiosk.cards.pcsc import PcscReader, choose_reader
from kiosk.simulated.card_file import load_card_file
from kiosk.simulated.insertion import NoSlotError, inserted
from kiosk.simulated.vpcd import SlotTakenError

SLOT = 1
MESSAGE = b"the holder asks"
VIRTUAL = ["Virtual PCD 00 00", "Virtual PCD 00 01"]


@pytest.fixture
def card_file(make_card: Callable[..., Any], tmp_path: Path) -> Path:
    path = tmp_path / "test-taro.json"
    path.write_bytes(make_card().file.to_json())
    return path


@pytest.fixture
def reader(pcscd: None) -> PcscReader:  # noqa: ARG001 - it must run, no more
    """Give an empty reader: the card of the test before is gone."""
    found = PcscReader(SLOT, SystemClock())
    found.wait_until_removed(5)
    return found


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_reader_is_chosen_by_slot_or_by_the_beginning_of_its_name() -> None:
    assert choose_reader(VIRTUAL, 1) == VIRTUAL[1]
    assert choose_reader(["ACS 00 00", *VIRTUAL], "Virtual") == VIRTUAL[0]
    with pytest.raises(errors.NoReaderError, match="Virtual PCD 00 00, Virtual PCD 00 01"):
        choose_reader(VIRTUAL, 5)


@pytest.mark.pcscd
def test_a_card_signs_through_pcscd_and_logs_out_with_the_dialogue(
    reader: PcscReader, card_file: Path, make_card: Callable[..., Any]
) -> None:
    with inserted(card_file, SLOT):
        reader.wait_for_card(5)
        with reader.dialogue() as transmit:
            word = dialogue.sign_in(transmit, "1234", MESSAGE)
        with reader.dialogue() as transmit:
            dialogue.look(transmit)
            transmit(bytes.fromhex("00A4020C020017"))
            refused = transmit(bytes.fromhex("802A0080") + b"\x01x\x00")
        assert refused == bytes.fromhex("6982"), "the next connection must not sign without a PIN"
    make_card().user_public_key.verify(word.signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    reader.wait_until_removed(5)


@pytest.mark.pcscd
def test_a_card_pulled_out_in_mid_dialogue_is_lost_contact(
    reader: PcscReader, card_file: Path
) -> None:
    with inserted(card_file, SLOT) as card:
        reader.wait_for_card(5)
        with reader.dialogue() as transmit:
            dialogue.look(transmit)
            card.remove()
            with pytest.raises(errors.LostContactError):
                dialogue.sign_in(transmit, "0000", MESSAGE)
    assert load_card_file(card_file).tries == 3
    reader.wait_until_removed(5)
    with inserted(card_file, SLOT):
        reader.wait_for_card(5)
        with reader.dialogue() as transmit:
            dialogue.sign_in(transmit, "1234", MESSAGE)


@pytest.mark.pcscd
def test_the_tries_of_a_card_outlive_its_removal(reader: PcscReader, card_file: Path) -> None:
    for left in (2, 1):
        with inserted(card_file, SLOT):
            reader.wait_for_card(5)
            with reader.dialogue() as transmit, pytest.raises(errors.WrongPinError) as caught:
                dialogue.sign_in(transmit, "0000", MESSAGE)
        assert caught.value.tries_left == left
        reader.wait_until_removed(5)
    assert load_card_file(card_file).tries == 1


@pytest.mark.pcscd
def test_waiting_ends_in_a_sentence_when_nobody_comes_or_nobody_takes_the_card(
    reader: PcscReader, card_file: Path
) -> None:
    with pytest.raises(errors.NoCardError, match="hold up a card"):
        reader.wait_for_card(0.2)
    with inserted(card_file, SLOT):
        reader.wait_for_card(5)
        assert reader.card_present()
        with pytest.raises(errors.CardLeftError, match="take it back"):
            reader.wait_until_removed(0.2)


@pytest.mark.pcscd
def test_a_card_that_comes_while_we_wait_is_seen(reader: PcscReader, card_file: Path) -> None:
    with inserted(card_file, SLOT) as card:
        reader.wait_for_card(5)
        leaving = Timer(0.3, card.remove)
        leaving.start()
        reader.wait_until_removed(5)
        leaving.join()
    assert not reader.card_present()


@pytest.mark.pcscd
def test_a_card_held_by_somebody_else_is_busy(reader: PcscReader, card_file: Path) -> None:
    with inserted(card_file, SLOT):
        reader.wait_for_card(5)
        with reader.dialogue():
            other = PcscReader(SLOT, SystemClock())
            with pytest.raises(errors.ReaderBusyError), other.dialogue():
                pytest.fail("two dialogues at once")


@pytest.mark.pcscd
def test_a_slot_takes_one_card_and_there_are_only_two_slots(
    reader: PcscReader, card_file: Path
) -> None:
    with inserted(card_file, SLOT):
        reader.wait_for_card(5)
        with pytest.raises(SlotTakenError), inserted(card_file, SLOT):
            pytest.fail("two cards in one slot")
    with pytest.raises(NoSlotError), inserted(card_file, 2):
        pytest.fail("a third slot")


@pytest.mark.pcscd
def test_opensc_takes_the_virtual_card_for_a_jpki_card(
    reader: PcscReader, card_file: Path, tmp_path: Path, make_card: Callable[..., Any]
) -> None:
    data, signature = tmp_path / "data", tmp_path / "signature"
    data.write_bytes(MESSAGE)
    with inserted(card_file, SLOT):
        reader.wait_for_card(5)
        assert "jpki" in run("opensc-tool", "-r", str(SLOT), "-n").lower()
        pins = run("pkcs15-tool", "--reader", str(SLOT), "--list-pins")
        assert "User Authentication PIN" in pins
        assert "Tries left     : 3" in pins
        run(
            *("pkcs11-tool", "--token-label", "JPKI (User Authentication PIN)"),
            *("--login", "--pin", "1234", "--sign", "--id", "01", "-m", "SHA256-RSA-PKCS"),
            *("-i", str(data), "-o", str(signature)),
        )
    make_card().user_public_key.verify(
        signature.read_bytes(), MESSAGE, padding.PKCS1v15(), hashes.SHA256()
    )
    reader.wait_until_removed(5)
