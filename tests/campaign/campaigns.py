"""The campaigns: what is tried, how often in full, and what counts as a failure.

A campaign is cut into pieces of a fixed size; piece number n of a seed always tries the same
inputs, so that a failure can be run again by itself and an interrupted campaign goes on.
"""

import random  # noqa: TID251 - seeded: a campaign's inputs must come again
from collections.abc import Callable
from dataclasses import dataclass

import card_fuzz
from pulled_cards import pulled

from dedicated_line.contract import canonical, cose, keys, numbers, seal
from dedicated_line.contract.envelope import Content, EnvelopeHeader
from dedicated_line.contract.key_list import KeyList
from dedicated_line.contract.orders import Outcome, PlaceOrder
from dedicated_line.contract.residence import ResidenceCertificate
from dedicated_line.contract.sessions import PersonalPart, PresentHolder
from kiosk.cards import dialogue
from kiosk.cards.errors import CardError

Piece = Callable[[random.Random, int], list[str]]
"""Tries that many inputs; returns a line for each failure."""


@dataclass(frozen=True)
class Campaign:
    """One campaign."""

    name: str
    says: str
    full: int
    """How many tries the whole campaign has."""
    piece: int
    """How many tries a piece has; at least one hundredth of `full` runs in ``make test``."""
    run: Piece
    slice_in: str = ""
    """The test that runs the slice, where it needs more than this folder's tests have."""


_MODELS = (
    EnvelopeHeader,
    Content,
    KeyList,
    PlaceOrder,
    Outcome,
    ResidenceCertificate,
    PersonalPart,
    PresentHolder,
)


def _seeds() -> list[bytes]:
    claims = canonical.encode({1: "352012", 2: "x", 3: [1, {"a": b"\x00" * 40}], 4: -7})
    signed = canonical.encode(
        cose.cbor2.CBORTag(
            18, [canonical.encode({1: -7, 4: b"k", -65537: "x"}), {}, claims, b"s" * 64]
        )
    )
    order = (
        b'{"session":"' + b"0" * 32 + b'","kind":"residence-certificate","options":{},'
        b'"members":["0123456789abcdef"],"copies":1,"layout":"' + b"0" * 64 + b'"}'
    )
    return [claims, signed, order, seal.to_qr_text(signed).encode(), b"352012-7WJPPE-HAWYA0-Y"]


def _mutated(source: random.Random, seeds: list[bytes]) -> bytes:
    data = bytearray(source.choice(seeds))
    for _ in range(source.randint(0, 6)):
        place = source.randrange(len(data) + 1)
        match source.randrange(4):
            case 0:
                data[place:place] = source.randbytes(source.randint(1, 8))
            case 1:
                del data[place : place + source.randint(1, 16)]
            case 2 if place < len(data):
                data[place] = source.randrange(256)
            case _:
                data = data[:place] + bytearray(source.choice(seeds))[place:]
    return bytes(data)


def _decoders(source: random.Random, count: int) -> list[str]:
    seeds = _seeds()
    key = keys.ec.generate_private_key(keys.ec.SECP256R1()).public_key()

    def signed(data: bytes) -> None:
        cose.verify(cose.read(data), key, keys.Purpose.SEAL)

    attempts: list[Callable[[bytes], object]] = [
        canonical.decode,
        signed,
        seal.decode_claims,
        lambda data: seal.from_qr_text(data.decode("latin-1")),
        lambda data: numbers.check_issue_number(data.decode("latin-1")),
        keys.decode_public_key,
        *(lambda data, model=model: canonical.decode_message(model, data) for model in _MODELS),
        *(lambda data, model=model: model.model_validate_json(data) for model in _MODELS),
    ]
    failures = []
    for _ in range(count):
        data, attempt = _mutated(source, seeds), source.choice(attempts)
        try:
            attempt(data)
        except ValueError:
            continue
        except Exception as error:  # noqa: BLE001 - exactly what the campaign looks for
            failures.append(f"{type(error).__name__} for {data.hex()}")
    return failures


def _card_responses(source: random.Random, count: int) -> list[str]:
    words = [
        b"\x90\x00",
        b"\x63\xc3",
        b"\x63\xc1",
        b"\x63\xc0",
        b"\x69\x84",
        b"\x69\x82",
        b"\x6a\x82",
    ]
    failures = []

    def transmit(_command: bytes) -> bytes:
        match source.randrange(6):
            case 0:
                return source.randbytes(source.randint(0, 300))
            case 1:
                return b"JPKIAPICCTOKEN2".ljust(32) + source.randbytes(128) + b"\x90\x00"
            case 2:
                return b"\x30\x82" + source.randbytes(source.randint(2, 254)) + b"\x90\x00"
            case _:
                return source.choice(words)

    for number in range(count):
        try:
            dialogue.look(transmit)
            dialogue.sign_in(transmit, "1234", b"message", go_ahead_at_last_try=bool(number % 2))
        except CardError:
            continue
        except Exception as error:  # noqa: BLE001 - exactly what the campaign looks for
            failures.append(f"{type(error).__name__} in dialogue {number}: {error}")
    return failures


CAMPAIGNS = (
    Campaign(
        "contract-decoders",
        "damaged bytes for every decoder of the contract: only a typed refusal comes out",
        full=1_000_000,
        piece=10_000,
        run=_decoders,
    ),
    Campaign(
        "card-dialogue",
        "arbitrary responses of a card: only typed results come out of the dialogue",
        full=1_000_000,
        piece=10_000,
        run=_card_responses,
    ),
    Campaign(
        "card-dialogue-guided",
        "a card that a coverage-guided fuzzer plays: typed results only, one PIN, never unasked",
        full=1_000_000,
        piece=100_000,
        run=card_fuzz.dialogues,
    ),
    Campaign(
        "card-certificates-guided",
        "arbitrary DER, coverage-guided, for all that reads a certificate: only typed results",
        full=1_000_000,
        piece=100_000,
        run=card_fuzz.certificates,
    ),
    Campaign(
        "card-pulled-over-pcscd",
        "a card pulled out of pcscd at every command: lost contact, no try, the next is served",
        full=104,
        piece=26,
        run=pulled,
        slice_in="tests/kiosk/simulated/test_pulled_cards.py",
    ),
)
