"""The fuzzer's own process: ``card_fuzz_targets.py TARGET RUNS SEED FOLDER``.

It prints a line for each input that gave anything but a typed result, and goes on.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kiosk.cards", "backend.identity"]):
    from card_fuzz_certificates import NOW, Certificates

    from backend.identity import certificates as centre
    from backend.identity.errors import CardRefusedError
    from backend.identity.model import dates_refusal, environment_refusal, form_refusal
    from backend.identity.service import verify_card_word
    from kiosk.cards import certificate as shown
    from kiosk.cards import dialogue, errors

from dedicated_line.contract.environment import Environment
from dedicated_line.contract.issuing import CardWord
from dedicated_line.contract.sessions import CHALLENGE_BYTES, CardAlgorithm, PresentHolder

VERIFY = b"\x00\x20\x00\x80\x04"
TRIES = b"\x00\x20\x00\x80"
OK = b"\x90\x00"
WORDS = [
    bytes.fromhex(word)
    for word in [
        "9000",
        "63C3",
        "63C2",
        "63C1",
        "63C0",
        "6984",
        "6983",
        "6982",
        "6985",
        "6A82",
        "6A86",
        "6B00",
        "6700",
        "6F00",
    ]
]
LABELS = [b"JPKIAPICCTOKEN2", b"JPKIAPICCTOKEN", b"JPKIAPGPSETOKEN", b"JPKIAPIOSTOKEN", b"\xff"]


# ------------------------------------------------------------------ what a card answers
def answers(data: bytes) -> Iterator[bytes]:
    """Make a card of any bytes: status words, labels, bodies with and without one, contact lost."""
    place = 0
    while place < len(data):
        control, place = data[place], place + 1
        if control < 0x60:
            yield WORDS[control % len(WORDS)]
        elif control < 0x70:
            yield LABELS[control % len(LABELS)].ljust(32).ljust(160, b"\x00") + OK
        elif control < 0xF0:
            length = int.from_bytes(data[place : place + 2], "big") & 0x1FF
            body = data[place + 2 : place + 2 + length]
            place += 2 + length
            yield body + OK if control < 0xD0 else body
        else:
            raise errors.LostContactError


class Card:
    """Answers from the input, and watches how the PIN is handled."""

    def __init__(self, data: bytes) -> None:
        self.answers = answers(data)
        self.verifies = 0
        self.counter: bytes | None = None
        self.lost = False

    def transmit(self, command: bytes) -> bytes:
        assert not self.lost, "something was sent after contact was lost"
        if command.startswith(VERIFY):
            self.verifies += 1
        try:
            answer = next(self.answers, b"")
        except errors.LostContactError:
            self.lost = True
            raise
        if command == TRIES:
            self.counter = answer
        return answer


def try_dialogue(data: bytes) -> None:
    """Hold a dialogue; a typed result and no PIN out of turn, or an exception that is a failure."""
    go_ahead = bool(data and data[0] & 1)
    for act in (
        dialogue.look,
        dialogue.user_certificate,
        lambda transmit: dialogue.sign_in(
            transmit, "7391", b"message", go_ahead_at_last_try=go_ahead
        ),
    ):
        card = Card(data[1:])
        with suppress(errors.CardError):
            act(card.transmit)
        assert card.verifies <= 1, "the PIN was sent twice"
        if card.verifies:
            assert card.counter is not None, "the PIN was sent before the counter was read"
            assert card.counter[-2:] not in {b"\x63\xc0", b"\x69\x84", b"\x69\x83"}, "blocked"
            assert go_ahead or card.counter[-2:] != b"\x63\xc1", "the last try, unasked"


def whole_dialogue(certificate: bytes, tries: int, flag: int) -> bytes:
    """Return the input that makes a card which signs."""

    def body(data: bytes) -> bytes:
        return b"\x70" + len(data).to_bytes(2, "big") + data

    reads = [certificate[at : at + 256] for at in range(0, len(certificate), 256)]
    return b"".join(
        [
            bytes([flag, 0, 0, 0x64, 0]),  # application, token info, its label, certificate
            *(body(part) for part in reads),
            bytes([0, tries, 0, 0]),  # PIN's file, counter, VERIFY, key
            body(bytes(256)),
        ]
    )


# ------------------------------------------------------------------ certificates
def try_certificate(made: Certificates, data: bytes) -> None:
    """Read it as the centre does and as the kiosk's own command does."""
    try:
        read = centre.load_certificate(data)
    except centre.MalformedCertificateError:
        read = None
    if read is not None:
        form = centre.form_of(read)
        form_refusal(form)
        environment_refusal(form, Environment.PRODUCTION)
        dates_refusal(form, NOW)
        centre.issued_by(read, read)
        made.cas.issuer_of(read)
    with suppress(errors.CardError):
        shown.read_certificate(data)
    algorithm = CardAlgorithm.ES384 if len(data) % 2 else CardAlgorithm.RS256
    word = CardWord(
        municipality="352012",
        kiosk="k000001",
        session="a" * 32,
        challenge=bytes(CHALLENGE_BYTES),
        holder=PresentHolder(
            user_certificate=data,
            algorithm=algorithm,
            signing_key=made.point,
            receiving_key=made.point,
            card_signature=data[-96:] or b"x",
        ),
    )
    try:
        verify_card_word(made.cas, Environment.PRODUCTION, "c1", word, NOW)
    except CardRefusedError:
        return
    raise AssertionError("a card was believed that never signed")


def main() -> None:
    """Fuzz one target."""
    target, runs, seed, folder = sys.argv[1:]
    made = Certificates()
    attempts: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
        "dialogue": (
            try_dialogue,
            [
                *(whole_dialogue(made.good, tries, flag) for tries in (1, 3, 4) for flag in (0, 1)),
                b"\x00" * 20,
            ],
        ),
        "certificate": (lambda data: try_certificate(made, data), made.seeds),
    }
    attempt, seeds = attempts[target]
    signs = whole_dialogue(made.good, 1, 0)
    dialogue.sign_in(Card(signs[1:]).transmit, "7391", b"")  # or the seeds are worth nothing
    for number, one in enumerate(seeds):
        Path(folder, f"{number}").write_bytes(one)

    def once(data: bytes) -> None:
        try:
            attempt(data)
        except Exception as error:  # noqa: BLE001 - exactly what the campaign looks for
            sys.stdout.write(f"FAILURE {type(error).__name__}: {error} for {data.hex()}\n")
            sys.stdout.flush()

    words = [f"-runs={runs}", f"-seed={seed}", "-max_len=4096", "-timeout=20", "-verbosity=1"]
    atheris.Setup([sys.argv[0], *words, folder], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
