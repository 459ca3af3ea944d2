"""What a journey needs from outside: small ports, filled by bootstrap, or by fakes in tests."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image

from dedicated_line.clock import Clock, Entropy
from dedicated_line.contract.envelope import IssuedCopy
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.key_list import KeyList
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.orders import (
    OrderSealed,
    OrderStatus,
    PlaceOrder,
    Release,
    Released,
)
from dedicated_line.contract.residence import ResidenceCertificate
from dedicated_line.contract.sessions import (
    HolderAccepted,
    OpenSession,
    PresentHolder,
    SessionOpened,
)
from kiosk.cards.reader import Cards, Reader
from kiosk.centre.client import SessionKeys
from kiosk.coins.unit import CoinUnit
from kiosk.journal.store import Journal
from kiosk.session.events import Event
from kiosk.session.state import Session
from printers.escpos.model import PrinterState, PrintProof
from printers.pages.service import DrawnCopy


class Centre(Protocol):
    """The centre's API, as `kiosk.centre.client.CentreClient` fills it."""

    def open_session(self, request: OpenSession) -> SessionOpened:
        """Open a session."""
        ...

    def present_holder(self, session: str, request: PresentHolder) -> HolderAccepted:
        """Present the card's word."""
        ...

    def place_order(self, request: PlaceOrder, keys: SessionKeys) -> OrderSealed:
        """Have the certificate composed and sealed."""
        ...

    def release(self, request: Release, keys: SessionKeys) -> Released:
        """Have the content released."""
        ...

    def send_outcome(self, order: str, body: bytes, key: str, seconds: float = 20.0) -> OrderStatus:
        """Tell how an order ended."""
        ...

    def key_list(self) -> KeyList:
        """Fetch the key list, verified under the pinned root."""
        ...

    def new_key(self) -> str:
        """Return a new idempotency key."""
        ...


class OpenPrinter(Protocol):
    """A printer while nobody else prints on it."""

    def state(self) -> PrinterState:
        """Ask the printer how it is."""
        ...

    def print_pages(self, pages: Sequence[Image.Image], job: bytes) -> PrintProof:
        """Print pages; `job` (4 bytes) names them at the printer."""
        ...


Printer = Callable[[], AbstractContextManager[OpenPrinter]]
"""Opens the kiosk's printer; KofuError when nothing answers."""


class Drawing(Protocol):
    """Draws for one resident; what it has drawn is gone when it is closed."""

    def draw(self, document: ResidenceCertificate, copy: IssuedCopy) -> DrawnCopy:
        """Draw one copy."""
        ...

    def close(self) -> None:
        """End it, and its memory."""
        ...


class Touches(Protocol):
    """The resident's hands."""

    def next(self, session: Session, seconds: float) -> Event | None:
        """Return the next touch, waiting at most so long; None when nothing was touched."""
        ...


class Trace(Protocol):
    """Is told what was done and how long it took; never anything of a resident."""

    def done(self, what: str, seconds: float, detail: str) -> None:
        """Take note of one thing done."""
        ...


@dataclass(frozen=True)
class Identity:
    """Which kiosk this is."""

    kiosk: str
    centre: str
    environment: Environment
    software: str
    layouts: Mapping[Kind, str]
    """Digest of each layout that this kiosk can draw."""

    @property
    def simulation(self) -> bool:
        """Tell whether every page must be a specimen."""
        return self.environment is Environment.SIMULATION


@dataclass(frozen=True)
class Ports:
    """All of them."""

    identity: Identity
    reader: Reader
    """Where a card comes and goes."""
    cards: Cards
    """What is said to it."""
    centre: Centre
    coins: CoinUnit
    printer: Printer
    drawing: Callable[[], Drawing]
    """Begins one; it warms up while card and centre are asked."""
    journal: Journal
    clock: Clock
    entropy: Entropy
    incident: Callable[[], str]
    """Records the exception being handled; returns the incident's id."""
    keep_pages: Callable[[int, bytes], None] | None = field(default=None)
    """Simulation only: is given the number (1, 2, …) and the PDF of each copy printed."""
