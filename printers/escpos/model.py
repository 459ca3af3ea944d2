"""What a printer says, and what it means: replies, states, proof."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dedicated_line.contract.line import Health
from dedicated_line.contract.states import PrintResult, ProofStrength

JOB_BYTES: Final = 4
"""A process id has four characters (GS ( H, function 48)."""


class ReplyKind(StrEnum):
    """Which question a reply answers."""

    AUTOMATIC = "asb"
    """Automatic status, four bytes, sent at each change (GS a)."""
    REAL_TIME = "dle-eot"
    """One byte, answers DLE EOT."""
    BUFFERED = "gs-r"
    """One byte, answers GS r."""
    PROCESS_ID = "process-id"
    """``37 22 d1 d2 d3 d4 00``: everything before it has been printed."""
    CLEARED = "cleared"
    """``37 25 00``: buffers are empty (DLE DC4, function 8)."""
    STRANGE = "strange"
    """A byte that no question of ours calls for."""


@dataclass(frozen=True)
class Reply:
    """One reply, whole."""

    kind: ReplyKind
    data: bytes


_HEADER: Final = 0x37
_PROCESS_ID: Final = 0x22
_SINGLE: Final = (
    (0b10010011, 0b00010010, ReplyKind.REAL_TIME),
    (0b10010000, 0b00000000, ReplyKind.BUFFERED),
)
"""Replies of one byte: mask, value, kind."""
_AUTOMATIC_MASK: Final = 0b10010011
_AUTOMATIC: Final = 0b00010000
_AUTOMATIC_BYTES: Final = 4
_LATER_MASK: Final = 0b10010000


class ReplyReader:
    """Divides a printer's bytes into replies, whatever pieces they arrive in.

    Patterns of the Epson family: automatic status begins 0xx1xx00 and goes on with three of
    0xx0xxxx; DLE EOT gives 0xx1xx10, GS r 0xx0xxxx; a block begins with 37 and ends with 00.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Take bytes; yield each reply that is complete."""
        self._rest += data
        while self._rest:
            kind, length = _look(bytes(self._rest))
            if length == 0:
                return
            reply = Reply(kind, bytes(self._rest[:length]))
            del self._rest[:length]
            yield reply


def _look(data: bytes) -> tuple[ReplyKind, int]:
    """Return what data begins with and its length; length 0 when more has to come."""
    first = data[0]
    if first == _HEADER:
        known = len(data) > 1 and data[1] == _PROCESS_ID
        return (ReplyKind.PROCESS_ID if known else ReplyKind.CLEARED), data.find(0) + 1
    if first & _AUTOMATIC_MASK == _AUTOMATIC:
        if any(byte & _LATER_MASK for byte in data[1:_AUTOMATIC_BYTES]):
            return ReplyKind.STRANGE, 1
        whole = len(data) >= _AUTOMATIC_BYTES
        return ReplyKind.AUTOMATIC, _AUTOMATIC_BYTES if whole else 0
    for mask, value, kind in _SINGLE:
        if first & mask == value:
            return kind, 1
    return ReplyKind.STRANGE, 1


class Fault(StrEnum):
    """Why a printer cannot print."""

    UNREACHABLE = "unreachable"
    SILENT = "silent"
    LOST = "connection lost"
    COVER_OPEN = "cover open"
    PAPER_END = "paper end"
    CUTTER = "cutter jam"
    UNRECOVERABLE = "unrecoverable error"
    RECOVERABLE = "too hot, waiting"
    WRONG_PROCESS_ID = "wrong process id"
    OFFLINE = "offline"


class Paper(StrEnum):
    """How much paper there is."""

    PLENTY = "plenty"
    NEAR_END = "near end"
    END = "end"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PrinterState:
    """How a printer is now."""

    ready: bool
    health: Health
    detail: str
    """What is wrong, in a few words; empty when nothing is."""
    paper: Paper
    faults: frozenset[Fault] = frozenset()
    raw: bytes = b""
    """The status bytes that say so."""


_STRONGEST_FIRST: Final = tuple(Fault)


def state_of(faults: frozenset[Fault], paper: Paper, raw: bytes) -> PrinterState:
    """Return the state that faults and paper amount to."""
    if faults:
        detail = ", ".join(fault.value for fault in _STRONGEST_FIRST if fault in faults)
        return PrinterState(
            ready=False, health=Health.DOWN, detail=detail, paper=paper, faults=faults, raw=raw
        )
    near = paper is Paper.NEAR_END
    return PrinterState(
        ready=True,
        health=Health.WARNING if near else Health.READY,
        detail="paper near end" if near else "",
        paper=paper,
        raw=raw,
    )


def _paper(*, near: bool, end: bool) -> Paper:
    if end:
        return Paper.END
    return Paper.NEAR_END if near else Paper.PLENTY


def from_real_time(printer: int, offline: int, error: int, paper: int) -> PrinterState:
    """Read the answers to DLE EOT 1, 2, 3 and 4."""
    flags = {
        Fault.COVER_OPEN: offline & 0x04,
        Fault.PAPER_END: offline & 0x20 or paper & 0x60,
        Fault.CUTTER: error & 0x08,
        Fault.UNRECOVERABLE: error & 0x20,
        Fault.RECOVERABLE: error & 0x40,
    }
    faults = {fault for fault, bit in flags.items() if bit}
    if printer & 0x08 and not faults:
        faults.add(Fault.OFFLINE)
    return state_of(
        frozenset(faults),
        _paper(near=bool(paper & 0x0C), end=bool(flags[Fault.PAPER_END])),
        bytes((printer, offline, error, paper)),
    )


def from_automatic(data: bytes) -> PrinterState:
    """Read the four bytes of automatic status."""
    flags = {
        Fault.COVER_OPEN: data[0] & 0x20,
        Fault.PAPER_END: data[2] & 0x0C,
        Fault.CUTTER: data[1] & 0x08,
        Fault.UNRECOVERABLE: data[1] & 0x20,
        Fault.RECOVERABLE: data[1] & 0x40,
    }
    faults = {fault for fault, bit in flags.items() if bit}
    if data[0] & 0x08 and not faults:
        faults.add(Fault.OFFLINE)
    return state_of(
        frozenset(faults), _paper(near=bool(data[2] & 0x03), end=bool(data[2] & 0x0C)), data
    )


def process_id(job: bytes) -> bytes:
    """Return the four characters that stand for a job at the printer.

    Visible ASCII only, as the printers demand; so no real-time command can stand in it.
    """
    if len(job) != JOB_BYTES:
        raise ValueError(f"a job is named by {JOB_BYTES} bytes")
    return bytes(0x21 + byte % 94 for byte in job)


@dataclass(frozen=True)
class PrintProof:
    """What became of the pages, how that is known, and the printer's own words for it."""

    result: PrintResult
    proof: ProofStrength
    evidence: str
    """At most 500 characters: status bytes and process ids in hexadecimal; no text of a page."""
