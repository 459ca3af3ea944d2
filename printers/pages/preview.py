"""Pages to look at: marked as specimens, sealed by a key that nobody trusts."""

from datetime import date
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from dedicated_line.contract.residence import ResidenceCertificate
from printers.pages.service import DrawnCopy, draw, layout_digest
from printers.pages.specimen import sealed_copy, specimen_document

PREVIEW_KEY_ID: Final = "preview"
PREVIEW_DATE: Final = date(2026, 4, 1)


def preview(document: ResidenceCertificate) -> DrawnCopy:
    """Draw a document as a specimen, whatever it says of itself."""
    sheets = tuple(sheet.model_copy(update={"specimen": True}) for sheet in document.sheets)
    marked = document.model_copy(update={"sheets": sheets})
    key = ec.generate_private_key(ec.SECP256R1())
    return draw(marked, sealed_copy(marked, key, PREVIEW_KEY_ID, attested_on=PREVIEW_DATE))


def warm_up(document: ResidenceCertificate | None = None) -> DrawnCopy:
    """Draw a made-up certificate, so that fonts and layout are read before a resident waits."""
    if document is None:
        blank = specimen_document("0" * 64)
        document = blank.model_copy(update={"layout": layout_digest(blank.kind)})
    return preview(document)
