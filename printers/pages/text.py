"""The text of a PDF, read by a reader that did not draw it (poppler)."""

import re
from typing import Final

from printers.pages.raster import run_poppler

_LAYOUT: Final = re.compile(r"\s+")
"""White space of any kind, U+3000 too: a layout moves it about."""


def normalised(text: str) -> str:
    """Return text without the white space that a layout adds or takes away."""
    return _LAYOUT.sub("", text)


def page_texts(pdf: bytes) -> list[str]:
    """Return the text of each page, in the order in which it was drawn."""
    data = run_poppler(["pdftotext", "-raw", "-enc", "UTF-8", "-", "-"], pdf)
    return data.decode("utf-8").split("\f")[:-1]
