"""The process that speaks with the card: what it costs when it breaks, and what it leaves."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from dedicated_line.clock import FixedClock, SystemClock
from kiosk.cards import errors
from kiosk.cards.pcsc import PcscReader
from kiosk.cards.pin import Pin
from kiosk.cards.remote import CardProcessError, RemoteCards
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.insertion import _put

SLOT = 1
MESSAGE = b"the holder asks"
VERIFY = b"\x00\x20\x00\x80\x04"
SIGN = bytes.fromhex("802A0080") + b"\x01x\x00"
PIN = "7391"


class WatchedCard(VirtualCard):
    """Counts commands, and goes away at the nth, before or after it heard it."""

    def __init__(
        self,
        file: Any,
        at: int = 0,
        *,
        hears: bool = True,
        how: type[Exception] = errors.LostContactError,
    ) -> None:
        super().__init__(file)
        self.at, self.hears, self.how, self.count, self.verifies = at, hears, how, 0, 0

    def answer(self, command: bytes) -> bytes:
        self.count += 1
        self.verifies += command.startswith(VERIFY)
        if self.count == self.at:
            if self.hears:
                super().answer(command)
            raise self.how
        return super().answer(command)


@contextmanager
def held(card: VirtualCard) -> Iterator[PcscReader]:
    reader = PcscReader(SLOT, SystemClock())
    reader.wait_until_removed(5)
    link = _put(card, SLOT)
    try:
        reader.wait_for_card(5)
        yield reader
    finally:
        link.remove()


@pytest.fixture
def cards() -> Iterator[RemoteCards]:
    with closing(RemoteCards(SLOT, SystemClock())) as made:
        yield made


def child(code: str) -> RemoteCards:
    return RemoteCards(SLOT, SystemClock(), [sys.executable, "-c", code])


@pytest.mark.pcscd
@pytest.mark.usefixtures("pcscd")
def test_a_card_signs_in_a_process_of_its_own_and_then_for_nobody(
    cards: RemoteCards, make_card: Callable[..., Any]
) -> None:
    card, pin = WatchedCard(make_card().file), Pin("1234")
    with held(card) as reader:
        assert cards.look().tries_left == 3
        before = card.count
        word = cards.sign_in(pin, MESSAGE)
        assert card.count - before <= 9 + -(-len(word.user_certificate) // 256)
        assert len(pin) == 0
        with reader.dialogue() as transmit:
            assert transmit(SIGN) == b"\x69\x85", "nothing is selected: the card was reset"
    key = make_card().user_public_key
    key.verify(word.signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    assert word.user_certificate == make_card().file.user_certificate


@pytest.mark.pcscd
@pytest.mark.usefixtures("pcscd")
def test_what_the_card_refuses_arrives_as_it_was_said(
    cards: RemoteCards, make_card: Callable[..., Any]
) -> None:
    card = WatchedCard(make_card().file)
    with held(card) as reader:
        for left in (2, 1):
            with pytest.raises(errors.WrongPinError) as wrong:
                cards.sign_in(Pin("0000"), MESSAGE)
            assert (wrong.value.tries_left, str(left) in str(wrong.value)) == (left, True)
            with reader.dialogue() as transmit:
                assert nobody_can_sign(transmit)
        with pytest.raises(errors.LastTryError):
            cards.sign_in(Pin("1234"), MESSAGE)
        assert card.verifies == 2, "the last try is never used without a word"
        with pytest.raises(errors.PinBlockedError):
            cards.sign_in(Pin("0000"), MESSAGE, go_ahead_at_last_try=True)
        assert cards.look().tries_left == 0
    with pytest.raises(errors.LostContactError):
        cards.look()


def nobody_can_sign(transmit: Callable[[bytes], bytes]) -> bool:
    transmit(bytes.fromhex("00A4040C0AD392F000260100000001"))
    transmit(bytes.fromhex("00A4020C020017"))
    return transmit(SIGN) == b"\x69\x82"


@pytest.mark.pcscd
@pytest.mark.usefixtures("pcscd")
@pytest.mark.parametrize(
    ("at", "hears", "how"),
    [
        (1, False, errors.LostContactError),
        (11, True, errors.LostContactError),
        (13, True, errors.LostContactError),
        # Its thread ends and its link stays: pcscd waits for an answer that never comes.
        (11, True, ConnectionError),
    ],
    ids=["first", "after the PIN", "after it signed", "the reader hangs with the PIN"],
)
def test_a_card_that_goes_away_under_the_process_costs_no_try(
    cards: RemoteCards,
    make_card: Callable[..., Any],
    at: int,
    how: type[Exception],
    *,
    hears: bool,
) -> None:
    card = WatchedCard(make_card().file, at, hears=hears, how=how)
    with held(card), pytest.raises(errors.LostContactError):
        cards.sign_in(Pin("1234"), MESSAGE)
    assert card.file.tries == 3
    assert card.verifies <= 1
    assert card.count == at


@pytest.mark.pcscd
@pytest.mark.usefixtures("pcscd")
def test_a_process_killed_after_the_pin_leaves_a_card_that_nobody_can_use(
    cards: RemoteCards, make_card: Callable[..., Any]
) -> None:
    class Killer(WatchedCard):
        def answer(self, command: bytes) -> bytes:
            answer = super().answer(command)
            if command.startswith(VERIFY):
                assert cards._process is not None
                cards._process.kill()
            return answer

    with held(Killer(make_card().file)) as reader:
        with pytest.raises(errors.LostContactError):
            cards.sign_in(Pin("1234"), MESSAGE)
        with reader.dialogue() as transmit:
            assert nobody_can_sign(transmit)
        assert cards.look().tries_left == 3


def images(pid: int) -> Iterator[bytes]:
    """Return every readable piece of a process's memory."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights = line.split()[:2]
            if "r" not in rights or line.endswith(("[vvar]", "[vsyscall]")):
                continue
            start, end = (int(word, 16) for word in place.split("-"))
            memory.seek(start)
            try:
                yield memory.read(end - start)
            except OSError:
                continue  # a device's memory


