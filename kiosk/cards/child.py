"""The short-lived process that speaks with a card: ``python -m kiosk.cards.child SLOT``.

It holds the PIN, builds the one command that carries it, and ends. No core of it is dumped, other
processes of its user may not look into it, and where the system allows it (as root, or with
CAP_IPC_LOCK) its memory is never written to swap. Each exchange with the reader has a deadline
that the kernel keeps: a reader that hangs costs this process its life, and the kiosk nothing.

What it is told on standard input, a byte each: ``L`` look; a digit, one of the PIN's; ``X`` forget
the digits; ``S`` sign in, followed by ``1`` (the last try may be used) or ``0``, the message's
length (two bytes) and the message. It answers each look and sign-in by one frame on standard
output, its length (four bytes) and JSON, and ends after the first sign-in or when its input ends.
"""

import ctypes
import dataclasses
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from dedicated_line.clock import SystemClock
from kiosk.cards import dialogue, errors
from kiosk.cards.pcsc import PcscReader
from kiosk.cards.pin import Pin
from kiosk.cards.reader import Transmit
from kiosk.cards.telling import LENGTH_BYTES, MESSAGE_LENGTH_BYTES, Ask

EXCHANGE_SECONDS: Final = 5.0
"""For one command to the card: the slowest, signing, takes a card about half a second."""
CONNECT_SECONDS: Final = 8.0
"""To get hold of the card: another program may keep it for two seconds first."""
_PR_SET_DUMPABLE: Final = 4
_MCL_CURRENT_AND_FUTURE: Final = 3
_DIGITS: Final = {0x30 + digit: digit for digit in range(10)}


def close_the_windows() -> None:
    """Turn off core dumps and looking in; lock the memory where that is allowed."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    libc.mlockall(_MCL_CURRENT_AND_FUTURE)  # allowed or not: the PIN stands there for a moment


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """End this process by SIGALRM when what is inside takes longer, also inside a C call."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _timed(transmit: Transmit) -> Transmit:
    def exchange(apdu: bytes) -> bytes:
        with deadline(EXCHANGE_SECONDS):
            return transmit(apdu)

    return exchange


@contextmanager
def _dialogue(reader: PcscReader) -> Iterator[Transmit]:
    """Hold the card; getting hold of it and letting it go have deadlines of their own."""
    with deadline(CONNECT_SECONDS):
        held = reader.dialogue()
        transmit = held.__enter__()
    try:
        yield _timed(transmit)
    finally:
        with deadline(EXCHANGE_SECONDS):
            held.__exit__(None, None, None)


def _look(reader: PcscReader) -> dict[str, Any]:
    with _dialogue(reader) as transmit:
        return {"look": dataclasses.asdict(dialogue.look(transmit))}


def _sign_in(reader: PcscReader, pin: Pin, message: bytes, *, last: bool) -> dict[str, Any]:
    with _dialogue(reader) as transmit:
        word = dialogue.sign_in(transmit, pin, message, go_ahead_at_last_try=last)
    return {
        "word": {
            "user_certificate": word.user_certificate.hex(),
            "algorithm": word.algorithm,
            "signature": word.signature.hex(),
        }
    }


def _said(act: Callable[[], dict[str, Any]]) -> bytes:
    """Return the frame of an answer, or of the error that came instead."""
    try:
        answer = act()
    except errors.CardError as error:
        answer = {"error": type(error).__name__, "says": str(error), "with": vars(error)}
    except errors.MalformedPinError as error:
        answer = {"error": type(error).__name__, "says": str(error), "with": {}}
    except Exception as error:  # noqa: BLE001 - its text may be private: only its type is told
        answer = {"broken": type(error).__qualname__}
    body = json.dumps(answer).encode()
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def _answer_sign_in(reader: PcscReader, pin: Pin, asked: BinaryIO, answers: BinaryIO) -> None:
    last = asked.read(1) == b"1"
    length = int.from_bytes(asked.read(MESSAGE_LENGTH_BYTES), "big")
    message = asked.read(length)
    if len(message) == length:  # else the kiosk has ended
        answers.write(_said(lambda: _sign_in(reader, pin, message, last=last)))


def serve(reader: PcscReader, asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the first sign-in is answered, or nothing more is asked."""
    pin = Pin()
    try:
        while word := asked.read(1):
            if word == Ask.LOOK:
                answers.write(_said(lambda: _look(reader)))
                answers.flush()
            elif word == Ask.FORGET:
                pin.wipe()
            elif word == Ask.SIGN_IN:
                _answer_sign_in(reader, pin, asked, answers)
                return
            else:
                pin.add(_DIGITS[word[0]])
    finally:
        pin.wipe()
        answers.flush()


def main() -> None:
    """Serve the kiosk that started this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the kiosk's; the pipe ends us
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    close_the_windows()
    wanted = sys.argv[1]
    reader = PcscReader(int(wanted) if wanted.isdigit() else wanted, SystemClock())
    # Unbuffered: no library keeps a copy of a digit.
    with os.fdopen(0, "rb", buffering=0) as asked, os.fdopen(1, "wb") as answers:
        serve(reader, asked, answers)


if __name__ == "__main__":
    main()
