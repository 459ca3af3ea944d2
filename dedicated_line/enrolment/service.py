"""What can be asked of enrolment: a CA, a kiosk on a circuit, and an end to its service."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from dedicated_line.clock import Clock, Entropy
from dedicated_line.contract.keys import encode_public_key
from dedicated_line.contract.line import CircuitRegister, RegisteredKiosk
from dedicated_line.enrolment import store
from dedicated_line.enrolment.authority import (
    KeyPair,
    Maker,
    expires_within,
    private_pem,
    read_pair,
)
from dedicated_line.enrolment.model import (
    CircuitTakenError,
    find_kiosk,
    is_circuit_address,
    with_kiosk,
    without_service,
)
from dedicated_line.errors import KofuError, UsageError

SERVER_RENEWAL: Final = timedelta(days=30)
"""The centre end's certificate is made anew when less than that is left."""
KIOSK_FILES: Final = ("line.key", "line.pem", "line-ca.pem", "device.key")


class NotEnrolledError(KofuError):
    """The line's CA or a kiosk's files are missing or damaged."""


@dataclass(frozen=True)
class Enrolment:
    """The line's own list of who may use it."""

    line: Path
    """Folder of the CA, the centre end's certificate and the register."""
    kiosks: Path
    """Folder with one folder a kiosk."""
    clock: Clock
    entropy: Entropy

    @property
    def register_file(self) -> Path:
        """Return where the register of circuits lies."""
        return self.line / "register.json"

    def register(self) -> CircuitRegister:
        """Return the register of circuits."""
        return store.read_register(self.register_file)

    def init_ca(self) -> bool:
        """Make the line's CA and the centre end's certificate; tell whether anything was made.

        What is there stays, except that a centre end's certificate near its end is made anew.
        """
        with store.locked(self.line):
            made = not (self.line / "ca.pem").exists()
            if made:
                self._write_pair(self.line, "ca", self._maker.authority())
                store.write_file(self.register_file, self.register().to_json())
            if made or self._server_is_missing():
                self._write_pair(self.line, "server", self._maker.server(self._authority()))
                made = True
        return made

    def add_kiosk(self, kiosk: str, circuit: str, name: str, *, again: bool = False) -> bool:
        """Enrol a kiosk on a circuit; tell whether anything was made.

        A kiosk that is in service on this circuit stays as it is. With ``again`` it gets new
        keys and certificates, and its old certificate is refused from then on.

        Raises:
            UsageError: id, circuit or name has the wrong form, or is taken.
            NotEnrolledError: there is no CA; or the kiosk was revoked, or its files are gone, and
                ``again`` was not said.
        """
        if not is_circuit_address(circuit):
            raise UsageError(f"{circuit} is not a circuit; write an address such as 127.1.0.1")
        with store.locked(self.line):
            authority = self._authority()
            register = self.register()
            known = find_kiosk(register, kiosk)
            if known is not None and known.circuit == circuit and not again:
                self._require_enrolled(known)
                return False
            device = _new_key()
            entry = _entry(kiosk, circuit, name, device)
            pair = self._maker.kiosk(authority, kiosk)
            entry = entry.model_copy(update={"certificate_serial": pair.serial})
            try:
                register = with_kiosk(register, entry)
            except CircuitTakenError as error:
                raise UsageError(f"{error}; choose another, or see 'kiosk list'") from None
            folder = self.kiosks / kiosk
            self._write_pair(folder, "line", pair)
            store.write_file(folder / "line-ca.pem", authority.x509_pem)
            store.write_file(folder / "device.key", private_pem(device), store.SECRET)
            store.write_file(self.register_file, register.to_json())
        return True

    def revoke(self, kiosk: str) -> bool:
        """Take a kiosk out of service, also on its open connections; tell whether it was in."""
        with store.locked(self.line):
            register = self.register()
            known = find_kiosk(register, kiosk)
            if known is None:
                raise UsageError(f"there is no kiosk {kiosk}; see 'kiosk list'")
            if known.in_service:
                changed = without_service(register, kiosk)
                store.write_file(self.register_file, changed.to_json())
        return known.in_service

    @property
    def _maker(self) -> Maker:
        return Maker(self.clock, self.entropy)

    def _authority(self) -> KeyPair:
        pair = self._read_pair("ca")
        if pair is None:
            raise NotEnrolledError("the line has no CA yet; run 'kofu-line ca init' first")
        return pair

    def _server_is_missing(self) -> bool:
        server = self._read_pair("server")
        return server is None or expires_within(server, self.clock.real_now(), SERVER_RENEWAL)

    def _require_enrolled(self, entry: RegisteredKiosk) -> None:
        if not entry.in_service:
            raise NotEnrolledError(
                f"{entry.kiosk} was revoked; say --again to enrol it with new keys"
            )
        missing = [name for name in KIOSK_FILES if not (self.kiosks / entry.kiosk / name).exists()]
        if missing:
            raise NotEnrolledError(
                f"{entry.kiosk} is enrolled but {missing[0]} is gone; "
                "say --again to enrol it with new keys"
            )

    def _read_pair(self, name: str) -> KeyPair | None:
        try:
            pem = (self.line / f"{name}.pem").read_bytes()
            return read_pair(pem, (self.line / f"{name}.key").read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise store.LineFilesError(
                f"cannot read {self.line / name}.pem and .key ({error.strerror})"
            ) from error
        except (ValueError, TypeError) as error:
            raise NotEnrolledError(
                f"{self.line / name}.pem and .key are damaged; restore them from a copy"
            ) from error

    def _write_pair(self, folder: Path, name: str, pair: KeyPair) -> None:
        store.write_file(folder / f"{name}.key", pair.key_pem, store.SECRET)
        store.write_file(folder / f"{name}.pem", pair.x509_pem)


def _entry(
    kiosk: str, circuit: str, name: str, device: ec.EllipticCurvePrivateKey
) -> RegisteredKiosk:
    """Return the entry of a kiosk that has no certificate yet."""
    try:
        return RegisteredKiosk(
            kiosk=kiosk,
            circuit=circuit,
            name=name,
            certificate_serial="0",
            device_key=encode_public_key(device.public_key()),
        )
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise UsageError(
            f"{field} has the wrong form; a kiosk's id is like k000001, "
            "and a name has at most 100 characters"
        ) from None


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
