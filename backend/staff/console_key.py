"""The secret key that signs the consoles' session cookies: one file, 0600."""

import os
from pathlib import Path
from typing import Final

from dedicated_line.clock import Entropy
from dedicated_line.errors import KofuError

FILE: Final = "console.key"
KEY_BYTES: Final = 32
OWNER_ONLY: Final = 0o600


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as out:
            out.write(data)
        new.replace(path)
    except OSError as error:
        raise KofuError(
            f"cannot write {path}: {error.strerror}; set KOFU_VAR to a folder that can be written"
        ) from error


def console_key(state: Path, entropy: Entropy) -> bytes:
    """Return the key of this installation; the first who asks makes it.

    Raises:
        KofuError: the file cannot be read or written, or is no key.
    """
    path = state / FILE
    if not path.exists():
        _make(path, entropy)
    try:
        key = path.read_bytes()
    except OSError as error:
        raise KofuError(f"cannot read {path}: {error.strerror}; correct its owner") from error
    if len(key) != KEY_BYTES:
        raise KofuError(f"{path} is no key; delete it, and a new one is made")
    return key


def _make(path: Path, entropy: Entropy) -> None:
    mine = path.with_name(f".{path.name}.{entropy.token(8).hex()}")
    write_private(mine, entropy.token(KEY_BYTES))
    try:
        os.link(mine, path)  # of two processes the first one wins
    except FileExistsError:
        return
    finally:
        mine.unlink()
