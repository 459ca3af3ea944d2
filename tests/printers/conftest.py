"""Made-up certificates of every shape, and papers sealed by a key of the tests."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dedicated_line.contract.envelope import IssuedCopy
from dedicated_line.contract.key_list import KeyList, KeyUse, ListedKey
from dedicated_line.contract.keys import encode_public_key
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.residence import (
    ForeignItems,
    ResidenceCertificate,
    ResidencePerson,
    ResidenceSheet,
)
from printers.pages.service import DrawnCopy, draw
from printers.pages.specimen import sealed_copy
from printers.simulated.printer import SimulatedPrinter

ATTESTED_ON = date(2026, 4, 1)
KEY_ID = "352012-seal-1"
OMITTED = "【省略】"
STROKES = "一二三十日目月田由甲申"

Document = Callable[..., ResidenceCertificate]


def _person(name: str = "見本 太郎", **items: Any) -> ResidencePerson:
    return ResidencePerson(
        **{
            "name": name,
            "kana": "ミホン タロウ",
            "birth_date": "昭和50年1月1日",
            "sex": "男",
            "relationship": OMITTED,
            "became_resident": "平成元年1月8日",
            "registered_domicile": OMITTED,
        }
        | items
    )


@pytest.fixture(scope="session")
def person() -> Callable[..., ResidencePerson]:
    return _person


@pytest.fixture(scope="session")
def document() -> Document:
    def make(*persons: ResidencePerson, **items: Any) -> ResidenceCertificate:
        groups = [persons[start : start + 4] for start in range(0, len(persons), 4)]
        common = {
            "title": "住民票の写し",
            "municipality": "山口県下関市",
            "address": "山口県下関市見本町一丁目1番1号",
            "householder": "見本 太郎",
            "attestation": "この写しは、世帯全員の住民票の原本と相違ないことを証明する。",
            "attested_on": "令和8年4月1日",
            "mayor": "下関市長 見本 花子",
            "specimen": True,
        } | items
        sheets = tuple(
            ResidenceSheet(sheet=number, sheets=len(groups), persons=group, **common)
            for number, group in enumerate(groups, 1)
        )
        return ResidenceCertificate(kind=Kind.RESIDENCE_CERTIFICATE, layout="0" * 64, sheets=sheets)

    return make


@pytest.fixture(scope="session")
def samples(document: Document) -> dict[str, ResidenceCertificate]:
    """Single, household of four, of seven, foreign resident, longest names and addresses."""
    strokes = _person(STROKES, kana=STROKES)
    four = (
        _person("見本 髙子", sex="女", birth_date="平成31年4月30日"),
        _person("見本 𠮷郎", birth_date="令和元年5月1日", relationship="子"),
        _person("邉\U000e010f﨑 德美", sex="女", former_family_name="辻\U000e0102"),
        strokes,
    )
    foreign = _person(
        "SPECIMEN MARIA DA CONCEICAO FERNANDES EXEMPLO",
        alias="見本 真理亜",
        birth_date="1990年2月28日",
        foreign=ForeignItems(
            nationality="ブラジル",
            status="中長期在留者",
            residence_status="永住者の配偶者等",
            period="3年",
            expires="2028年3月31日",
            card_number="AB12345678CD",
        ),
    )
    longest = _person(
        "見本之" * 15,
        kana="ミホンノ" * 15,
        former_address="東京都小笠原村父島字" + "見本町" * 40,
        registered_domicile="北海道" + "見本" * 60 + "九百九十九番地の九百九十九",
        head_of_family_register="見本之" * 15,
        individual_number="123456789018",
        resident_record_code="12345678901",
        address_since="令和2年10月3日",
        notified="令和2年10月5日",
    )
    return {
        "single": document(_person()),
        "four": document(*four),
        "seven": document(*four, *four[:3]),
        "foreign": document(foreign, householder=None, specimen=False),
        "longest": document(
            longest,
            address="鹿児島県大島郡瀬戸内町大字"
            + "見本" * 40
            + "１２３番地４５６　見本館１２３４号室",
            municipality="鹿児島県大島郡瀬戸内町",
            mayor="瀬戸内町長 見本之見本 太郎左衛門",
        ),
    }


@pytest.fixture(scope="session")
def seal_key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(0x352012, ec.SECP256R1())


@pytest.fixture(scope="session")
def key_list(seal_key: ec.EllipticCurvePrivateKey) -> KeyList:
    listed = ListedKey(
        key_id=KEY_ID,
        municipality="352012",
        use=KeyUse.SEAL,
        public_key=encode_public_key(seal_key.public_key()),
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        valid_until=datetime(2027, 1, 1, tzinfo=UTC),
    )
    return KeyList(
        version=1,
        issued_at=datetime(2026, 1, 1, tzinfo=UTC),
        expires_at=datetime(2027, 1, 1, tzinfo=UTC),
        keys=(listed,),
    )


@pytest.fixture(scope="session")
def sealed(seal_key: ec.EllipticCurvePrivateKey) -> Callable[..., IssuedCopy]:
    def seal(document: ResidenceCertificate, **items: Any) -> IssuedCopy:
        return sealed_copy(document, seal_key, KEY_ID, **{"attested_on": ATTESTED_ON} | items)

    return seal


@pytest.fixture(scope="session")
def drawn(
    samples: dict[str, ResidenceCertificate], sealed: Callable[..., IssuedCopy]
) -> dict[str, DrawnCopy]:
    return {name: draw(each, sealed(each)) for name, each in samples.items()}


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[SimulatedPrinter]:
    simulated = SimulatedPrinter(("127.0.0.1", 0), tmp_path / "papers")
    yield simulated
    simulated.close()
