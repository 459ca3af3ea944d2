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
    term = " to ".join(
        f"{at.astimezone(TOKYO):%Y-%m-%d %H:%M}" for at in (says.not_before, says.not_after)
    )
    ended = ", expired" if says.expired(now) else ""
    return [
        f"medium      {look.medium.words} ({look.label})",
        f"CN          {says.common_name}",
        f"serial      {says.serial:x}",
        f"issued by   {says.organisation} (not checked here)",
        f"valid       {term} JST{ended}",
        f"tries left  {look.tries_left}",
        f"signs with  {look.algorithm}",
        f"served      {_served(look, now)}",
    ]


def _served(look: CardLook, now: datetime) -> str:
    try:
        dialogue.require_servable(look, now)
    except CardRefusedError as refused:
        return f"no: {refused}"
    return "yes, if the centre confirms it"
