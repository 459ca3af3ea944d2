"""How the kiosk and its process for cards speak over their pipes."""

from typing import Final

LENGTH_BYTES: Final = 4
"""Of an answer's length, big-endian."""
MESSAGE_LENGTH_BYTES: Final = 2
"""Of the length of the message to be signed, big-endian."""
MOST_ANSWER_BYTES: Final = 64 * 1024
"""More than a certificate, a signature and their names in hex."""


class Ask:
    """What the kiosk says, beside the digits themselves."""

    LOOK: Final = b"L"
    FORGET: Final = b"X"
    SIGN_IN: Final = b"S"
