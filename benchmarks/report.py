"""What `make bench` says, from the figures as they stand in the file of results."""

from collections.abc import Mapping
from typing import Any, Final

from figures import table
from residents import HELLO, REQUESTS, WHOLE

PIN_LIMIT: Final = 3.0
"""Seconds from the PIN to the last byte at the printer, without artificial delays."""
DEMO_LIMIT: Final = 15.0
"""Seconds of the second `make demo ONCE=1`."""
Figures = Mapping[str, Any]


def _clients(rate: Figures) -> str:
    return f"{rate['clients']} client{'s' if rate['clients'] > 1 else ''}"


def rates(issuing: list[Figures]) -> str:
    """Return issuances a second, and the time of each request."""
    rows = []
    for rate in issuing:
        times = rate["milliseconds"]
        for place, name in enumerate((WHOLE, *REQUESTS.values())):
            one = times[name]
            first = [_clients(rate), f"{rate['per_second']:.1f}"] if place == 0 else ["", ""]
            cells = [f"{one[part]:.1f}" for part in ("p50", "p95", "p99")]
            rows.append([f"{first[0]:<10} {name}", first[1], *cells])
    heads = [f"{'':<10} what", "a second", "p50 ms", "p95 ms", "p99 ms"]
    return (
        "Issuances: requests 1 to 5 over kiosk's end, wire, mutual TLS, gunicorn and issuing\n"
        "server, with card signatures, OCSP, every durable commit, sealing, the clerk's checks of\n"
        "header and content, and the outcome.\n"
        "Paper is NOT drawn or printed here: the clients report 'printed' as a kiosk does.\n"
        "Clients and system share this machine.\n\n" + table(heads, rows)
    )


def beside_hello(issuing: list[Figures], hello: list[Figures], ratios: list[float]) -> str:
    """Return the bare application beside the requests of issuances."""
    rows = []
    for issued, bare, ratio in zip(issuing, hello, ratios, strict=True):
        times = bare["milliseconds"][HELLO]
        rows.append(
            [
                _clients(bare),
                f"{bare['per_second']:.0f}",
                *(f"{times[part]:.1f}" for part in ("p50", "p95", "p99")),
                f"{issued['per_second'] * len(REQUESTS):.0f}",
                f"{ratio:.1f}",
            ]
        )
    heads = ["", "hello/s", "p50 ms", "p95 ms", "p99 ms", "requests/s issuing", "ratio"]
    return (
        'A bare Flask "hello" through the same gunicorn, line and wire. Ratio: bare requests in\n'
        f"the time of one request of an issuance ({len(REQUESTS)} requests each).\n\n"
        + table(heads, rows)
    )


def steps(rate: Figures) -> str:
    """Return where the time of an issuance goes, as the kiosk sees it."""
    times = {name: one["p50"] for name, one in rate["milliseconds"].items() if name != WHOLE}
    whole = rate["milliseconds"][WHOLE]["p50"]
    rows = [
        [name, f"{time:.1f}", f"{time / whole * 100:.0f} %"]
        for name, time in sorted(times.items(), key=lambda one: -one[1])
    ]
    rest = whole - sum(times.values())
    rows.append(["the rest: keys, journal", f"{rest:.1f}", f"{rest / whole * 100:.0f} %"])
    return (
        f"Where an issuance's time goes, {_clients(rate)} (medians; 'card signs' is the simulated\n"
        "card in the client's process):\n\n" + table(["step", "ms", "share"], rows)
    )


def cpu(figures: Figures) -> str:
    """Return where the CPU time of an issuance goes."""
    costs: dict[str, float] = figures["cpu_milliseconds_an_issuance"]
    whole = sum(costs.values()) or 1.0
    rows = [
        [name, f"{cost:.1f}", f"{cost / whole * 100:.0f} %"]
        for name, cost in sorted(costs.items(), key=lambda one: -one[1])
        if cost >= 0.05  # noqa: PLR2004 - shown with one digit
    ]
    return "Where an issuance's CPU time goes, with the most clients:\n\n" + table(
        ["process", "ms", "share"], [*rows, ["together", f"{whole:.1f}", ""]]
    )


def _paper(figures: Figures) -> str:
    rows = []
    for card, one in figures["pin_to_paper_seconds"].items():
        if "median" not in one:
            rows.append([f"card {card}", "not measured", "", ""])
            continue
        cells = [f"{one['median']:.2f}", f"{one['max']:.2f}", f"{PIN_LIMIT:.0f}"]
        rows.append([f"card {card}, {one['journeys']} journeys", *cells])
    missing = [
        f"\n  {card}: not measured: {one['not_measured']}"
        for card, one in figures["pin_to_paper_seconds"].items()
        if "not_measured" in one
    ]
    return (
        "PIN typed to last byte at the printer and its proof (drawn, checked and printed):\n\n"
        + table(["", "median s", "max s", "limit s"], rows)
        + "".join(missing)
    )


def _demo(figures: Figures) -> str:
    demo = figures["demo_seconds"]
    rows = [
        ["first, which makes the world", f"{demo['first']:.1f}", ""],
        ["second", f"{demo['second']:.1f}", f"{DEMO_LIMIT:.0f}"],
    ]
    return "make demo ONCE=1, everything installed:\n\n" + table(["", "s", "limit s"], rows)


def heading(figures: Figures) -> str:
    """Return which commit and machine this is about."""
    machine = figures["machine"]
    return (
        f"Kofu at commit {figures['commit']}, {machine['cores']} cores, "
        f"Python {machine['python']}, load before {machine['load_before']}, "
        f"measured in {figures['seconds']} s"
    )


def full_report(figures: Figures) -> str:
    """Return everything."""
    issuing, hello = figures["issuing"], figures["hello"]
    parts = [
        heading(figures),
        rates(issuing),
        steps(issuing[0]),
        cpu(figures),
        beside_hello(issuing, hello, figures["hello_per_request"]),
        _paper(figures),
        _demo(figures),
    ]
    return "\n\n".join(parts) + "\n"
