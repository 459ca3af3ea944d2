"""The centre's commands: migrate, kiosks, recover, orders."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

from backend.orders.cli import orders, recover
from backend.web.cli import kiosks, migrate, serve
from backend.web.schema import NotMigratedError
from dedicated_line.contract.keys import encode_public_key
from dedicated_line.contract.line import CircuitRegister, RegisteredKiosk
from dedicated_line.errors import KofuError, UsageError


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KOFU_VAR", str(tmp_path))
    monkeypatch.setenv("KOFU_ENVIRONMENT", "simulation")
    return tmp_path


def run(command: click.Command, *arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


def test_databases_are_made_once_and_stay(var: Path) -> None:
    first = run(migrate)
    assert first.splitlines()[0].startswith("centre: ")
    assert (var / "centre.db").exists()
    assert (var / "issuer.db").exists()
    assert run(migrate) == first
    assert run(migrate, "issuer") == first.splitlines(keepends=True)[1]


@pytest.mark.usefixtures("var")
def test_nothing_is_served_from_a_database_that_is_not_there() -> None:
    for command, arguments in [(serve, ["kiosk-api"]), (orders, ["list"]), (recover, [])]:
        with pytest.raises(NotMigratedError, match="kofu-backend migrate"):
            run(command, *arguments)


def test_the_lines_register_is_taken_over(var: Path) -> None:
    run(migrate)
    with pytest.raises(UsageError, match="kofu-line kiosk add"):
        run(kiosks, "load")
    key = encode_public_key(ec.derive_private_key(7, ec.SECP256R1()).public_key())
    listed = RegisteredKiosk(
        kiosk="k000001",
        circuit="127.1.0.1",
        name="見本店",
        certificate_serial="1",
        device_key=key,
    )
    file = var / "line" / "register.json"
    file.parent.mkdir()
    file.write_bytes(CircuitRegister(kiosks=(listed,)).to_json())
    assert run(kiosks, "load") == "1 kiosks\n"
    assert "k000001  127.1.0.1" in run(kiosks, "list")
    file.write_text("no register")
    with pytest.raises(UsageError, match="no register of circuits"):
        run(kiosks, "load", str(file))


@pytest.mark.usefixtures("var")
def test_an_empty_ledger_is_quiet() -> None:
    run(migrate)
    assert run(recover) == "abandoned 0, unknown 0\n"
    assert run(orders, "list") == ""
    with pytest.raises(KofuError, match="no order has the id"):
        run(orders, "show", "A1B2-C3D4")
    with pytest.raises(KofuError, match="no order has the id"):
        run(orders, "show", "made-up")
