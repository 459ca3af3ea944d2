"""The card's end of vsmartcard's virtual reader (vpcd), which pcscd loads as a driver.

vpcd listens on every interface without a password: for simulation only. A message is its length
(16 bits, big-endian) and then either one control byte or a command APDU.
"""

import socket
import struct
from contextlib import suppress
from threading import Event, Thread
from typing import Final

from kiosk.cards.errors import LostContactError, ReaderError
from kiosk.simulated.card import ATR, VirtualCard

FIRST_PORT: Final = 35963
"""Of slot 0; the next slot is one higher (vpcd's default)."""
SLOTS: Final = 2
CONNECT_SECONDS: Final = 2.0
POWER_OFF, POWER_ON, RESET, GET_ATR = 0, 1, 2, 4
_LENGTH: Final = struct.Struct("!H")


class NoVirtualReaderError(ReaderError):
    """vpcd is not listening."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"no virtual reader on TCP port {port}; start pcscd with vsmartcard-vpcd installed"
        )


class SlotTakenError(ReaderError):
    """Another card is in the slot; this one would wait behind it."""

    def __init__(self, slot: int) -> None:
        super().__init__(
            f"reader slot {slot} did not take the card; take the other card out of it first"
        )


class _ClosedError(ConnectionError):
    """The other end closed."""


class VpcdCard:
    """A card in a slot of vpcd, answering in a thread until `remove`."""

    def __init__(self, card: VirtualCard, slot: int, *, host: str = "127.0.0.1") -> None:
        """Connect to the slot; raise NoVirtualReaderError when nothing listens, SlotTakenError."""
        port = FIRST_PORT + slot
        self._card = card
        self._card.reset()
        try:
            self._socket = socket.create_connection((host, port), CONNECT_SECONDS)
        except TimeoutError as error:
            raise SlotTakenError(slot) from error  # the queue before the slot is full
        except OSError as error:
            raise NoVirtualReaderError(port) from error
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.powered = Event()
        """Set when the reader has given power: pcscd knows that a card is in the slot."""
        self.ended = Event()
        """Set when the card answers no more, whoever ended it."""
        self.failure: Exception | None = None
        """Why it ended, where that was neither `remove` nor the reader."""
        self._thread = Thread(target=self._serve, name=f"card-in-slot-{slot}", daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Take the card out and wait for its thread; once out, it stays out."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.ended.wait()  # the reader was faster
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        try:
            while True:
                self._reply(self._receive())
        except OSError:
            pass  # taken out, or the reader went away: `ended` says so
        except LostContactError:
            with suppress(OSError):  # the reader went away just now
                self._socket.shutdown(socket.SHUT_RDWR)  # the card's fault: pulled by itself
        except Exception as error:  # noqa: BLE001 - handed to whoever holds the card
            self.failure = error
        finally:
            self._card.reset()
            self.ended.set()

    def _receive(self) -> bytes:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            # vpcd sends length and body apart: without this each round trip waits 40 ms.
            self._acknowledge_at_once()
            part = self._socket.recv(count - len(data))
            self._acknowledge_at_once()
            if not part:
                raise _ClosedError
            data += part
        return data

    def _acknowledge_at_once(self) -> None:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _reply(self, message: bytes) -> None:
        if len(message) == 1 and message[0] in {POWER_OFF, POWER_ON, RESET}:
            self._card.reset()
            if message[0] == POWER_ON:
                self.powered.set()
            return
        answer = ATR if message == bytes([GET_ATR]) else self._card.answer(message)
        self._socket.sendall(_LENGTH.pack(len(answer)) + answer)
