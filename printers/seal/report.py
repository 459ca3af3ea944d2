"""What a verifier says about a paper, in lines for people."""

from collections.abc import Iterable

from PIL import Image

from dedicated_line.contract.key_list import KeyList
from dedicated_line.contract.kinds import KIND_NAMES_JA
from dedicated_line.contract.seal import SealClaims, set_digest
from printers.seal.service import SealError, read_seal_texts, verify_seal


def _line(claims: SealClaims) -> str:
    parts = [
        claims.municipality,
        f"発行番号 {claims.number}",
        KIND_NAMES_JA[claims.kind],
        claims.attested_on.isoformat(),
        f"{claims.page}/{claims.pages}頁",
        "見本（効力なし）" if claims.specimen else "見本ではない",
    ]
    return "  OK  " + "  ".join(parts)


def _sets(all_claims: list[SealClaims]) -> tuple[list[str], bool]:
    """Say of each issue whether its pages are all here and belong together."""
    lines, good = [], True
    for number in dict.fromkeys(claims.number for claims in all_claims):
        pages = {claims.page: claims for claims in all_claims if claims.number == number}
        first = next(iter(pages.values()))
        if len({(claims.pages, claims.set_digest) for claims in pages.values()}) > 1:
            lines.append(f"  NOT OK  {number}: these pages do not belong together")
            good = False
        elif len(pages) < first.pages:
            missing = sorted(set(range(1, first.pages + 1)) - set(pages))
            lines.append(f"  {number}: not shown here: page {', '.join(map(str, missing))}")
        elif set_digest([pages[page].page_digest for page in sorted(pages)]) != first.set_digest:
            lines.append(f"  NOT OK  {number}: these pages do not belong together")
            good = False
    return lines, good


def report_on(pictures: Iterable[Image.Image], keys: KeyList) -> tuple[list[str], bool]:
    """Return lines for people, and whether there is a seal and every one holds."""
    lines: list[str] = []
    all_claims: list[SealClaims] = []
    good = True
    for picture in pictures:
        for text in read_seal_texts(picture):
            try:
                claims = verify_seal(text, keys)
            except SealError as error:
                lines.append(f"  NOT OK  {error}")
                good = False
            else:
                all_claims.append(claims)
                lines.append(_line(claims))
    more, together = _sets(all_claims)
    lines += more
    if not lines:
        return ["NOT VERIFIED: there is no Kofu seal that can be read in this picture"], False
    good = good and together
    verdict = "OK: every seal holds" if good else "NOT VERIFIED: do not accept this paper"
    return [*lines, verdict], good
