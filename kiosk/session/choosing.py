"""Kind, who, options, copies, and the screen that shows it all once more."""

from dataclasses import replace

from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.orders import MAX_COPIES
from dedicated_line.contract.refusals import Refusal
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.ending import Step, end
from kiosk.session.state import (
    CHOOSING,
    Ending,
    Session,
    Stage,
    Wish,
)


def choosing(session: Session, event: on.Event) -> Step | None:
    """Take one choice and show the next; go back without losing any."""
    place = CHOOSING.index(session.stage)
    match event:
        case on.Back() if place > 0:
            return Step(replace(session, stage=CHOOSING[place - 1]))
        case on.Change(to=stage) if session.stage is Stage.CONFIRM and stage in CHOOSING[:-1]:
            return Step(replace(session, stage=stage))
        case on.KindChosen(kind=kind) if session.stage is Stage.KIND:
            return _kind(session, kind)
        case on.Confirmed() if session.stage is Stage.CONFIRM:
            return _ordered(session)
        case _:
            wish = _wish(session, event)
            if wish is None:
                return None
            return Step(replace(session, stage=CHOOSING[place + 1], wish=wish))


def _kind(session: Session, kind: Kind) -> Step | None:
    offer = next((offer for offer in session.offers if offer.kind is kind), None)
    if offer is None:
        return None
    if not offer.open:
        refusal = offer.reason or Refusal.KIND_CLOSED
        return end(session, Ending(refusal=refusal, kind=kind, opens_at=offer.opens_at))
    wish = replace(session.wish, kind=kind)
    return Step(replace(session, stage=Stage.WHO, wish=wish))


def _wish(session: Session, event: on.Event) -> Wish | None:
    wish = session.wish
    match event, session.stage:
        case on.MembersChosen(members=members), Stage.WHO:
            handles = [member.handle for member in session.members]
            if not members or len(set(members)) < len(members) or set(members) - set(handles):
                return None
            return replace(wish, members=tuple(one for one in handles if one in members))
        case on.OptionsChosen(options=options), Stage.OPTIONS:
            return replace(wish, options=options)
        case on.CopiesChosen(copies=copies), Stage.COPIES if 1 <= copies <= MAX_COPIES:
            return replace(wish, copies=copies)
        case _:
            return None


def _ordered(session: Session) -> Step | None:
    wish = session.wish
    if wish.kind is None or not wish.members:
        return None
    command = do.PlaceOrder(wish.kind, wish.options, wish.members, wish.copies)
    return Step(replace(session, stage=Stage.ORDERING, doing="place-order"), (command,))
