"""Puts the printers' parts together from the settings; nothing else reads them."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from dedicated_line.clock import Clock
from dedicated_line.contract.key_list import KeyList, UntrustedKeyError, read_key_list
from dedicated_line.contract.keys import BadSignatureError
from dedicated_line.errors import KofuError, UsageError
from printers.escpos.model import PrinterState
from printers.escpos.session import printer_state
from printers.settings import PrinterSettings
from printers.simulated.control import ControlSocket, send_fault
from printers.simulated.printer import SimulatedFault as SimulatedFault  # noqa: PLC0414 - offered to the command
from printers.simulated.printer import SimulatedPrinter

WARNING = "SIMULATED PRINTERS: nothing is printed on paper; not for production\n"


class KeysNotTrustedError(KofuError):
    """The key list or the root cannot be used; nothing can be verified."""


class Emulator:
    """The simulated printers of one installation and the socket that makes them fail."""

    def __init__(
        self,
        listen: Mapping[str, tuple[str, int]] | None,
        out: Path | None,
        rows_a_second: float,
        tell: Callable[[str], None],
    ) -> None:
        """Start them; UsageError in production or when an address is taken."""
        settings = PrinterSettings.load()
        if not settings.simulation:
            raise UsageError(
                "the settings say production: simulated printers do not run there; "
                "set KOFU_ENVIRONMENT=simulation to try Kofu"
            )
        sys.stderr.write(WARNING)
        self.printers: dict[str, SimulatedPrinter] = {}
        self._control: ControlSocket | None = None
        try:
            for kiosk, address in (listen or settings.sample_printers).items():
                self.printers[kiosk] = self._printer(
                    kiosk, address, out or settings.papers, rows_a_second, tell
                )
            self._control = ControlSocket(settings.printer_control_socket, self.printers)
        except BaseException:
            self.close()
            raise

    def _printer(
        self,
        kiosk: str,
        address: tuple[str, int],
        out: Path,
        rows_a_second: float,
        tell: Callable[[str], None],
    ) -> SimulatedPrinter:
        try:
            return SimulatedPrinter(
                address,
                out / kiosk,
                rows_a_second=rows_a_second,
                tell=lambda line: tell(f"{kiosk}: {line}"),
            )
        except OSError as error:
            raise UsageError(
                f"the simulated printer of {kiosk} cannot listen on {address[0]}:{address[1]} and "
                f"write into {out / kiosk} ({error.strerror}); set KOFU_PRINTER_PORT to a free "
                "port, or stop what uses it"
            ) from error

    def close(self) -> None:
        """End them all."""
        if self._control is not None:
            self._control.close()
        for printer in self.printers.values():
            printer.close()


def make_fail(kiosk: str, fault: SimulatedFault, after_rows: int | None) -> None:
    """Make a running simulated printer fail; UsageError when none runs."""
    settings = PrinterSettings.load()
    send_fault(settings.printer_control_socket, kiosk, fault, after_rows)


def states(address: tuple[str, int] | None) -> dict[str, PrinterState]:
    """Return how a printer is, or, without an address, each of the sample world's."""
    settings = PrinterSettings.load()
    clock = settings.clock()
    addresses = [address] if address else list(settings.sample_printers.values())
    return {f"{host}:{port}": printer_state(host, port, clock) for host, port in addresses}


def trusted_keys(key_list: Path, root: Path | None) -> KeyList:
    """Read a key list and verify it under the pinned root.

    Raises:
        UsageError: a file cannot be read.
        KeysNotTrustedError: the list is not signed by the root, or has expired.
    """
    settings = PrinterSettings.load()
    clock: Clock = settings.clock()
    pinned = root or settings.root_public_key
    try:
        key = load_pem_public_key(pinned.read_bytes())
        data = key_list.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {error.filename}; give its path ({error.strerror})"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{pinned} is not a public key in PEM form") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise UsageError(f"{pinned} is not a P-256 public key")
    try:
        return read_key_list(data, key, clock.now())
    except BadSignatureError as error:
        raise KeysNotTrustedError(
            f"{key_list} is not signed by the root in {pinned}; fetch the list from the centre"
        ) from error
    except UntrustedKeyError as error:
        raise KeysNotTrustedError(f"{key_list}: {error}") from error
