"""Order, header, printer, change, release: up to the content in the kiosk's memory."""

from typing import Final

from dedicated_line.contract.orders import Money, OrderSealed, PlaceOrder, Release
from dedicated_line.contract.sealed_box import CannotOpenError, Sealed, open_sealed
from dedicated_line.errors import KofuError
from kiosk.journal.model import OrderEntry, outcome_of
from kiosk.journal.store import JournalError
from kiosk.session import clerk
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.identifying import NotTrustedError
from kiosk.session.memory import Memory, need
from kiosk.session.ports import Ports
from kiosk.session.state import Fault
from kiosk.session.stopwatch import Stopwatch
from printers.escpos.model import Paper

PAGES_NEAR_END: Final = 2
"""How many pages are begun on a roll that says that it is near its end."""
CANCEL_SECONDS: Final = 5.0


def place_order(ports: Ports, memory: Memory, watch: Stopwatch, command: do.PlaceOrder) -> on.Event:
    """Have the certificate composed and sealed; write the order to the journal."""
    layout = ports.identity.layouts[command.kind]
    request = PlaceOrder(
        session=memory.session,
        kind=command.kind,
        options=command.options,
        members=command.members,
        copies=command.copies,
        layout=layout,
    )
    with watch.timed("order, compose and seal") as note:
        sealed = ports.centre.place_order(request, need(memory.keys))
        note.detail = f"{sealed.fee} yen"
    try:
        ports.journal.order_sealed(sealed.order, command.kind, sealed.fee, ports.clock.now())
    except JournalError:
        _cancel(ports, sealed, command)
        raise
    memory.sealed = sealed
    memory.asked = clerk.Asked(
        session=memory.session,
        kiosk=ports.identity.kiosk,
        municipality=memory.municipality,
        order=sealed.order,
        kind=command.kind,
        options=command.options,
        members=len(command.members),
        copies=command.copies,
        layout=layout,
        holder=memory.holder,
        names=tuple(one.name for one in memory.members if one.handle in command.members),
        specimen=ports.identity.simulation,
    )
    return on.Sealed(sealed.order, sealed.fee)


def _cancel(ports: Ports, sealed: OrderSealed, command: do.PlaceOrder) -> None:
    """End an order that the journal cannot hold; where that fails, the centre's recovery does."""
    entry = OrderEntry(sealed.order, command.kind, sealed.fee)
    body = outcome_of(entry).to_json()
    try:
        ports.centre.send_outcome(sealed.order, body, ports.centre.new_key(), CANCEL_SECONDS)
    except KofuError:
        ports.incident()


def check_header(ports: Ports, memory: Memory, watch: Stopwatch) -> on.Event:
    """Do the clerk's check on the header; write the numbers to the journal."""
    with watch.timed("clerk's check of the header") as note:
        header = clerk.check_header(
            need(memory.sealed).header,
            need(memory.asked),
            need(memory.key_list),
            ports.clock.now(),
            ports.journal.seen,
        )
        note.detail = ", ".join(header.issues)
    ports.journal.numbers_given(header.order, header.issues)
    memory.header = header
    return on.HeaderPassed(numbers=header.issues, sheets=header.sheets)


def ask_printer(ports: Ports, watch: Stopwatch, command: do.AskPrinter) -> on.Event:
    """Ask the printer whether it can print the whole set."""
    try:
        with watch.timed("printer ready") as note, ports.printer() as printer:
            state = printer.state()
            note.detail = f"{state.paper.value} of paper" + (state.detail and f", {state.detail}")
    except KofuError as error:
        return on.Broken(Fault.PRINTER_NOT_READY, str(error))
    if not state.ready:
        return on.Broken(Fault.PRINTER_NOT_READY, state.detail)
    if state.paper is Paper.NEAR_END and command.pages > PAGES_NEAR_END:
        return on.Broken(Fault.PRINTER_NOT_READY, "paper near end, not enough for the whole set")
    return on.PrinterReady()


def ask_change(ports: Ports, command: do.AskChange) -> on.Event:
    """Ask the coin unit whether it could give everything back."""
    ports.coins.check()
    if ports.coins.can_give_change(command.amount):
        return on.ChangePossible()
    return on.Broken(Fault.NO_CHANGE, "not enough change in the coin unit")


def release(ports: Ports, memory: Memory, watch: Stopwatch, command: do.Release) -> on.Event:
    """Have the content released, open it, and do the clerk's check on it."""
    sealed, keys = need(memory.sealed), need(memory.keys)
    ports.journal.money_taken(sealed.order, command.amount, command.receipt)
    ports.journal.release_asked(sealed.order)
    request = Release(
        order=sealed.order, money=Money(amount=command.amount, receipt=command.receipt)
    )
    begun = ports.clock.monotonic()
    with watch.timed("release") as note:
        released = ports.centre.release(request, keys)
        note.detail = f"fence {released.fence}, print window {released.print_window} s"
    memory.window_ends = begun + released.print_window
    ports.journal.released(sealed.order)
    if released.order != sealed.order:
        raise NotTrustedError("the centre released another order; call the operators")
    with watch.timed("open, and clerk's check of the content") as note:
        try:
            plain = open_sealed(keys.receiving, Sealed.CONTENT, memory.session, released.ciphertext)
        except CannotOpenError:
            raise NotTrustedError(
                "the content is not for this session; call the operators"
            ) from None
        header, asked = need(memory.header), need(memory.asked)
        memory.content = clerk.check_content(plain, header, asked, need(memory.key_list))
        note.detail = f"{header.sheets} of {header.sheets} sheets, all seals hold"
    return on.Released()
