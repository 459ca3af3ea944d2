"""All that a virtual card carries: its PINs, its two keys, its four applications."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from dedicated_line.contract.sessions import CardAlgorithm
from kiosk.simulated.applications import FACE_AID, INPUT_SUPPORT_AID, JUKI_AID
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.card_file import keep_in, keep_state_of, load_card_file

JPKI = bytes.fromhex("D392F000260100000001")
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")
TRIES = bytes.fromhex("00200080")


def enter(card: VirtualCard, aid: bytes) -> str:
    return card.answer(bytes.fromhex("00A4040C0A") + aid).hex().upper()


def select(card: VirtualCard, file: int) -> str:
    return card.answer(bytes.fromhex("00A4020C02") + file.to_bytes(2, "big")).hex().upper()


def verify(card: VirtualCard, pin: str) -> str:
    return card.answer(TRIES + bytes([len(pin)]) + pin.encode()).hex().upper()


def change(card: VirtualCard, pin: str) -> str:
    return card.answer(bytes.fromhex("00240180") + bytes([len(pin)]) + pin.encode()).hex().upper()


def read(card: VirtualCard, file: int) -> bytes:
    select(card, file)
    data = b""
    while (part := card.answer(b"\x00\xb0" + len(data).to_bytes(2, "big") + b"\x00"))[
        -2:
    ] == b"\x90\x00":
        data += part[:-2]
    assert part == b"\x6b\x00", "the end of the file, and no other word"
    return data


def log_in(card: VirtualCard, aid: bytes, pin_file: int, pin: str) -> None:
    assert enter(card, aid) == "9000"
    assert select(card, pin_file) == "9000"
    assert verify(card, pin) == "9000"


@pytest.fixture
def card(make_card: Callable[..., Any]) -> VirtualCard:
    return VirtualCard(make_card().file)


def test_each_certificate_stands_before_filler_beside_its_ca(card: VirtualCard) -> None:
    log_in(card, JPKI, 0x001B, "ABC123")
    for file, field in {
        0x0001: "signature_certificate",
        0x0002: "signature_ca",
        0x000A: "user_certificate",
        0x000B: "user_ca",
    }.items():
        der: bytes = getattr(card.file, field)
        found = read(card, file)
        assert found.startswith(der)
        assert set(found[len(der) :]) == {0}


def test_each_key_signs_after_its_own_pin_only(card: VirtualCard) -> None:
    info = DIGEST_INFO + hashlib.sha256(b"deed").digest()
    sign = bytes.fromhex("802A0080") + bytes([len(info)]) + info + b"\x00"
    for key, pin_file, pin, der in (
        (0x0017, 0x0018, "1234", card.file.user_certificate),
        (0x001A, 0x001B, "ABC123", card.file.signature_certificate),
    ):
        log_in(card, JPKI, pin_file, pin)
        select(card, 0x001A if key == 0x0017 else 0x0017)
        assert card.answer(sign) == b"\x69\x82", "the other key needs the other PIN"
        select(card, key)
        signature = card.answer(sign)
        public = x509.load_der_x509_certificate(der).public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        public.verify(signature[:-2], b"deed", padding.PKCS1v15(), hashes.SHA256())


def test_a_new_pin_is_asked_for_from_then_on(card: VirtualCard) -> None:
    log_in(card, JPKI, 0x0018, "1234")
    assert change(card, "9876") == "9000"
    enter(card, JPKI)
    select(card, 0x0018)
    assert verify(card, "1234") == "63C2"
    assert verify(card, "9876") == "9000"
    assert card.file.pin == "9876"


@pytest.mark.parametrize("new", ["ABC12", "A" * 17, "abc123", "ABC-12"])
def test_a_signature_password_has_its_form(card: VirtualCard, new: str) -> None:
    log_in(card, JPKI, 0x001B, "ABC123")
    assert change(card, new) == "6985"
    assert change(card, "NEW456") == "9000"
    assert card.file.signature_password == "NEW456"


def test_a_wrong_pin_shuts_what_the_right_one_opened(card: VirtualCard) -> None:
    log_in(card, JPKI, 0x0018, "1234")
    assert verify(card, "0000") == "63C2"
    assert change(card, "9876") == "6982"
    select(card, 0x0017)
    assert card.answer(bytes.fromhex("802A0080") + b"\x01x\x00") == b"\x69\x82"


def test_the_input_support_application_tells_number_and_attributes_after_its_pin(
    card: VirtualCard,
) -> None:
    assert enter(card, INPUT_SUPPORT_AID) == "9000"
    for file in (0x0001, 0x0002):
        select(card, file)
        assert card.answer(bytes.fromhex("00B0000000")) == b"\x69\x82"
    log_in(card, INPUT_SUPPORT_AID, 0x0011, "1234")
    assert read(card, 0x0001).startswith(bytes.fromhex("FF100C") + b"000000000000")
    attributes = read(card, 0x0002)
    assert attributes.startswith(bytes.fromhex("FF20"))
    assert "見本 太郎".encode() in attributes


@pytest.mark.parametrize(
    ("aid", "file", "right", "most"),
    [
        (JPKI, 0x0018, "1234", 3),
        (JPKI, 0x001B, "ABC123", 5),
        (INPUT_SUPPORT_AID, 0x0011, "1234", 3),
        (FACE_AID, 0x0013, "000000000000", 10),
        (FACE_AID, 0x0012, "70010120300000", 10),
        (JUKI_AID, 0x001C, "1234", 3),
    ],
)
def test_every_pin_counts_down_blocks_and_is_kept(
    make_card: Callable[..., Any], tmp_path: Path, aid: bytes, file: int, right: str, most: int
) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(make_card().file.to_json())
    for left in range(most - 1, -1, -1):
        card = VirtualCard(load_card_file(path), keep_in(path))
        enter(card, aid)
        select(card, file)
        assert verify(card, "9" * len(right)) == f"63C{left:X}"
        if left == 1:
            assert verify(card, right) == "9000"
            assert card.answer(TRIES).hex().upper() == f"63C{most:X}"
            for _ in range(most - 1):
                verify(card, "9" * len(right))
    card = VirtualCard(load_card_file(path))
    enter(card, aid)
    select(card, file)
    assert card.answer(TRIES) == b"\x63\xc0"
    assert verify(card, right) == "6984"
    others = {(JPKI, 0x0018), (JPKI, 0x001B), (JUKI_AID, 0x001C)} - {(aid, file)}
    for other_aid, other_file in others:
        enter(card, other_aid)
        select(card, other_file)
        assert card.answer(TRIES) != b"\x63\xc0", "each PIN has a counter of its own"


def test_a_number_on_the_face_cannot_be_changed(card: VirtualCard) -> None:
    log_in(card, FACE_AID, 0x0013, "000000000000")
    assert change(card, "111111111111") == "6985"


def test_a_file_of_one_application_is_not_in_the_next(card: VirtualCard) -> None:
    enter(card, INPUT_SUPPORT_AID)
    assert select(card, 0x000A) == "6A82"
    enter(card, JPKI)
    assert select(card, 0x0011) == "6A82"


def test_another_application_logs_out_of_the_first(card: VirtualCard) -> None:
    log_in(card, JPKI, 0x0018, "1234")
    enter(card, JUKI_AID)
    enter(card, JPKI)
    select(card, 0x0017)
    assert card.answer(bytes.fromhex("802A0080") + b"\x01x\x00") == b"\x69\x82"


def test_of_the_next_card_only_the_signing_application_is_known(
    make_card: Callable[..., Any],
) -> None:
    card = VirtualCard(make_card(algorithm=CardAlgorithm.ES384).file)
    assert {enter(card, aid) for aid in (INPUT_SUPPORT_AID, FACE_AID, JUKI_AID)} == {"6A82"}


def test_a_forged_card_keeps_the_tries_and_nothing_of_the_forgery(
    make_card: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(make_card().file.to_json())
    true = load_card_file(path)
    forged = true.model_copy(update={"user_certificate": b"forged"})
    card = VirtualCard(forged, keep_state_of(true, keep_in(path)))
    enter(card, JPKI)
    select(card, 0x0018)
    verify(card, "0000")
    assert load_card_file(path) == true.model_copy(update={"tries": 2})
