"""Issue numbers (発行番号) and reference numbers (受付番号)."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from dedicated_line.contract.municipality import is_municipality_code

RANDOM_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing that is misread for something else."""
RANDOM_CHARACTERS: Final = 12
"""60 random bits."""
_CHECK_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FORM: Final = re.compile(r"^([0-9]{6})-([0-9A-Z]{6})-([0-9A-Z]{6})-([0-9A-Z])$")


def _check_character(text: str) -> str:
    """Return the check character of ISO/IEC 7064, MOD 37,36."""
    product = 36
    for character in text:
        total = (product + _CHECK_ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return _CHECK_ALPHABET[(37 - product) % 36]


def issue_number(municipality: str, random_bits: int) -> str:
    """Make an issue number such as ``352012-7K3MQ9-XT2WVB-5`` from 60 random bits."""
    letters = "".join(
        RANDOM_ALPHABET[(random_bits >> (5 * place)) & 31] for place in range(RANDOM_CHARACTERS)
    )
    check = _check_character(municipality + letters)
    return f"{municipality}-{letters[:6]}-{letters[6:]}-{check}"


def check_issue_number(text: str) -> str:
    """Return text; raise ValueError when it is not an issue number with the right check."""
    form = _FORM.match(text)
    if form is None or not is_municipality_code(form[1]):
        raise ValueError("not an issue number")
    letters = form[2] + form[3]
    if set(letters) - set(RANDOM_ALPHABET) or _check_character(form[1] + letters) != form[4]:
        raise ValueError("an issue number whose check character does not fit")
    return text


IssueNumber = Annotated[str, AfterValidator(check_issue_number)]
"""Unique for ever, on every page."""


def reference_number(identifier: str) -> str:
    """Return the reference number of a session or order id: ``A1B2-C3D4``."""
    return f"{identifier[:4]}-{identifier[4:8]}".upper()
