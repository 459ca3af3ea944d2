"""The message that the card signs: built by the kiosk itself, never bytes handed to it."""

from typing import Final

from dedicated_line.contract.environment import Environment

PREFIX: Final = b"KOFU CARD MESSAGE V1: the holder asks for certificates at a kiosk\n"
"""Fixed and printable, so that the signature can mean nothing else elsewhere."""
PURPOSE: Final = "holder"


def card_message(
    *,
    environment: Environment,
    centre: str,
    kiosk: str,
    session: str,
    challenge: bytes,
    signing_key: bytes,
    receiving_key: bytes,
) -> bytes:
    """Return prefix, then each part with its length before it (4 bytes, big-endian).

    Args:
        environment: simulation or production.
        centre: the centre's id.
        kiosk: the kiosk's id.
        session: the session's id (32 hexadecimal digits).
        challenge: the centre's 32 bytes.
        signing_key: the session's signing key, an uncompressed P-256 point (65 bytes).
        receiving_key: the session's receiving key, the same form.
    """
    parts = (
        PURPOSE.encode("ascii"),
        environment.value.encode("ascii"),
        centre.encode("ascii"),
        kiosk.encode("ascii"),
        session.encode("ascii"),
        challenge,
        signing_key,
        receiving_key,
    )
    return PREFIX + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
