"""How a journey closes: money first, then the books, then the last screen."""

from dataclasses import dataclass, replace

from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.states import PrintResult
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.state import (
    BUSY,
    ENDED,
    Ending,
    Fault,
    Notice,
    Order,
    Session,
    Stage,
    Wish,
)


@dataclass(frozen=True)
class Step:
    """What follows from an event."""

    session: Session
    commands: tuple[do.Command, ...] = ()


def needs_last_try_word(session: Session) -> bool:
    """Tell whether the resident must first say that the last try may be used."""
    return session.tries_left == 1 and not session.last_try_accepted


def close(session: Session) -> Step:
    """Settle the money first, then tell; `Ending` is kept until both are done."""
    order = session.order
    if order is None:
        return after(session)
    if order.released:
        issues = tuple(
            issue
            if issue.result is not None
            else replace(issue, result=PrintResult.SPOILED, evidence="nothing was sent")
            for issue in order.issues
        )
        order = replace(order, issues=issues)
    closing = replace(session, stage=Stage.CLOSING, order=order, doing="settle-money")
    till = session.till
    if till.taken:
        keep = min(order.earned, till.taken)
        return Step(closing, (do.SettleMoney(keep=keep, give_back=till.taken - keep),))
    if till.inserted:
        return Step(closing, (do.SettleMoney(keep=0, give_back=till.inserted),))
    return _tell(closing, order)


def _tell(session: Session, order: Order) -> Step:
    till = session.till
    command = do.CloseOrder(
        issues=order.issues,
        rejected=order.rejected,
        evidence=order.rejection,
        kept=till.kept,
        returned=till.returned,
        owed=till.owed,
    )
    return Step(replace(session, doing="close-order"), (command,))


def closing(session: Session, event: on.Event) -> Step | None:
    """Take what became of the money, then of the outcome."""
    order = session.order
    match event, session.doing:
        case on.MoneySettled(kept=kept, returned=returned, owed=owed), "settle-money":
            if order is None:
                return None
            till = replace(session.till, kept=kept, returned=returned, owed=owed)
            return _tell(replace(session, till=till), order)
        case on.OutcomeKept(acknowledged=acknowledged), "close-order":
            if order is None:
                return None
            closed = replace(order, closed=True, acknowledged=acknowledged)
            return after(replace(session, order=closed, doing=""))
        case _:
            return None


def after(session: Session) -> Step:
    """Show the last screen, with nothing of the resident left."""
    ending = session.ending
    if ending is None:
        stage = Stage.TAKE_PAPER
    elif ending.fault is not None:
        stage = Stage.FAULT
    elif ending.refusal is not None:
        stage = Stage.REFUSED
    else:
        stage = Stage.CANCELLED
    wiped = replace(
        session,
        stage=stage,
        members=(),
        wish=Wish(kind=session.wish.kind, copies=session.wish.copies),
        doing="",
        warned=False,
        notice=None,
    )
    return Step(wiped, (do.Forget(),))


def end(session: Session, ending: Ending) -> Step:
    """End the journey so; what is open is closed first."""
    return close(replace(session, ending=ending))


def refusal_on_screen(session: Session) -> Refusal | None:
    """Return what a resident who leaves now has been told at the PIN."""
    if session.stage is not Stage.PIN:
        return None
    if needs_last_try_word(session):
        return Refusal.LAST_TRY
    return Refusal.WRONG_PIN if session.notice is Notice.WRONG_PIN else None


def stopped(session: Session, event: on.Broken | on.Refused | on.CheckFailed) -> Step | None:
    """Follow a fault, a refusal or a failed check, wherever it comes."""
    if session.stage in ENDED or session.stage in {Stage.CLOSING, Stage.TAKE_PAPER}:
        return None
    match event:
        case on.Broken():
            known = replace(session, session=session.session or event.session)
            return end(
                known, Ending(fault=event.fault, detail=event.detail, incident=event.incident)
            )
        case on.Refused():
            known = replace(
                session,
                card_in=session.card_in or session.stage is Stage.HOLD_CARD,
                session=session.session or event.session,
                municipality_name=event.municipality_name or session.municipality_name,
            )
            ending = Ending(
                refusal=event.refusal,
                kind=event.kind or session.wish.kind,
                opens_at=event.opens_at,
                tries_left=event.tries_left,
            )
            return end(known, ending)
        case on.CheckFailed():
            order = session.order
            if order is None:
                return None
            rejected = replace(order, rejected=event.check, rejection=event.evidence)
            detail = f"{event.check.value}: {event.evidence}"
            return end(
                replace(session, order=rejected), Ending(fault=Fault.CHECK_FAILED, detail=detail)
            )


def shut_down(session: Session) -> Step | None:
    """Follow the end of the kiosk's process."""
    if session.stage in ENDED or session.stage in {Stage.CLOSING, Stage.START}:
        return None
    if session.stage is Stage.TAKE_PAPER:
        return Step(replace(session, stage=Stage.FINISHED))
    return end(session, Ending(fault=Fault.OUT_OF_SERVICE))


def take_paper(session: Session, event: on.Event) -> Step | None:
    """Wait until the tray is empty."""
    if isinstance(event, on.PaperTaken):
        return Step(replace(session, stage=Stage.FINISHED))
    return None


def ended(session: Session, event: on.Event) -> Step | None:
    """Show the last screen until it is touched away and the card is taken."""
    match event:
        case on.CardTaken() if session.card_in:
            return Step(replace(session, card_in=False))
        case on.Done():
            return _to_start(session)
        case _:
            return None


def _to_start(session: Session) -> Step:
    if session.card_in:
        return Step(replace(session, warned=True))
    return Step(Session(journey=session.journey), (do.Forget(),))


def waited(session: Session) -> Step | None:
    """Follow time that passed without a touch."""
    stage = session.stage
    if stage is Stage.START or stage in BUSY:
        return None
    if stage in ENDED:
        return _to_start(session)
    if stage is Stage.TAKE_PAPER:
        return Step(replace(session, warned=True))
    if session.warned or (stage is Stage.PAY and session.till.inserted):
        return end(session, Ending(refusal=refusal_on_screen(session)))
    return Step(replace(session, warned=True))
