"""How certificates, keys and the register of circuits are kept: plain files, replaced whole."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dedicated_line.contract.line import CircuitRegister
from dedicated_line.errors import KofuError

SECRET: Final = 0o600
PUBLIC: Final = 0o644
FOLDER: Final = 0o700


class LineFilesError(KofuError):
    """A file of the line cannot be read or written."""


def write_file(path: Path, data: bytes, mode: int = PUBLIC) -> None:
    """Replace a file whole, so that a reader sees the old one or the new one, on disk."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise LineFilesError(
            f"cannot write {path} ({error.strerror}); make the folder writable and try again"
        ) from error


def read_register(path: Path) -> CircuitRegister:
    """Return the register; an empty one when there is no file yet."""
    try:
        return CircuitRegister.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return CircuitRegister()
    except OSError as error:
        raise LineFilesError(f"cannot read {path} ({error.strerror})") from error
    except ValueError as error:
        raise LineFilesError(
            f"{path} is not a register of circuits; restore it from a copy"
        ) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one command at a time change what is in a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, SECRET)
    except OSError as error:
        raise LineFilesError(
            f"cannot write {folder} ({error.strerror}); make the folder writable and try again"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
