"""How long each thing took."""

from collections.abc import Iterator
from contextlib import contextmanager

from dedicated_line.clock import Clock
from kiosk.session.ports import Trace


class Note:
    """What there is to say about the thing that was timed."""

    detail = ""


class Stopwatch:
    """Times what is done and tells a trace."""

    def __init__(self, clock: Clock, trace: Trace) -> None:
        self._clock = clock
        self._trace = trace

    @contextmanager
    def timed(self, what: str) -> Iterator[Note]:
        """Time a block; it is told when the block has come to its end without an error."""
        begun = self._clock.monotonic()
        note = Note()
        yield note
        self._trace.done(what, self._clock.monotonic() - begun, note.detail)
