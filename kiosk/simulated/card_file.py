"""The file of a simulated card: read it, and keep what the card changes of itself."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from dedicated_line.contract.simulated_card import SimulatedCardFile
from dedicated_line.errors import KofuError

Keep = Callable[[SimulatedCardFile], None]
"""Takes the card whenever its tries or a PIN change, before the card answers."""
_STATE: Final = (
    "pin",
    "tries",
    "signature_password",
    "signature_tries",
    "other_applications",
)
"""The fields that a card itself changes; the others are as it was made."""


class CardFileError(KofuError):
    """The file of a simulated card cannot be read or written."""


def load_card_file(path: Path) -> SimulatedCardFile:
    """Read a card's file; raise CardFileError with one sentence when it cannot be."""
    try:
        return SimulatedCardFile.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CardFileError(f"cannot read the card {path}; make it anew: world reset") from error


def keep_in(path: Path) -> Keep:
    """Return what writes a card back to its file: whole or not at all, for its owner only."""

    def keep(file: SimulatedCardFile) -> None:
        part = path.with_suffix(".part")
        try:
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            ) as out:
                out.write(file.to_json())
                out.flush()
                os.fsync(out.fileno())
            part.replace(path)
        except OSError as error:
            raise CardFileError(f"cannot write {path}; make its folder writable") from error

    return keep


def keep_state_of(true_card: SimulatedCardFile, keep: Keep) -> Keep:
    """Return what keeps the tries and PINs of a forged card as those of the true one."""

    def keep_state(forged: SimulatedCardFile) -> None:
        state = {field: getattr(forged, field) for field in _STATE}
        keep(true_card.model_copy(update=state))

    return keep_state


def forget(_file: SimulatedCardFile) -> None:
    """Keep nothing: the card changes in memory only."""
