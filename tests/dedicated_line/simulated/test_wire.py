"""The simulated wire: slow when told, broken where told, and never a hang."""

import random  # noqa: TID251 - seeded positions of cuts, the same on every run
from typing import Any

import pytest

from dedicated_line.clock import SystemClock
from dedicated_line.kiosk_end.client import LineLoss, LineLostError
from dedicated_line.simulated.jitter import Jitter
from dedicated_line.simulated.profiles import (
    PROFILES,
    Direction,
    Fault,
    FaultKind,
    Profile,
)
from dedicated_line.simulated.wire import Wire, WireTakenError

CIRCUIT = "127.1.5.1"
BODY = b"x" * 3000
ON_THE_WIRE = 5000
"""About how many bytes pass in a direction in these tests, handshake included."""


@pytest.mark.sockets
@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.RESET])
@pytest.mark.parametrize("direction", list(Direction))
def test_a_line_that_breaks_anywhere_is_lost_or_whole_and_never_hangs(
    line: Any, kind: FaultKind, direction: Direction
) -> None:
    wire, port = line.wire()
    positions = random.Random(f"{kind} {direction}").sample(range(ON_THE_WIRE), 25)  # noqa: S311
    ends = []
    for position in [0, 1, *positions]:
        client = line.client(port)
        wire.plan(CIRCUIT, Fault(kind, direction, position))
        try:
            answer = client.request("POST", "/v1/sessions", BODY, seconds=5.0)
        except LineLostError as lost:
            ends.append(lost.loss)
        else:
            assert answer.body.endswith(b"\r\n\r\n" + BODY)
        client.close()
    assert set(ends) <= {LineLoss.BROKEN, LineLoss.UNREACHABLE}
    assert LineLoss.BROKEN in ends
    assert LineLoss.UNREACHABLE in ends
    assert line.client(port).request("GET", "/v1/keys").status == 200


@pytest.mark.sockets
@pytest.mark.parametrize("direction", list(Direction))
def test_a_line_that_stalls_is_lost_at_the_deadline(line: Any, direction: Direction) -> None:
    wire, port = line.wire()
    for position in (0, 2500):
        wire.plan(CIRCUIT, Fault(FaultKind.STALL, direction, position))
        clock = SystemClock()
        began = clock.monotonic()
        with pytest.raises(LineLostError) as lost:
            line.client(port).request("POST", "/v1/sessions", BODY, seconds=0.6)
        assert clock.monotonic() - began < 1.6
        assert lost.value.loss in {LineLoss.TIMED_OUT, LineLoss.UNREACHABLE}


@pytest.mark.sockets
def test_isdn_takes_its_time_by_latency_and_bandwidth(line: Any) -> None:
    _, port = line.wire(PROFILES["isdn"])
    client = line.client(port)
    assert client.request("GET", "/v1/keys").status == 200
    clock = SystemClock()
    began = clock.monotonic()
    assert client.request("GET", "/v1/keys").status == 200
    round_trip = clock.monotonic() - began
    assert 0.06 < round_trip < 0.6
    line.api.answer = lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"
    began = clock.monotonic()
    assert client.request("PUT", "/v1/x", b"x" * 8000).status == 200
    assert 1.0 < clock.monotonic() - began < 2.5


@pytest.mark.sockets
def test_much_passes_whole_through_a_quick_wire_with_delays(line: Any) -> None:
    quick = Profile("quick", latency=0.002, jitter=0.001, bits_per_second=100_000_000)
    _, port = line.wire(quick)
    body = bytes(range(256)) * 1000
    answer = line.client(port).request("PUT", "/v1/x", body)
    assert answer.body.endswith(b"\r\n\r\n" + body)


@pytest.mark.sockets
def test_a_wire_to_nobody_is_a_line_that_cannot_be_reached(line: Any) -> None:
    wire = Wire(("127.0.0.1", 1), 0, PROFILES["none"], 1)
    line.wires.append(wire)
    port = line.loop.run(wire.start(CIRCUIT))
    with pytest.raises(LineLostError) as lost:
        line.client(port).request("GET", "/v1/keys")
    assert lost.value.loss is LineLoss.UNREACHABLE


@pytest.mark.sockets
def test_a_wires_port_that_is_taken_is_said_in_one_sentence(line: Any) -> None:
    _, port = line.wire()
    second = Wire(("127.0.0.1", line.port), port, PROFILES["none"], 1)
    with pytest.raises(WireTakenError, match="KOFU_WIRE_PORT"):
        line.loop.run(second.start(CIRCUIT))


def test_jitter_is_the_same_for_the_same_seed_and_spread_evenly() -> None:
    one, two = Jitter(7), Jitter(7)
    numbers = [one.next() for _ in range(1000)]
    assert numbers == [two.next() for _ in range(1000)]
    assert all(0 <= number < 1 for number in numbers)
    assert 0.45 < sum(numbers) / len(numbers) < 0.55
    assert Jitter(8).next() != numbers[0]
