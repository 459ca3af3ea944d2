"""The clerk's checks 2 and 3: what a clerk would look at before handing the paper over.

Each is done by code that did not produce what it checks. Evidence names the check that said no
and nothing of a resident. There is no retry after a no.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from dedicated_line.clock import TOKYO
from dedicated_line.contract import CONTRACT_VERSION, canonical, cose
from dedicated_line.contract.envelope import SALT_BYTES, Content, EnvelopeHeader, IssuedCopy
from dedicated_line.contract.key_list import KeyList, KeyUse, UntrustedKeyError, trusted_key
from dedicated_line.contract.keys import BadSignatureError, Purpose
from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.orders import Check
from dedicated_line.contract.residence import (
    MEMBERS_PER_SHEET,
    ResidencePerson,
    ResidenceSheet,
    page_digest,
)
from dedicated_line.contract.seal import SealClaims, set_digest, to_qr_text
from dedicated_line.errors import KofuError
from printers.pages.service import DrawnCopy
from printers.pages.text import normalised, page_texts
from printers.seal.service import SealError, read_seal_texts, verify_seal

LONGEST_SINCE_SEALING: Final = timedelta(minutes=5)
"""Between sealing and the check of the header; an older paper is not this order's."""
SKEW: Final = timedelta(seconds=60)
"""What the two clocks may differ by (flow, section 2)."""
OMITTED: Final = "【省略】"
"""The only thing that may stand where nothing was asked for."""


class CheckFailedError(KofuError):
    """A clerk's check said no."""

    def __init__(self, check: Check, evidence: str) -> None:
        super().__init__(
            f"the check of the {check.value} said no ({evidence}); nothing is printed, "
            "and this kind is stopped at this kiosk until two persons lift it"
        )
        self.check = check
        self.evidence = evidence


@dataclass(frozen=True)
class Asked:
    """What this kiosk asked for and the resident confirmed on the screen."""

    session: str
    kiosk: str
    municipality: str
    order: str
    kind: Kind
    options: Options
    members: int
    copies: int
    layout: str
    """Digest of this kiosk's own layout."""
    holder: str
    """SHA-256 of the user certificate that this kiosk read from the card itself."""
    names: tuple[str, ...]
    """Of the members confirmed on the screen, in the household's order."""
    specimen: bool
    """Whether this is simulation: then every page is a specimen, and otherwise none."""


def _require(check: Check, holds: bool, evidence: str) -> None:  # noqa: FBT001 - the finding itself
    if not holds:
        raise CheckFailedError(check, evidence)


