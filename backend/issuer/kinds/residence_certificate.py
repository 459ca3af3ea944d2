"""住民票の写し: what it says about whom, under which options."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from backend.issuer.kinds.eras import era_date, western_date
from backend.issuer.register.model import (
    Foreign,
    ForeignStatus,
    Household,
    Municipality,
    Resident,
    Sex,
)
from dedicated_line.contract.kinds import KIND_NAMES_JA, Kind, Options
from dedicated_line.contract.residence import (
    MEMBERS_PER_SHEET,
    ForeignItems,
    ResidenceCertificate,
    ResidencePerson,
    ResidenceSheet,
)

OMITTED: Final = "【省略】"
"""Stands in a row that exists but was not asked for."""
WHOLE_HOUSEHOLD: Final = "この写しは、世帯全員の住民票の原本と相違ないことを証明する。"
PART_OF_HOUSEHOLD: Final = "この写しは、世帯の一部の住民票の原本と相違ないことを証明する。"
UNSETTLED: Final = "（未確定）"
"""Behind 振り仮名 that the resident has not confirmed yet."""
KANA_SINCE: Final = date(2025, 5, 26)
"""振り仮名 are an item of the resident record from this day on (令和5年法律48号)."""
_SEX: Final = {Sex.MALE: "男", Sex.FEMALE: "女"}
_FOREIGN_STATUS: Final = {
    ForeignStatus.MID_TO_LONG_TERM: "中長期在留者",
    ForeignStatus.SPECIAL_PERMANENT: "特別永住者",
    ForeignStatus.TEMPORARY_REFUGE: "一時庇護許可者又は仮滞在許可者",
    ForeignStatus.TRANSITIONAL: "出生又は国籍喪失による経過滞在者",
}


@dataclass(frozen=True)
class Attestation:
    """Under what the document is put."""

    municipality: Municipality
    attested_on: date
    """The Tokyo date at sealing."""
    layout: str
    """Digest of the layout that draws it."""
    specimen: bool


def _if_asked(asked: bool, text: str | None) -> str | None:  # noqa: FBT001 - reads as a sentence
    if text is None:
        return None
    return text if asked else OMITTED


def _day(day: date | None) -> str | None:
    return None if day is None else era_date(day)


def _kana(resident: Resident, attested_on: date) -> str | None:
    if resident.kana is None or attested_on < KANA_SINCE:
        return None
    return resident.kana + ("" if resident.kana_settled else UNSETTLED)


def _foreign(foreign: Foreign, options: Options) -> ForeignItems:
    asked = options.foreign_items
    return ForeignItems(
        nationality=foreign.nationality if asked else OMITTED,
        status=_FOREIGN_STATUS[foreign.status] if asked else OMITTED,
        residence_status=_if_asked(asked, foreign.residence_status),
        period=_if_asked(asked, foreign.period),
        expires=_if_asked(asked, western_date(foreign.expires) if foreign.expires else None),
        card_number=_if_asked(asked, foreign.card_number),
    )


def _person(resident: Resident, options: Options, attested_on: date) -> ResidencePerson:
    domicile, foreign, history = resident.domicile, resident.foreign, resident.history
    born = resident.birth_date
    return ResidencePerson(
        name=resident.full_name,
        kana=_kana(resident, attested_on),
        former_family_name=resident.former_family_name,
        alias=resident.alias,
        birth_date=western_date(born) if foreign else era_date(born),
        sex=_SEX[resident.sex],
        relationship=_if_asked(options.relationship, resident.relationship),
        became_resident=era_date(history.became_resident),
        address_since=_day(history.address_since),
        notified=_day(history.notified),
        former_address=history.former_address,
        registered_domicile=_if_asked(options.domicile, domicile.place if domicile else None),
        head_of_family_register=_if_asked(
            options.domicile, domicile.head_of_family_register if domicile else None
        ),
        individual_number=_if_asked(options.individual_number, resident.individual_number),
        resident_record_code=_if_asked(options.resident_record_code, resident.resident_record_code),
        foreign=_foreign(foreign, options) if foreign else None,
    )


def compose(
    household: Household, persons: Sequence[Resident], options: Options, under: Attestation
) -> ResidenceCertificate:
    """Return the document about some or all members, in the household's order.

    Args:
        household: whose it is.
        persons: who stands on it.
        options: what was asked for; everything else says `OMITTED`.
        under: who attests, when, for which layout.
    """
    groups = [
        persons[start : start + MEMBERS_PER_SHEET]
        for start in range(0, len(persons), MEMBERS_PER_SHEET)
    ]
    municipality = under.municipality
    whole = len(persons) == len(household.members)
    sheets = tuple(
        ResidenceSheet(
            sheet=number,
            sheets=len(groups),
            title=KIND_NAMES_JA[Kind.RESIDENCE_CERTIFICATE],
            municipality=municipality.full_name,
            address=household.address,
            householder=_if_asked(options.relationship, household.householder_name),
            persons=tuple(_person(person, options, under.attested_on) for person in group),
            attestation=WHOLE_HOUSEHOLD if whole else PART_OF_HOUSEHOLD,
            attested_on=era_date(under.attested_on),
            mayor=f"{municipality.mayor_title}　{municipality.mayor_name}",
            specimen=under.specimen,
        )
        for number, group in enumerate(groups, start=1)
    )
    return ResidenceCertificate(kind=Kind.RESIDENCE_CERTIFICATE, layout=under.layout, sheets=sheets)


def texts(document: ResidenceCertificate) -> Iterator[str]:
    """Yield every text that will stand on the paper."""
    for sheet in document.sheets:
        yield from _texts(sheet.model_dump())


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
