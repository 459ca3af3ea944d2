"""A made-up certificate: what a drawing process warms up on, and what a preview shows."""

from datetime import date

from cryptography.hazmat.primitives.asymmetric import ec

from dedicated_line.contract import cose, seal
from dedicated_line.contract.envelope import IssuedCopy, IssuedPage
from dedicated_line.contract.keys import Purpose
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.numbers import issue_number
from dedicated_line.contract.residence import (
    ResidenceCertificate,
    ResidencePerson,
    ResidenceSheet,
    page_digest,
)

MUNICIPALITY = "352012"


def specimen_document(layout: str) -> ResidenceCertificate:
    """Return a household of one, nobody's."""
    person = ResidencePerson(
        name="見本 太郎",
        kana="ミホン タロウ",
        birth_date="昭和50年1月1日",
        sex="男",
        relationship="【省略】",
        became_resident="平成元年1月8日",
        registered_domicile="【省略】",
    )
    sheet = ResidenceSheet(
        sheet=1,
        sheets=1,
        title="住民票の写し",
        municipality="山口県下関市",
        address="山口県下関市見本町一丁目1番1号",
        householder="【省略】",
        persons=(person,),
        attestation="この写しは、世帯全員の住民票の原本と相違ないことを証明する。",
        attested_on="令和8年4月1日",
        mayor="下関市長 見本 花子",
        specimen=True,
    )
    return ResidenceCertificate(kind=Kind.RESIDENCE_CERTIFICATE, layout=layout, sheets=(sheet,))


def sealed_copy(
    document: ResidenceCertificate,
    key: ec.EllipticCurvePrivateKey,
    key_id: str,
    *,
    attested_on: date,
    number: str = issue_number(MUNICIPALITY, 0),
) -> IssuedCopy:
    """Return a copy of a document sealed with any key, for previews and tests: salts are zero."""
    salt = bytes(16)
    digests = [bytes.fromhex(page_digest(salt, sheet)) for sheet in document.sheets]
    pages = [
        IssuedPage(
            salt=salt,
            seal=cose.sign(
                key,
                key_id,
                Purpose.SEAL,
                seal.SealClaims(
                    municipality=number[:6],
                    number=number,
                    kind=document.kind,
                    attested_on=attested_on,
                    page=sheet.sheet,
                    pages=sheet.sheets,
                    salt=salt,
                    page_digest=digest,
                    set_digest=seal.set_digest(digests),
                    specimen=sheet.specimen,
                ).encode(),
            ),
        )
        for sheet, digest in zip(document.sheets, digests, strict=True)
    ]
    return IssuedCopy(number=number, pages=tuple(pages))
