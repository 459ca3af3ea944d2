"""Settings of the backend's processes."""

from pathlib import Path

from pydantic import Field

from dedicated_line.settings import Settings


class BackendSettings(Settings):
    """What the centre, the issuing server and the consoles need to know."""

    centre_database: str | None = None
    """SQLAlchemy URL; ``centre.db`` in the state folder when not given."""
    issuer_database: str | None = None
    """SQLAlchemy URL; ``issuer.db`` in the state folder when not given."""
    redis: str | None = None
    """Redis URL; the socket ``redis.sock`` in the run folder when not given."""
    municipality_port: int = Field(default=8801, ge=1, le=65535)
    operators_port: int = Field(default=8802, ge=1, le=65535)
    jpki_port: int = Field(default=8803, ge=1, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    """gunicorn workers a process."""
    threads: int = Field(default=8, ge=1, le=64)
    """gunicorn threads a worker."""
    order_timeout: int = Field(default=20 * 60, ge=1)
    """Seconds after which recovery ends an order that stopped moving before release."""
    print_window: int = Field(default=60, ge=1)
    """Seconds in which a page may begin after release."""

    @property
    def centre_database_url(self) -> str:
        """Return the centre's database."""
        return self.centre_database or f"sqlite:///{self.state.absolute() / 'centre.db'}"

    @property
    def issuer_database_url(self) -> str:
        """Return the issuing server's database."""
        return self.issuer_database or f"sqlite:///{self.state.absolute() / 'issuer.db'}"

    @property
    def redis_url(self) -> str:
        """Return where Redis listens."""
        return self.redis or f"unix://{self.run / 'redis.sock'}"

    @property
    def kiosk_api_socket(self) -> Path:
        """Return the Unix socket of the kiosk API."""
        return self.run / "kiosk-api.sock"

    @property
    def issuer_socket(self) -> Path:
        """Return the Unix socket of the issuing server."""
        return self.run / "issuer.sock"

    @property
    def jpki_trust(self) -> Path:
        """Return the folder of trusted CA certificates, one ``<generation>.pem`` each."""
        return self.state / "trust" / "jpki"

    @property
    def ocsp_url(self) -> str:
        """Return where the validity centre answers."""
        return f"http://127.0.0.1:{self.jpki_port}/ocsp"

    @property
    def key_list(self) -> Path:
        """Return the published key list."""
        return self.state / "keys" / "key-list.cose"

    @property
    def root_public_key(self) -> Path:
        """Return the pinned root of the key list (PEM)."""
        return self.state / "trust" / "root.pem"
