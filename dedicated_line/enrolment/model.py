"""What is true of the register of circuits: one circuit belongs to one kiosk, for ever."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

from dedicated_line.contract.line import CircuitRegister, RegisteredKiosk


class Standing(StrEnum):
    """What the register says of who is at the other end of a connection."""

    ADMITTED = "admitted"
    STRANGER = "stranger"
    """No such kiosk, or a certificate that is not the one registered."""
    OUT_OF_SERVICE = "out-of-service"
    WRONG_CIRCUIT = "wrong-circuit"


class CircuitTakenError(ValueError):
    """The register already says something else of this kiosk or this circuit."""


@dataclass(frozen=True)
class Caller:
    """Who is at the other end: what its certificate says, and where it comes from."""

    kiosk: str
    serial: str
    """Of its certificate, in lower-case hexadecimal."""
    source: str
    """The address that the connection comes from."""


def find_kiosk(register: CircuitRegister, kiosk: str) -> RegisteredKiosk | None:
    """Return the kiosk's entry."""
    return next((entry for entry in register.kiosks if entry.kiosk == kiosk), None)


def is_circuit_address(text: str) -> bool:
    """Tell whether text is an IPv4 address of the range of circuits, in its usual form."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return str(address) == text and address in ipaddress.IPv4Network("127.1.0.0/16")


def with_kiosk(register: CircuitRegister, entry: RegisteredKiosk) -> CircuitRegister:
    """Return the register with a kiosk added, or its entry replaced on the same circuit.

    Raises:
        CircuitTakenError: the circuit is another kiosk's, or the kiosk's is another one.
    """
    for other in register.kiosks:
        if other.circuit == entry.circuit and other.kiosk != entry.kiosk:
            raise CircuitTakenError(f"circuit {entry.circuit} belongs to {other.kiosk}")
        if other.kiosk == entry.kiosk and other.circuit != entry.circuit:
            raise CircuitTakenError(f"{entry.kiosk} is on circuit {other.circuit}")
    others = [other for other in register.kiosks if other.kiosk != entry.kiosk]
    return CircuitRegister(kiosks=(*sorted([*others, entry], key=lambda each: each.kiosk),))


def without_service(register: CircuitRegister, kiosk: str) -> CircuitRegister:
    """Return the register with a kiosk out of service; its entry stays."""
    return CircuitRegister(
        kiosks=tuple(
            entry.model_copy(update={"in_service": False}) if entry.kiosk == kiosk else entry
            for entry in register.kiosks
        )
    )


def standing(entry: RegisteredKiosk | None, caller: Caller) -> Standing:
    """Decide about a caller from the entry of the kiosk that its certificate names."""
    if entry is None or entry.certificate_serial != caller.serial:
        return Standing.STRANGER
    if not entry.in_service:
        return Standing.OUT_OF_SERVICE
    if entry.circuit != caller.source:
        return Standing.WRONG_CIRCUIT
    return Standing.ADMITTED
