"""From the first touch to the card taken back."""

from dataclasses import replace

from dedicated_line.contract.refusals import Refusal
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.ending import Step, end, needs_last_try_word
from kiosk.session.state import (
    Ending,
    Notice,
    Session,
    Stage,
)


def start(session: Session, event: on.Event) -> Step | None:
    """Begin at the first touch."""
    if isinstance(event, on.Begin):
        return Step(
            Session(stage=Stage.HOLD_CARD, version=session.version, journey=session.journey + 1)
        )
    return None


def hold_card(session: Session, event: on.Event) -> Step | None:
    """Wait for a card, and look whether its PIN can be used."""
    if isinstance(event, on.CardLost) and session.notice is not Notice.CARD_LOST:
        return Step(replace(session, notice=Notice.CARD_LOST))
    if not isinstance(event, on.CardSeen):
        return None
    seen = replace(
        session,
        card_in=True,
        medium=event.medium,
        tries_left=event.tries_left,
        last_try_accepted=False,
        notice=None,
    )
    if event.tries_left < 1:
        return end(seen, Ending(refusal=Refusal.PIN_BLOCKED, tries_left=0))
    return Step(replace(seen, stage=Stage.PIN))


def pin(session: Session, event: on.Event) -> Step | None:
    """Wait for the PIN; the card must stay where it is."""
    match event:
        case on.CardTaken() | on.CardLost():
            return _card_lost(session)
        case on.LastTryAccepted():
            return Step(replace(session, last_try_accepted=True))
        case on.PinTyped(pin=pin) if not needs_last_try_word(session):
            return Step(
                replace(session, stage=Stage.SIGNING_IN, notice=None, doing="sign-in"),
                (do.SignIn(pin, go_ahead_at_last_try=session.last_try_accepted),),
            )
        case _:
            return None


def _card_lost(session: Session) -> Step:
    return Step(
        replace(
            session,
            stage=Stage.HOLD_CARD,
            card_in=False,
            notice=Notice.CARD_LOST,
            doing="",
        )
    )


def signing_in(session: Session, event: on.Event) -> Step | None:
    """Take the word of card and centre."""
    match event:
        case on.CardLost() | on.CardTaken():
            return _card_lost(session)
        case on.PinWrong(tries_left=left):
            if left < 1:
                return end(
                    replace(session, tries_left=0),
                    Ending(refusal=Refusal.PIN_BLOCKED, tries_left=0),
                )
            return Step(
                replace(
                    session,
                    stage=Stage.PIN,
                    tries_left=left,
                    last_try_accepted=False,
                    notice=Notice.WRONG_PIN,
                    doing="",
                )
            )
        case on.SignedIn():
            known = replace(
                session,
                stage=Stage.TAKE_CARD,
                session=event.session,
                municipality_name=event.municipality_name,
                offers=event.offers,
                members=event.members,
                doing="",
            )
            if any(offer.open for offer in event.offers):
                return Step(known)
            first = event.offers[0] if event.offers else None
            return end(
                known,
                Ending(
                    refusal=(first and first.reason) or Refusal.NOT_PARTICIPATING,
                    kind=first.kind if first else None,
                    opens_at=first.opens_at if first else None,
                ),
            )
        case _:
            return None


def take_card(session: Session, event: on.Event) -> Step | None:
    """Go on only when the card has been taken back."""
    if isinstance(event, on.CardTaken):
        return Step(replace(session, stage=Stage.KIND, card_in=False))
    return None
