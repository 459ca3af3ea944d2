"""The bytes that must never change without a new version of the contract."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from dedicated_line.contract import canonical, cose, numbers, seal
from dedicated_line.contract.card_message import PREFIX, card_message
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.keys import BadSignatureError, Purpose, decode_public_key
from dedicated_line.contract.municipality import is_municipality_code
from dedicated_line.contract.residence import ResidenceSheet, page_digest

Vector = Callable[[str], Any]


def test_the_card_signs_prefix_and_length_prefixed_parts(vector: Vector) -> None:
    """Also taken apart by hand, not only compared with what the function gives."""
    fixed = vector("card_message")
    parts, message = fixed["parts"], bytes.fromhex(fixed["message"])
    made = card_message(
        environment=Environment(parts["environment"]),
        centre=parts["centre"],
        kiosk=parts["kiosk"],
        session=parts["session"],
        challenge=bytes.fromhex(parts["challenge"]),
        signing_key=bytes.fromhex(parts["signing_key"]),
        receiving_key=bytes.fromhex(parts["receiving_key"]),
    )
    assert made == message
    assert message.startswith(PREFIX)
    assert PREFIX.decode("ascii").rstrip("\n").isprintable()
    rest, found = message.removeprefix(PREFIX), []
    while rest:
        length = int.from_bytes(rest[:4], "big")
        found.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    assert found[:5] == [
        b"holder",
        b"simulation",
        b"kofu-centre-1",
        b"k000001",
        parts["session"].encode(),
    ]
    assert [part.hex() for part in found[5:]] == [
        parts["challenge"],
        parts["signing_key"],
        parts["receiving_key"],
    ]


def test_canonical_cbor_is_the_fixed_bytes_in_both_directions(vector: Vector) -> None:
    for each in vector("canonical_cbor")["accepted"]:
        assert canonical.encode(each["value"]).hex() == each["cbor"]
        assert canonical.decode(bytes.fromhex(each["cbor"])) == each["value"]


def test_cbor_that_is_not_canonical_is_refused(vector: Vector) -> None:
    for each in vector("canonical_cbor")["refused"]:
        with pytest.raises(canonical.NotCanonicalError):
            canonical.decode(bytes.fromhex(each["cbor"]))


def test_a_fixed_cose_sign1_verifies_for_its_purpose_and_for_no_other(vector: Vector) -> None:
    fixed = vector("cose_sign1")
    assert {each["purpose"] for each in fixed} == set(Purpose)
    for each in fixed:
        signed = cose.read(bytes.fromhex(each["cose"]))
        key = decode_public_key(bytes.fromhex(each["public_key"]))
        assert signed.key_id == each["key_id"]
        for purpose in Purpose:
            if purpose == each["purpose"]:
                assert cose.verify(signed, key, purpose).hex() == each["payload"]
            else:
                with pytest.raises(BadSignatureError, match="signed for"):
                    cose.verify(signed, key, purpose)


def test_a_cose_sign1_with_any_byte_changed_is_refused(vector: Vector) -> None:
    each = vector("cose_sign1")[0]
    data = bytes.fromhex(each["cose"])
    key = decode_public_key(bytes.fromhex(each["public_key"]))
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(BadSignatureError):
            cose.verify(cose.read(changed), key, Purpose(each["purpose"]))


def test_a_page_digest_is_over_salt_and_canonical_sheet(vector: Vector) -> None:
    fixed = vector("page_digest")
    sheet = ResidenceSheet.model_validate_json(json.dumps(fixed["sheet"]))
    salt = bytes.fromhex(fixed["salt"])
    assert canonical.encode_message(sheet).hex() == fixed["canonical"]
    assert page_digest(salt, sheet) == fixed["digest"]
    assert page_digest(bytes(16), sheet) != fixed["digest"]
    assert canonical.decode_message(ResidenceSheet, bytes.fromhex(fixed["canonical"])) == sheet


def test_a_fixed_seal_reads_and_verifies_from_its_qr_text(vector: Vector) -> None:
    fixed = vector("seal_qr")
    data = seal.from_qr_text(fixed["text"])
    assert data.hex() == fixed["cose"]
    signed = cose.read(data)
    key = decode_public_key(bytes.fromhex(fixed["public_key"]))
    payload = cose.verify(signed, key, Purpose.SEAL)
    assert payload.hex() == fixed["payload"]
    claims = seal.decode_claims(payload)
    expected = fixed["claims"]
    assert claims.number == expected["number"]
    assert claims.municipality == expected["municipality"]
    assert claims.kind == expected["kind"]
    assert claims.attested_on == date.fromisoformat(expected["attested_on"])
    assert (claims.page, claims.pages) == (expected["page"], expected["pages"])
    assert claims.page_digest.hex() == expected["page_digest"]
    assert claims.set_digest.hex() == expected["set_digest"]
    assert claims.salt.hex() == expected["salt"]
    assert claims.specimen is expected["specimen"]
    assert claims.encode() == payload


def test_a_qr_text_that_is_damaged_is_no_seal(vector: Vector) -> None:
    text = vector("seal_qr")["text"]
    for damaged in (
        "",
        "KOFU1:",
        text.removeprefix("KOFU1:"),
        text.lower(),
        text[:-3],
        text + "AAA",
        "KOFU2:" + text.removeprefix("KOFU1:"),
        "KOFU1:あ",
    ):
        with pytest.raises(seal.NotASealError):
            seal.from_qr_text(damaged)


def test_a_qr_text_that_unpacks_without_end_is_no_seal() -> None:
    bomb = seal.to_qr_text(bytes(1_000_000))
    with pytest.raises(seal.NotASealError):
        seal.from_qr_text(bomb)


def _iso_7064_mod_37_36_holds(text: str) -> bool:
    """Check as the standard's recipient does (clause 7.3): the last sum is 1."""
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    product = 36
    for character in text[:-1]:
        total = (product + letters.index(character)) % 36
        product = (total or 36) * 2 % 37
    return (product + letters.index(text[-1])) % 36 == 1


def test_issue_numbers_are_the_fixed_ones_and_hold_by_the_standard(vector: Vector) -> None:
    for each in vector("issue_numbers"):
        made = numbers.issue_number(each["municipality"], each["random_bits"])
        assert made == each["number"]
        assert numbers.check_issue_number(made) == made
        assert _iso_7064_mod_37_36_holds(made.replace("-", ""))


def test_an_issue_number_with_one_wrong_character_is_refused(vector: Vector) -> None:
    number = vector("issue_numbers")[2]["number"]
    for place, character in enumerate(number):
        other = "7" if character != "7" else "9"
        wrong = number[:place] + other + number[place + 1 :]
        with pytest.raises(ValueError, match="issue number"):
            numbers.check_issue_number(wrong)


def test_municipality_codes_hold_their_check_digit(vector: Vector) -> None:
    fixed = vector("municipality_codes")
    assert all(is_municipality_code(code) for code in fixed["right"])
    assert not any(is_municipality_code(code) for code in fixed["wrong"])
