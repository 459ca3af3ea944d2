"""The state machine of a journey: a state and an event give the next state and commands.

It owns every rule of the journey and does nothing itself. An event that does not fit the stage
changes nothing, so that a late answer or a double touch is harmless.

Money (flow, section 3): asked for only when the centre holds the sealed certificate, the header
has passed its check, the printer is ready with paper for the whole set and the coin unit can give
everything back; kept only with proof of print, copy by copy; given back after any failure.
"""

from collections.abc import Callable
from dataclasses import replace

from kiosk.session import arriving, choosing, ending, paying
from kiosk.session import events as on
from kiosk.session.ending import Step
from kiosk.session.state import CHOOSING, ENDED, MAY_CANCEL, Ending, Session, Stage


def step(session: Session, event: on.Event) -> Step:
    """Return the next state and what is to be done; the same state where the event does not fit."""
    following = _follow(session, event)
    if following is None:
        return Step(session)
    return replace(following, session=replace(following.session, version=session.version + 1))


def _follow(session: Session, event: on.Event) -> Step | None:
    match event:
        case on.Broken() | on.Refused() | on.CheckFailed():
            return ending.stopped(session, event)
        case on.Shutdown():
            return ending.shut_down(session)
        case on.Waited():
            return ending.waited(session)
        case _:
            return _touched(session, event)


def _touched(session: Session, event: on.Event) -> Step | None:
    if isinstance(event, on.Cancel) and session.stage in MAY_CANCEL:
        return ending.end(session, Ending(refusal=ending.refusal_on_screen(session)))
    if isinstance(event, on.StillHere) and session.warned:
        return Step(replace(session, warned=False))
    following = _HANDLERS[session.stage](session, event)
    if following is None or not session.warned or following.session.stage in ENDED:
        return following
    return replace(following, session=replace(following.session, warned=False))


_HANDLERS: dict[Stage, Callable[[Session, on.Event], Step | None]] = {
    Stage.START: arriving.start,
    Stage.HOLD_CARD: arriving.hold_card,
    Stage.PIN: arriving.pin,
    Stage.SIGNING_IN: arriving.signing_in,
    Stage.TAKE_CARD: arriving.take_card,
    **dict.fromkeys(CHOOSING, choosing.choosing),
    Stage.ORDERING: paying.ordering,
    Stage.PAY: paying.pay,
    Stage.RELEASING: paying.releasing,
    Stage.DRAWING: paying.drawing,
    Stage.PRINTING: paying.printing,
    Stage.CLOSING: ending.closing,
    Stage.TAKE_PAPER: ending.take_paper,
    **dict.fromkeys(ENDED, ending.ended),
}
