"""``make bench-peers``: issuances a second beside the certificates a second of django-ca."""

import sys
from typing import Final

from figures import BenchError, Rate, as_json, milliseconds, rate_of, table
from installation import forget_settings, running_system, short_folder
from issuance import LEVELS, Loads, end_on_signals, measure_loads, progress
from machine import commit, describe
from peer import SIGN, environment, load_peer, running_peer
from report import rates

from deploy.running import ROOT

CLIENTS: Final = 8
SECONDS: Final = 8.0
WARM_SECONDS: Final = 2.0
WORKERS: Final = (1, 2)
"""gunicorn workers that the peer is given; its best is what counts."""


def _measure_peer() -> tuple[dict[int, Rate], str]:
    """Return the peer's rate for each number of workers, and its database."""
    found: dict[int, Rate] = {}
    database = ""
    place = environment()
    with progress() as bars:
        for workers in WORKERS:
            task = bars.add_task(f"django-ca, {workers} worker(s)", total=WARM_SECONDS + SECONDS)
            with short_folder() as folder, running_peer(place, folder, workers) as peer:
                rate_of(load_peer(peer, CLIENTS, WARM_SECONDS, lambda _gone: None))
                bars.update(task, completed=WARM_SECONDS)
                loads = load_peer(peer, CLIENTS, SECONDS, lambda _gone: None)
                bars.update(task, completed=WARM_SECONDS + SECONDS)
                found[workers] = rate_of(loads)
                database = peer.database
    return found, database


def _report(loads: Loads, peer: dict[int, Rate], database: str) -> str:
    machine = describe()
    ours = loads.issuing[-1].per_second
    rows = []
    for workers, rate in peer.items():
        times = milliseconds(rate.steps[SIGN])
        name = f"django-ca, {workers} worker{'s' if workers > 1 else ''} of 8 threads"
        cells = [f"{times[part]:.1f}" for part in ("p50", "p95", "p99")]
        rows.append([name, f"{rate.per_second:.1f}", *cells])
    best = max(rate.per_second for rate in peer.values())
    return "\n\n".join(
        [
            f"Kofu at commit {commit(ROOT)}, {machine['cores']} cores, Python {machine['python']}",
            rates([as_json(rate) for rate in loads.issuing]),
            f"django-ca signs and stores certificates (P-256 keys; {database}), {CLIENTS} clients\n"
            "over a Unix socket: no line, no card, no OCSP, one request each.\n\n"
            + table(["", "a second", "p50 ms", "p95 ms", "p99 ms"], rows),
            (
                f"Ratio with {CLIENTS} clients: {ours / best:.2f} whole issuances of Kofu for each "
                f"certificate of django-ca.\n"
            ),
        ]
    )


def main() -> int:
    """Measure both, print; return the exit code."""
    end_on_signals()
    forget_settings()
    try:
        peer, database = _measure_peer()
        with progress() as bars:
            task = bars.add_task("starting the whole system", total=1)
            with running_system("in-process", max(LEVELS)) as system:
                bars.advance(task)
                loads = measure_loads(bars, system, hello=False)
        print(_report(loads, peer, database))
    except BenchError as error:
        print(f"bench-peers: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench-peers: ended by hand", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
