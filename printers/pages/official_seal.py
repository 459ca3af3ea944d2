"""The characters of a mayor's official seal (公印), column by column."""

from math import ceil, sqrt


def seal_text(municipality: str, mayor: str, *, specimen: bool) -> str:
    """Return what the seal says, such as 下関市長之印, or 下関市長見本之印 on a specimen.

    Args:
        municipality: prefecture and municipality.
        mayor: title and name, with a space between them.
        specimen: whether the seal must say that it is none.
    """
    title = mayor.strip().partition(" ")[0].partition("\u3000")[0]
    office = title if title.endswith("長") else f"{municipality}長"
    return f"{office}{'見本' if specimen else ''}之印"


def seal_columns(municipality: str, mayor: str, *, specimen: bool) -> list[list[str]]:
    """Return the seal's columns from right to left, each with its characters from the top."""
    text = seal_text(municipality, mayor, specimen=specimen)
    rows = ceil(sqrt(len(text)))
    columns = ceil(len(text) / rows)
    longer = len(text) % columns
    shorter_length = len(text) // columns
    result = []
    start = 0
    for index in range(columns):
        length = shorter_length + (1 if index < longer else 0)
        result.append(list(text[start : start + length]))
        start += length
    return result
