"""The base of every message, and the small value types that messages are made of."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)


class Message(BaseModel):
    """A frozen value that crosses a border; a field it does not know is refused."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", strict=True, ser_json_bytes="base64"
    )

    def to_json(self) -> bytes:
        """Return the UTF-8 JSON that travels; fields in the order of the class."""
        return self.model_dump_json().encode()


def encode_base64url(data: bytes) -> str:
    """Return base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Return the bytes of unpadded base64url; ValueError on anything else."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64url") from error
    if encode_base64url(data) != text:
        raise ValueError("not the shortest base64url")
    return data


def _bytes_from(value: object) -> object:
    return decode_base64url(value) if isinstance(value, str) else value


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs its offset")
    return value.astimezone(UTC)


Bytes = Annotated[
    bytes,
    BeforeValidator(_bytes_from),
    PlainSerializer(encode_base64url, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64url"}),
]
"""Bytes that travel as base64url without padding."""

UtcTime = Annotated[datetime, AfterValidator(_in_utc)]
"""An instant, with offset, held in UTC."""

SessionId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
OrderId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
MemberHandle = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
"""Names a member of a household within one session; worth nothing outside it."""
IdempotencyKey = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{16,64}$")]
KioskId = Annotated[str, StringConstraints(pattern=r"^k[0-9]{6}$")]
CircuitAddress = Annotated[str, StringConstraints(pattern=r"^127\.1\.[0-9]{1,3}\.[0-9]{1,3}$")]
"""The source address of a (simulated) circuit."""
MunicipalityCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
"""地方公共団体コード: six digits, the last one a check digit (see `municipality`)."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal."""
Yen = Annotated[int, Field(ge=0, le=1_000_000)]
