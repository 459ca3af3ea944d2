"""``benchmarks/card.py``: how much the reader's side adds to what card and pcscd need themselves.

It starts a pcscd of its own with vsmartcard's virtual reader, and a virtual card in a process of
its own. Figures go to the terminal and to docs/results/card-bench.json.
"""

import fcntl
import json
import math
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Final

from figures import MS, BenchError, percentile, table
from machine import commit, describe
from smartcard import scard

from backend.simulated.jpki import JpkiCentre
from dedicated_line.clock import SystemClock, SystemEntropy
from dedicated_line.contract.simulated_card import SimulatedCardFile
from kiosk.cards import dialogue
from kiosk.cards.direct import DirectCards
from kiosk.cards.errors import NoCardError, ReaderError
from kiosk.cards.pcsc import PcscReader, choose_reader
from kiosk.cards.pin import Pin
from kiosk.cards.remote import RemoteCards
from kiosk.simulated.insertion import inserted

ROOT: Final = Path(__file__).resolve().parents[1]
RESULT: Final = ROOT / "docs" / "results" / "card-bench.json"
SLOT: Final = 1
ROUNDS: Final = 200
TAPS: Final = 20
DIALOGUES: Final = 10_000
WARM: Final = 500
IN_CHILD: Final = 20
MESSAGE: Final = b"the holder asks"
MOST_RATIO, MOST_TAP_MS, MOST_GROWTH_KB = 1.25, 20.0, 1024
START_SECONDS: Final = 5.0
CLOCK: Final = SystemClock()


