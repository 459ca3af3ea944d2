"""Settings of the printers' commands."""

from pathlib import Path

from pydantic import Field

from dedicated_line.settings import Settings


class PrinterSettings(Settings):
    """What the simulated printers and the verifier need to know."""

    printer_port: int = Field(default=9100, ge=1, le=65535)
    """Where each kiosk's printer listens, on its circuit's address; 9100 is the raw port."""

    @property
    def sample_printers(self) -> dict[str, tuple[str, int]]:
        """Return the printers of the sample world's kiosks: kiosk, then host and port."""
        hosts = {"k000001": "127.1.0.1", "k000002": "127.1.0.2"}
        return {kiosk: (host, self.printer_port) for kiosk, host in hosts.items()}

    @property
    def papers(self) -> Path:
        """Return where the simulated printers lay their papers, a folder for each kiosk."""
        return self.state / "printers"

    @property
    def printer_control_socket(self) -> Path:
        """Return the Unix socket that takes faults for the simulated printers."""
        return self.run / "printer.sock"

    @property
    def root_public_key(self) -> Path:
        """Return the pinned root of the key list (PEM)."""
        return self.state / "trust" / "root.pem"
