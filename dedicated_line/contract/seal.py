"""The seal of a page: claims in a QR code that anyone can verify."""

import zlib
from dataclasses import dataclass
from datetime import date
from typing import Final

import base45

from dedicated_line.contract import canonical
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.municipality import is_municipality_code
from dedicated_line.contract.numbers import check_issue_number

PREFIX: Final = "KOFU1:"
"""Begins the text of every QR code of ours."""
MAX_SEAL_BYTES: Final = 4096
"""Of the unpacked COSE_Sign1: more is no seal of ours."""

_MUNICIPALITY, _NUMBER, _KIND, _DATE, _PAGE, _PAGES, _SALT, _DIGEST, _SET, _SPECIMEN = range(1, 11)


class NotASealError(ValueError):
    """The text of a QR code is not a seal of ours."""


@dataclass(frozen=True)
class SealClaims:
    """What a page's seal says."""

    municipality: str
    number: str
    kind: Kind
    attested_on: date
    page: int
    pages: int
    salt: bytes
    page_digest: bytes
    """32 bytes: `residence.page_digest` of this page."""
    set_digest: bytes
    """32 bytes over the page digests of the whole copy, in order: pages of two papers never mix."""
    specimen: bool

    def encode(self) -> bytes:
        """Return the canonical CBOR map with small integer keys."""
        return canonical.encode(
            {
                _MUNICIPALITY: self.municipality,
                _NUMBER: self.number,
                _KIND: self.kind.value,
                _DATE: self.attested_on.isoformat(),
                _PAGE: self.page,
                _PAGES: self.pages,
                _SALT: self.salt,
                _DIGEST: self.page_digest,
                _SET: self.set_digest,
                _SPECIMEN: self.specimen,
            }
        )


def _claims(value: object) -> SealClaims:
    if not isinstance(value, dict) or set(value) != set(range(1, 11)):
        raise NotASealError("its claims are not those of a seal")
    texts = [value[key] for key in (_MUNICIPALITY, _NUMBER, _KIND, _DATE)]
    counts = [value[key] for key in (_PAGE, _PAGES)]
    bodies = [value[key] for key in (_SALT, _DIGEST, _SET)]
    fits = (
        all(isinstance(text, str) for text in texts)
        and all(type(count) is int for count in counts)
        and all(isinstance(body, bytes) for body in bodies)
        and isinstance(value[_SPECIMEN], bool)
        and [len(body) for body in bodies] == [16, 32, 32]
        and 1 <= counts[0] <= counts[1]
        and is_municipality_code(texts[0])
    )
    if not fits:
        raise NotASealError("its claims have the wrong form")
    return SealClaims(
        municipality=texts[0],
        number=check_issue_number(texts[1]),
        kind=Kind(texts[2]),
        attested_on=date.fromisoformat(texts[3]),
        page=counts[0],
        pages=counts[1],
        salt=bodies[0],
        page_digest=bodies[1],
        set_digest=bodies[2],
        specimen=value[_SPECIMEN],
    )


def decode_claims(payload: bytes) -> SealClaims:
    """Read a seal's payload; raise NotASealError when it is none."""
    try:
        return _claims(canonical.decode(payload))
    except NotASealError:
        raise
    except ValueError as error:
        raise NotASealError("its claims cannot be read") from error


def set_digest(page_digests: list[bytes]) -> bytes:
    """Return the digest over the page digests of one copy, in order."""
    return bytes.fromhex(canonical.digest(b"".join(page_digests)))


def to_qr_text(cose: bytes) -> str:
    """Return what the QR code holds: prefix, then base45 (RFC 9285) of the deflated COSE_Sign1."""
    text: bytes = base45.b45encode(zlib.compress(cose, 9))
    return PREFIX + text.decode("ascii")


def from_qr_text(text: str) -> bytes:
    """Return the COSE_Sign1 bytes; raise NotASealError when the text is not a seal of ours."""
    if not text.startswith(PREFIX):
        raise NotASealError("not a Kofu seal")
    try:
        packed = base45.b45decode(text.removeprefix(PREFIX))
        unpacker = zlib.decompressobj()
        cose = unpacker.decompress(packed, MAX_SEAL_BYTES)
    except (ValueError, zlib.error) as error:
        raise NotASealError("a damaged Kofu seal") from error
    if unpacker.unconsumed_tail or not unpacker.eof or unpacker.unused_data:
        raise NotASealError("a damaged Kofu seal")
    return cose
