"""Settings of a kiosk's processes."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field

from dedicated_line.settings import Settings

SCREEN_KIOSK = "k000001"
"""The sample world's kiosk with a screen."""
JOURNEY_KIOSK = "k000002"
"""The sample world's kiosk without one."""


class CardHolding(StrEnum):
    """How a simulated card is held up."""

    PCSCD = "pcscd"
    """In a virtual reader of the machine's real pcscd."""
    IN_PROCESS = "in-process"
    """In this process, without PC/SC: where no pcscd can run."""


class KioskSettings(Settings):
    """What a kiosk needs to know."""

    kiosk_port: int = Field(default=8800, ge=1, le=65535)
    """Where the screen is served, on loopback."""
    wire_port: int = Field(default=8811, ge=1, le=65535)
    """Where the line is reached, on this kiosk's circuit address."""
    printer_port: int = Field(default=9100, ge=1, le=65535)
    """The printer's port, on this kiosk's circuit address."""
    card: CardHolding = CardHolding.PCSCD
    """How the card is read: by PC/SC, or (simulation only) in this process."""
    node_modules: Path = Path("node_modules")
    """Where npm has put fonts and design tokens."""

    def folder(self, kiosk: str) -> Path:
        """Return this kiosk's own folder: keys and journal."""
        return self.state / "kiosks" / kiosk

    def address(self, kiosk: str) -> str:
        """Return the address of this kiosk's (simulated) circuit, where its printer stands too."""
        number = int(kiosk[1:])
        return f"127.1.{number // 256}.{number % 256}"

    def reader_slot(self, kiosk: str) -> int:
        """Return the slot of this kiosk's (virtual) reader: k000001 → 0, k000002 → 1."""
        return int(kiosk[1:]) - 1

    def card_file(self, persona: str) -> Path:
        """Return the file of a persona's simulated card."""
        return self.state / "cards" / f"{persona}.json"

    @property
    def root_public_key(self) -> Path:
        """Return the pinned root of the key list (PEM)."""
        return self.state / "trust" / "root.pem"

    @property
    def log(self) -> Path:
        """Return the folder of logs and incidents."""
        return self.state / "log"
