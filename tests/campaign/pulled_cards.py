"""A card pulled out of the real pcscd at a chosen command, and the person after it."""

import fcntl
import random  # noqa: TID251 - seeded: a campaign's inputs must come again
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from threading import Event

from backend.simulated.jpki import JpkiCentre
from dedicated_line.clock import SystemClock, SystemEntropy
from dedicated_line.contract.simulated_card import SimulatedCardFile
from kiosk.cards import dialogue
from kiosk.cards.errors import CardError, LostContactError, ReaderError
from kiosk.cards.pcsc import PcscReader
from kiosk.simulated.card_file import load_card_file
from kiosk.simulated.faults import Fault, FaultKind
from kiosk.simulated.faulty_card import FaultyCard
from kiosk.simulated.insertion import inserted

SLOT = 1
PIN, MESSAGE = "1234", b"the holder asks"
KINDS = (FaultKind.PULLED, FaultKind.PULLED_AFTER)
START_SECONDS = 5.0
SEEN_SECONDS = 5.0


def commands_of_a_sign_in(card: SimulatedCardFile) -> int:
    """Count them; the last three are VERIFY, selecting the key, signing."""
    counted = FaultyCard(card)
    dialogue.sign_in(counted.answer, PIN, MESSAGE)
    return counted.heard


def pulled_at(card: SimulatedCardFile, folder: Path, at: int, kind: FaultKind) -> list[str]:
    """Pull a card at the nth command; return what was not as it must be."""
    path = folder / f"{card.persona}.json"
    path.write_bytes(card.to_json())
    reader = PcscReader(SLOT, SystemClock())
    reader.wait_until_removed(SEEN_SECONDS)
    wrong = []
    with inserted(path, SLOT, [Fault(kind, number=at)]):
        reader.wait_for_card(SEEN_SECONDS)
        try:
            with reader.dialogue() as transmit:
                dialogue.sign_in(transmit, PIN, MESSAGE)
            wrong.append("it signed")
        except LostContactError:
            pass
        except CardError as error:
            wrong.append(f"{type(error).__name__}: {error}")
        reader.wait_until_removed(SEEN_SECONDS)
    if load_card_file(path) != card:
        wrong.append("the card is not as it was")
    with inserted(path, SLOT):
        reader.wait_for_card(SEEN_SECONDS)
        try:
            with reader.dialogue() as transmit:
                dialogue.sign_in(transmit, PIN, MESSAGE)
        except CardError as error:
            wrong.append(f"the next person met {type(error).__name__}: {error}")
    reader.wait_until_removed(SEEN_SECONDS)
    return [f"{kind}:{at}: {what}" for what in wrong]


@cache
def _card() -> SimulatedCardFile:
    clock, entropy = SystemClock(), SystemEntropy()
    with tempfile.TemporaryDirectory(prefix="kofu-") as name:
        folder = Path(name)
        centre = JpkiCentre.init(folder / "jpki", folder / "trust", clock, entropy)
        now = clock.now()
        made = centre.personalise(
            "test-taro",
            generation="g2023",
            pin=PIN,
            not_before=now - timedelta(days=9),
            not_after=now + timedelta(days=9),
        )
        centre.close()
        return made.card


def _answers() -> bool:
    try:
        PcscReader(SLOT, SystemClock()).check()
    except ReaderError:
        return False
    return True


@contextmanager
def _pcscd() -> Iterator[None]:
    """Take the machine's pcscd as the tests do: the one that runs, or a child."""
    with Path(tempfile.gettempdir(), "kofu-pcscd.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _answers():
            yield
            return
        child = subprocess.Popen(["/usr/sbin/pcscd", "--foreground", "--critical"])
        try:
            deadline = SystemClock().monotonic() + START_SECONDS
            while not _answers():
                if child.poll() is not None or SystemClock().monotonic() > deadline:
                    raise AssertionError("pcscd with its virtual reader did not start")
                Event().wait(0.02)
            yield
        finally:
            child.terminate()
            child.wait(timeout=10)


def pulled(source: random.Random, count: int) -> list[str]:
    """Pull so many cards, each at a command of its own."""
    card = _card()
    everywhere = [(at, kind) for at in range(1, commands_of_a_sign_in(card) + 1) for kind in KINDS]
    source.shuffle(everywhere)
    with _pcscd(), tempfile.TemporaryDirectory(prefix="kofu-") as folder:
        return [
            line
            for number in range(count)
            for line in pulled_at(card, Path(folder), *everywhere[number % len(everywhere)])
        ]
