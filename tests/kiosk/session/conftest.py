"""A made-up municipality's keys, and what its issuing server would seal with them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dedicated_line.contract import canonical, cose
from dedicated_line.contract.envelope import Content, EnvelopeHeader, IssuedCopy, IssuedPage
from dedicated_line.contract.key_list import KeyList, KeyUse, ListedKey
from dedicated_line.contract.keys import Purpose, encode_public_key
from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.numbers import issue_number
from dedicated_line.contract.residence import (
    ResidenceCertificate,
    ResidencePerson,
    ResidenceSheet,
    page_digest,
)
from dedicated_line.contract.seal import SealClaims, set_digest
from kiosk.session.clerk import Asked
from printers.pages.service import layout_digest

KIND = Kind.RESIDENCE_CERTIFICATE
NOW = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
CODE = "352012"


def sheet(number: int, sheets: int, names: tuple[str, ...]) -> ResidenceSheet:
    persons = tuple(
        ResidencePerson(
            name=name,
            birth_date="昭和50年1月1日",
            sex="男",
            relationship="【省略】",
            became_resident="平成元年1月8日",
            registered_domicile="【省略】",
            head_of_family_register="【省略】",
            individual_number="【省略】",
            resident_record_code="【省略】",
        )
        for name in names
    )
    return ResidenceSheet(
        sheet=number,
        sheets=sheets,
        title="住民票の写し",
        municipality="山口県下関市",
        address="山口県下関市見本町一丁目1番1号",
        householder="【省略】",
        persons=persons,
        attestation="この写しは、世帯の一部の住民票の原本と相違ないことを証明する。",
        attested_on="令和8年4月1日",
        mayor="下関市長　見本花子",
        specimen=True,
    )


@dataclass
class Office:
    """An issuing server's keys and pen."""

    envelope: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    seal: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def key_list(self) -> KeyList:
        since, until = NOW - timedelta(days=30), NOW + timedelta(days=300)

        def listed(key_id: str, use: KeyUse, key: ec.EllipticCurvePrivateKey) -> ListedKey:
            return ListedKey(
                key_id=key_id,
                municipality=CODE,
                use=use,
                public_key=encode_public_key(key.public_key()),
                valid_from=since,
                valid_until=until,
            )

        return KeyList(
            version=1,
            issued_at=since,
            expires_at=until,
            keys=(
                listed("e1", KeyUse.ENVELOPE, self.envelope),
                listed("s1", KeyUse.SEAL, self.seal),
            ),
        )

    def copy(self, document: ResidenceCertificate, number: str, changed: Any = None) -> IssuedCopy:
        places = range(len(document.sheets))
        salts = [bytes([place + 1] * 15) + number[-1].encode() for place in places]
        digests = [
            bytes.fromhex(page_digest(salt, one))
            for salt, one in zip(salts, document.sheets, strict=True)
        ]
        pages = []
        for place, salt in enumerate(salts):
            claims = SealClaims(
                municipality=CODE,
                number=number,
                kind=KIND,
                attested_on=date(2026, 4, 1),
                page=place + 1,
                pages=len(salts),
                salt=salt,
                page_digest=digests[place],
                set_digest=set_digest(digests),
                specimen=True,
            )
            claims = replace(claims, **(changed or {}))
            seal = cose.sign(self.seal, "s1", Purpose.SEAL, claims.encode())
            pages.append(IssuedPage(salt=salt, seal=seal))
        return IssuedCopy(number=number, pages=tuple(pages))

    def content(
        self, *, names: tuple[str, ...] = ("見本 太郎",), copies: int = 1, layout: str | None = None
    ) -> Content:
        groups = [names[i : i + 4] for i in range(0, len(names), 4)]
        document = ResidenceCertificate(
            kind=KIND,
            layout=layout or layout_digest(KIND),
            sheets=tuple(
                sheet(place, len(groups), group) for place, group in enumerate(groups, start=1)
            ),
        )
        numbers = [issue_number(CODE, 7 + place) for place in range(copies)]
        return Content(
            salt=b"s" * 16,
            document=document,
            copies=tuple(self.copy(document, number) for number in numbers),
        )

    def header(self, content: Content, asked: Asked) -> EnvelopeHeader:
        return EnvelopeHeader(
            contract=1,
            municipality=asked.municipality,
            order=asked.order,
            session=asked.session,
            kiosk=asked.kiosk,
            kind=asked.kind,
            options=asked.options,
            members=asked.members,
            copies=asked.copies,
            sheets=len(content.document.sheets),
            layout=asked.layout,
            holder=asked.holder,
            issues=tuple(copy.number for copy in content.copies),
            record_version=4,
            register_as_of=NOW - timedelta(minutes=1),
            sealed_at=NOW,
            attested_on=date(2026, 4, 1),
            content=canonical.digest(canonical.encode_message(content)),
        )

    def sign(self, header: EnvelopeHeader, key_id: str = "e1") -> bytes:
        return cose.sign(self.envelope, key_id, Purpose.ENVELOPE, canonical.encode_message(header))


def make_asked(**changed: Any) -> Asked:
    asked = Asked(
        session="a" * 32,
        kiosk="k000002",
        municipality=CODE,
        order="b" * 32,
        kind=KIND,
        options=Options(),
        members=1,
        copies=1,
        layout=layout_digest(KIND),
        holder="c" * 64,
        names=("見本 太郎",),
        specimen=True,
    )
    return replace(asked, **changed)


@pytest.fixture(scope="session")
def office() -> Office:
    return Office()


@pytest.fixture(scope="session")
def asked_with() -> Callable[..., Asked]:
    return make_asked


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW
