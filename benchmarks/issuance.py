"""``make bench``: issuances a second beside a bare "hello", and from PIN to paper."""

import json
import signal
import sys
from dataclasses import dataclass, field
from typing import Final

from figures import MS, BenchError, Rate, as_json, rate_of, spread
from installation import (
    Clients,
    bare_line,
    clients_of,
    forget_settings,
    running_system,
)
from machine import commit, cpu_seconds, describe
from paper import demo_times, pin_to_paper
from report import full_report
from residents import REQUESTS, Window
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dedicated_line.clock import SystemClock
from deploy.running import ROOT, Running, pcscd_can_start, pcscd_runs

LEVELS: Final = (1, 4, 8)
"""Concurrent clients."""
WARM_SECONDS: Final = 2.0
ISSUE_SECONDS: Final = 8.0
HELLO_SECONDS: Final = 4.0
JOURNEYS: Final = 15
RESULT: Final = ROOT / "docs" / "results" / "bench.json"


@dataclass
class Loads:
    """Figures of the system under load, and of the bare application beside it."""

    issuing: list[Rate] = field(default_factory=list)
    hello: list[Rate] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)
    """Process → CPU seconds an issuance, with the most clients."""

    def ratio(self, place: int) -> float:
        """Return how many bare requests take the time of one request of an issuance."""
        requests = self.issuing[place].per_second * len(REQUESTS)
        return self.hello[place].per_second / requests


def progress() -> Progress:
    """Return progress bars on the standard error."""
    return Progress(
        TextColumn("{task.description:<34}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _window(bars: Progress, clients: Clients, count: int, window: Window, what: str) -> Rate:
    plural = "s" if count > 1 else ""
    task = bars.add_task(f"{what}, {count} client{plural}", total=window.seconds)
    loads = clients.run(count, window, lambda gone: bars.update(task, completed=gone))
    bars.update(task, completed=window.seconds)
    return rate_of(loads)


def measure_loads(
    bars: Progress, system: Running, *, levels: tuple[int, ...] = LEVELS, hello: bool = True
) -> Loads:
    """Load a running system, and the bare application, with rising numbers of clients."""
    most = max(levels)
    result = Loads()
    with bare_line(system) as port, clients_of(system, most, port) as clients:
        _window(bars, clients, most, Window(WARM_SECONDS), "warming up")
        roots = {name: [pid] for name, pid in system.pids.items()}
        roots["clients (the kiosks)"] = clients.pids
        for count in levels:
            before = cpu_seconds(roots)
            rate = _window(bars, clients, count, Window(ISSUE_SECONDS), "issuing")
            after = cpu_seconds(roots)
            result.issuing.append(rate)
            result.cpu = {name: (after[name] - before[name]) / rate.done for name in roots}
        if hello:
            _window(bars, clients, most, Window(WARM_SECONDS / 2, hello=True), "warming up hello")
            for count in levels:
                window = Window(HELLO_SECONDS, hello=True)
                result.hello.append(_window(bars, clients, count, window, "bare hello"))
    return result


@dataclass
class Paper:
    """From the PIN to the last byte at the printer, by one way of reading the card."""

    card: str
    seconds: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=dict)
    missing: str = ""
    """Why there is no figure."""


def _measure_paper(bars: Progress, system: Running, card: str, missing: str = "") -> Paper:
    if missing:
        return Paper(card, missing=missing)
    task = bars.add_task(f"PIN to paper, card {card}", total=JOURNEYS)
    try:
        seconds, steps = pin_to_paper(system, card, JOURNEYS, lambda: bars.advance(task))
    except BenchError as error:
        if card != "pcscd":
            raise
        # The machine has one pcscd; another checkout may be using or ending it.
        return Paper(card, missing=str(error))
    return Paper(card, seconds, steps)


def _as_json(loads: Loads, papers: list[Paper], demo: list[float]) -> dict[str, object]:
    return {
        "issuing": [as_json(rate) for rate in loads.issuing],
        "hello": [as_json(rate) for rate in loads.hello],
        "hello_per_request": [round(loads.ratio(place), 1) for place in range(len(LEVELS))],
        "cpu_milliseconds_an_issuance": {
            name: round(value * MS, 2) for name, value in loads.cpu.items()
        },
        "pin_to_paper_seconds": {
            paper.card: {"journeys": len(paper.seconds), **spread(paper.seconds)}
            if paper.seconds
            else {"not_measured": paper.missing}
            for paper in papers
        },
        "demo_seconds": {"first": round(demo[0], 1), "second": round(demo[1], 1)},
    }


def _run() -> str:
    clock = SystemClock()
    begun = clock.monotonic()
    machine = describe()
    reason = "" if pcscd_runs() else pcscd_can_start()
    with progress() as bars:
        task = bars.add_task("starting the whole system", total=1)
        with running_system("in-process" if reason else "pcscd", max(LEVELS)) as system:
            bars.advance(task)
            loads = measure_loads(bars, system)
            papers = [
                _measure_paper(bars, system, "in-process"),
                _measure_paper(bars, system, "pcscd", reason),
            ]
        task = bars.add_task("make demo ONCE=1, twice", total=2)
        demo = demo_times(lambda: bars.advance(task))
    figures = {
        "commit": commit(ROOT),
        "measured_at": clock.real_now().isoformat(timespec="seconds"),
        "seconds": round(clock.monotonic() - begun),
        "machine": machine,
        **_as_json(loads, papers, demo),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return full_report(figures)


def end_on_signals() -> None:
    """Have SIGTERM end everything as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def main() -> int:
    """Measure, print, and write the file of results; return the exit code."""
    end_on_signals()
    forget_settings()
    try:
        print(_run())
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: ended by hand; nothing was written", file=sys.stderr)
        return 130
    print(f"written: {RESULT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
