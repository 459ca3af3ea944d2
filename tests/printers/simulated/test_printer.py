"""The simulated printer reads the real byte stream by itself, and fails as printers do."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from dedicated_line.clock import SystemClock
from dedicated_line.contract.states import PrintResult
from dedicated_line.errors import UsageError
from printers.escpos.session import PrinterSession
from printers.pages.service import DrawnCopy
from printers.simulated import decoder
from printers.simulated.control import ControlSocket, send_fault
from printers.simulated.printer import SimulatedFault, SimulatedPrinter

RASTER = b"\x1dv0\x00\x02\x00\x03\x00" + bytes((0x80, 0x01, 0xFF, 0x00, 0x10, 0x04))


@pytest.mark.parametrize(
    ("data", "command", "length"),
    [
        (RASTER, decoder.Raster(2, RASTER[8:]), 14),
        (b"\x1bJ\x20", decoder.Feed(32), 3),
        (b"\n", decoder.Feed(30), 1),
        (b"\x1dL\x04\x01", decoder.Margin(260), 4),
        (b"\x1dVB\x00", decoder.Cut(), 4),
        (b"\x1dV\x00", decoder.Cut(), 3),
        (b"\x1d(H\x06\x00\x30\x30abcd", decoder.AskProcessId(b"abcd"), 11),
        (b"\x1dr\x01", decoder.AskStatus(1), 3),
        (b"\x1da\x0e", decoder.Automatic(14), 3),
        (b"\x1b@", decoder.Reset(), 2),
        (b"\x10\x04\x01", decoder.Nothing(), 3),
        (b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08", decoder.Nothing(), 10),
    ],
)
def test_each_command_is_read_once_it_is_whole(
    data: bytes, command: decoder.Command, length: int
) -> None:
    assert decoder.read_command(data + b"\x1b") == (command, length)
    for short in range(len(data)):
        assert decoder.read_command(data[:short]) is None


def test_text_is_no_command() -> None:
    with pytest.raises(decoder.UnknownBytesError):
        decoder.read_command("住民票".encode())


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="kofu"))
    yield folder
    shutil.rmtree(folder)


def _receive(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = client.recv(count - len(data))
        assert piece
        data += piece
    return data


@pytest.mark.sockets
def test_a_real_time_command_inside_a_picture_is_obeyed_as_printers_do(
    printer: SimulatedPrinter,
) -> None:
    with socket.create_connection(printer.address, timeout=5) as client:
        client.sendall(b"\x1dv0\x00\x03\x00\x01\x00\x10\x04\x01")
        assert _receive(client, 1) == b"\x12"


@pytest.mark.sockets
def test_the_next_client_waits_until_the_first_has_gone(printer: SimulatedPrinter) -> None:
    with (
        socket.create_connection(printer.address, timeout=5) as first,
        socket.create_connection(printer.address, timeout=5) as second,
    ):
        first.sendall(b"\x10\x04\x01")
        assert _receive(first, 1) == b"\x12"
        second.sendall(b"\x10\x04\x01")
        second.settimeout(0.2)
        with pytest.raises(TimeoutError):
            second.recv(1)
        first.close()
        second.settimeout(5)
        assert _receive(second, 1) == b"\x12"


@pytest.mark.sockets
def test_the_count_goes_on_and_bytes_decode_to_the_picture_once_more(
    tmp_path: Path, drawn: dict[str, DrawnCopy]
) -> None:
    for _ in range(2):
        simulated = SimulatedPrinter(("127.0.0.1", 0), tmp_path)
        with PrinterSession(*simulated.address, SystemClock()) as session:
            proof = session.print_pages(drawn["single"].pages, b"abcd")
        simulated.close()
        assert proof.result is PrintResult.PRINTED
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["000001.escpos", "000001.png", "000002.escpos", "000002.png"]
    replay = SimulatedPrinter(("127.0.0.1", 0), tmp_path / "again")
    with socket.create_connection(replay.address, timeout=5) as client:
        client.sendall((tmp_path / "000001.escpos").read_bytes() + b"\x1dr\x01")
        _receive(client, len(b"asb.") + len(b"1234") + len(b'7"abcd\0') + len(b"r"))
    replay.close()
    again = Image.open(tmp_path / "again" / "000001.png")
    assert again.tobytes() == drawn["single"].pages[0].tobytes()


@pytest.mark.sockets
def test_a_printer_is_made_to_fail_and_mended_over_the_control_socket(
    printer: SimulatedPrinter, short_folder: Path
) -> None:
    path = short_folder / "printer.sock"
    control = ControlSocket(path, {"k000001": printer})
    try:
        with PrinterSession(*printer.address, SystemClock()) as session:
            send_fault(path, "k000001", SimulatedFault.COVER_OPEN, None)
            assert session.state().detail == "cover open"
            send_fault(path, "k000001", SimulatedFault.WELL, None)
            assert session.state().ready
        with pytest.raises(UsageError, match="k000001"):
            send_fault(path, "k000009", SimulatedFault.WELL, None)
        with pytest.raises(UsageError, match="running already"):
            ControlSocket(path, {"k000001": printer})
    finally:
        control.close()
    with pytest.raises(UsageError, match="kofu-printer emulate"):
        send_fault(path, "k000001", SimulatedFault.WELL, None)


@pytest.mark.sockets
def test_simulated_printers_are_refused_in_production_and_a_taken_port_is_named(
    printer: SimulatedPrinter, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from printers.bootstrap import Emulator

    monkeypatch.setenv("KOFU_VAR", str(short_folder))
    monkeypatch.setenv("KOFU_ENVIRONMENT", "production")
    with pytest.raises(UsageError, match="production"):
        Emulator(None, None, 0, print)
    monkeypatch.setenv("KOFU_ENVIRONMENT", "simulation")
    with pytest.raises(UsageError, match=f"{printer.address[1]}"):
        Emulator({"k000001": printer.address}, None, 0, print)
    emulator = Emulator({"k000001": ("127.0.0.1", 0)}, None, 0, print)
    emulator.close()


@pytest.mark.sockets
def test_a_tray_that_cannot_be_written_stops_the_printer_without_proof(
    printer: SimulatedPrinter, tmp_path: Path, drawn: dict[str, DrawnCopy]
) -> None:
    shutil.rmtree(tmp_path / "papers")
    with PrinterSession(*printer.address, SystemClock()) as session:
        proof = session.print_pages(drawn["single"].pages, b"abcd")
        assert proof.result is PrintResult.UNKNOWN
        assert session.state().detail == "offline"
