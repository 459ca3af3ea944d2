"""The simulated wire: a relay of bytes for each circuit, which sees ciphertext only."""

import asyncio
import errno
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, cast

from dedicated_line.errors import KofuError
from dedicated_line.simulated.jitter import Jitter
from dedicated_line.simulated.profiles import Direction, Fault, FaultKind, Profile

FULL: Final = 128 * 1024
"""Bytes on the way in one direction before the sender is told to wait."""
SLICE: Final = 1460
"""Bytes that travel together on a wire with a bandwidth: one segment of TCP on Ethernet."""
_RESET: Final = struct.pack("ii", 1, 0)
"""struct linger: closing sends a reset (socket(7), SO_LINGER)."""


class WireTakenError(KofuError):
    """Somebody else listens on a circuit's address."""


class _Way:
    """One direction of one connection."""

    def __init__(
        self,
        direction: Direction,
        profile: Profile,
        jitter: Jitter,
        fault: Fault | None,
        strike: Callable[[FaultKind], None],
    ) -> None:
        self.source: _End | None = None
        self.target: _End | None = None
        self._profile = profile
        self._jitter = jitter
        self._fault = fault if fault is not None and fault.direction is direction else None
        self._strike = strike
        self._passed = 0
        self._on_the_way: deque[tuple[float, bytes]] = deque()
        self._waiting = 0
        self._free_at = 0.0
        self._due_at = 0.0
        self._ended = False
        self._stalled = False
        self._timer: asyncio.TimerHandle | None = None

    def take(self, data: bytes) -> None:
        """Put bytes on the wire, up to where the fault strikes."""
        if self._stalled:
            return
        fault = self._fault
        if fault is not None and self._passed + len(data) >= fault.after:
            data = data[: max(0, fault.after - self._passed)]
            self._fault = None
            self._send(data)
            if fault.kind is FaultKind.STALL:
                self._stalled = True
            else:
                self._strike(fault.kind)
            return
        self._send(data)

    def end(self) -> None:
        """Pass the sender's end on, behind everything that is on the way."""
        self._ended = True
        if not self._on_the_way and not self._stalled:
            self._finish()

    def drop(self) -> None:
        """Forget what is on the way."""
        self._on_the_way.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _send(self, data: bytes) -> None:
        self._passed += len(data)
        if self._profile.passes_at_once:
            self._deliver(data)
            return
        now = asyncio.get_running_loop().time()
        for start in range(0, len(data), SLICE):
            piece = data[start : start + SLICE]
            self._free_at = max(self._free_at, now) + self._profile.seconds_for(len(piece))
            late = self._profile.latency + self._profile.jitter * self._jitter.next()
            self._due_at = max(self._due_at, self._free_at + late)
            self._on_the_way.append((self._due_at, piece))
            self._waiting += len(piece)
        if self._waiting > FULL and self.source is not None:
            self.source.wait(self)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is None and self._on_the_way:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._on_the_way[0][0], self._arrive)

    def _arrive(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._on_the_way and self._on_the_way[0][0] <= now:
            _, piece = self._on_the_way.popleft()
            self._waiting -= len(piece)
            self._deliver(piece)
        if self._waiting <= FULL and self.source is not None:
            self.source.go_on(self)
        if self._ended and not self._on_the_way:
            self._finish()
        self._set_timer()

    def _deliver(self, data: bytes) -> None:
        if self.target is not None and data:
            self.target.write(data)

    def _finish(self) -> None:
        if self.target is not None:
            self.target.finish()


class _End(asyncio.Protocol):
    """One end of a connection: what it receives goes into `outward`."""

    def __init__(self, made: Callable[["_End"], None] | None = None) -> None:
        self.outward: _Way | None = None
        self.inward: _Way | None = None
        self.lost: Callable[[], None] | None = None
        self._made = made
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._reasons: set[object] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, whose class under uvloop is not derived from asyncio's."""
        self._transport = cast("asyncio.Transport", transport)
        if self._made is not None:
            self._made(self)

    def joined(self) -> None:
        """Let go what came before the other end was there."""
        early, self._early = self._early, []
        for data in early:
            self.data_received(data)

    def data_received(self, data: bytes) -> None:
        """Put bytes on the wire."""
        if self.outward is None:
            self._early.append(data)
        else:
            self.outward.take(data)

    def eof_received(self) -> bool:
        """Pass the end on; keep the other direction open."""
        if self.outward is not None:
            self.outward.end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        """Pass the end on, in its order."""
        if self.outward is not None:
            self.outward.end()
        if self.inward is not None:
            self.inward.drop()
        if self.lost is not None:
            self.lost()

    def pause_writing(self) -> None:
        """Let the sender wait until this end takes more."""
        if self.inward is not None and self.inward.source is not None:
            self.inward.source.wait(self)

    def resume_writing(self) -> None:
        """Let the sender go on."""
        if self.inward is not None and self.inward.source is not None:
            self.inward.source.go_on(self)

    def write(self, data: bytes) -> None:
        """Hand bytes to whoever is at this end."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def finish(self) -> None:
        """Close once everything has been handed over."""
        if self._transport is not None:
            self._transport.close()

    def wait(self, reason: object) -> None:
        """Read no more for a reason."""
        if self._transport is not None and not self._reasons and not self._transport.is_closing():
            self._transport.pause_reading()
        self._reasons.add(reason)

    def go_on(self, reason: object) -> None:
        """Read on when no reason is left."""
        if reason in self._reasons:
            self._reasons.discard(reason)
            if self._transport is not None and not self._reasons:
                self._transport.resume_reading()

    def strike(self, kind: FaultKind) -> None:
        """Close at once, orderly or with a reset."""
        if self._transport is None:
            return
        if kind is FaultKind.RESET:
            descriptor = self._transport.get_extra_info("socket").fileno()
            with socket.socket(fileno=socket.dup(descriptor)) as same:
                same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()
        else:
            self._transport.close()


class Wire:
    """All circuits of one simulated wire."""

    def __init__(self, target: tuple[str, int], port: int, profile: Profile, seed: int) -> None:
        """Relay from each circuit's address at `port` to `target`, from that same address.

        Args:
            target: where the centre's end listens.
            port: where the wire listens on each circuit; 0 takes a free one (see `start`).
            profile: how the wire behaves.
            seed: of the jitter.
        """
        self._target = target
        self._port = port
        self._profile = profile
        self._jitter = Jitter(seed)
        self._servers: dict[str, asyncio.Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: set[_End] = set()
        self._faults: dict[str, deque[Fault]] = {}

    async def start(self, circuit: str) -> int:
        """Listen on a circuit's address; return the port."""
        if circuit not in self._servers:
            loop = asyncio.get_running_loop()
            try:
                self._servers[circuit] = await loop.create_server(
                    lambda: _End(lambda near: self._accepted(circuit, near)), circuit, self._port
                )
            except OSError as error:
                taken = error.errno == errno.EADDRINUSE
                raise WireTakenError(
                    f"port {self._port} on {circuit} {'is taken' if taken else 'cannot be used'}; "
                    "stop who listens there, or set KOFU_WIRE_PORT to a free one"
                ) from error
        port: int = self._servers[circuit].sockets[0].getsockname()[1]
        return port

    async def start_all(self, circuits: Iterable[str]) -> None:
        """Listen on those circuits that are new."""
        for circuit in circuits:
            await self.start(circuit)

    def plan(self, circuit: str, fault: Fault) -> None:
        """Let the next connection on a circuit meet a fault; several are met one after another."""
        self._faults.setdefault(circuit, deque()).append(fault)

    def strike(self, kind: FaultKind) -> None:
        """Cut or reset all connections that are open now."""
        for end in list(self._ends):
            end.strike(kind)

    async def close(self) -> None:
        """Stop listening and close everything."""
        for server in self._servers.values():
            server.close()
        for task in self._tasks:
            task.cancel()
        self.strike(FaultKind.CUT)

    def _accepted(self, circuit: str, near: _End) -> None:
        self._keep(near)
        task = asyncio.get_running_loop().create_task(self._join(circuit, near))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, circuit: str, near: _End) -> None:
        faults = self._faults.get(circuit)
        fault = faults.popleft() if faults else None
        host, port = self._target
        try:
            _, far = await asyncio.get_running_loop().create_connection(
                _End, host, port, local_addr=(circuit, 0)
            )
        except OSError:
            near.strike(FaultKind.RESET)  # nobody is at the other end
            return
        self._keep(far)

        def strike(kind: FaultKind) -> None:
            near.strike(kind)
            far.strike(kind)

        up = _Way(Direction.UP, self._profile, self._jitter, fault, strike)
        down = _Way(Direction.DOWN, self._profile, self._jitter, fault, strike)
        up.source, up.target, down.source, down.target = near, far, far, near
        near.inward, far.inward = down, up
        near.outward, far.outward = up, down
        near.joined()
        far.joined()

    def _keep(self, end: _End) -> None:
        self._ends.add(end)
        end.lost = lambda: self._ends.discard(end)