KIOSK = """
import sys
from dedicated_line.clock import FixedClock, SystemClock
from kiosk.cards.pin import Pin
from kiosk.cards.remote import RemoteCards
cards, pin = RemoteCards(int(sys.argv[1]), SystemClock()), Pin()
cards.prepare()
print(cards.look().tries_left, flush=True)
for _ in range(4):
    pin.add(sys.stdin.buffer.read(1)[0] - 0x30)
print(len(cards.sign_in(pin, b"the holder asks").signature), flush=True)
sys.stdin.buffer.read(1)
"""


@pytest.mark.pcscd
@pytest.mark.usefixtures("pcscd")
def test_no_pin_command_is_in_the_memory_of_a_kiosk_that_signed_in(
    make_card: Callable[..., Any],
) -> None:
    card = WatchedCard(make_card().file.model_copy(update={"pin": PIN}))
    with held(card):
        kiosk = subprocess.Popen(
            [sys.executable, "-c", KIOSK, str(SLOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        with kiosk:
            assert kiosk.stdout is not None
            assert kiosk.stdin is not None
            assert kiosk.stdout.readline() == b"3\n"
            for digit in PIN:
                kiosk.stdin.write(digit.encode())
            assert kiosk.stdout.readline() == b"256\n"
            assert card.verifies == 1
            memory = list(images(kiosk.pid))
            arguments = Path(f"/proc/{kiosk.pid}/cmdline").read_bytes()
            kiosk.stdin.write(b"x")
    assert any(MESSAGE in image for image in memory), "this is the kiosk's memory"
    assert not any(VERIFY + PIN.encode() in image for image in memory)
    assert PIN.encode() not in arguments


def test_a_process_that_never_answers_is_lost_contact() -> None:
    clock = FixedClock(datetime(2026, 4, 1, tzinfo=UTC))
    hangs = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with closing(RemoteCards(SLOT, clock, hangs, seconds=0.2)) as cards:
        with pytest.raises(errors.LostContactError):
            cards.look()
        assert cards._process is None, "it was killed"


@pytest.mark.parametrize(
    "code",
    [
        "pass",
        "import os; os.write(1, b'\\xff' * 99)",
        "import os; os.write(1, b'\\0\\0\\0\\x02')",
        "import os; os.write(1, b'\\0\\0\\0\\x02no')",
        "import os; os.kill(os.getpid(), 14)",
    ],
)
def test_a_process_that_ends_or_talks_nonsense_is_lost_contact(code: str) -> None:
    pin = Pin("1234")
    with closing(child(code)) as cards:
        with pytest.raises(errors.LostContactError):
            cards.look()
        with pytest.raises(errors.LostContactError):
            cards.sign_in(pin, MESSAGE)
    assert len(pin) == 0


@pytest.mark.parametrize(
    "answer",
    [
        '{"broken": "ZeroDivisionError"}',
        "[]",
        "{}",
        '{"word": {"user_certificate": "zz", "algorithm": "RS256", "signature": ""}}',
        '{"error": "SystemExit", "says": "", "with": {}}',
        '{"error": "Refusal", "says": "", "with": {}}',
    ],
)
def test_what_nobody_has_foreseen_becomes_an_incident(answer: str) -> None:
    code = f"import os; s={answer.encode()!r}; os.write(1, len(s).to_bytes(4, 'big') + s)"
    with closing(child(code)) as cards, pytest.raises(CardProcessError):
        cards.sign_in(Pin("1234"), MESSAGE)


def test_half_a_pin_is_never_sent() -> None:
    with closing(child("pass")) as cards:
        with pytest.raises(errors.MalformedPinError):
            cards.sign_in(Pin("12"), MESSAGE)
        assert cards._process is None


def test_a_process_is_begun_once_and_anew_when_it_has_ended() -> None:
    with closing(child("import sys; sys.stdin.read()")) as cards:
        cards.prepare()
        first = cards._process
        assert first is not None
        cards.prepare()
        assert cards._process is first
        first.kill()
        first.wait()
        cards.prepare()
        assert cards._process is not first


def test_the_process_dumps_no_core_and_lets_nobody_look_in() -> None:
    code = (
        "import resource, ctypes; from kiosk.cards.child import close_the_windows as close; "
        "close(); print(resource.getrlimit(resource.RLIMIT_CORE), "
        "ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(0, 0) 0\n"


def test_an_exchange_that_hangs_ends_the_process_at_its_deadline() -> None:
    code = (
        "import os; from kiosk.cards.child import deadline\n"
        "with deadline(0.2): os.read(os.pipe()[0], 1)"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=30, check=False)
    assert done.returncode == -signal.SIGALRM


def test_a_pin_is_typed_digit_by_digit_shown_by_nothing_and_overwritten() -> None:
    pin = Pin()
    for digit in (7, 3, 9, 1, 5):
        pin.add(digit)
    assert pin == Pin(PIN)
    assert pin.complete
    kept, digits = pin.copy(), pin.digits()
    view = memoryview(digits)
    assert PIN not in f"{pin} {pin!r}"
    view.release()
    pin.delete()
    assert not pin.complete
    pin.wipe()
    assert (bytes(digits), len(pin), len(kept)) == (b"", 0, 4)
    with pytest.raises(ValueError, match="digit"):
        pin.add(10)
    with pytest.raises(TypeError):
        hash(pin)
