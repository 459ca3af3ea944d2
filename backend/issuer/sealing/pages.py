"""The seals on the pages of each copy."""

from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives.asymmetric import ec

from dedicated_line.clock import Entropy
from dedicated_line.contract import cose
from dedicated_line.contract.envelope import SALT_BYTES, IssuedCopy, IssuedPage
from dedicated_line.contract.keys import Purpose
from dedicated_line.contract.numbers import issue_number
from dedicated_line.contract.residence import ResidenceCertificate, page_digest
from dedicated_line.contract.seal import SealClaims, set_digest

NUMBER_BYTES = 8
"""Random bytes that an issue number is cut from; it takes 60 of their 64 bits."""


@dataclass(frozen=True)
class SigningKey:
    """A key of a municipality, with the id under which the key list has it."""

    key_id: str
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Seals:
    """By whom and as of when pages are sealed."""

    municipality: str
    attested_on: date
    specimen: bool
    signing: SigningKey


def seal_copy(document: ResidenceCertificate, seals: Seals, entropy: Entropy) -> IssuedCopy:
    """Give one copy its number, and each of its pages its salt and seal."""
    number = issue_number(seals.municipality, int.from_bytes(entropy.token(NUMBER_BYTES), "big"))
    salts = [entropy.token(SALT_BYTES) for _ in document.sheets]
    digests = [
        bytes.fromhex(page_digest(salt, sheet))
        for salt, sheet in zip(salts, document.sheets, strict=True)
    ]
    whole = set_digest(digests)
    pages = []
    for place, (salt, digest) in enumerate(zip(salts, digests, strict=True), start=1):
        claims = SealClaims(
            municipality=seals.municipality,
            number=number,
            kind=document.kind,
            attested_on=seals.attested_on,
            page=place,
            pages=len(document.sheets),
            salt=salt,
            page_digest=digest,
            set_digest=whole,
            specimen=seals.specimen,
        )
        seal = cose.sign(seals.signing.key, seals.signing.key_id, Purpose.SEAL, claims.encode())
        pages.append(IssuedPage(salt=salt, seal=seal))
    return IssuedCopy(number=number, pages=tuple(pages))
