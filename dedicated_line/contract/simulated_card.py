"""The file of a simulated My Number Card: written when personalised, read by the virtual card.

Simulation only: a real card never lets its keys out, and nobody else knows its PIN.
"""

from typing import Annotated

from pydantic import Field

from dedicated_line.contract.message import Bytes, Message
from dedicated_line.contract.sessions import CardAlgorithm

PIN_TRIES = 3
SIGNATURE_PASSWORD_TRIES = 5
CHECK_NUMBER_TRIES = 10
"""Of the numbers on the card's face; the sources do not say how many a real card allows."""

Pin = Annotated[str, Field(pattern=r"^[0-9]{4}$")]
PinTries = Annotated[int, Field(ge=0, le=PIN_TRIES)]
CheckNumberTries = Annotated[int, Field(ge=0, le=CHECK_NUMBER_TRIES)]


class OtherApplications(Message):
    """What a card has beside the JPKI application; no kiosk asks for it. All of it is made up."""

    input_support_pin: Pin = "1234"
    input_support_tries: PinTries = PIN_TRIES
    individual_number: Annotated[str, Field(pattern=r"^[0-9]{12}$")] = "000000000000"
    """On the card's face too, where it serves as 照合番号A."""
    name: str = "見本 太郎"
    address: str = "見本県見本市見本町一丁目1番1号"
    birth: Annotated[str, Field(pattern=r"^[0-9]{8}$")] = "19700101"
    sex: Annotated[str, Field(pattern=r"^[0-9]$")] = "9"
    """ISO/IEC 5218; 9 is "not applicable"."""
    check_number_a_tries: CheckNumberTries = CHECK_NUMBER_TRIES
    check_number_b: Annotated[str, Field(pattern=r"^[0-9]{14}$")] = "70010120300000"
    """照合番号B: of birth date, last year and security code."""
    check_number_b_tries: CheckNumberTries = CHECK_NUMBER_TRIES
    juki_pin: Pin = "1234"
    juki_tries: PinTries = PIN_TRIES


class SimulatedCardFile(Message):
    """``var/cards/<persona>.json``."""

    persona: str
    label: Annotated[str, Field(max_length=32)]
    """The token label that tells the medium: ``JPKIAPICCTOKEN2`` is a My Number Card."""
    algorithm: CardAlgorithm
    pin: Pin
    tries: PinTries
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
    other_applications: OtherApplications | None = None
    """None until something of it was changed: then the card has the made-up values above."""
