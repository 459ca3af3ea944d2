"""What can be asked of the list of kiosks, and how the line's register is taken over."""

from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select, update

from backend.kiosks.store import kiosk_table
from dedicated_line.contract.keys import decode_public_key
from dedicated_line.contract.line import CircuitRegister
from dedicated_line.errors import KofuError


class BadRegisterError(KofuError):
    """The line's register has an entry that cannot be right."""


@dataclass(frozen=True)
class Kiosk:
    """One kiosk as the centre knows it."""

    id: str
    circuit: str
    name: str
    device_key: bytes
    """P-256 point, 65 bytes; outcomes are signed by its private half."""
    in_service: bool


def _kiosk(row: Row[tuple[object, ...]]) -> Kiosk:
    return Kiosk(
        id=row.id,
        circuit=row.circuit,
        name=row.name,
        device_key=bytes(row.device_key),
        in_service=row.in_service,
    )


def load_register(connection: Connection, register: CircuitRegister) -> int:
    """Take over the line's register, in the caller's transaction; return how many kiosks it has.

    A kiosk that is no longer listed stays, out of service: orders still speak of it.

    Raises:
        BadRegisterError: a kiosk or circuit is listed twice, or a device key is none.
    """
    ids = [kiosk.kiosk for kiosk in register.kiosks]
    circuits = [kiosk.circuit for kiosk in register.kiosks]
    for names in (ids, circuits):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise BadRegisterError(f"the line's register lists {twice[0]} twice; correct it")
    known = {kiosk.id: kiosk for kiosk in kiosks(connection)}
    # A circuit may pass to another kiosk: whoever has left it is taken off the list.
    for old in known.values():
        if old.id not in ids and old.circuit in circuits:
            connection.execute(delete(kiosk_table).where(kiosk_table.c.id == old.id))
    gone = [old.id for old in known.values() if old.id not in ids]
    connection.execute(
        update(kiosk_table).where(kiosk_table.c.id.in_(gone)).values(in_service=False)
    )
    connection.execute(delete(kiosk_table).where(kiosk_table.c.id.in_(ids)))
    for listed in register.kiosks:
        try:
            decode_public_key(listed.device_key)
        except ValueError as error:
            raise BadRegisterError(
                f"the device key of {listed.kiosk} is no P-256 point; enrol the kiosk again"
            ) from error
        connection.execute(
            insert(kiosk_table).values(
                id=listed.kiosk,
                circuit=listed.circuit,
                name=listed.name,
                device_key=listed.device_key,
                in_service=listed.in_service,
            )
        )
    return len(register.kiosks)


def kiosks(connection: Connection) -> tuple[Kiosk, ...]:
    """Return all kiosks by id."""
    query = select(kiosk_table).order_by(kiosk_table.c.id)
    return tuple(_kiosk(row) for row in connection.execute(query))


def find_kiosk(connection: Connection, kiosk: str) -> Kiosk | None:
    """Return a kiosk by its id; None when there is none."""
    row = connection.execute(select(kiosk_table).where(kiosk_table.c.id == kiosk)).first()
    return None if row is None else _kiosk(row)