# ------------------------------------------------------------------ check 2, header
def check_header(
    data: bytes,
    asked: Asked,
    keys: KeyList,
    now: datetime,
    seen: Callable[[Sequence[str]], frozenset[str]],
) -> EnvelopeHeader:
    """Check the signed header before any money; return it.

    Args:
        data: COSE_Sign1 as the centre passed it on.
        asked: what it must be.
        keys: the key list, verified under the pinned root.
        now: domain time.
        seen: tells which numbers this kiosk's journal knows already.

    Raises:
        CheckFailedError: anything is not as asked.
    """
    try:
        signed = cose.read(data)
        header = canonical.decode_message(EnvelopeHeader, signed.payload)
        key = trusted_key(
            keys, signed.key_id, KeyUse.ENVELOPE, asked.municipality, header.sealed_at
        )
        cose.verify(signed, key, Purpose.ENVELOPE)
    except (BadSignatureError, UntrustedKeyError, ValueError) as error:
        raise CheckFailedError(Check.HEADER, f"signature: {type(error).__name__}") from error
    for name, is_, should in (
        ("contract", header.contract, CONTRACT_VERSION),
        ("municipality", header.municipality, asked.municipality),
        ("order", header.order, asked.order),
        ("session", header.session, asked.session),
        ("kiosk", header.kiosk, asked.kiosk),
        ("kind", header.kind, asked.kind),
        ("options", header.options, asked.options),
        ("members", header.members, asked.members),
        ("copies", header.copies, asked.copies),
        ("sheets", header.sheets, -(-asked.members // MEMBERS_PER_SHEET)),
        ("layout", header.layout, asked.layout),
        ("holder", header.holder, asked.holder),
        ("issues", len(set(header.issues)), asked.copies),
        ("number", {number[:6] for number in header.issues}, {asked.municipality}),
        ("attested_on", header.attested_on, header.sealed_at.astimezone(TOKYO).date()),
    ):
        _require(Check.HEADER, is_ == should, name)
    _require(Check.HEADER, len(header.issues) == asked.copies, "issues")
    _require(Check.HEADER, header.sealed_at <= now + SKEW, "sealed_at: in the future")
    _require(Check.HEADER, now - header.sealed_at <= LONGEST_SINCE_SEALING, "sealed_at: too old")
    _require(Check.HEADER, header.register_as_of <= header.sealed_at + SKEW, "register_as_of")
    _require(Check.HEADER, not seen(header.issues), "number seen before")
    return header


# ------------------------------------------------------------------ check 2, content
def check_content(plain: bytes, header: EnvelopeHeader, asked: Asked, keys: KeyList) -> Content:
    """Check the opened content before drawing; return it.

    Raises:
        CheckFailedError: anything is not as the header says or as was asked.
    """
    _require(Check.CONTENT, canonical.digest(plain) == header.content, "digest")
    try:
        content = canonical.decode_message(Content, plain)
    except ValueError as error:
        raise CheckFailedError(Check.CONTENT, f"form: {type(error).__name__}") from None
    document = content.document
    persons = [person for sheet in document.sheets for person in sheet.persons]
    sheets = len(document.sheets)
    for name, is_, should in (
        ("salt", len(content.salt), SALT_BYTES),
        ("kind", document.kind, header.kind),
        ("layout", document.layout, header.layout),
        ("sheets", sheets, header.sheets),
        (
            "sheet numbers",
            [(sheet.sheet, sheet.sheets) for sheet in document.sheets],
            [(number, sheets) for number in range(1, sheets + 1)],
        ),
        ("persons", len(persons), header.members),
        ("names", sorted(person.name for person in persons), sorted(asked.names)),
        ("specimen", {sheet.specimen for sheet in document.sheets}, {asked.specimen}),
        ("address", len({sheet.address for sheet in document.sheets}), 1),
        ("copies", tuple(copy.number for copy in content.copies), header.issues),
        ("one date", len({sheet.attested_on for sheet in document.sheets}), 1),
    ):
        _require(Check.CONTENT, is_ == should, name)
    for sheet in document.sheets:
        _check_options(sheet, header.options)
    salts = [page.salt for copy in content.copies for page in copy.pages]
    _require(Check.CONTENT, len(set(salts)) == len(salts), "salts")
    for copy in content.copies:
        _check_copy(copy, content, header, keys)
    return content


def _check_options(sheet: ResidenceSheet, options: Options) -> None:
    """Refuse a text that nobody asked for."""
    unasked: list[tuple[str, str | None]] = []
    if not options.relationship:
        unasked.append(("householder", sheet.householder))
    for person in sheet.persons:
        unasked += _unasked(person, options)
    for name, text in unasked:
        _require(Check.CONTENT, text in {None, OMITTED}, f"not asked for: {name}")


def _unasked(person: ResidencePerson, options: Options) -> Iterator[tuple[str, str | None]]:
    if not options.relationship:
        yield "relationship", person.relationship
    if not options.domicile:
        yield "domicile", person.registered_domicile
        yield "head of family register", person.head_of_family_register
    if not options.individual_number:
        yield "individual number", person.individual_number
    if not options.resident_record_code:
        yield "resident record code", person.resident_record_code
    if not options.foreign_items and person.foreign is not None:
        for name in type(person.foreign).model_fields:
            yield name, getattr(person.foreign, name)


def _claims(copy: IssuedCopy, place: int, content: Content, header: EnvelopeHeader) -> SealClaims:
    """Return what the seal of one page must say, computed anew from the sheets."""
    sheets = content.document.sheets
    digests = [
        bytes.fromhex(page_digest(page.salt, sheet))
        for page, sheet in zip(copy.pages, sheets, strict=True)
    ]
    return SealClaims(
        municipality=header.municipality,
        number=copy.number,
        kind=header.kind,
        attested_on=header.attested_on,
        page=place + 1,
        pages=len(sheets),
        salt=copy.pages[place].salt,
        page_digest=digests[place],
        set_digest=set_digest(digests),
        specimen=sheets[place].specimen,
    )


def _check_copy(copy: IssuedCopy, content: Content, header: EnvelopeHeader, keys: KeyList) -> None:
    _require(Check.CONTENT, len(copy.pages) == header.sheets, "pages of a copy")
    for place, page in enumerate(copy.pages):
        _require(Check.CONTENT, len(page.salt) == SALT_BYTES, "page salt")
        claims = _verified(Check.CONTENT, to_qr_text(page.seal), keys)
        _compare(Check.CONTENT, claims, _claims(copy, place, content, header))


def _verified(check: Check, text: str, keys: KeyList) -> SealClaims:
    try:
        return verify_seal(text, keys)
    except (SealError, ValueError) as error:
        raise CheckFailedError(check, f"seal: {type(error).__name__}") from error


def _compare(check: Check, is_: SealClaims, should: SealClaims) -> None:
    for name in (
        "municipality",
        "number",
        "kind",
        "attested_on",
        "page",
        "pages",
        "salt",
        "page_digest",
        "set_digest",
        "specimen",
    ):
        _require(check, getattr(is_, name) == getattr(should, name), f"seal: {name}")


# ------------------------------------------------------------------ check 3
def check_pages(
    drawn: Sequence[DrawnCopy],
    content: Content,
    header: EnvelopeHeader,
    keys: KeyList,
    read_texts: Callable[[bytes], list[str]] = page_texts,
) -> None:
    """Check all drawn pages of all copies before the first byte goes to the printer.

    Each QR code is read back from the finished dots, and the text of the same PDF by poppler.

    Raises:
        CheckFailedError: a page does not say what its sheet says.
    """
    _require(Check.PAGES, len(drawn) == len(content.copies), "copies")
    for copy, one in zip(content.copies, drawn, strict=True):
        sheets = content.document.sheets
        _require(Check.PAGES, len(one.pages) == len(sheets), "pages")
        texts = read_texts(one.pdf)
        _require(Check.PAGES, len(texts) == len(sheets), "pages of text")
        for place, (image, text, sheet) in enumerate(zip(one.pages, texts, sheets, strict=True)):
            seals = read_seal_texts(image)
            _require(Check.PAGES, len(seals) == 1, f"codes on a page: {len(seals)}")
            claims = _verified(Check.PAGES, seals[0], keys)
            _compare(Check.PAGES, claims, _claims(copy, place, content, header))
            _check_text(normalised(text), copy, sheet)


def _check_text(text: str, copy: IssuedCopy, sheet: ResidenceSheet) -> None:
    for name, value in _texts(sheet, "sheet"):
        _require(Check.PAGES, normalised(value) in text, f"text: {name}")
    _require(Check.PAGES, copy.number in text, "text: issue number")
    _require(Check.PAGES, f"{sheet.sheet}/{sheet.sheets}" in text, "text: page number")


def _texts(message: BaseModel, name: str) -> Iterator[tuple[str, str]]:
    """Yield every text of a sheet with its field's name."""
    for field in type(message).model_fields:
        value = getattr(message, field)
        if isinstance(value, str):
            yield f"{name}.{field}", value
        elif isinstance(value, BaseModel):
            yield from _texts(value, f"{name}.{field}")
        elif isinstance(value, tuple):
            for inner in value:
                yield from _texts(inner, f"{name}.{field}")
