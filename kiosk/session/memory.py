"""What of one resident is held in memory, and nowhere else, until `Forget`."""

from dataclasses import dataclass, field
from typing import TypeVar

from dedicated_line.contract.envelope import Content, EnvelopeHeader
from dedicated_line.contract.key_list import KeyList
from dedicated_line.contract.orders import OrderSealed
from dedicated_line.contract.sessions import Member
from kiosk.centre.client import SessionKeys
from kiosk.session.clerk import Asked
from kiosk.session.ports import Drawing
from printers.pages.service import DrawnCopy


@dataclass
class Memory:
    """One journey's keys, names, content and pages."""

    keys: SessionKeys | None = field(default=None, repr=False)
    key_list: KeyList | None = None
    session: str = ""
    municipality: str = ""
    holder: str = ""
    """SHA-256 of the user certificate read from the card itself."""
    members: tuple[Member, ...] = field(default=(), repr=False)
    asked: Asked | None = field(default=None, repr=False)
    sealed: OrderSealed | None = field(default=None, repr=False)
    header: EnvelopeHeader | None = field(default=None, repr=False)
    content: Content | None = field(default=None, repr=False)
    drawn: tuple[DrawnCopy, ...] = field(default=(), repr=False)
    drawing: Drawing | None = field(default=None, repr=False)
    window_ends: float = 0.0
    """On the kiosk's monotonic clock."""


class OutOfTurnError(RuntimeError):
    """A command came before what it needs: a fault of the state machine's."""


T = TypeVar("T")


def need(value: T | None) -> T:
    """Return what an earlier command has left in memory."""
    if value is None:
        raise OutOfTurnError
    return value
