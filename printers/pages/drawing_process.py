"""A process that draws, and ends with the session: nothing of a resident stays in a cache.

Typesetter, fonts and poppler keep what they have drawn in memory. Start one `DrawingProcess` when
a session begins, long before pages are wanted; it reads fonts and layout meanwhile. It ends by
itself when its pipe closes, however its parent ended.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from PIL import Image

from dedicated_line.clock import Clock
from dedicated_line.contract.envelope import IssuedCopy
from dedicated_line.contract.message import Message
from dedicated_line.contract.residence import ResidenceCertificate
from dedicated_line.errors import KofuError
from printers.pages.characters import UncoveredCharactersError
from printers.pages.fonts import FontMissingError
from printers.pages.preview import warm_up
from printers.pages.raster import RasterError
from printers.pages.service import DrawingFailedError, DrawnCopy, PageOverflowError, draw
from printers.seal.qr import SealTooLargeError

LENGTH_BYTES: Final = 4
LONGEST_MESSAGE: Final = 64 * 1024 * 1024
DRAWING_SECONDS: Final = 30.0
_ERRORS: Final[dict[str, type[KofuError]]] = {
    error.__name__: error
    for error in (
        DrawingFailedError,
        FontMissingError,
        PageOverflowError,
        RasterError,
        SealTooLargeError,
        UncoveredCharactersError,
    )
}


class Job(Message):
    """What is asked of the process."""

    document: ResidenceCertificate
    copy_of: IssuedCopy


def _framed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(LENGTH_BYTES, "big") + part for part in parts)


class DrawingProcess:
    """Draws in a process of its own, which `close` ends."""

    def __init__(self, clock: Clock) -> None:
        """Start it; it warms up while nobody waits."""
        self._clock = clock
        self._process = subprocess.Popen(
            [sys.executable, "-m", "printers.pages.drawing_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()

    def draw(self, document: ResidenceCertificate, copy: IssuedCopy) -> DrawnCopy:
        """Do as `service.draw` does, with the same errors; DrawingFailedError if it has ended."""
        job = Job(document=document, copy_of=copy).to_json()
        deadline = self._clock.monotonic() + DRAWING_SECONDS
        try:
            stdin, _ = self._pipes()
            stdin.write(_framed(job))
            stdin.flush()
            head = json.loads(self._receive(deadline))
            if "error" in head:
                raise _ERRORS.get(head["error"], DrawingFailedError)(head["says"])
            pdf = self._receive(deadline)
            pages = [
                Image.frombytes("1", (width, height), self._receive(deadline))
                for width, height in head["pages"]
            ]
        except (OSError, ValueError) as error:
            self.close()
            raise DrawingFailedError(
                "the drawing process has ended; end this session and begin anew"
            ) from error
        return DrawnCopy(pdf, tuple(pages))

    def _pipes(self) -> tuple[Any, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError("the process has no pipes")
        return self._process.stdin, self._process.stdout

    def _receive(self, deadline: float) -> bytes:
        length = int.from_bytes(self._exactly(LENGTH_BYTES, deadline), "big")
        if length > LONGEST_MESSAGE:
            raise ValueError("an answer of impossible length")
        return self._exactly(length, deadline)

    def _exactly(self, count: int, deadline: float) -> bytes:
        _, stdout = self._pipes()
        pieces = bytearray()
        while len(pieces) < count:
            left = deadline - self._clock.monotonic()
            if left <= 0 or not select.select([stdout], [], [], left)[0]:
                raise ValueError("no answer in time")
            piece = os.read(stdout.fileno(), count - len(pieces))
            if not piece:
                raise ValueError("the process has ended")
            pieces += piece
        return bytes(pieces)

    def close(self) -> None:
        """End the process and its memory at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                with contextlib.suppress(BrokenPipeError):  # what it never read is not needed
                    pipe.close()


def _answer(job: bytes) -> bytes:
    """Draw one job; return the framed answer. An unexpected error says nothing but its type."""
    try:
        request = Job.model_validate_json(job)
        drawn = draw(request.document, request.copy_of)
    except KofuError as error:
        return _framed(json.dumps({"error": type(error).__name__, "says": str(error)}).encode())
    except Exception as error:  # noqa: BLE001 - the parent must hear of it; the text may be private
        says = f"the page could not be drawn ({type(error).__name__}); call the operators"
        return _framed(json.dumps({"error": DrawingFailedError.__name__, "says": says}).encode())
    head = json.dumps({"pages": [page.size for page in drawn.pages]}).encode()
    return _framed(head, drawn.pdf, *(page.tobytes() for page in drawn.pages))


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    """Warm up, then draw job after job until the pipe closes."""
    warm_up()
    while len(head := jobs.read(LENGTH_BYTES)) == LENGTH_BYTES:
        answers.write(_answer(jobs.read(int.from_bytes(head, "big"))))
        answers.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; the pipe ends us
    serve(sys.stdin.buffer, sys.stdout.buffer)
