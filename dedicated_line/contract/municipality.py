"""Municipality codes (地方公共団体コード)."""

WEIGHTS = (6, 5, 4, 3, 2)
"""Of the first five digits; source: the Ministry's notice on codes of local governments."""


def check_digit(first_five: str) -> str:
    """Return the sixth digit of a municipality code."""
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first_five, strict=True))
    return str((11 - total % 11) % 10)


def is_municipality_code(text: str) -> bool:
    """Tell whether text is six digits with the right check digit."""
    return (
        len(text) == len(WEIGHTS) + 1
        and text.isascii()
        and text.isdigit()
        and check_digit(text[:5]) == text[5]
    )
