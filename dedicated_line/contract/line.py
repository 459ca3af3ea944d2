"""What the line itself carries and publishes: heartbeats, events, circuits, security events.

Redis keys (values are JSON of the message named): hash `KIOSK_STATES_KEY` (kiosk id →
`KioskState`), stream `SECURITY_STREAM` (field ``event`` → `SecurityEvent`, newest 10,000),
stream `EVENTS_STREAM` (field ``event`` → `LineEvent`), read by the centre end for held requests.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.message import (
    Bytes,
    CircuitAddress,
    KioskId,
    Message,
    MunicipalityCode,
    UtcTime,
)

KIOSK_HEADER = "Kofu-Kiosk"
"""Set by the line's centre end from the client certificate; stripped when a client sends it."""
CIRCUIT_HEADER = "Kofu-Circuit"
"""The source address of the circuit; set and stripped likewise."""
HEARTBEAT_SECONDS = 5
KIOSK_STATES_KEY = "kofu:{line}:kiosks"
SECURITY_STREAM = "kofu:{line}:security"
EVENTS_STREAM = "kofu:{line}:events"
Word = Annotated[str, Field(max_length=100)]


class Health(StrEnum):
    """How a part of a kiosk is."""

    READY = "ready"
    WARNING = "warning"
    DOWN = "down"


class PartHealth(Message):
    """One part and, where it is not ready, what is wrong in a few words."""

    health: Health
    detail: Word = ""


class Heartbeat(Message):
    """``POST /v1/heartbeat``; ends at the centre's end of the line."""

    software: Word
    reader: PartHealth
    printer: PartHealth
    coins: PartHealth
    paper: PartHealth
    state: Word
    """What the kiosk's screen shows, by its state's name; never anything of a resident."""


class KioskState(Message):
    """The newest that is known of a kiosk."""

    kiosk: KioskId
    circuit: CircuitAddress
    connected: bool
    seen_at: UtcTime
    """Real time, not domain time."""
    heartbeat: Heartbeat | None = None


class SecurityEventKind(StrEnum):
    """What the line saw and refused."""

    NO_CERTIFICATE = "no-certificate"
    UNKNOWN_CERTIFICATE = "unknown-certificate"
    REVOKED = "revoked"
    WRONG_CIRCUIT = "wrong-circuit"
    FORGED_HEADER = "forged-header"
    MALFORMED = "malformed"
    FLOOD = "flood"
    SLOW_CLIENT = "slow-client"


class SecurityEvent(Message):
    """One refusal at the line."""

    kind: SecurityEventKind
    at: UtcTime
    source: Word
    kiosk: KioskId | None = None
    detail: Word = ""


class LineEventKind(StrEnum):
    """What comes down to every kiosk on the held request."""

    PARTICIPATION_CHANGED = "participation-changed"
    STOPPED = "stopped"
    RESUMED = "resumed"


class LineEvent(Message):
    """One event of ``GET /v1/events?after=ID`` (held until something happens)."""

    kind: LineEventKind
    municipality: MunicipalityCode
    certificate_kind: Kind | None = None
    at: UtcTime


class LineEvents(Message):
    """The answer to the held request; `last` is the ``after`` of the next one."""

    last: Word
    events: tuple[LineEvent, ...]


class RegisteredKiosk(Message):
    """One kiosk in the register of circuits."""

    kiosk: KioskId
    circuit: CircuitAddress
    name: Word
    """Where it stands, for people."""
    certificate_serial: Annotated[str, Field(pattern=r"^[0-9a-f]+$")]
    device_key: Bytes
    """P-256 point, 65 bytes; signs outcomes."""
    in_service: bool = True


class CircuitRegister(Message):
    """The line's own list of kiosks and their circuits (a JSON file)."""

    kiosks: tuple[RegisteredKiosk, ...] = ()