# ------------------------------------------------------------------ pcscd and a card
@contextmanager
def pcscd() -> Iterator[int]:
    """Run the machine's one pcscd; give its process id."""
    with Path(tempfile.gettempdir(), "kofu-pcscd.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(ReaderError):
            PcscReader(SLOT, CLOCK).check()
            raise BenchError("a pcscd runs here already; end it first: figures need one alone")
        child = subprocess.Popen(
            ["/usr/sbin/pcscd", "--foreground"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline, wait = CLOCK.monotonic() + START_SECONDS, threading.Event()
            while True:
                with suppress(ReaderError):
                    PcscReader(SLOT, CLOCK).check()
                    break
                if CLOCK.monotonic() > deadline:
                    raise BenchError("pcscd with vsmartcard-vpcd did not start")
                wait.wait(0.05)
            yield child.pid
        finally:
            child.terminate()
            child.wait()


def hold(file: Path) -> None:
    """Be the card's process: each line in is a card in, the next one a card out."""
    while sys.stdin.readline():
        with inserted(file, SLOT):
            print("in", flush=True)
            sys.stdin.readline()
        print("out", flush=True)


class Hand:
    """Holds the card up and takes it back, through the card's own process."""

    def __init__(self, file: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, __file__, "hold", str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self) -> None:
        """Do the other thing than the last time, and wait until it is done."""
        self.begin()
        self.end()

    def begin(self) -> None:
        """Do it without waiting."""
        pipe: IO[str] | None = self._process.stdin
        assert pipe is not None  # noqa: S101 - it was opened
        pipe.write("\n")
        pipe.flush()

    def end(self) -> None:
        """Wait until it is done."""
        assert self._process.stdout is not None  # noqa: S101 - it was opened
        if not self._process.stdout.readline():
            raise BenchError("the card's process has ended")

    def close(self) -> None:
        """End the card's process."""
        self._process.kill()
        self._process.communicate()


def make_card(folder: Path) -> SimulatedCardFile:
    """Have a card made as the sample world has them."""
    now = CLOCK.now()
    with closing(
        JpkiCentre.init(folder / "jpki", folder / "trust", CLOCK, SystemEntropy())
    ) as centre:
        return centre.personalise(
            "bench-taro",
            generation="g2023",
            pin="1234",
            not_before=now - timedelta(days=9),
            not_after=now + timedelta(days=9),
        ).card


# ------------------------------------------------------------------ figures
def _timed(act: Callable[[], object]) -> float:
    begun = CLOCK.monotonic()
    act()
    return CLOCK.monotonic() - begun


class Bare:
    """The same commands, sent through SCardTransmit with nothing around it."""

    def __init__(self, commands: list[bytes]) -> None:
        self._commands = [list(command) for command in commands]
        _, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
        _, readers = scard.SCardListReaders(self._context, [])
        _, self._card, protocol = scard.SCardConnect(
            self._context,
            choose_reader(readers, SLOT),
            scard.SCARD_SHARE_EXCLUSIVE,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        t0 = protocol == scard.SCARD_PROTOCOL_T0
        self._pci = scard.SCARD_PCI_T0 if t0 else scard.SCARD_PCI_T1

    def send(self) -> None:
        """Send them all."""
        for command in self._commands:
            code, answer = scard.SCardTransmit(self._card, self._pci, command)
            if code != scard.SCARD_S_SUCCESS or answer[-2] not in {0x90, 0x63}:
                raise BenchError("the card did not answer a bare command")

    def close(self) -> None:
        """Reset the card and let it go."""
        scard.SCardDisconnect(self._card, scard.SCARD_RESET_CARD)
        scard.SCardReleaseContext(self._context)


def authentications(reader: PcscReader, pin: str) -> tuple[dict[str, list[float]], int, int]:
    """Time whole authentications beside the bare commands; return times, commands, bytes."""
    sent: list[bytes] = []
    with reader.dialogue() as transmit:

        def noting(command: bytes) -> bytes:
            sent.append(command)
            return transmit(command)

        word = dialogue.sign_in(noting, pin, MESSAGE)
    times: dict[str, list[float]] = {"bare": [], "dialogue": [], "connected": [], "process": []}
    direct = DirectCards(reader)
    for _ in range(ROUNDS):
        bare = Bare(sent)
        times["bare"].append(_timed(bare.send))
        bare.close()
        with reader.dialogue() as transmit:
            times["dialogue"].append(_timed(lambda: dialogue.sign_in(transmit, pin, MESSAGE)))
        times["connected"].append(_timed(lambda: direct.sign_in(Pin(pin), MESSAGE)))
    with closing(RemoteCards(SLOT, CLOCK)) as cards:
        for _ in range(IN_CHILD):
            cards.look()  # its process has started by then, as at a kiosk
            times["process"].append(_timed(lambda: cards.sign_in(Pin(pin), MESSAGE)))
    return {name: sorted(one) for name, one in times.items()}, len(sent), len(word.user_certificate)


def taps(reader: PcscReader, hand: Hand) -> list[float]:
    """Return by how many seconds the watch loop sees an insertion after pcscd reports it."""
    late = []
    for _ in range(TAPS):
        hand.do()
        reader.wait_until_removed(START_SECONDS)
        reported: list[float] = []
        thread = threading.Thread(target=lambda: reported.append(_reported()))  # noqa: B023 - joined below
        thread.start()
        hand.begin()
        while True:  # as a journey waits: in slices
            try:
                reader.wait_for_card(0.1)
                break
            except NoCardError:
                continue
        seen = CLOCK.monotonic()
        thread.join()
        hand.end()
        late.append(seen - reported[0])
    return sorted(late)


def _reported() -> float:
    """Return when pcscd reports a card, by one call that waits for it."""
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    _, readers = scard.SCardListReaders(context, [])
    state, name = scard.SCARD_STATE_UNAWARE, choose_reader(readers, SLOT)
    while True:
        _, states = scard.SCardGetStatusChange(context, 30_000, [(name, state)])
        state = states[0][1]
        if state & scard.SCARD_STATE_PRESENT:
            at = CLOCK.monotonic()
            scard.SCardReleaseContext(context)
            return at


def _held(pid: str | int) -> dict[str, int]:
    folder = Path("/proc", str(pid))
    status = dict(
        line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line
    )
    return {
        "descriptors": len(list((folder / "fd").iterdir())),
        "threads": int(status["Threads"]),
        "resident_kb": int(status["VmRSS"].split()[0]),
    }


def endurance(reader: PcscReader, service: int) -> dict[str, object]:
    """Hold dialogues in a row; return what this process and pcscd held before and after."""
    cards = DirectCards(reader)
    for _ in range(WARM):
        cards.look()
    before, pcscd_before = _held("self"), _held(service)
    begun = CLOCK.monotonic()
    for _ in range(DIALOGUES):
        cards.look()
    seconds = CLOCK.monotonic() - begun
    return {
        "dialogues": DIALOGUES,
        "what": "connect, label, tries left, reset; over pcscd",
        "seconds": round(seconds, 1),
        "kiosk": {"before": before, "after": _held("self")},
        "pcscd": {"before": pcscd_before, "after": _held(service)},
    }


# ------------------------------------------------------------------ all of it
def measure() -> dict[str, object]:
    """Take all figures."""
    with tempfile.TemporaryDirectory(prefix="kofu-b-") as folder, pcscd() as service:
        card = make_card(Path(folder))
        file = Path(folder, "card.json")
        file.write_bytes(card.to_json())
        reader = PcscReader(SLOT, CLOCK)
        with closing(Hand(file)) as hand:
            hand.do()
            reader.wait_for_card(START_SECONDS)
            times, commands, size = authentications(reader, card.pin)
            lasting = endurance(reader, service)
            late = taps(reader, hand)
    medians = {name: statistics.median(one) * MS for name, one in times.items()}
    return {
        "authentication_ms": {
            name: {
                "rounds": len(one),
                "median": round(medians[name], 2),
                "p95": round(percentile(one, 95) * MS, 2),
            }
            for name, one in times.items()
        },
        "ratio": round(medians["dialogue"] / medians["bare"], 3),
        "ratio_with_connecting": round(medians["connected"] / medians["bare"], 3),
        "commands": commands,
        "most_commands": 9 + math.ceil(size / 256),
        "certificate_bytes": size,
        "insertion_seen_ms": {
            "insertions": len(late),
            "median": round(statistics.median(late) * MS, 2),
            "p95": round(percentile(late, 95) * MS, 2),
            "max": round(late[-1] * MS, 2),
        },
        "endurance": lasting,
        "commit": commit(ROOT),
        "machine": describe(),
    }


NAMES: Final = {
    "bare": "the same commands, bare SCardTransmit",
    "dialogue": "whole authentication",
    "connected": "with connecting and the reset",
    "process": "through the process for cards",
}


def show(figures: dict[str, object]) -> bool:
    """Print the figures; tell whether all are inside their limits."""
    times: dict[str, dict[str, float]] = figures["authentication_ms"]  # type: ignore[assignment]
    rows = [
        (NAMES[name], f"{one['rounds']}", f"{one['median']:.2f}", f"{one['p95']:.2f}")
        for name, one in times.items()
    ]
    print(table(("over pcscd", "rounds", "median ms", "p95 ms"), rows))
    seen: dict[str, float] = figures["insertion_seen_ms"]  # type: ignore[assignment]
    lasting: dict[str, dict[str, dict[str, int]]] = figures["endurance"]  # type: ignore[assignment]
    before, after = lasting["kiosk"]["before"], lasting["kiosk"]["after"]
    grown = {name: after[name] - before[name] for name in before}
    service = {
        name: lasting["pcscd"]["after"][name] - lasting["pcscd"]["before"][name] for name in before
    }
    lines = [
        ("authentication / bare", f"{figures['ratio']}", f"≤ {MOST_RATIO}"),
        ("commands", f"{figures['commands']}", f"≤ {figures['most_commands']}"),
        ("insertion seen, p95 ms", f"{seen['p95']}", f"≤ {MOST_TAP_MS:g}"),
        ("insertion seen, max ms", f"{seen['max']}", ""),
        (f"descriptors after {DIALOGUES:,} dialogues", f"{grown['descriptors']:+}", "≤ 0"),
        ("threads", f"{grown['threads']:+}", "≤ 0"),
        ("memory, KB", f"{grown['resident_kb']:+}", f"≤ {MOST_GROWTH_KB}"),
        ("pcscd's descriptors", f"{service['descriptors']:+}", ""),
        ("pcscd's memory, KB", f"{service['resident_kb']:+}", ""),
    ]
    print()
    print(table(("figure", "measured", "limit"), lines))
    return (
        float(str(figures["ratio"])) <= MOST_RATIO
        and int(str(figures["commands"])) <= int(str(figures["most_commands"]))
        and seen["p95"] <= MOST_TAP_MS
        and max(grown["descriptors"], grown["threads"]) <= 0
        and grown["resident_kb"] <= MOST_GROWTH_KB
    )


def main() -> int:
    """Measure, print, keep; exit 1 when a figure is beyond its limit."""
    if sys.argv[1:2] == ["hold"]:
        hold(Path(sys.argv[2]))
        return 0
    try:
        figures = measure()
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    inside = show(figures)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return 0 if inside else 1


if __name__ == "__main__":
    sys.exit(main())
