"""The centre's own list of kiosks follows the line's register."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, create_engine

from backend.kiosks.service import BadRegisterError, find_kiosk, kiosks, load_register
from backend.kiosks.store import kiosk_table
from dedicated_line.contract.keys import encode_public_key
from dedicated_line.contract.line import CircuitRegister, RegisteredKiosk

KEY = encode_public_key(ec.derive_private_key(7, ec.SECP256R1()).public_key())


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    kiosk_table.create(engine)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def listed(number: int, circuit: int | None = None, key: bytes = KEY) -> RegisteredKiosk:
    return RegisteredKiosk(
        kiosk=f"k{number:06}",
        circuit=f"127.1.0.{circuit or number}",
        name="見本店",
        certificate_serial="1",
        device_key=key,
    )


def load(connection: Connection, *entries: RegisteredKiosk) -> int:
    return load_register(connection, CircuitRegister(kiosks=entries))


def test_loading_twice_changes_nothing(connection: Connection) -> None:
    assert load(connection, listed(1), listed(2)) == 2
    before = kiosks(connection)
    load(connection, listed(1), listed(2))
    assert kiosks(connection) == before
    assert before[0].device_key == KEY


def test_a_kiosk_that_is_no_longer_listed_goes_out_of_service(connection: Connection) -> None:
    load(connection, listed(1), listed(2))
    load(connection, listed(2))
    assert [(kiosk.id, kiosk.in_service) for kiosk in kiosks(connection)] == [
        ("k000001", False),
        ("k000002", True),
    ]


def test_two_kiosks_may_change_circuits(connection: Connection) -> None:
    load(connection, listed(1), listed(2))
    load(connection, listed(1, circuit=2), listed(2, circuit=1))
    kiosk = find_kiosk(connection, "k000001")
    assert kiosk is not None
    assert kiosk.circuit == "127.1.0.2"


def test_a_new_kiosk_may_take_the_circuit_of_one_that_left(connection: Connection) -> None:
    load(connection, listed(1))
    load(connection, listed(2, circuit=1))
    assert [kiosk.id for kiosk in kiosks(connection)] == ["k000002"]


@pytest.mark.parametrize(
    "entries",
    [(listed(1), listed(1, circuit=2)), (listed(1), listed(2, circuit=1))],
)
def test_nothing_is_listed_twice(
    connection: Connection, entries: tuple[RegisteredKiosk, ...]
) -> None:
    with pytest.raises(BadRegisterError, match="twice"):
        load(connection, *entries)


def test_a_device_key_is_a_point_on_the_curve(connection: Connection) -> None:
    with pytest.raises(BadRegisterError, match="device key"):
        load(connection, listed(1, key=b"\x04" + b"\x01" * 64))
