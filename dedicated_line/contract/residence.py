"""The residence certificate as a document: what stands on the paper, sheet by sheet.

Every text is final: eras, omissions and attestation are the composer's; a layout only places it.
A value of None is a row that does not exist for this person; a row that was not asked for says so
in words (``【省略】``).
"""

from typing import Annotated, Literal

from pydantic import Field

from dedicated_line.contract import canonical
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.message import Digest, Message

MEMBERS_PER_SHEET = 4
"""Household form (世帯票); facts: at most four members a sheet."""
Text = Annotated[str, Field(min_length=1, max_length=400)]


class ForeignItems(Message):
    """Article 30-45 items of a foreign resident."""

    nationality: Text
    status: Text
    """法30条の45の区分: 中長期在留者, 特別永住者, …"""
    residence_status: Text | None = None
    """在留資格."""
    period: Text | None = None
    """在留期間."""
    expires: Text | None = None
    """在留期間の満了の日."""
    card_number: Text | None = None
    """在留カード等の番号, or the special permanent resident's certificate number."""


class ResidencePerson(Message):
    """One person on a sheet."""

    name: Text
    """With ideographic variation selectors, NFC."""
    kana: Text | None = None
    """振り仮名; marked by the composer where it is unsettled."""
    former_family_name: Text | None = None
    alias: Text | None = None
    birth_date: Text
    sex: Text
    relationship: Text | None = None
    became_resident: Text | None = None
    """住民となった年月日 (外国人住民となった年月日 for foreign residents)."""
    address_since: Text | None = None
    """住所を定めた年月日."""
    notified: Text | None = None
    """届出の年月日."""
    former_address: Text | None = None
    registered_domicile: Text | None = None
    head_of_family_register: Text | None = None
    individual_number: Text | None = None
    resident_record_code: Text | None = None
    foreign: ForeignItems | None = None


class ResidenceSheet(Message):
    """One page's worth; a layout draws exactly one page of it."""

    sheet: Annotated[int, Field(ge=1)]
    sheets: Annotated[int, Field(ge=1)]
    title: Text
    municipality: Text
    """Prefecture and municipality."""
    address: Text
    householder: Text | None = None
    persons: Annotated[tuple[ResidencePerson, ...], Field(min_length=1, max_length=4)]
    attestation: Text
    """認証文."""
    attested_on: Text
    """The date of attestation in its era."""
    mayor: Text
    """Title and name."""
    specimen: bool
    """Made in simulation: the page says 見本 and has no force."""


class ResidenceCertificate(Message):
    """住民票の写し."""

    kind: Literal[Kind.RESIDENCE_CERTIFICATE]
    layout: Digest
    sheets: Annotated[tuple[ResidenceSheet, ...], Field(min_length=1)]


def page_digest(salt: bytes, sheet: ResidenceSheet) -> str:
    """Return the digest that a page's seal carries: over salt and the sheet's canonical bytes."""
    return canonical.digest(salt + canonical.encode_message(sheet))
