"""Order, money, release, drawing and printing."""

from dataclasses import replace

from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.states import PrintResult, ProofStrength
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.ending import Step, close, end
from kiosk.session.state import (
    Ending,
    Fault,
    Issue,
    Order,
    Session,
    Stage,
)


def ordering(session: Session, event: on.Event) -> Step | None:
    """Seal, check the header, ask the printer, ask the coin unit: in this order."""
    order = session.order
    match event, session.doing:
        case on.Sealed(), "place-order":
            return _sealed(session, Order(event.order, event.fee))
        case on.HeaderPassed(), "check-header" if order is not None:
            issues = tuple(Issue(number) for number in event.numbers)
            checked = replace(order, issues=issues, sheets=event.sheets)
            return Step(
                replace(session, order=checked, doing="ask-printer"),
                (do.AskPrinter(event.sheets * len(issues)),),
            )
        case on.PrinterReady(), "ask-printer" if order is not None:
            if order.fee == 0:
                return _release(session, order, 0, None)
            return Step(replace(session, doing="ask-change"), (do.AskChange(order.fee),))
        case on.ChangePossible(), "ask-change":
            return Step(replace(session, stage=Stage.PAY, doing=""))
        case _:
            return None


def _sealed(session: Session, order: Order) -> Step:
    """Buy nothing at another price than the resident saw."""
    sealed = replace(session, order=order)
    if order.fee != session.total:
        return end(sealed, Ending(refusal=Refusal.CHANGED, kind=session.wish.kind))
    return Step(replace(sealed, doing="check-header"), (do.CheckHeader(),))


def pay(session: Session, event: on.Event) -> Step | None:
    """Wait for the money."""
    order = session.order
    if not isinstance(event, on.MoneyInserted) or order is None:
        return None
    till = replace(session.till, inserted=event.amount)
    if event.receipt is None or event.amount < order.fee:
        return Step(replace(session, till=till)) if till != session.till else None
    till = replace(till, taken=order.fee, receipt=event.receipt)
    return _release(replace(session, till=till), order, order.fee, event.receipt)


def _release(session: Session, order: Order, amount: int, receipt: str | None) -> Step:
    return Step(
        replace(
            session,
            stage=Stage.RELEASING,
            order=replace(order, release_asked=True),
            doing="release",
        ),
        (do.Release(amount, receipt),),
    )


def releasing(session: Session, event: on.Event) -> Step | None:
    """Wait for the content, checked."""
    if isinstance(event, on.Released) and session.order is not None:
        order = replace(session.order, released=True)
        drawing = replace(session, stage=Stage.DRAWING, order=order, doing="draw-and-check")
        return Step(drawing, (do.DrawAndCheck(),))
    return None


def drawing(session: Session, event: on.Event) -> Step | None:
    """Wait for the pages, checked."""
    if isinstance(event, on.PagesPassed) and session.order is not None:
        return Step(
            replace(session, stage=Stage.PRINTING, doing="print"),
            (do.Print(session.order.issues[0].number),),
        )
    return None


def printing(session: Session, event: on.Event) -> Step | None:
    """Print copy after copy; the first that fails ends it."""
    order = session.order
    if not isinstance(event, on.IssueDone) or order is None:
        return None
    awaited = next((issue for issue in order.issues if issue.result is None), None)
    if awaited is None or awaited.number != event.number:
        return None
    unproved = event.result is PrintResult.PRINTED and event.proof is ProofStrength.NONE
    result = PrintResult.UNKNOWN if unproved else event.result
    done = Issue(event.number, result, event.proof, event.evidence)
    issues = tuple(done if issue is awaited else issue for issue in order.issues)
    going = replace(session, order=replace(order, issues=issues))
    if result is not PrintResult.PRINTED:
        fault = Fault.PRINT_WINDOW if event.window_ended else Fault.NOT_PRINTED
        return end(going, Ending(fault=fault, detail=event.evidence))
    following = next((issue for issue in issues if issue.result is None), None)
    if following is not None:
        return Step(going, (do.Print(following.number),))
    return close(going)
