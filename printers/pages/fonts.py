"""The fonts that pages are drawn with, and nothing but those."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from dedicated_line.errors import KofuError

FONT_FOLDER: Final = Path("/usr/share/fonts/truetype")
"""Where Debian's packages put them."""
MINCHO: Final = FONT_FOLDER / "ipamj" / "ipamjm.ttf"
"""IPAmj Mincho: every value of a document (package fonts-ipamj-mincho)."""
GOTHIC: Final = (
    FONT_FOLDER / "bizud-gothic" / "BIZUDGothic-Regular.ttf",
    FONT_FOLDER / "bizud-gothic" / "BIZUDGothic-Bold.ttf",
)
"""BIZ UDGothic: labels (package fonts-morisawa-bizud-gothic)."""
ALL: Final = (MINCHO, *GOTHIC)


class FontMissingError(KofuError):
    """A font that pages are drawn with is not installed."""


def require_fonts() -> None:
    """Raise FontMissingError, which says what to install, unless all fonts are there."""
    for path in ALL:
        if not path.is_file():
            raise FontMissingError(
                f"the font {path.name} is missing; install the packages fonts-ipamj-mincho and "
                "fonts-morisawa-bizud-gothic"
            )


@lru_cache(maxsize=1)
def fonts_digest() -> bytes:
    """Return SHA-256 over the font files, read once a process."""
    require_fonts()
    whole = hashlib.sha256()
    for path in ALL:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.digest()
