"""The books: settle the money, write the outcome, tell the centre."""

from typing import Final

from dedicated_line.errors import KofuError
from dedicated_line.kiosk_end.client import LineLostError
from kiosk.centre.errors import CentreError, NotUnderstoodError
from kiosk.coins.unit import Returned
from kiosk.journal.model import IssueEntry, OrderEntry, outcome_of
from kiosk.journal.store import JournalError
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.memory import OutOfTurnError, need
from kiosk.session.ports import Ports
from kiosk.session.state import Order, Session
from kiosk.session.stopwatch import Stopwatch

OUTCOME_SECONDS: Final = 8.0
"""How long a resident waits for the centre to hear the outcome; the journal sends it later."""


def settle_money(
    ports: Ports, session: Session, watch: Stopwatch, command: do.SettleMoney
) -> on.Event:
    """Keep what is earned, give the rest back; what does not come out is owed."""
    kept = 0
    back = Returned(0, 0)
    with watch.timed("settle the money") as note:
        try:
            if command.keep:
                ports.coins.keep(command.keep)
                kept = command.keep
            if command.give_back or ports.coins.escrow():
                back = ports.coins.return_all()
        except KofuError:
            ports.incident()
            back = Returned(0, command.keep + command.give_back - kept)
        note.detail = f"kept {kept}, returned {back.returned}, owed {back.owed} yen"
    try:
        order = need(session.order)
        ports.journal.money_settled(order.order, kept, back.returned, back.owed)
    except JournalError:
        ports.incident()
    return on.MoneySettled(kept, back.returned, back.owed)


def close_order(
    ports: Ports, session: Session, watch: Stopwatch, command: do.CloseOrder
) -> on.Event:
    """Write the outcome to the journal, then tell the centre; untold ones are told later."""
    order = need(session.order)
    entry = _entry(session, order, command)
    outcome = outcome_of(entry)
    body, key = outcome.to_json(), ports.centre.new_key()
    try:
        ports.journal.closed(order.order, body, key)
    except JournalError:
        ports.incident()
    try:
        with watch.timed("outcome") as note:
            status = ports.centre.send_outcome(order.order, body, key, OUTCOME_SECONDS)
            states = sorted({f"{issue.state.value}/{issue.money.value}" for issue in status.issues})
            note.detail = f"{outcome.result.value}; the ledger says {', '.join(states)}"
    except (LineLostError, CentreError, NotUnderstoodError):
        return on.OutcomeKept(acknowledged=False)
    try:
        ports.journal.acknowledged(order.order)
    except JournalError:
        ports.incident()
    return on.OutcomeKept(acknowledged=True)


def _entry(session: Session, order: Order, command: do.CloseOrder) -> OrderEntry:
    """Return the order as the session knows it, so that a broken journal does not change it."""
    if session.wish.kind is None:
        raise OutOfTurnError
    return OrderEntry(
        order=order.order,
        kind=session.wish.kind,
        fee=order.fee,
        release_asked=order.release_asked,
        released=order.released,
        taken=session.till.taken,
        kept=command.kept,
        returned=command.returned,
        owed=command.owed,
        rejected=command.rejected.value if command.rejected else None,
        evidence=command.evidence,
        issues=tuple(
            IssueEntry(
                number=issue.number,
                result=issue.result,
                proof=issue.proof,
                evidence=issue.evidence,
            )
            for issue in command.issues
        ),
    )
