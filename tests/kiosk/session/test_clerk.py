"""The clerk's checks 2 and 3: every field tampered with, one by one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from dedicated_line.contract import canonical, cose
from dedicated_line.contract.key_list import KeyUse
from dedicated_line.contract.keys import Purpose
from dedicated_line.contract.kinds import Options
from dedicated_line.contract.numbers import issue_number
from dedicated_line.contract.orders import Check
from kiosk.session.clerk import CheckFailedError, check_content, check_header, check_pages
from printers.pages.service import DrawnCopy, draw

CODE = "352012"


def nothing_seen(_numbers: Sequence[str]) -> frozenset[str]:
    return frozenset()


HEADER_CHANGES: dict[str, Any] = {
    "contract": 2,
    "municipality": "352021",
    "order": "d" * 32,
    "session": "d" * 32,
    "kiosk": "k000001",
    "options": Options(domicile=True),
    "members": 2,
    "copies": 2,
    "sheets": 2,
    "layout": "d" * 64,
    "holder": "d" * 64,
    "issues": (issue_number("352021", 7),),
    "register_as_of": datetime(2026, 4, 1, 4, tzinfo=UTC),
    "sealed_at": datetime(2026, 4, 1, 2, tzinfo=UTC),
    "attested_on": date(2026, 3, 31),
}


def test_a_header_as_asked_passes(
    office: Any, asked_with: Callable[..., Any], now: datetime
) -> None:
    asked = asked_with()
    header = office.header(office.content(), asked)
    assert check_header(office.sign(header), asked, office.key_list, now, nothing_seen) == header


@pytest.mark.parametrize("field", sorted(HEADER_CHANGES))
def test_a_header_that_differs_in_one_field_is_rejected(
    field: str, office: Any, asked_with: Callable[..., Any], now: datetime
) -> None:
    asked = asked_with()
    header = office.header(office.content(), asked).model_copy(
        update={field: HEADER_CHANGES[field]}
    )
    with pytest.raises(CheckFailedError) as failed:
        check_header(office.sign(header), asked, office.key_list, now, nothing_seen)
    assert failed.value.check is Check.HEADER


@pytest.mark.parametrize("twice", [True, False])
def test_numbers_must_be_as_many_as_copies_and_all_different(
    *, twice: bool, office: Any, asked_with: Callable[..., Any], now: datetime
) -> None:
    asked = asked_with(copies=2)
    numbers = (
        (issue_number(CODE, 1),) * 2 if twice else tuple(issue_number(CODE, n) for n in (1, 2, 3))
    )
    header = office.header(office.content(), asked).model_copy(update={"issues": numbers})
    with pytest.raises(CheckFailedError, match="issues"):
        check_header(office.sign(header), asked, office.key_list, now, nothing_seen)


def test_a_number_that_was_here_before_is_rejected(
    office: Any, asked_with: Callable[..., Any], now: datetime
) -> None:
    asked = asked_with()
    data = office.sign(office.header(office.content(), asked))
    with pytest.raises(CheckFailedError, match="seen before"):
        check_header(data, asked, office.key_list, now, frozenset)


@pytest.mark.parametrize("minutes", [-2, 6])
def test_a_header_of_another_time_is_rejected(
    minutes: int, office: Any, asked_with: Callable[..., Any], now: datetime
) -> None:
    asked = asked_with()
    data = office.sign(office.header(office.content(), asked))
    with pytest.raises(CheckFailedError, match="sealed_at"):
        check_header(data, asked, office.key_list, now + timedelta(minutes=minutes), nothing_seen)


@pytest.mark.parametrize("place", range(0, 700, 37))
def test_a_header_with_a_flipped_bit_is_rejected(
    place: int, office: Any, asked_with: Callable[..., Any], now: datetime
) -> None:
    asked = asked_with()
    data = bytearray(office.sign(office.header(office.content(), asked)))
    data[place % len(data)] ^= 1
    with pytest.raises(CheckFailedError):
        check_header(bytes(data), asked, office.key_list, now, nothing_seen)


@pytest.mark.parametrize("how", ["other key", "other key id", "other purpose", "not trusted"])
def test_only_the_municipalitys_envelope_key_signs_a_header(
    how: str, office: Any, asked_with: Callable[..., Any], now: datetime
) -> None:
    asked, keys = asked_with(), office.key_list
    header = office.header(office.content(), asked)
    payload = canonical.encode_message(header)
    data = {
        "other key": cose.sign(office.seal, "e1", Purpose.ENVELOPE, payload),
        "other key id": office.sign(header, "s1"),
        "other purpose": cose.sign(office.envelope, "e1", Purpose.SEAL, payload),
        "not trusted": office.sign(header),
    }[how]
    if how == "not trusted":
        revoked = tuple(
            key.model_copy(update={"not_trusted_after": now - timedelta(days=1)})
            if key.use is KeyUse.ENVELOPE
            else key
            for key in keys.keys
        )
        keys = keys.model_copy(update={"keys": revoked})
    with pytest.raises(CheckFailedError, match="signature"):
        check_header(data, asked, keys, now, nothing_seen)


def test_content_as_the_header_says_passes(office: Any, asked_with: Callable[..., Any]) -> None:
    content = office.content(copies=2)
    asked = asked_with(copies=2)
    plain = canonical.encode_message(content)
    assert check_content(plain, office.header(content, asked), asked, office.key_list) == content


def test_content_of_another_paper_is_rejected(office: Any, asked_with: Callable[..., Any]) -> None:
    header = office.header(office.content(), asked_with())
    other = canonical.encode_message(office.content(names=("別人 花子",)))
    with pytest.raises(CheckFailedError, match="digest"):
        check_content(other, header, asked_with(), office.key_list)


def _sheet_change(content: Any, **changed: Any) -> Any:
    sheets = tuple(sheet.model_copy(update=changed) for sheet in content.document.sheets)
    document = content.document.model_copy(update={"sheets": sheets})
    return content.model_copy(update={"document": document})


def _person_change(content: Any, **changed: Any) -> Any:
    persons = tuple(
        person.model_copy(update=changed) for person in content.document.sheets[0].persons
    )
    return _sheet_change(content, persons=persons)


CONTENT_CHANGES: dict[str, Callable[[Any], Any]] = {
    "short salt": lambda content: content.model_copy(update={"salt": b"s"}),
    "layout": lambda content: content.model_copy(
        update={"document": content.document.model_copy(update={"layout": "d" * 64})}
    ),
    "sheet number": lambda content: _sheet_change(content, sheet=2),
    "sheets": lambda content: _sheet_change(content, sheets=2),
    "no specimen": lambda content: _sheet_change(content, specimen=False),
    "one more person": lambda content: _sheet_change(
        content, persons=content.document.sheets[0].persons * 2
    ),
    "another name": lambda content: _person_change(content, name="別人 花子"),
    "householder": lambda content: _sheet_change(content, householder="見本 一郎"),
    "relationship": lambda content: _person_change(content, relationship="世帯主"),
    "domicile": lambda content: _person_change(content, registered_domicile="山口県"),
    "head": lambda content: _person_change(content, head_of_family_register="見本 一郎"),
    "individual number": lambda content: _person_change(content, individual_number="1" * 12),
    "record code": lambda content: _person_change(content, resident_record_code="1" * 11),
    "a date not sealed": lambda content: _person_change(content, birth_date="昭和50年1月2日"),
    "an address not sealed": lambda content: _sheet_change(content, address="山口県宇部市"),
    "no copies": lambda content: content.model_copy(update={"copies": ()}),
    "copy twice": lambda content: content.model_copy(update={"copies": content.copies * 2}),
    "page twice": lambda content: content.model_copy(
        update={
            "copies": (content.copies[0].model_copy(update={"pages": content.copies[0].pages * 2}),)
        }
    ),
    "broken seal": lambda content: content.model_copy(
        update={
            "copies": (
                content.copies[0].model_copy(
                    update={
                        "pages": (
                            content.copies[0].pages[0].model_copy(update={"seal": b"no seal"}),
                        )
                    }
                ),
            )
        }
    ),
}


@pytest.mark.parametrize("change", sorted(CONTENT_CHANGES))
def test_content_that_was_changed_is_rejected_even_when_the_header_goes_along(
    change: str, office: Any, asked_with: Callable[..., Any]
) -> None:
    asked, content = asked_with(), office.content()
    changed = CONTENT_CHANGES[change](content)
    plain = canonical.encode_message(changed)
    header = office.header(content, asked).model_copy(update={"content": canonical.digest(plain)})
    with pytest.raises(CheckFailedError) as failed:
        check_content(plain, header, asked, office.key_list)
    assert failed.value.check is Check.CONTENT
    assert "見本" not in str(failed.value)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("number", issue_number(CODE, 99)),
        ("attested_on", date(2026, 4, 2)),
        ("pages", 2),
        ("salt", b"x" * 16),
        ("page_digest", b"x" * 32),
        ("set_digest", b"x" * 32),
        ("specimen", False),
    ],
)
def test_a_seal_that_claims_something_else_is_rejected(
    claim: str, value: Any, office: Any, asked_with: Callable[..., Any]
) -> None:
    asked, content = asked_with(), office.content()
    forged = office.copy(content.document, content.copies[0].number, {claim: value})
    content = content.model_copy(update={"copies": (forged,)})
    header = office.header(content, asked)
    with pytest.raises(CheckFailedError, match=f"seal: {claim}"):
        check_content(canonical.encode_message(content), header, asked, office.key_list)


@pytest.fixture(scope="session")
def five(office: Any) -> Any:
    """A household of five: two sheets."""
    return office.content(names=tuple(f"見本 {name}" for name in "一二三四五"))


@pytest.fixture(scope="session")
def drawn(five: Any) -> DrawnCopy:
    return draw(five.document, five.copies[0])


def checked(five: Any, drawn: Sequence[DrawnCopy], office: Any, asked_with: Any) -> None:
    asked = asked_with(members=5)
    check_pages(drawn, five, office.header(five, asked), office.key_list)


def test_pages_drawn_of_the_content_pass(
    five: Any, drawn: DrawnCopy, office: Any, asked_with: Any
) -> None:
    checked(five, [drawn], office, asked_with)


def test_pages_in_another_order_are_rejected(
    five: Any, drawn: DrawnCopy, office: Any, asked_with: Any
) -> None:
    with pytest.raises(CheckFailedError, match="page"):
        checked(five, [replace(drawn, pages=drawn.pages[::-1])], office, asked_with)


def test_a_page_short_is_rejected(
    five: Any, drawn: DrawnCopy, office: Any, asked_with: Any
) -> None:
    with pytest.raises(CheckFailedError, match="pages"):
        checked(five, [replace(drawn, pages=drawn.pages[:1])], office, asked_with)


def test_a_copy_short_is_rejected(five: Any, office: Any, asked_with: Any) -> None:
    with pytest.raises(CheckFailedError, match="copies"):
        checked(five, [], office, asked_with)


def test_a_page_without_a_readable_code_is_rejected(
    five: Any, drawn: DrawnCopy, office: Any, asked_with: Any
) -> None:
    blank = Image.new("1", drawn.pages[0].size, 1)
    with pytest.raises(CheckFailedError, match="codes"):
        checked(five, [replace(drawn, pages=(blank, drawn.pages[1]))], office, asked_with)


def test_the_page_of_another_persons_paper_is_rejected(
    five: Any, drawn: DrawnCopy, office: Any, asked_with: Any
) -> None:
    other = office.content(names=tuple(f"別人 {name}" for name in "一二三四五"))
    strangers = draw(other.document, other.copies[0])
    with pytest.raises(CheckFailedError, match="page_digest"):
        checked(
            five,
            [replace(drawn, pages=(drawn.pages[0], strangers.pages[1]))],
            office,
            asked_with,
        )
    with pytest.raises(CheckFailedError, match="text"):
        checked(five, [replace(drawn, pdf=strangers.pdf)], office, asked_with)


FIELDS = ["title", "municipality", "address", "householder", "attestation", "attested_on", "mayor"]


@pytest.mark.parametrize("field", FIELDS)
def test_a_text_that_is_not_on_the_page_is_rejected(
    field: str, five: Any, drawn: DrawnCopy, office: Any, asked_with: Any
) -> None:
    """The text of the PDF says otherwise than the sheet that the seals were made for."""
    text = getattr(five.document.sheets[0], field).replace("　", "").replace(" ", "")
    asked = asked_with(members=5)

    def read(_pdf: bytes) -> list[str]:
        from printers.pages.text import normalised, page_texts

        return [normalised(page).replace(text, "") for page in page_texts(drawn.pdf)]

    with pytest.raises(CheckFailedError, match="text"):
        check_pages([drawn], five, office.header(five, asked), office.key_list, read)
