"""The load: each client is a process that works one kiosk, with cards in its own hands.

A client does what a kiosk does from the card to the outcome, by the kiosk's own code and with the
kiosk's own journal, but draws and prints no page.
"""

import signal
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Final

from figures import BenchError, Load

from dedicated_line.clock import Clock, SystemClock
from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.sessions import KindOffer
from dedicated_line.contract.states import PrintResult, ProofStrength
from dedicated_line.errors import KofuError
from dedicated_line.kiosk_end.client import LineClient
from kiosk import bootstrap
from kiosk.cards.pin import Pin
from kiosk.session import buying, identifying
from kiosk.session import closing as books
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.memory import Memory
from kiosk.session.ports import Ports
from kiosk.session.state import Issue, Order, Session, Till, Wish
from kiosk.session.stopwatch import Stopwatch
from kiosk.settings import KioskSettings
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.card_file import load_card_file
from kiosk.simulated.coin_unit import SimulatedCoinUnit
from kiosk.simulated.reader import SimulatedReader

KIND: Final = Kind.RESIDENCE_CERTIFICATE
EVIDENCE: Final = "benchmark: no paper"
RECEIPT: Final = "benchmark"
WHOLE: Final = "whole issuance"
HELLO: Final = "hello"
REQUESTS: Final = {
    "key list": "GET  key list (unchanged)",
    "open session": "POST session",
    "present holder": "PUT  holder",
    "order, compose and seal": "POST order",
    "release": "POST release",
    "outcome": "POST outcome",
}
"""Step of the kiosk that is one request → what the request is called here."""


@dataclass(frozen=True)
class Client:
    """One client."""

    kiosk: str
    persona: str
    """Whose card is held up each time; one that is served."""
    hello_port: int
    """Where the wire of the bare line is reached, on the kiosk's circuit."""


@dataclass(frozen=True)
class Window:
    """Work for so long."""

    seconds: float
    hello: bool = False
    """Ask the bare application instead."""


class _Trace:
    """Keeps the seconds of each step."""

    def __init__(self) -> None:
        self.steps: dict[str, list[float]] = {}

    def done(self, what: str, seconds: float, detail: str) -> None:  # noqa: ARG002 - the port's
        """Keep one."""
        self.steps.setdefault(REQUESTS.get(what, what), []).append(seconds)


def work(client: Client, pipe: "Connection[Load, Window | None]") -> None:
    """Work windows as they are asked for, until None comes or the other end has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    try:
        _work(client, pipe)
    except (EOFError, BrokenPipeError):
        return  # the parent has gone
    except (KofuError, BenchError) as error:
        pipe.send(Load(failed=f"{client.kiosk} with {client.persona}: {error}"))
    except Exception as error:  # noqa: BLE001 - told by the parent, which ends the run
        pipe.send(Load(failed=f"{client.kiosk} broke: {type(error).__name__}: {error}"))


def _work(client: Client, pipe: "Connection[Load, Window | None]") -> None:
    settings = KioskSettings.load()
    folder = settings.folder(client.kiosk)
    card = load_card_file(settings.card_file(client.persona))
    reader = SimulatedReader(VirtualCard(card))
    coins = SimulatedCoinUnit(folder / "coins.json", name=client.kiosk, resident_pays=True)
    hello = LineClient(
        settings.address(client.kiosk),
        client.hello_port,
        folder / "line.pem",
        folder / "line.key",
        folder / "line-ca.pem",
        settings.clock(),
    )
    with bootstrap.ports(client.kiosk, settings, reader, coins) as ports, closing(hello):
        pipe.send(Load())
        while (window := pipe.recv()) is not None:
            if window.hello:
                pipe.send(_ask_hello(hello, window.seconds, SystemClock()))
            else:
                pipe.send(_serve(ports, card.pin, window.seconds))


def _serve(ports: Ports, pin: str, seconds: float) -> Load:
    """Serve the same resident again and again."""
    trace, load = _Trace(), Load()
    watch = Stopwatch(ports.clock, trace)
    begun = ports.clock.monotonic()
    while load.seconds < seconds:
        with watch.timed(WHOLE):
            issue_once(ports, pin, watch)
        load.done += 1
        load.seconds = ports.clock.monotonic() - begun
    load.steps = trace.steps
    return load


def issue_once(ports: Ports, pin: str, watch: Stopwatch) -> None:
    """Do one issuance, from the PIN to the acknowledged outcome.

    Raises:
        KofuError: a part said no or broke.
        BenchError: it did not end as it should.
    """
    memory = Memory()
    signed_in = identifying.sign_in(ports, memory, watch, do.SignIn(Pin(pin), False))  # noqa: FBT003 - the last try is never used
    offer = next(one for one in _offers(signed_in) if one.kind is KIND)
    if not offer.open:
        reason = offer.reason.value if offer.reason else "no reason"
        raise BenchError(f"certificates are closed for this persona ({reason}); start again")
    handles = tuple(member.handle for member in memory.members if member.holder)
    ordered = do.PlaceOrder(KIND, Options(), handles, 1)
    sealed = buying.place_order(ports, memory, watch, ordered)
    passed = buying.check_header(ports, memory, watch)
    if not isinstance(sealed, on.Sealed) or not isinstance(passed, on.HeaderPassed):
        raise BenchError("the kiosk's steps answer otherwise than this benchmark expects")
    buying.release(ports, memory, watch, do.Release(sealed.fee, RECEIPT))
    issues = tuple(
        Issue(number, PrintResult.PRINTED, ProofStrength.NONE, EVIDENCE)
        for number in passed.numbers
    )
    for issue in issues:  # the journal's two entries around a page, without the page
        ports.journal.printing(issue.number)
        ports.journal.printed(issue.number, PrintResult.PRINTED, ProofStrength.NONE, EVIDENCE)
    ports.journal.money_settled(sealed.order, sealed.fee, 0, 0)
    order = Order(
        sealed.order, sealed.fee, issues, passed.sheets, release_asked=True, released=True
    )
    session = replace(
        Session(),
        wish=Wish(kind=KIND),
        order=order,
        till=Till(inserted=sealed.fee, taken=sealed.fee, receipt=RECEIPT, kept=sealed.fee),
    )
    closed = books.close_order(
        ports, session, watch, do.CloseOrder(issues, None, "", sealed.fee, 0, 0)
    )
    if not (isinstance(closed, on.OutcomeKept) and closed.acknowledged):
        raise BenchError("the centre did not acknowledge an outcome; see the log of the system")


def _offers(event: on.Event) -> tuple[KindOffer, ...]:
    """Return what the centre offers.

    Raises:
        BenchError: signing in ended otherwise.
    """
    if not isinstance(event, on.SignedIn):
        raise BenchError("signing in answers otherwise than this benchmark expects")
    return event.offers


def _ask_hello(line: LineClient, seconds: float, clock: Clock) -> Load:
    """Ask the bare application again and again."""
    times: list[float] = []
    load = Load(steps={HELLO: times})
    begun = clock.monotonic()
    while load.seconds < seconds:
        before = clock.monotonic()
        answer = line.request("GET", "/v1/hello")
        if answer.status != 200:  # noqa: PLR2004 - OK
            raise BenchError(f"the bare application answered {answer.status}")
        after = clock.monotonic()
        times.append(after - before)
        load.done += 1
        load.seconds = after - begun
    return load
