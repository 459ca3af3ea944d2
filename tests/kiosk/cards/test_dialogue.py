"""The dialogue with a card, against the in-process card."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import given, settings
from hypothesis import strategies as st

from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import CardAlgorithm
from kiosk.cards import dialogue, errors
from kiosk.cards.model import Medium
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.reader import SimulatedReader

MESSAGE = b"the holder asks"
APDUS = 13
"""Of a whole sign-in with an RSA card; a test below holds it to that."""


class Pulled:
    """A transmit to a card that is pulled out at the nth APDU, before or after it heard it."""

    def __init__(self, card: VirtualCard, at: int, *, heard: bool) -> None:
        self.card, self.at, self.heard, self.count = card, at, heard, 0
        self.verifies = 0

    def __call__(self, apdu: bytes) -> bytes:
        self.count += 1
        self.verifies += apdu.startswith(b"\x00\x20") and len(apdu) > 5
        if self.count < self.at:
            return self.card.answer(apdu)
        if self.count == self.at and self.heard:
            self.card.answer(apdu)
        raise errors.LostContactError


def verify_signature(made: Any, signature: bytes) -> None:
    if isinstance(made.user_public_key, ec.EllipticCurvePublicKey):
        made.user_public_key.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA384()))
    else:
        made.user_public_key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("algorithm", CardAlgorithm)
def test_a_card_signs_for_the_right_pin(
    make_card: Callable[..., Any], algorithm: CardAlgorithm
) -> None:
    made = make_card(algorithm=algorithm)
    word = dialogue.sign_in(VirtualCard(made.file).answer, "1234", MESSAGE)
    assert word.algorithm is algorithm
    assert word.user_certificate == made.file.user_certificate
    verify_signature(made, word.signature)


def test_a_look_costs_no_try_and_needs_no_pin(make_card: Callable[..., Any]) -> None:
    card = VirtualCard(make_card(tries=2).file)
    seen = dialogue.look(card.answer)
    assert (seen.medium, seen.label) == (Medium.MY_NUMBER_CARD, "JPKIAPICCTOKEN2")
    assert (seen.tries_left, seen.last_try) == (2, False)
    assert card.file.tries == 2
    assert dialogue.user_certificate(card.answer) == card.file.user_certificate


def test_wrong_pins_count_down_and_a_right_one_resets(make_card: Callable[..., Any]) -> None:
    card = VirtualCard(make_card().file)
    for left in (2, 1):
        with pytest.raises(errors.WrongPinError) as caught:
            dialogue.sign_in(card.answer, "0000", MESSAGE)
        assert (caught.value.refusal, caught.value.tries_left) == (Refusal.WRONG_PIN, left)
    with pytest.raises(errors.LastTryError) as last:
        dialogue.sign_in(card.answer, "1234", MESSAGE)
    assert last.value.refusal is Refusal.LAST_TRY
    assert card.file.tries == 1, "the go-ahead is asked for before the PIN is sent"
    dialogue.sign_in(card.answer, "1234", MESSAGE, go_ahead_at_last_try=True)
    assert card.file.tries == 3


def test_the_last_wrong_pin_blocks_the_card_and_the_right_one_comes_too_late(
    make_card: Callable[..., Any],
) -> None:
    card = VirtualCard(make_card(tries=1).file)
    for pin in ("0000", "1234"):
        with pytest.raises(errors.PinBlockedError) as caught:
            dialogue.sign_in(card.answer, pin, MESSAGE, go_ahead_at_last_try=True)
        assert (caught.value.refusal, caught.value.tries_left) == (Refusal.PIN_BLOCKED, 0)
    assert dialogue.look(card.answer).tries_left == 0


@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("at", range(1, APDUS + 1))
def test_a_card_pulled_out_at_any_step_costs_no_try(
    make_card: Callable[..., Any], at: int, *, heard: bool
) -> None:
    card = VirtualCard(make_card(tries=3).file)
    pulled = Pulled(card, at, heard=heard)
    with pytest.raises(errors.LostContactError):
        dialogue.sign_in(pulled, "1234", MESSAGE)
    assert card.file.tries == 3
    assert pulled.verifies <= 1
    assert pulled.count == at, "nothing is sent after contact was lost"


def test_a_whole_sign_in_has_that_many_steps(make_card: Callable[..., Any]) -> None:
    counted = Pulled(VirtualCard(make_card().file), 1000, heard=True)
    dialogue.sign_in(counted, "1234", MESSAGE)
    assert counted.count == APDUS
    assert counted.verifies == 1


def test_a_card_pulled_out_while_a_wrong_pin_is_checked_is_lost_contact(
    make_card: Callable[..., Any],
) -> None:
    card = VirtualCard(make_card().file)
    position = APDUS - 2
    with pytest.raises(errors.LostContactError):
        dialogue.sign_in(Pulled(card, position, heard=True), "0000", MESSAGE)
    assert dialogue.look(card.answer).tries_left == 2, "the card says the truth the next time"


@pytest.mark.parametrize("pin", ["", "123", "12345", "12a4", "１２３４", " 123"])
def test_what_cannot_be_a_pin_is_never_sent(make_card: Callable[..., Any], pin: str) -> None:
    pulled = Pulled(VirtualCard(make_card().file), 1, heard=False)
    with pytest.raises(errors.MalformedPinError):
        dialogue.sign_in(pulled, pin, MESSAGE)
    assert pulled.count == 0


@pytest.mark.parametrize(
    ("label", "refusal"),
    [
        ("JPKIAPICCTOKEN", Refusal.OLD_JUKI_CARD),
        ("unknown", Refusal.UNKNOWN_CARD),
        ("", Refusal.UNKNOWN_CARD),
    ],
)
def test_another_medium_is_named_before_any_pin(
    make_card: Callable[..., Any], label: str, refusal: Refusal
) -> None:
    card = VirtualCard(make_card(label=label).file)
    pulled = Pulled(card, 1000, heard=True)
    with pytest.raises(errors.CardRefusedError) as caught:
        dialogue.sign_in(pulled, "1234", MESSAGE)
    assert caught.value.refusal is refusal
    assert pulled.verifies == 0
    with pytest.raises(errors.CardRefusedError):
        dialogue.require_servable(dialogue.look(card.answer))


@pytest.mark.parametrize("status", ["6A82", "6A86", "6D00", "6E00", "6999"])
def test_a_foreign_card_is_an_unknown_card(status: str) -> None:
    with pytest.raises(errors.UnknownCardError):
        dialogue.look(lambda _apdu: bytes.fromhex(status))


@pytest.mark.parametrize("step", range(2, APDUS + 1))
@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("6982", errors.AccessDeniedError),
        ("6985", errors.WrongStateError),
        ("6A82", errors.FileMissingError),
        ("6A86", errors.WrongParametersError),
        ("6B00", errors.PastTheEndError),
        ("6700", errors.WrongLengthError),
        ("6F00", errors.CardFaultError),
    ],
)
def test_each_status_word_is_an_error_of_its_own_at_every_step(
    make_card: Callable[..., Any], step: int, status: str, error: type[errors.CardError]
) -> None:
    card, count = VirtualCard(make_card().file), 0

    def transmit(apdu: bytes) -> bytes:
        nonlocal count
        count += 1
        return bytes.fromhex(status) if count == step else card.answer(apdu)

    with pytest.raises(error) as caught:
        dialogue.sign_in(transmit, "1234", MESSAGE)
    assert type(caught.value) is error
    assert status in str(caught.value)


@pytest.mark.parametrize("status", ["6983", "6984", "63C0"])
def test_each_word_for_blocked_means_blocked(make_card: Callable[..., Any], status: str) -> None:
    card = VirtualCard(make_card().file)

    def at_verify(apdu: bytes) -> bytes:
        real = apdu.startswith(b"\x00\x20") and len(apdu) > 5
        return bytes.fromhex(status) if real else card.answer(apdu)

    def at_counter(apdu: bytes) -> bytes:
        return bytes.fromhex(status) if apdu == b"\x00\x20\x00\x80" else card.answer(apdu)

    for transmit in (at_verify, at_counter):
        with pytest.raises(errors.PinBlockedError):
            dialogue.sign_in(transmit, "1234", MESSAGE)


def test_after_a_dialogue_nobody_signs_without_a_pin(make_card: Callable[..., Any]) -> None:
    reader = SimulatedReader(VirtualCard(make_card().file))
    with reader.dialogue() as transmit:
        dialogue.sign_in(transmit, "1234", MESSAGE)
    with reader.dialogue() as transmit:
        dialogue.look(transmit)
        transmit(bytes.fromhex("00A4020C020017"))
        assert transmit(bytes.fromhex("802A0080") + b"\x01x\x00") == bytes.fromhex("6982")


def test_a_card_exchanged_in_mid_dialogue_is_lost_contact(make_card: Callable[..., Any]) -> None:
    reader = SimulatedReader(VirtualCard(make_card().file))
    with reader.dialogue() as transmit:
        dialogue.look(transmit)
        reader.remove()
        reader.insert(VirtualCard(make_card("other-hanako").file))
        with pytest.raises(errors.LostContactError):
            dialogue.sign_in(transmit, "1234", MESSAGE)


@pytest.mark.parametrize("size", [2, 127, 128, 255, 256, 257, 511, 512, 1700, 4000])
def test_a_certificate_of_any_size_is_read_without_its_filler(
    make_card: Callable[..., Any], size: int
) -> None:
    body = bytes(index % 251 for index in range(size))
    head = bytes([48, size]) if size < 128 else b"0\x82" + size.to_bytes(2, "big")
    file = make_card().file.model_copy(update={"user_certificate": head + body})
    assert dialogue.user_certificate(VirtualCard(file).answer) == head + body


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=40))
def test_garbage_from_a_card_gives_typed_errors_only(answers: list[bytes]) -> None:
    queue = iter(answers * 40)
    with pytest.raises(errors.CardError):
        dialogue.sign_in(lambda _apdu: next(queue, b""), "1234", MESSAGE)


@settings(deadline=None)  # the first example makes keys
@given(st.integers(2, APDUS), st.binary(max_size=270), st.sampled_from([b"", b"\x90\x00"]))
def test_garbage_at_one_step_gives_a_typed_error_or_a_word_of_the_right_size(
    make_card: Callable[..., Any], step: int, data: bytes, status: bytes
) -> None:
    card, count = VirtualCard(make_card().file), 0

    def transmit(apdu: bytes) -> bytes:
        nonlocal count
        count += 1
        return data + status if count == step else card.answer(apdu)

    try:
        word = dialogue.sign_in(transmit, "1234", MESSAGE, go_ahead_at_last_try=True)
    except errors.CardError:
        return
    assert len(word.signature) == 256


def test_the_digest_goes_to_the_card_as_pkcs1_wants_it(make_card: Callable[..., Any]) -> None:
    card, sent = VirtualCard(make_card().file), []

    def transmit(apdu: bytes) -> bytes:
        sent.append(apdu)
        return card.answer(apdu)

    dialogue.sign_in(transmit, "1234", MESSAGE)
    digest = hashlib.sha256(MESSAGE).digest()
    info = bytes.fromhex("3031300D060960864801650304020105000420") + digest
    assert sent[-1] == bytes.fromhex("802A008033") + info + b"\x00"
    assert b"\x00\x20\x00\x80\x041234" in sent
