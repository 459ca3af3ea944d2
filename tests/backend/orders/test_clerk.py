"""The clerk's check 1: every field that differs is found."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.orders.clerk import Asked, HeaderRefusedError, check_header
from dedicated_line.contract import canonical, cose
from dedicated_line.contract.issuing import Compose
from dedicated_line.contract.keys import Purpose
from dedicated_line.contract.kinds import Options
from dedicated_line.contract.numbers import issue_number

World = Any
ORDER = "78" * 16
TWO = (issue_number("352012", 1), issue_number("352012", 2))


@pytest.fixture
def asked(quick_world: World) -> Asked:
    wish = quick_world.wish(copies=2)
    return Asked(
        order=ORDER,
        session=wish.session,
        kiosk="k000001",
        municipality="352012",
        kind=wish.kind,
        options=wish.options,
        members=1,
        copies=2,
        layout=wish.layout,
        fingerprint="cd" * 32,
    )


def sealed(world: World, **forged: object) -> bytes:
    world.issuer.forged = {"issues": TWO, **forged}
    question = Compose(
        order=ORDER,
        card=world.asker.card,
        order_body=world.wish(copies=2).to_json(),
        order_signature=b"",
    )
    header = canonical.encode_message(world.issuer.header(question))
    return cose.sign(world.issuer.key, world.issuer.key_id, Purpose.ENVELOPE, header)


def points(world: World, asked: Asked, header: bytes) -> tuple[str, ...]:
    with pytest.raises(HeaderRefusedError) as caught:
        check_header(header, world.issuer.keys(), asked, world.clock.now())
    return caught.value.points


def test_a_header_that_says_what_was_asked_for_passes(quick_world: World, asked: Asked) -> None:
    keys, now = quick_world.issuer.keys(), quick_world.clock.now()
    header = check_header(sealed(quick_world), keys, asked, now)
    assert header.issues == TWO


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contract", 2),
        ("order", "00" * 16),
        ("session", "00" * 16),
        ("kiosk", "k000002"),
        ("municipality", "131016"),
        ("options", Options(domicile=True)),
        ("members", 2),
        ("copies", 1),
        ("layout", "00" * 32),
        ("holder", "00" * 32),
    ],
)
def test_each_field_that_differs_is_named(
    quick_world: World, asked: Asked, field: str, value: object
) -> None:
    assert points(quick_world, asked, sealed(quick_world, **{field: value})) == (field,)


@pytest.mark.parametrize(
    "numbers",
    [TWO[:1], (TWO[0], TWO[0]), (TWO[0], issue_number("131016", 3)), (*TWO, TWO[0])],
)
def test_one_number_of_this_municipality_a_copy(
    quick_world: World, asked: Asked, numbers: tuple[str, ...]
) -> None:
    assert points(quick_world, asked, sealed(quick_world, issues=numbers))


@pytest.mark.parametrize(
    ("field", "moved"),
    [
        ("register_as_of", timedelta(minutes=5)),
        ("register_as_of", timedelta(days=-8)),
        ("sealed_at", timedelta(minutes=-10)),
        ("sealed_at", timedelta(minutes=5)),
    ],
)
def test_a_stale_or_future_header_is_refused(
    quick_world: World, asked: Asked, field: str, moved: timedelta
) -> None:
    at: datetime = quick_world.clock.now() + moved
    assert points(quick_world, asked, sealed(quick_world, **{field: at})) == (field,)


def test_a_key_that_is_not_listed_or_a_changed_byte_is_refused(
    quick_world: World, asked: Asked
) -> None:
    header = sealed(quick_world)
    assert points(quick_world, asked, header[:-1] + bytes([header[-1] ^ 1])) == ("signature",)
    assert points(quick_world, asked, b"no header") == ("signature",)
    quick_world.issuer.key_id = "envelope-2"
    other = quick_world.issuer.keys()
    with pytest.raises(HeaderRefusedError, match="key"):
        check_header(header, other, asked, quick_world.clock.now())


def test_a_paper_seal_key_signs_no_header(quick_world: World, asked: Asked) -> None:
    signed = cose.read(sealed(quick_world))
    issuer = quick_world.issuer
    other = cose.sign(issuer.key, issuer.key_id, Purpose.SEAL, signed.payload)
    assert points(quick_world, asked, other) == ("signature",)
