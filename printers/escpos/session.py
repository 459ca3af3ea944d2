"""A session with a printer: how it is before, during and after; pages; proof that they printed.

The end of the last page, its QR code, is held back until the printer has proved, by process id,
that all above it is on paper. So a fault before that proof leaves paper without a good seal, and
the result is `spoiled`, for certain; only in the short stretch after it can it be `unknown`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from PIL import Image

from dedicated_line.clock import Clock
from dedicated_line.contract.states import PrintResult, ProofStrength
from dedicated_line.errors import KofuError
from printers.escpos.blocks import Block, blocks, last_gap
from printers.escpos.model import (
    Fault,
    Paper,
    PrinterState,
    PrintProof,
    ReplyKind,
    from_real_time,
    process_id,
    state_of,
)
from printers.escpos.profiles import Profile, load_profile
from printers.escpos.transport import Connection, PrinterFaultError, PrinterUnreachableError

ASK: Final = b"\x10\x04"
"""DLE EOT n."""
CLEAR_BUFFERS: Final = b"\x10\x05\x02\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
"""DLE ENQ 2 (recover, clear), DLE DC4 function 8 (clear). Never DLE ENQ 1, which resumes."""
INITIALISE: Final = b"\x1b@"
AUTOMATIC_STATUS: Final = b"\x1da\x0e"
"""GS a: at each change of online, error or paper."""
MOTION_UNITS: Final = b"\x1dP"
"""GS P x y: motion units in fractions of an inch, so that one is a dot."""
ASK_PROCESS_ID: Final = b"\x1d(H\x06\x00\x30\x30"
"""GS ( H function 48; four characters follow."""
PROCESS_ID_HEAD: Final = b"\x37\x22"
ASK_PAPER: Final = b"\x1dr\x01"
"""GS r 1: answered in its turn, after all that was sent before it."""
CLEAR_SECONDS: Final = 1.0
START_SECONDS: Final = 10.0
"""What a print may take beyond its length: warming up, cutting."""
LONGEST_EVIDENCE: Final = 500


class WrongPageError(KofuError):
    """A page is not of the width that the printer prints; nothing was sent."""


@dataclass(frozen=True)
class _Page:
    """A page, divided: what may be printed at once, and what is held back."""

    above: tuple[Block, ...]
    held: int
    """The row at which the held-back end begins; 0 when nothing is held back."""
    below: tuple[Block, ...]
    last: bool


@dataclass
class _Sent:
    """How far a set of pages has come."""

    name: bytes
    """The process id."""
    words: list[str]
    """Evidence so far."""
    seal: bool = False
    """Whether anything of the last page's held-back end has been sent."""


class PrinterSession:
    """One connection to one printer; nobody else prints while it is open."""

    def __init__(self, host: str, port: int, clock: Clock, profile: Profile | None = None) -> None:
        """Take the printer's address; the connection is made by ``with``."""
        self._host = host
        self._port = port
        self._clock = clock
        self._profile = profile or load_profile()
        self._open_connection: Connection | None = None
        self._partial = False

    def __enter__(self) -> Self:
        """Connect and ask for automatic status.

        Raises:
            PrinterUnreachableError: nothing answers there.
        """
        self._connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        if self._open_connection is not None:
            self._open_connection.close(abort=self._partial)
            self._open_connection = None

    def _connect(self) -> None:
        self._open_connection = Connection(
            self._host, self._port, self._clock, self._profile.escpos_profile
        )
        try:
            self._connection.send(
                INITIALISE + AUTOMATIC_STATUS, self._profile.send_seconds, despite_fault=True
            )
        except PrinterFaultError as error:
            self._connection.close(abort=True)
            self._open_connection = None
            raise PrinterUnreachableError(
                f"the printer at {self._host}:{self._port} closed the connection; "
                "check that nothing else prints on it"
            ) from error

    @property
    def _connection(self) -> Connection:
        if self._open_connection is None:
            raise PrinterUnreachableError("the printer session is not open; open it with 'with'")
        return self._open_connection

    def state(self) -> PrinterState:
        """Ask the printer how it is (DLE EOT 1 to 4); never raises for a printer that is not well.

        Takes at most the profile's `status_seconds` for each question.
        """
        answers = []
        try:
            self._connection.drop_replies()
            for question in range(1, 5):
                self._connection.send(
                    ASK + bytes((question,)), self._profile.status_seconds, despite_fault=True
                )
                reply = self._connection.wait_for(ReplyKind.REAL_TIME, self._profile.status_seconds)
                answers.append(reply.data[0])
        except PrinterFaultError as error:
            fault = Fault.LOST if error.fault is Fault.LOST else Fault.SILENT
            return state_of(frozenset({fault}), Paper.UNKNOWN, bytes(answers))
        return from_real_time(*answers)

    def print_pages(self, pages: Sequence[Image.Image], job: bytes) -> PrintProof:
        """Print pages, each cut off, and return what became of the whole set.

        Args:
            pages: 1-bit images exactly as wide as the profile says.
            job: 4 bytes that name this set at the printer.

        Returns:
            PRINTED only with the proof that the profile declares. SPOILED when it is certain that
            the set is not whole; buffers have been cleared. UNKNOWN otherwise.

        Raises:
            WrongPageError, CannotEncodeError: nothing has been sent.
        """
        for page in pages:
            if page.mode != "1" or page.width != self._profile.width or not page.height:
                raise WrongPageError(
                    f"a page must have 1 bit a dot and {self._profile.width} dots across"
                )
        work = [self._divide(page, last=page is pages[-1]) for page in pages]
        before = self.state()
        sent = _Sent(process_id(job), [f"before {before.raw.hex() or before.detail}"])
        if not work or not before.ready:
            return _proof(PrintResult.SPOILED, ProofStrength.NONE, sent)
        self._connection.forget_fault()
        try:
            if self._partial:
                self.eject_partial()
            for each in work:
                self._print_page(each, sent)
            return self._finish(pages[-1].height, sent)
        except PrinterFaultError as error:
            return self._give_up(error, sent)

    def eject_partial(self) -> None:
        """Feed and cut off what a fault has left half printed; it carries no good seal.

        Raises:
            PrinterFaultError: the printer is not well yet.
        """
        self._connection.send(INITIALISE + AUTOMATIC_STATUS, self._profile.send_seconds)
        self._cut()
        self._partial = False

    def _divide(self, page: Image.Image, *, last: bool) -> _Page:
        rows = self._profile.block_rows
        held = last_gap(page) if last else 0
        return _Page(
            tuple(blocks(page, rows, 0, held)), held, tuple(blocks(page, rows, held)), last=last
        )

    def _print_page(self, page: _Page, sent: _Sent) -> None:
        self._partial = True
        dots = self._profile.dots_per_inch
        self._connection.send(MOTION_UNITS + bytes((dots, dots)), self._profile.send_seconds)
        self._send_blocks(page.above)
        if page.held and self._profile.proof is ProofStrength.PROCESS_ID:
            self._require_process_id(page.held, sent)
        sent.seal = sent.seal or page.last
        self._send_blocks(page.below)
        self._cut()

    def _send_blocks(self, part: tuple[Block, ...]) -> None:
        margin = 0
        for block in part:
            if block.margin != margin:
                margin = block.margin
                self._connection.send(_left_margin(margin), self._profile.send_seconds)
            self._connection.raise_fault()
            self._connection.within(self._profile.send_seconds).image(
                block.image, impl="bitImageRaster", fragment_height=self._profile.block_rows
            )
        if margin:
            self._connection.send(_left_margin(0), self._profile.send_seconds)

    def _cut(self) -> None:
        self._connection.within(self._profile.send_seconds).cut(feed=False)

    def _require_process_id(self, rows: int, sent: _Sent) -> None:
        """Wait until the printer says that all before this has been printed.

        Raises:
            PrinterFaultError: it reported a fault, fell silent, or gave another process id.
        """
        self._connection.send(ASK_PROCESS_ID + sent.name, self._profile.send_seconds)
        seconds = START_SECONDS + rows / self._profile.slowest_rows
        reply = self._connection.wait_for(ReplyKind.PROCESS_ID, seconds, stop_at_fault=True)
        sent.words.append(reply.data.hex())
        if reply.data != PROCESS_ID_HEAD + sent.name + b"\0":
            raise PrinterFaultError(Fault.WRONG_PROCESS_ID, reply.data)

    def _finish(self, rows: int, sent: _Sent) -> PrintProof:
        strength = self._profile.proof
        if strength is ProofStrength.PROCESS_ID:
            self._require_process_id(rows, sent)
            self._partial = False
            after = self.state()
            sent.words.append(f"after {after.raw.hex() or after.detail}")
            return _proof(PrintResult.PRINTED, strength, sent)
        if strength is ProofStrength.FINAL_STATUS:
            self._connection.send(ASK_PAPER, self._profile.send_seconds)
            seconds = START_SECONDS + rows / self._profile.slowest_rows
            reply = self._connection.wait_for(ReplyKind.BUFFERED, seconds, stop_at_fault=True)
            after = self.state()
            sent.words += [f"gs-r {reply.data.hex()}", f"after {after.raw.hex() or after.detail}"]
            if after.ready:
                self._partial = False
                return _proof(PrintResult.PRINTED, strength, sent)
        return _proof(PrintResult.UNKNOWN, ProofStrength.NONE, sent)

    def _give_up(self, error: PrinterFaultError, sent: _Sent) -> PrintProof:
        """Clear what the printer still holds; it must never go on with half a certificate."""
        sent.words.append(f"{error.fault.value} {error.raw.hex()}".strip())
        self._partial = True
        try:
            self._connection.send(CLEAR_BUFFERS, CLEAR_SECONDS, despite_fault=True)
            reply = self._connection.wait_for(ReplyKind.CLEARED, CLEAR_SECONDS)
            sent.words.append(f"cleared {reply.data.hex()}")
        except PrinterFaultError as second:
            sent.words.append(f"not cleared: {second.fault.value}")
        result = PrintResult.UNKNOWN if sent.seal else PrintResult.SPOILED
        return _proof(result, ProofStrength.NONE, sent)


def _left_margin(dots: int) -> bytes:
    return b"\x1dL" + dots.to_bytes(2, "little")


def _proof(result: PrintResult, strength: ProofStrength, sent: _Sent) -> PrintProof:
    return PrintProof(result, strength, "; ".join(sent.words)[:LONGEST_EVIDENCE])


def printer_state(
    host: str, port: int, clock: Clock, profile: Profile | None = None
) -> PrinterState:
    """Return how a printer is, also when nothing answers there."""
    try:
        with PrinterSession(host, port, clock, profile) as session:
            return session.state()
    except PrinterUnreachableError:
        return state_of(frozenset({Fault.UNREACHABLE}), Paper.UNKNOWN, b"")
