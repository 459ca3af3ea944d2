"""What was measured, and what is told of it: rates, percentiles, aligned tables."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

MS = 1000.0


class BenchError(Exception):
    """One sentence for the person at the terminal: why there is no figure."""


@dataclass
class Load:
    """What one client did in one window."""

    done: int = 0
    """Whole rounds: issuances, or single requests."""
    seconds: float = 0.0
    """From the start to the end of the last whole round."""
    steps: dict[str, list[float]] = field(default_factory=dict)
    """Name of a step → seconds of each time that it was done."""
    failed: str = ""
    """Why the client gave up; empty when it did not."""


@dataclass(frozen=True)
class Rate:
    """What some clients did at once."""

    clients: int
    done: int
    per_second: float
    steps: dict[str, tuple[float, ...]]


def rate_of(loads: Sequence[Load]) -> Rate:
    """Put the clients of one window together.

    Raises:
        BenchError: a client gave up, or nothing came to its end.
    """
    for load in loads:
        if load.failed:
            raise BenchError(load.failed)
    if not all(load.done for load in loads):
        raise BenchError("a client did not come to the end of one round; the machine is too busy")
    steps: dict[str, list[float]] = {}
    for load in loads:
        for name, seconds in load.steps.items():
            steps.setdefault(name, []).extend(seconds)
    return Rate(
        clients=len(loads),
        done=sum(load.done for load in loads),
        per_second=sum(load.done / load.seconds for load in loads),
        steps={name: tuple(sorted(seconds)) for name, seconds in steps.items()},
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of values in order."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def milliseconds(ordered: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99 in milliseconds."""
    return {f"p{percent}": round(percentile(ordered, percent) * MS, 2) for percent in (50, 95, 99)}


def as_json(rate: Rate) -> dict[str, object]:
    """Return a rate as it stands in the file of results."""
    return {
        "clients": rate.clients,
        "done": rate.done,
        "per_second": round(rate.per_second, 1),
        "milliseconds": {name: milliseconds(seconds) for name, seconds in rate.steps.items()},
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median and maximum, in the unit of the values."""
    return {"median": round(statistics.median(values), 3), "max": round(max(values), 3)}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return lines whose first column stands left and whose others stand right."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "\n".join(
        "  " + "  ".join(_cell(text, widths[place], place) for place, text in enumerate(line))
        for line in lines
    )


def _cell(text: str, width: int, place: int) -> str:
    return text.rjust(width) if place else text.ljust(width)
