"""Certificate kinds and what a resident can choose about each."""

from enum import StrEnum

from dedicated_line.contract.message import Message


class Kind(StrEnum):
    """The kinds a kiosk can ask for; a new one is a member here and a module on each side."""

    RESIDENCE_CERTIFICATE = "residence-certificate"


KIND_NAMES_JA = {Kind.RESIDENCE_CERTIFICATE: "住民票の写し"}
"""The name that stands on the paper."""


class Options(Message):
    """Items of a residence certificate that are left out unless asked for (住民基本台帳法12条)."""

    relationship: bool = False
    """世帯主・続柄: householder's name and relationship."""
    domicile: bool = False
    """本籍・筆頭者: registered domicile and head of family register."""
    individual_number: bool = False
    """個人番号."""
    resident_record_code: bool = False
    """住民票コード."""
    foreign_items: bool = True
    """Article 30-45 items of foreign residents (nationality, status of residence, …)."""
