"""The commands as people run them."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from backend.identity.certificates import load_certificate
from backend.identity.model import CardHolder
from backend.identity.ocsp import OcspClient
from backend.identity.service import CardRefusedError, TrustedCas
from backend.simulated.jpki import JpkiCentre, Personalised
from dedicated_line.clock import SystemClock, SystemEntropy

pytestmark = pytest.mark.sockets

COMMAND = Path(sys.executable).with_name("kofu-backend")


@pytest.fixture
def var() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kofu-") as folder:
        yield Path(folder)


@pytest.fixture
def environment(var: Path) -> dict[str, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"KOFU_ENVIRONMENT": "simulation", "KOFU_VAR": str(var), "KOFU_JPKI_PORT": str(port)}
    return {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | given


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def personalised(var: Path, persona: str) -> Personalised:
    centre = JpkiCentre.init(var / "jpki", var / "trust" / "jpki", SystemClock(), SystemEntropy())
    now = SystemClock().now()
    card = centre.personalise(
        persona,
        generation="g2023",
        pin="1234",
        not_before=now - timedelta(days=9),
        not_after=now + timedelta(days=9),
    )
    centre.close()
    return card


def test_the_centre_answers_until_it_is_told_to_stop(
    var: Path, environment: dict[str, str]
) -> None:
    made = personalised(var, "shimonoseki-taro")
    process = subprocess.Popen(
        [COMMAND, "jpki-centre"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        url = f"http://127.0.0.1:{environment['KOFU_JPKI_PORT']}/ocsp"
        cas = TrustedCas.load(var / "trust" / "jpki")
        client = OcspClient(url, cas, SystemClock(), SystemEntropy())
        certificate = load_certificate(made.card.user_certificate)
        holder = CardHolder(
            made.generation,
            made.serial,
            "00" * 32,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
        client.require_good(holder, made.card.user_certificate)

        revoked = run(environment, "jpki", "revoke", "shimonoseki-taro", "--reason", "superseded")
        assert revoked.stdout.count("revoked superseded") == 2
        with pytest.raises(CardRefusedError, match="revoked"):
            client.require_good(holder, made.card.user_certificate)

        second = run(environment, "jpki-centre")
        assert second.returncode == 1
        assert "taken" in second.stderr
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=10)
    assert "SIMULATED" in errors
    assert process.returncode == 0


def test_production_refuses_the_simulated_centre(environment: dict[str, str]) -> None:
    production = environment | {"KOFU_ENVIRONMENT": "production"}
    for arguments in (["jpki-centre"], ["jpki", "show"], ["jpki", "hold", "somebody"]):
        ended = run(production, *arguments)
        assert ended.returncode == 2
        assert "does not run in production" in ended.stderr


def test_certificates_are_shown_held_and_never_lifted(
    var: Path, environment: dict[str, str]
) -> None:
    made = personalised(var, "hofu-jiro")
    shown = run(environment, "jpki", "show").stdout
    assert f"{made.serial:x}" in shown
    assert shown.count("hofu-jiro") == 2
    held = run(environment, "jpki", "hold", f"{made.serial:x}").stdout
    assert held.count("held certificateHold") == 1
    assert "held certificateHold" in run(environment, "jpki", "show", "hofu-jiro").stdout


def test_an_unknown_person_is_one_clear_sentence(environment: dict[str, str]) -> None:
    ended = run(environment, "jpki", "revoke", "nobody")
    assert ended.returncode == 2
    assert "no certificate of 'nobody'" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_commands_explain_themselves(environment: dict[str, str]) -> None:
    for arguments in (["jpki-centre"], ["jpki"], ["jpki", "revoke"], ["jpki", "hold"]):
        explained = run(environment, *arguments, "--help")
        assert explained.returncode == 0
        assert "Usage:" in explained.stdout
