"""Dialogues in a process of their own: the kiosk's memory never has a PIN command in it.

A process begins while nobody waits for it, serves the looks and the one sign-in of one resident,
and ends. It is killed when it does not answer in time, which is lost contact: nothing is known of
the PIN then, and nothing is tried again by itself.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, Any, Final

from pydantic import TypeAdapter, ValidationError

from dedicated_line.clock import Clock
from dedicated_line.contract.sessions import CardAlgorithm
from kiosk.cards import errors
from kiosk.cards.model import CardLook, CardWord
from kiosk.cards.pin import Pin
from kiosk.cards.telling import LENGTH_BYTES, MESSAGE_LENGTH_BYTES, MOST_ANSWER_BYTES, Ask

ANSWER_SECONDS: Final = 20.0
"""For a whole dialogue, the start of the process included; a single exchange has a shorter deadline
in the process itself."""
_LOOK: Final = TypeAdapter(CardLook)


class CardProcessError(RuntimeError):
    """The process for cards broke in a way that nobody has foreseen."""


class _SilentError(Exception):
    """No answer, or none that can be one."""


class RemoteCards:
    """Speaks with the card through a process of its own."""

    def __init__(
        self,
        name_or_slot: str | int,
        clock: Clock,
        command: Sequence[str] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        """Take the reader as `PcscReader` does; `command` is another program, for tests."""
        own = [sys.executable, "-m", "kiosk.cards.child"]
        self._command = [*(own if command is None else command), str(name_or_slot)]
        self._clock = clock
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Start the process that the next dialogue needs, unless there is one."""
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )

    def look(self) -> CardLook:
        """Return what the card tells anyone; costs no try."""
        answer = self._ask(Ask.LOOK)
        try:
            return _LOOK.validate_json(json.dumps(answer["look"]))
        except (KeyError, ValidationError) as error:
            self.close()
            raise CardProcessError("a look without form") from error

    def sign_in(self, pin: Pin, message: bytes, *, go_ahead_at_last_try: bool = False) -> CardWord:
        """Let the card sign; the PIN goes over digit by digit and is wiped here.

        Raises:
            MalformedPinError: the PIN has not four digits; nothing was sent.
            CardError: as `kiosk.cards.dialogue.sign_in` raises it.
        """
        again = False
        try:
            if not pin.complete:
                raise errors.MalformedPinError
            self.prepare()
            try:
                self._type(pin)
            except OSError as error:
                raise errors.LostContactError from error
            finally:
                pin.wipe()
            asked = (
                Ask.SIGN_IN
                + (b"1" if go_ahead_at_last_try else b"0")
                + len(message).to_bytes(MESSAGE_LENGTH_BYTES, "big")
                + message
            )
            word = self._ask(asked)["word"]
            return CardWord(
                user_certificate=bytes.fromhex(word["user_certificate"]),
                algorithm=CardAlgorithm(word["algorithm"]),
                signature=bytes.fromhex(word["signature"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CardProcessError("a word without form") from error
        except errors.WrongPinError:
            again = True
            raise
        finally:
            pin.wipe()
            self.close()
            if again:
                self.prepare()  # the resident will type anew: a process shall be ready by then

    def close(self) -> None:
        """End the process and its memory at once."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _type(self, pin: Pin) -> None:
        stdin, _ = self._pipes()
        for place in range(len(pin)):
            stdin.write(memoryview(pin.digits())[place : place + 1])

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise OSError("the process for cards has ended")
        return process.stdin, process.stdout

    def _ask(self, words: bytes) -> dict[str, Any]:
        """Say it and return the answer; the process ends when there is none."""
        deadline = self._clock.monotonic() + self._seconds
        self.prepare()
        try:
            self._pipes()[0].write(words)
            length = int.from_bytes(self._exactly(LENGTH_BYTES, deadline), "big")
            if length > MOST_ANSWER_BYTES:
                raise _SilentError
            answer = json.loads(self._exactly(length, deadline))
        except (OSError, _SilentError, ValueError) as error:
            self.close()
            raise errors.LostContactError from error
        if not isinstance(answer, dict) or "broken" in answer:
            self.close()
            raise CardProcessError(str(answer))
        if "error" in answer:
            raise _rebuilt(answer)
        return answer

    def _exactly(self, count: int, deadline: float) -> bytes:
        _, stdout = self._pipes()
        pieces = bytearray()
        while len(pieces) < count:
            left = deadline - self._clock.monotonic()
            if left <= 0 or not select.select([stdout], [], [], left)[0]:
                raise _SilentError
            piece = os.read(stdout.fileno(), count - len(pieces))
            if not piece:
                raise _SilentError
            pieces += piece
        return bytes(pieces)


def _rebuilt(answer: dict[str, Any]) -> Exception:
    """Return the error that was raised in the process, as if it had been raised here."""
    kind = getattr(errors, str(answer["error"]), None)
    if not isinstance(kind, type) or not issubclass(
        kind, errors.CardError | errors.MalformedPinError
    ):
        return CardProcessError(str(answer["error"]))
    # Its class was made with other arguments; what it says and what it carries are the same.
    error: Exception = kind.__new__(kind, str(answer["says"]))
    error.__dict__.update(answer["with"])
    return error
