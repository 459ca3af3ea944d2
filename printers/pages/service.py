"""What can be asked of pages: which layout is this, and draw this document."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import typst
from PIL import Image

from dedicated_line.contract.envelope import IssuedCopy
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.residence import ResidenceCertificate, ResidenceSheet
from dedicated_line.errors import KofuError
from printers.pages.characters import require_covered
from printers.pages.fonts import ALL, fonts_digest, require_fonts
from printers.pages.official_seal import seal_columns
from printers.pages.raster import WIDTH, rasterise
from printers.seal.qr import QrCode, draw_qr

LAYOUT_VERSION: Final = 1
"""Grows when the drawing of a page changes without a change of its layout's file."""
LAYOUTS: Final = {
    Kind.RESIDENCE_CERTIFICATE: Path(__file__).with_name("residence_certificate.typ"),
}
MARGIN: Final = 16
"""Dots on each side that stay white, as in the layouts."""


class PageOverflowError(KofuError):
    """A text does not fit where the layout has room for it; the counter has to issue this one."""


class DrawingFailedError(KofuError):
    """A page could not be drawn; nothing of its content is in the message."""


@dataclass(frozen=True)
class DrawnCopy:
    """One copy, drawn."""

    pdf: bytes
    pages: tuple[Image.Image, ...]
    """1-bit, `raster.WIDTH` dots wide, one a sheet; black where the head burns."""


@lru_cache(maxsize=len(Kind))
def _layout(kind: Kind) -> bytes:
    """Return the layout's source, read once, so that it stays the one that was digested."""
    return LAYOUTS[kind].read_bytes()


@lru_cache(maxsize=len(Kind))
def layout_digest(kind: Kind) -> str:
    """Return SHA-256 (hexadecimal) over what decides how this kind looks.

    Its layout file, the font files, the typesetter's version and `LAYOUT_VERSION`.
    """
    whole = hashlib.sha256(b"KOFU LAYOUT\x00")
    for part in (
        kind.value.encode(),
        str(LAYOUT_VERSION).encode(),
        metadata.version("typst").encode(),
        hashlib.sha256(_layout(kind)).digest(),
        fonts_digest(),
    ):
        whole.update(len(part).to_bytes(4, "big") + part)
    return whole.hexdigest()


@lru_cache(maxsize=len(Kind))
def _compiler(kind: Kind) -> typst.Compiler:
    require_fonts()
    folders: list[Any] = sorted({str(path.parent) for path in ALL})
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=folders
    )
    return typst.Compiler(
        font_paths=fonts, root=str(LAYOUTS[kind].parent), ignore_system_fonts=True
    )


def _entry(sheet: ResidenceSheet, number: str, qr: QrCode) -> dict[str, Any]:
    return {
        "sheet": sheet.model_dump(mode="json"),
        "number": number,
        "page": sheet.sheet,
        "pages": sheet.sheets,
        "qr": {"svg": qr.svg(), "side": qr.side},
        "seal": seal_columns(sheet.municipality, sheet.mayor, specimen=sheet.specimen),
    }


def _pdf(kind: Kind, entries: list[dict[str, Any]]) -> bytes:
    inputs = {"pages": json.dumps(entries, ensure_ascii=False)}
    try:
        pdf = _compiler(kind).compile(
            _layout(kind), format="pdf", sys_inputs=inputs, timestamp=0, pdf_tags=False
        )
    except typst.TypstError as error:
        if "overflow" in error.message:
            raise PageOverflowError(
                "a name or number is too long for the page; the counter can issue it"
            ) from None
        raise DrawingFailedError("the page could not be drawn; call the operators") from None
    if not isinstance(pdf, bytes):
        raise DrawingFailedError("the page could not be drawn; call the operators")
    return pdf


def _finished(page: Image.Image, qr: QrCode) -> Image.Image:
    """Return the page with its QR code dot for dot, as the last thing on it."""
    whole = Image.new("1", (WIDTH, page.height), 1)
    whole.paste(page)
    whole.paste(qr.image, (WIDTH - MARGIN - qr.side, page.height - qr.side))
    for edge in ((0, 0, MARGIN - 2, page.height), (WIDTH - MARGIN + 2, 0, WIDTH, page.height)):
        if whole.crop(edge).getextrema() != (255, 255):
            raise PageOverflowError("a text is too long for the page; the counter can issue it")
    return whole


def draw(document: ResidenceCertificate, copy: IssuedCopy) -> DrawnCopy:
    """Draw one copy of a document: one page a sheet, its number and seal on each.

    The same document and copy give the same bytes and dots. Everything stays in memory.

    Raises:
        UncoveredCharactersError: a character is not in the font.
        PageOverflowError: a text does not fit.
        SealTooLargeError: a seal does not fit into a QR code.
        DrawingFailedError, RasterError: drawing failed.
    """
    if len(copy.pages) != len(document.sheets):
        raise DrawingFailedError("the copy has not one seal for each sheet; it was not drawn")
    require_covered(document)
    codes = [draw_qr(page.seal) for page in copy.pages]
    entries = [
        _entry(sheet, copy.number, code) for sheet, code in zip(document.sheets, codes, strict=True)
    ]
    pdf = _pdf(document.kind, entries)
    pages = rasterise(pdf)
    if len(pages) != len(document.sheets):
        raise PageOverflowError("a sheet does not fit on its page; the counter can issue it")
    return DrawnCopy(
        pdf, tuple(_finished(page, code) for page, code in zip(pages, codes, strict=True))
    )
