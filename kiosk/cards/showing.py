"""A card in a few lines, for operators: what it tells anyone, without a PIN."""

from datetime import datetime

from dedicated_line.clock import TOKYO
from kiosk.cards import dialogue
from kiosk.cards.certificate import read_certificate
from kiosk.cards.errors import CardRefusedError
from kiosk.cards.model import CardLook
from kiosk.cards.reader import Transmit


def shown(transmit: Transmit, now: datetime) -> list[str]:
    """Ask a card for medium, tries and user certificate, and return it in lines.

    Raises:
        UnknownCardError: the card has no application that a kiosk knows.
        LostContactError, CardFaultError: it went away, or answered what cannot be.
    """
    look = dialogue.look(transmit)
    says = read_certificate(dialogue.user_certificate(transmit))
    term = f"{_moment(says.not_before)} to {_moment(says.not_after)}"
    ended = ", expired" if says.expired(now) else ""
    return [
        f"medium      {look.medium.words} ({_plain(look.label)})",
        f"CN          {_plain(says.common_name)}",
        f"serial      {says.serial:x}",
        f"issued by   {_plain(says.organisation)} (not checked here)",
        f"valid       {term}{ended}",
        f"tries left  {look.tries_left}",
        f"signs with  {look.algorithm}",
        f"served      {_served(look, now)}",
    ]


def _moment(at: datetime) -> str:
    try:
        return f"{at.astimezone(TOKYO):%Y-%m-%d %H:%M} JST"
    except OverflowError:  # "never" is the last second of the year 9999 (RFC 5280, 4.1.2.5)
        return "never"


def _plain(text: str) -> str:
    """Return a card's words without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _served(look: CardLook, now: datetime) -> str:
    try:
        dialogue.require_servable(look, now)
    except CardRefusedError as refused:
        return f"no: {refused}"
    return "yes, if the centre confirms it"
