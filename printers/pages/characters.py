"""Which characters the font of personal values has: nothing is ever replaced silently."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from fontTools.ttLib import TTFont

from dedicated_line.contract.residence import ResidenceCertificate
from dedicated_line.errors import KofuError
from printers.pages.fonts import MINCHO, require_fonts

SELECTORS: Final = frozenset((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
"""Variation selectors (Unicode 16, section 23.4)."""

NEVER: Final = SELECTORS | frozenset((*range(0x20), *range(0x7F, 0xA0)))
"""On their own no character of a text: selectors and control characters."""


class UncoveredCharactersError(KofuError):
    """A text holds characters that the font does not have."""


class FontTable:
    """The font's own table of characters: cmap, with format 14 for variation sequences."""

    def __init__(self, path: str) -> None:
        """Read the table of the font file at path."""
        with TTFont(path, lazy=True) as font:
            cmap = font["cmap"]
            self._characters = frozenset(cmap.getBestCmap())
            sequences: set[tuple[int, int]] = set()
            for table in cmap.tables:
                if table.format == 14:  # noqa: PLR2004 - OpenType's number for variation sequences
                    for selector, entries in table.uvsDict.items():
                        sequences.update((base, selector) for base, _ in entries)
            self._sequences = frozenset(sequences)

    def has(self, character: str) -> bool:
        """Tell whether the font has a character, or a character with its selector."""
        points = [ord(point) for point in character]
        if points[0] not in self._characters or points[0] in NEVER:
            return False
        return len(points) == 1 or tuple(points) in self._sequences


@lru_cache(maxsize=1)
def font_table() -> FontTable:
    """Return the table of the font of personal values, read once a process."""
    require_fonts()
    return FontTable(str(MINCHO))


def characters(text: str) -> list[str]:
    """Divide text into characters, each with the variation selectors that follow it."""
    result: list[str] = []
    for point in text:
        if result and ord(point) in SELECTORS:
            result[-1] += point
        else:
            result.append(point)
    return result


def uncovered(text: str) -> tuple[str, ...]:
    """Return the characters, and pairs of character and selector, that no font of ours has.

    Each once, in their order; control characters and a selector on its own are never covered.
    """
    table = font_table()
    return tuple(dict.fromkeys(each for each in characters(text) if not table.has(each)))


def texts(value: object) -> Iterator[str]:
    """Yield every text in a document's JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def require_covered(document: ResidenceCertificate) -> None:
    """Raise UncoveredCharactersError, which names code points only, unless all can be drawn."""
    missing = uncovered("".join(texts(document.model_dump(mode="json"))))
    if missing:
        names = ", ".join("+".join(f"U+{ord(p):04X}" for p in each) for each in missing[:5])
        raise UncoveredCharactersError(
            f"no font has {names}; the certificate cannot be printed here, ask at the counter"
        )
