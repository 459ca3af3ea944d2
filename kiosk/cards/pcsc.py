"""A reader of PC/SC, by the raw winscard calls.

pyscard's CardMonitor is not used: it ends when pcscd restarts or a reader is unplugged, misses a
card that lies there already, and is not safe with threads. Every wait has a context of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Final

from smartcard import scard

from dedicated_line.clock import Clock
from kiosk.cards import errors
from kiosk.cards.reader import Transmit

LONGEST_CALL_MS: Final = 500
"""A blocking call returns at least this often, so that a signal is heard."""
RETRY_SECONDS: Final = 0.2
"""Between two attempts to reach a pcscd that went away, or a card that another program holds."""
BUSY_SECONDS: Final = 2.0
"""Desktop services look at each new card for a moment; longer than this is somebody else."""
PATIENCE_SECONDS: Final = 5.0
"""A reader that was there may be away so long (pcscd restarts, a plug is loose) without a word."""
TAP_SECONDS: Final = 2.0
"""Between two looks no further apart, a card that came and went is a tap; later it is history."""
_EVENTS_SHIFT: Final = 16
"""pcscd counts insertions and removals in the upper half of a reader's state."""
_DOWN: Final = frozenset(
    {
        scard.SCARD_E_NO_SERVICE,
        scard.SCARD_E_SERVICE_STOPPED,
        scard.SCARD_E_INVALID_HANDLE,
    }
)
_NO_READER: Final = frozenset(
    {
        scard.SCARD_E_NO_READERS_AVAILABLE,
        scard.SCARD_E_UNKNOWN_READER,
        scard.SCARD_E_READER_UNAVAILABLE,
    }
)
_UNUSABLE: Final = scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE


def _reader_failure(code: int) -> errors.ReaderError:
    if code in _DOWN:
        return errors.PcscDownError()
    if code in _NO_READER:
        return errors.NoReaderError("no card reader is connected; connect one and try again")
    words = scard.SCardGetErrorMessage(code)
    return errors.ReaderError(f"the card reader failed ({words}); connect it anew and try again")


@contextmanager
def _context() -> Iterator[int]:
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    if code != scard.SCARD_S_SUCCESS:
        raise _reader_failure(code)
    try:
        yield context
    finally:
        scard.SCardReleaseContext(context)


def _readers(context: int) -> list[str]:
    code, readers = scard.SCardListReaders(context, [])
    if code != scard.SCARD_S_SUCCESS:
        raise _reader_failure(code)
    return readers


def choose_reader(readers: list[str], name_or_slot: str | int) -> str:
    """Return the reader of that slot or name.

    Args:
        readers: names as PC/SC gives them; pcsc-lite ends each with reader and slot (``00 01``).
        name_or_slot: the slot of the first reader (0, 1, …), or the beginning of a name.

    Raises:
        NoReaderError: there is none such.
    """
    for reader in readers:
        if isinstance(name_or_slot, int):
            if reader.endswith(f" 00 {name_or_slot:02X}"):
                return reader
        elif reader.startswith(name_or_slot):
            return reader
    wanted = f"slot {name_or_slot}" if isinstance(name_or_slot, int) else name_or_slot
    raise errors.NoReaderError(
        f"no reader {wanted}; connected: {', '.join(readers) or 'none'}; choose one of them"
    )


@dataclass(frozen=True)
class _Seen:
    """What the last look at a reader found."""

    at: float
    present: bool
    events: int


