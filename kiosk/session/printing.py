"""Paper: draw all pages, check them all, then print copy after copy."""

from typing import Final

from PIL import Image

from dedicated_line.contract.states import PrintResult, ProofStrength
from dedicated_line.errors import KofuError
from kiosk.journal.store import JournalError
from kiosk.session import clerk
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.memory import Memory, need
from kiosk.session.ports import Ports
from kiosk.session.state import Fault
from kiosk.session.stopwatch import Stopwatch
from printers.escpos.model import PrintProof

JOB_BYTES: Final = 4
"""Of a process id."""
_NOTHING_SENT: Final = "nothing was sent"


def draw_and_check(memory: Memory, watch: Stopwatch) -> on.Event:
    """Draw all pages of all copies, and do the clerk's check on all of them."""
    content, header = need(memory.content), need(memory.header)
    try:
        with watch.timed("draw") as note:
            drawing = need(memory.drawing)
            memory.drawn = tuple(drawing.draw(content.document, copy) for copy in content.copies)
            pages = sum(len(one.pages) for one in memory.drawn)
            note.detail = f"{pages} page{'s' if pages > 1 else ''}"
    except KofuError as error:
        return on.Broken(Fault.NOT_DRAWN, str(error))
    with watch.timed("clerk's check of the pages") as note:
        clerk.check_pages(memory.drawn, content, header, need(memory.key_list))
        note.detail = "QR codes read back from the dots, texts from the PDF"
    return on.PagesPassed()


def print_issue(ports: Ports, memory: Memory, watch: Stopwatch, command: do.Print) -> on.Event:
    """Print one copy; nothing is sent after the print window or without the journal."""
    numbers = need(memory.header).issues
    place = numbers.index(command.number)
    if ports.clock.monotonic() >= memory.window_ends:
        return _done(ports, command.number, _not_sent("print window ended"), window_ended=True)
    try:
        ports.journal.printing(command.number)
    except JournalError:
        ports.incident()
        return _done(ports, command.number, _not_sent("the journal cannot be written"))
    drawn = memory.drawn[place]
    if ports.keep_pages is not None:
        ports.keep_pages(place + 1, drawn.pdf)
    with watch.timed(f"print {command.number}") as note:
        proof = _print(ports, drawn.pages)
        note.detail = f"{proof.result.value}, proof {proof.proof.value}"
    return _done(ports, command.number, proof)


def _not_sent(why: str) -> PrintProof:
    return PrintProof(PrintResult.SPOILED, ProofStrength.NONE, f"{_NOTHING_SENT}: {why}")


def _print(ports: Ports, pages: tuple[Image.Image, ...]) -> PrintProof:
    sending = False
    try:
        with ports.printer() as printer:
            sending = True
            return printer.print_pages(pages, ports.entropy.token(JOB_BYTES))
    except KofuError as error:
        if not sending:
            return _not_sent(type(error).__name__)
        incident = ports.incident()
        return PrintProof(PrintResult.UNKNOWN, ProofStrength.NONE, f"incident {incident}")
    except Exception:  # noqa: BLE001 - whatever it was, nobody can say whether a page came out
        incident = ports.incident()
        return PrintProof(PrintResult.UNKNOWN, ProofStrength.NONE, f"incident {incident}")


def _done(ports: Ports, number: str, proof: PrintProof, *, window_ended: bool = False) -> on.Event:
    try:
        ports.journal.printed(number, proof.result, proof.proof, proof.evidence)
    except JournalError:
        ports.incident()  # the outcome still says it; after a crash the page counts as unknown
    return on.IssueDone(number, proof.result, proof.proof, proof.evidence, window_ended)
