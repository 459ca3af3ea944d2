"""What the printers' package says of pages, for the issuing server."""

from collections.abc import Iterator
from datetime import date
from threading import Lock
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from dedicated_line.contract.envelope import IssuedCopy
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.residence import ResidenceCertificate, ResidencePerson
from printers.pages.characters import UncoveredCharactersError, require_covered
from printers.pages.service import PageOverflowError, draw, layout_digest
from printers.pages.specimen import sealed_copy, specimen_document

ROOMY: Final = 16
"""Characters of a word in a name that every layout has room for; a longer one is drawn to see.

Drawing takes 25 to 180 ms a page, so that it is left to the rare long names.
"""

SOME_DAY: Final = date(2026, 4, 1)
"""Of the specimen that is drawn to warm up; nobody sees it."""


class PrintersPaper:
    """Asks the layouts and the font themselves."""

    def __init__(self) -> None:
        self._one_at_a_time = Lock()

    def warm_up(self) -> None:
        """Draw a specimen of every kind, so that no resident waits for fonts to be read."""
        for kind in Kind:
            document = specimen_document(self.layout(kind))
            key = ec.generate_private_key(ec.SECP256R1())
            self._draw(document, sealed_copy(document, key, "warm-up", attested_on=SOME_DAY))

    def _draw(self, document: ResidenceCertificate, copy: IssuedCopy) -> None:
        with self._one_at_a_time:
            draw(document, copy)

    def layout(self, kind: Kind) -> str:
        """Return the digest of the layout installed here."""
        return layout_digest(kind)

    def can_draw(self, document: ResidenceCertificate, copy: IssuedCopy) -> bool:
        """Tell whether every character has a glyph and every text its room."""
        try:
            require_covered(document)
            if any(len(word) > ROOMY for word in _words(document)):
                self._draw(document, copy)
        except (UncoveredCharactersError, PageOverflowError):
            return False
        return True


def _words(document: ResidenceCertificate) -> Iterator[str]:
    for sheet in document.sheets:
        for person in sheet.persons:
            for text in _names(person):
                yield from text.split()


def _names(person: ResidencePerson) -> Iterator[str]:
    foreign = person.foreign
    texts = (
        person.name,
        person.kana,
        person.former_family_name,
        person.alias,
        person.relationship,
        person.head_of_family_register,
        person.former_address,
        person.registered_domicile,
        foreign.nationality if foreign else None,
        foreign.residence_status if foreign else None,
        foreign.period if foreign else None,
    )
    yield from (text for text in texts if text is not None)