class PcscReader:
    """One reader of the machine's PC/SC service; waits in one thread at a time."""

    def __init__(self, name_or_slot: str | int, clock: Clock) -> None:
        """Take the slot of the first reader, or the beginning of a reader's name."""
        self._wanted = name_or_slot
        self._clock = clock
        self._never = Event()
        self._reached_at: float | None = None
        self._seen: _Seen | None = None

    @property
    def name(self) -> str:
        """Return what was asked for, in words."""
        return f"slot {self._wanted}" if isinstance(self._wanted, int) else self._wanted

    def check(self) -> None:
        """Raise PcscDownError or NoReaderError unless the reader is there."""
        with _context() as context:
            choose_reader(_readers(context), self._wanted)
            self._reached_at = self._clock.monotonic()

    def card_present(self) -> bool:
        """Tell whether a card lies on the reader now."""
        with _context() as context:
            reader = choose_reader(_readers(context), self._wanted)
            return bool(self._state(context, reader, None, 0) & scard.SCARD_STATE_PRESENT)

    def wait_for_card(self, seconds: float) -> None:
        """Return when a card is there; raise NoCardError when none came within seconds.

        A card that was held up only for a moment counts: the dialogue with it loses contact, and
        the resident is told to hold it still. A reader that was there is waited for while it is
        away for less than `PATIENCE_SECONDS`.
        """
        if not self._watch(seconds, present=True):
            raise errors.NoCardError(self.name, seconds)

    def wait_until_removed(self, seconds: float) -> None:
        """Return when no card is there; raise CardLeftError when one still is after seconds.

        While the reader is away nobody can tell: that counts as a card, for `PATIENCE_SECONDS`.
        """
        if not self._watch(seconds, present=False):
            raise errors.CardLeftError(self.name, seconds)

    @contextmanager
    def dialogue(self) -> Iterator[Transmit]:
        """Hold the card alone, in one transaction; reset it at the end, so that it logs out.

        Raises:
            ReaderBusyError: another program keeps the card.
            LostContactError: the card is not there, or does not answer.
        """
        with _context() as context:
            reader = choose_reader(_readers(context), self._wanted)
            card, protocol = self._connect(context, reader)
            try:
                _require_contact(scard.SCardBeginTransaction(card))
                yield _transmitter(card, protocol)
            finally:
                # One reset, and nobody comes between: the card stays ours until it is done. A card
                # that went away cannot be reset and need not be: it has lost its power.
                scard.SCardEndTransaction(card, scard.SCARD_LEAVE_CARD)
                scard.SCardDisconnect(card, scard.SCARD_RESET_CARD)

    def _connect(self, context: int, reader: str) -> tuple[int, int]:
        deadline = self._clock.monotonic() + BUSY_SECONDS
        while True:
            code, card, protocol = scard.SCardConnect(
                context,
                reader,
                scard.SCARD_SHARE_EXCLUSIVE,
                scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
            )
            if code != scard.SCARD_E_SHARING_VIOLATION:
                break
            if self._clock.monotonic() >= deadline:
                raise errors.ReaderBusyError(reader)
            self._never.wait(RETRY_SECONDS)
        if code in _DOWN:
            raise errors.PcscDownError
        _require_contact(code)
        return card, protocol

    def _watch(self, seconds: float, *, present: bool) -> bool:
        """Wait until a card is present, or none; live through a reader that is away meanwhile."""
        deadline = self._clock.monotonic() + seconds
        while True:
            try:
                with _context() as context:
                    reader = choose_reader(_readers(context), self._wanted)
                    return self._watch_in(context, reader, deadline, present=present)
            except errors.ReaderError:
                self._seen = None  # a pcscd that starts anew counts anew
                now = self._clock.monotonic()
                if self._reached_at is None:
                    raise
                if now >= deadline:
                    if now - self._reached_at > PATIENCE_SECONDS:
                        raise
                    return False
            self._never.wait(min(RETRY_SECONDS, deadline - now))

    def _watch_in(self, context: int, reader: str, deadline: float, *, present: bool) -> bool:
        state: int | None = None
        while True:
            left = max(0, int((deadline - self._clock.monotonic()) * 1000))
            state = self._state(context, reader, state, min(left, LONGEST_CALL_MS))
            tapped = self._note(state)
            if bool(state & scard.SCARD_STATE_PRESENT) is present or (present and tapped):
                return True
            if self._clock.monotonic() >= deadline:
                return False

    def _note(self, state: int) -> bool:
        """Remember a look; tell whether a card came and went since the one before."""
        before = self._seen
        now = self._clock.monotonic()
        there = bool(state & scard.SCARD_STATE_PRESENT)
        self._seen = _Seen(now, there, state >> _EVENTS_SHIFT)
        self._reached_at = now
        return (
            before is not None
            and not (before.present or there)
            and now - before.at <= TAP_SECONDS
            and before.events != self._seen.events
        )

    @staticmethod
    def _state(context: int, reader: str, known: int | None, milliseconds: int) -> int:
        """Return the reader's state: at once when none is known, else when it changes."""
        given = scard.SCARD_STATE_UNAWARE if known is None else known
        code, states = scard.SCardGetStatusChange(context, milliseconds, [(reader, given)])
        if code == scard.SCARD_E_TIMEOUT:
            return given
        if code != scard.SCARD_S_SUCCESS:
            raise _reader_failure(code)
        state = states[0][1]
        if state & _UNUSABLE:
            raise _reader_failure(scard.SCARD_E_READER_UNAVAILABLE)
        return state & ~scard.SCARD_STATE_CHANGED


def _require_contact(code: int) -> None:
    """Take every failure with a card for lost contact: none says anything about its PIN."""
    if code != scard.SCARD_S_SUCCESS:
        raise errors.LostContactError


def _transmitter(card: int, protocol: int) -> Transmit:
    pci = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1

    def transmit(apdu: bytes) -> bytes:
        code, answer = scard.SCardTransmit(card, pci, list(apdu))
        _require_contact(code)
        if not answer:  # some drivers say success although the card has just gone
            raise errors.LostContactError
        return bytes(answer)

    return transmit
