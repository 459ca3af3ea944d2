"""The file of a simulated My Number Card: written when personalised, read by the virtual card.

Simulation only: a real card never lets its keys out, and nobody else knows its PIN.
"""

from typing import Annotated

from pydantic import Field

from dedicated_line.contract.message import Bytes, Message
from dedicated_line.contract.sessions import CardAlgorithm

PIN_TRIES = 3
SIGNATURE_PASSWORD_TRIES = 5


class SimulatedCardFile(Message):
    """``var/cards/<persona>.json``."""

    persona: str
    label: Annotated[str, Field(max_length=32)]
    """The token label that tells the medium: ``JPKIAPICCTOKEN2`` is a My Number Card."""
    algorithm: CardAlgorithm
    pin: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    tries: Annotated[int, Field(ge=0, le=PIN_TRIES)]
    user_certificate: Bytes
    """DER."""
    user_key: Bytes
    """PKCS#8 DER."""
    user_ca: Bytes
    """DER of the CA certificate that the card carries; nobody may trust it."""
    signature_certificate: Bytes
    signature_key: Bytes
    signature_ca: Bytes
    signature_password: str
    signature_tries: Annotated[int, Field(ge=0, le=SIGNATURE_PASSWORD_TRIES)]
