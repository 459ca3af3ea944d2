"""Canonical bytes of what is signed: deterministic CBOR (RFC 8949, section 4.2.1)."""

import hashlib
import json
from typing import TypeVar

import cbor2

from dedicated_line.contract.message import Message

M = TypeVar("M", bound=Message)


class NotCanonicalError(ValueError):
    """The bytes are not the one canonical encoding of a value."""


def encode(value: object) -> bytes:
    """Return the deterministic CBOR of a value made of maps, arrays, text, bytes and integers."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> object:
    """Return the value; raise NotCanonicalError unless data is exactly its canonical encoding."""
    try:
        value: object = cbor2.loads(data)
        again = encode(value)
    except (cbor2.CBORError, ValueError, TypeError, RecursionError) as error:
        raise NotCanonicalError("not readable as CBOR") from error
    if again != data:
        raise NotCanonicalError("CBOR, but not in its canonical form")
    return value


def encode_message(message: Message) -> bytes:
    """Return the canonical bytes of a message: CBOR of the values that its JSON has."""
    return encode(message.model_dump(mode="json"))


def decode_message(model: type[M], data: bytes) -> M:
    """Read a message back; ValueError (pydantic's, or NotCanonicalError) when it is not one."""
    value = decode(data)
    try:
        text = json.dumps(value)
    except TypeError as error:
        raise NotCanonicalError("has values that no message has") from error
    message = model.model_validate_json(text)
    if encode_message(message) != data:
        raise NotCanonicalError("a message, but not in its canonical form")
    return message


def digest(data: bytes) -> str:
    """Return SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()
