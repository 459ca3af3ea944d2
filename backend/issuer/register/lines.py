"""The register's file format, ``docs/register-format.md``: one JSON object a line."""

import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, model_validator

from backend.issuer.register.model import (
    Domicile,
    Foreign,
    ForeignStatus,
    History,
    Municipality,
    Resident,
    Sex,
    Standing,
    is_individual_number,
)
from dedicated_line.contract.message import Message, UtcTime
from dedicated_line.contract.municipality import is_municipality_code

FIRST_GREGORIAN_DAY: Final = date(1873, 1, 1)
"""Japan counts in the Gregorian calendar from this day (明治5年太政官布告第337号)."""


def _paper_text(text: str) -> str:
    if not unicodedata.is_normalized("NFC", text):
        raise ValueError("not in Unicode normal form C")
    if text != text.strip() or any(unicodedata.category(one) in {"Cc", "Cs"} for one in text):
        raise ValueError("has a control character, or white space at an end")
    return text


def _code(text: str) -> str:
    if not is_municipality_code(text):
        raise ValueError("not a municipality code with its check digit")
    return text


def _individual_number(text: str) -> str:
    if not is_individual_number(text):
        raise ValueError("not twelve digits with the right check digit")
    return text


def _day(day: date) -> date:
    if day < FIRST_GREGORIAN_DAY:
        raise ValueError("lies before 1873-01-01, when the Gregorian calendar began")
    return day


Code = Annotated[str, AfterValidator(_code)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$")]
Name = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_paper_text)]
Place = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_paper_text)]
Day = Annotated[date, AfterValidator(_day)]


class MunicipalityLine(Message):
    """Begins the whole load of one municipality; its households and residents follow."""

    type: Literal["municipality"]
    code: Code
    prefecture: Name
    name: Name
    mayor_title: Name
    mayor_name: Name
    register_as_of: UtcTime | None = None
    stale_after_hours: Annotated[int, Field(ge=1, le=24 * 366)] = 24

    def municipality(self, now: datetime) -> Municipality:
        """Return what the line says; without `register_as_of` it speaks of now."""
        return Municipality(
            code=self.code,
            prefecture=self.prefecture,
            name=self.name,
            mayor_title=self.mayor_title,
            mayor_name=self.mayor_name,
            register_as_of=self.register_as_of or now.astimezone(UTC),
            stale_after=timedelta(hours=self.stale_after_hours),
        )


class HouseholdLine(Message):
    """One household; its residents follow."""

    type: Literal["household"]
    municipality: Code
    id: Identifier
    address: Place
    householder: Identifier


class ForeignLine(Message):
    """Article 30-45 items."""

    nationality: Name
    status: ForeignStatus
    residence_status: Name | None = None
    period: Name | None = None
    expires: Day | None = None
    card_number: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{6,14}$")] | None = None

    @model_validator(mode="after")
    def _fits_its_class(self) -> Self:
        special = self.status is ForeignStatus.SPECIAL_PERMANENT
        if special and (self.residence_status or self.period or self.expires):
            raise ValueError("a special permanent resident has no status, period or expiry")
        if self.status is ForeignStatus.MID_TO_LONG_TERM and not (
            self.residence_status and self.period and self.card_number
        ):
            raise ValueError(
                "a mid- to long-term resident needs residence_status, period and card_number"
            )
        return self


class ResidentLine(Message):
    """One resident record."""

    type: Literal["resident"]
    municipality: Code
    id: Identifier
    household: Identifier
    name: Name
    kana: Name | None = None
    kana_settled: bool = True
    roman_name: Name | None = None
    former_family_name: Name | None = None
    alias: Name | None = None
    birth_date: Day
    sex: Sex
    relationship: Name
    became_resident: Day
    address_since: Day | None = None
    notified: Day | None = None
    former_address: Place | None = None
    domicile: Place | None = None
    head_of_family_register: Name | None = None
    individual_number: Annotated[str, AfterValidator(_individual_number)] | None = None
    resident_record_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{11}$")] | None = None
    foreign: ForeignLine | None = None
    protected: bool = False
    deceased_on: Day | None = None
    moved_out_on: Day | None = None
    moving: bool = False
    being_edited: bool = False

    @model_validator(mode="after")
    def _domicile_or_foreign(self) -> Self:
        if self.foreign is not None and (self.domicile or self.head_of_family_register):
            raise ValueError("a foreign resident has no registered domicile")
        if self.foreign is None and not (self.domicile and self.head_of_family_register):
            raise ValueError("domicile and head_of_family_register are needed, or foreign")
        if self.foreign is None and self.roman_name is not None:
            raise ValueError("only foreign residents have a roman_name")
        if self.became_resident < self.birth_date:
            raise ValueError("became_resident lies before birth_date")
        return self

    def resident(self) -> Resident:
        """Return what the line says."""
        domicile = None
        if self.domicile is not None and self.head_of_family_register is not None:
            domicile = Domicile(self.domicile, self.head_of_family_register)
        return Resident(
            municipality=self.municipality,
            id=self.id,
            household=self.household,
            name=self.name,
            birth_date=self.birth_date,
            sex=self.sex,
            relationship=self.relationship,
            history=History(
                became_resident=self.became_resident,
                address_since=self.address_since,
                notified=self.notified,
                former_address=self.former_address,
            ),
            standing=Standing(
                protected=self.protected,
                deceased_on=self.deceased_on,
                moved_out_on=self.moved_out_on,
                moving=self.moving,
                being_edited=self.being_edited,
            ),
            kana=self.kana,
            kana_settled=self.kana_settled,
            roman_name=self.roman_name,
            former_family_name=self.former_family_name,
            alias=self.alias,
            domicile=domicile,
            individual_number=self.individual_number,
            resident_record_code=self.resident_record_code,
            foreign=Foreign(
                nationality=self.foreign.nationality,
                status=self.foreign.status,
                residence_status=self.foreign.residence_status,
                period=self.foreign.period,
                expires=self.foreign.expires,
                card_number=self.foreign.card_number,
            )
            if self.foreign
            else None,
        )


Line = MunicipalityLine | HouseholdLine | ResidentLine
LINE: Final[TypeAdapter[Line]] = TypeAdapter(Annotated[Line, Field(discriminator="type")])
"""Reads one line, whatever its type."""
