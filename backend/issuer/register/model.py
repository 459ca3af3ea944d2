"""The resident register: what is true of a resident, a household and a municipality."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

INDIVIDUAL_NUMBER_WEIGHTS: Final = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
"""Of the first eleven digits (番号利用法施行令 8条, 総務省令85号 5条)."""
INDIVIDUAL_NUMBER_DIGITS: Final = 12
MODULUS: Final = 11


class Sex(StrEnum):
    """男女の別."""

    MALE = "male"
    FEMALE = "female"


class ForeignStatus(StrEnum):
    """The classes of foreign residents (住民基本台帳法30条の45)."""

    MID_TO_LONG_TERM = "mid-to-long-term"
    """中長期在留者."""
    SPECIAL_PERMANENT = "special-permanent"
    """特別永住者."""
    TEMPORARY_REFUGE = "temporary-refuge"
    """一時庇護許可者・仮滞在許可者."""
    TRANSITIONAL = "transitional"
    """出生・国籍喪失による経過滞在者."""


@dataclass(frozen=True)
class Foreign:
    """Article 30-45 items."""

    nationality: str
    status: ForeignStatus
    residence_status: str | None = None
    period: str | None = None
    expires: date | None = None
    card_number: str | None = None
    """Of the residence card, or the special permanent resident's certificate."""


@dataclass(frozen=True)
class Standing:
    """What decides whether anything may be issued; never shown at a kiosk."""

    protected: bool = False
    """支援措置."""
    deceased_on: date | None = None
    moved_out_on: date | None = None
    """Moved out, or about to on that day (転出予定)."""
    moving: bool = False
    being_edited: bool = False


@dataclass(frozen=True)
class History:
    """When somebody came to live where they live."""

    became_resident: date
    """住民となった年月日; of foreign residents 外国人住民となった年月日."""
    address_since: date | None = None
    """住所を定めた年月日, where they moved inside the municipality."""
    notified: date | None = None
    """届出の年月日."""
    former_address: str | None = None


@dataclass(frozen=True)
class Domicile:
    """本籍と筆頭者; no foreign resident has one."""

    place: str
    head_of_family_register: str


@dataclass(frozen=True)
class Resident:
    """One resident record (住民票)."""

    municipality: str
    id: str
    """The municipality's own, unique in it; nothing to tell a person by."""
    household: str
    name: str
    birth_date: date
    sex: Sex
    relationship: str
    """続柄, as it stands on the paper."""
    history: History
    standing: Standing = field(default_factory=Standing)
    kana: str | None = None
    kana_settled: bool = True
    roman_name: str | None = None
    former_family_name: str | None = None
    alias: str | None = None
    domicile: Domicile | None = None
    individual_number: str | None = None
    resident_record_code: str | None = None
    foreign: Foreign | None = None

    @property
    def full_name(self) -> str:
        """Return the name as it stands on paper and screen: roman first where there are both."""
        if self.roman_name is None or self.roman_name == self.name:
            return self.name
        return f"{self.roman_name}（{self.name}）"


@dataclass(frozen=True)
class Household:
    """世帯, with the members in the order in which they stand on the paper."""

    municipality: str
    id: str
    address: str
    householder: str
    """Resident id of the 世帯主."""
    complete: bool
    """False when a line of it was refused: nothing is issued from half a household."""
    members: tuple[Resident, ...]
    version: int
    """The municipality's revision at which anything of household or members changed last."""

    def member(self, resident: str) -> Resident | None:
        """Return the member of this resident id."""
        return next((member for member in self.members if member.id == resident), None)

    @property
    def householder_name(self) -> str | None:
        """Return the householder's name, None when there is no such member."""
        householder = self.member(self.householder)
        return householder.full_name if householder else None


@dataclass(frozen=True)
class Municipality:
    """Who certifies, and how fresh the copy of their register is."""

    code: str
    prefecture: str
    name: str
    mayor_title: str
    mayor_name: str
    register_as_of: datetime
    """Changes of the register are known until this instant."""
    stale_after: timedelta
    """An older copy refuses."""

    @property
    def full_name(self) -> str:
        """Return prefecture and municipality, as in 山口県下関市."""
        return self.prefecture + self.name

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the copy is young enough to issue from."""
        return now - self.register_as_of <= self.stale_after


def is_individual_number(text: str) -> bool:
    """Tell whether text is twelve digits with the right check digit."""
    if len(text) != INDIVIDUAL_NUMBER_DIGITS or not (text.isascii() and text.isdigit()):
        return False
    total = sum(
        weight * int(digit)
        for weight, digit in zip(INDIVIDUAL_NUMBER_WEIGHTS, text[:-1], strict=True)
    )
    remainder = total % MODULUS
    return int(text[-1]) == (0 if remainder <= 1 else MODULUS - remainder)


def age_on(birth_date: date, day: date) -> int:
    """Return the age in full years; who was born on 29 February is older from 1 March on."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
