"""Printer profiles: a model is a file."""

import tomllib
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dedicated_line.contract.states import ProofStrength
from dedicated_line.errors import UsageError

FOLDER: Final = Path(__file__).with_name("profiles")
DEFAULT: Final = "tm-80mm-203dpi"


class Profile(BaseModel):
    """What a model of printer can do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    escpos_profile: str
    """The name under which python-escpos knows its kin."""
    width: Annotated[int, Field(ge=8, le=4096, multiple_of=8)]
    """Dots across."""
    block_rows: Annotated[int, Field(ge=8, le=1000)]
    """Rows in one raster command."""
    dots_per_inch: Annotated[int, Field(ge=100, le=255)]
    """One motion unit is set to one dot (GS P)."""
    proof: ProofStrength
    slowest_rows: Annotated[float, Field(gt=0)]
    """Rows a second that it prints at the very least."""
    status_seconds: Annotated[float, Field(gt=0, le=60)]
    """The longest an answer to a real-time question takes."""
    send_seconds: Annotated[float, Field(gt=0, le=60)]
    """The longest a working printer takes no byte."""


def profile_names() -> list[str]:
    """Return the names of all profiles."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_profile(name: str = DEFAULT) -> Profile:
    """Read a profile; UsageError, naming those that exist, when it cannot be read."""
    if name not in profile_names():
        raise UsageError(
            f"there is no printer profile {name}; choose from {', '.join(profile_names())}"
        )
    path = FOLDER / f"{name}.toml"
    try:
        return Profile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise UsageError(f"the printer profile {path.name} is wrong; correct it") from error
