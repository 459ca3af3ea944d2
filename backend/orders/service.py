"""What can be asked of orders: place, release, settle, look. Each owns its transactions."""

from sqlalchemy import Engine

from backend.database import reading
from backend.orders.desk import Asker, Desk, Issuer, Signed, own, status_of
from backend.orders.placing import place_order
from backend.orders.queries import Alarm, OrderRow, integrity_alarms, latest_orders
from backend.orders.releasing import release
from backend.orders.settling import settle
from dedicated_line.contract.orders import OrderStatus

__all__ = [
    "Alarm",
    "Asker",
    "Desk",
    "Issuer",
    "OrderRow",
    "Signed",
    "integrity_alarms",
    "latest_orders",
    "order_status",
    "place_order",
    "release",
    "settle",
]


def order_status(engine: Engine, kiosk: str, order: str) -> OrderStatus:
    """Return the states of an order of this kiosk; UnknownOrderError for any other."""
    with reading(engine) as connection:
        return status_of(own(connection, order, kiosk))
