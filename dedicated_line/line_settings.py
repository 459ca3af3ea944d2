"""Settings of the line's processes."""

from pathlib import Path

from pydantic import Field

from dedicated_line.settings import Settings


class LineSettings(Settings):
    """What the centre's end, enrolment and the simulated wire need to know."""

    line_port: int = Field(default=8810, ge=1, le=65535)
    """Where the centre's end listens, on loopback."""
    wire_port: int = Field(default=8811, ge=1, le=65535)
    """Where the simulated wire listens, on each circuit's address."""
    redis: str | None = None
    """Redis URL; the socket ``redis.sock`` in the run folder when not given."""
    wire: str = "none"
    """Profile of the simulated wire: ``none`` or ``isdn``."""
    wire_seed: int = Field(default=1, ge=0)
    """Seed of the simulated wire's jitter."""

    @property
    def redis_url(self) -> str:
        """Return where Redis listens."""
        return self.redis or f"unix://{self.run / 'redis.sock'}"

    @property
    def kiosk_api_socket(self) -> Path:
        """Return the Unix socket of the kiosk API."""
        return self.run / "kiosk-api.sock"

    @property
    def line_folder(self) -> Path:
        """Return the folder of the line's CA, the centre end's certificate and the register."""
        return self.state / "line"

    @property
    def kiosks_folder(self) -> Path:
        """Return the folder that has one folder a kiosk."""
        return self.state / "kiosks"
