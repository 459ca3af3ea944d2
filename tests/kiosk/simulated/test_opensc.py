"""OpenSC, which knows nothing of us, on the virtual card in the real pcscd."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dedicated_line.clock import SystemClock
from kiosk.cards.pcsc import PcscReader
from kiosk.simulated.card_file import load_card_file
from kiosk.simulated.insertion import inserted

SLOT = 1
PKCS15 = ("pkcs15-tool", "--reader", str(SLOT))
USER, SIGNATURE = "JPKI (User Authentication PIN)", "JPKI (Digital Signature PIN)"

pytestmark = pytest.mark.pcscd


@pytest.fixture
def card_file(make_card: Callable[..., Any], tmp_path: Path) -> Path:
    path = tmp_path / "test-taro.json"
    path.write_bytes(make_card().file.to_json())
    return path


@pytest.fixture(autouse=True)
def _held(pcscd: None, card_file: Path) -> Iterator[None]:  # noqa: ARG001 - it must run, no more
    """Hold the card up for the whole test; leave an empty reader behind."""
    reader = PcscReader(SLOT, SystemClock())
    reader.wait_until_removed(5)
    with inserted(card_file, SLOT):
        reader.wait_for_card(5)
        yield
    reader.wait_until_removed(5)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def said(*command: str) -> str:
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def signed(folder: Path, token: str, pin: str, key: str) -> subprocess.CompletedProcess[str]:
    (folder / "data").write_bytes(b"the holder asks")
    return run(
        *("pkcs11-tool", "--token-label", token, "--login", "--pin", pin, "--sign", "--id", key),
        *("-m", "SHA256-RSA-PKCS", "-i", str(folder / "data"), "-o", str(folder / "signature")),
    )


def require_verified(folder: Path, certificate: bytes) -> None:
    """Let openssl verify the signature with the certificate's key."""
    (folder / "certificate").write_bytes(certificate)
    public = said("openssl", "x509", "-in", str(folder / "certificate"), "-noout", "-pubkey")
    (folder / "public").write_text(public)
    said(
        *("openssl", "dgst", "-sha256", "-verify", str(folder / "public")),
        *("-signature", str(folder / "signature"), str(folder / "data")),
    )


def der_of(folder: Path, pem: str) -> bytes:
    (folder / "pem").write_text(pem)
    said(
        *("openssl", "x509", "-in", str(folder / "pem")),
        *("-outform", "DER", "-out", str(folder / "der")),
    )
    return (folder / "der").read_bytes()


def test_opensc_finds_driver_certificates_and_pins(
    tmp_path: Path, make_card: Callable[..., Any]
) -> None:
    assert said("opensc-tool", "-r", str(SLOT), "-n").strip() == "jpki"
    listed = said(*PKCS15, "--list-certificates", "--list-pins")
    for words in (
        "[User Authentication Certificate]",
        "[Digital Signature Certificate]",
        "[User Authentication Certificate CA]",
        "[Digital Signature Certificate CA]",
        "[User Authentication PIN]",
        "[Digital Signature PIN]",
        "Tries left     : 3",
        "Tries left     : 5",
    ):
        assert words in listed
    file = make_card().file
    for number, der in (("1", file.user_certificate), ("3", file.user_ca)):
        assert der_of(tmp_path, said(*PKCS15, "--read-certificate", number)) == der


@pytest.mark.parametrize(
    ("token", "pin", "key", "certificate"),
    [
        (USER, "1234", "01", "user_certificate"),
        (SIGNATURE, "ABC123", "02", "signature_certificate"),
    ],
)
def test_openssl_verifies_what_each_key_signs(
    tmp_path: Path, card_file: Path, token: str, pin: str, key: str, certificate: str
) -> None:
    done = signed(tmp_path, token, pin, key)
    assert done.returncode == 0, done.stderr
    require_verified(tmp_path, getattr(load_card_file(card_file), certificate))


def test_three_wrong_pins_lock_opensc_out_and_it_says_so(tmp_path: Path, card_file: Path) -> None:
    for left in (2, 1, 0):
        assert "CKR_PIN_INCORRECT" in signed(tmp_path, USER, "0000", "01").stderr
        assert load_card_file(card_file).tries == left
        assert f"Tries left     : {left}" in said(*PKCS15, "--list-pins")
    locked = signed(tmp_path, USER, "1234", "01")
    assert locked.returncode != 0
    assert "C_Login failed" in locked.stderr
    assert not (tmp_path / "signature").exists()
    assert signed(tmp_path, SIGNATURE, "ABC123", "02").returncode == 0, "it has its own counter"


def test_the_signature_certificate_comes_out_after_the_password_only(
    tmp_path: Path, card_file: Path
) -> None:
    reading = (*PKCS15, "--read-certificate", "2")
    shut = run(*reading)
    assert shut.returncode != 0
    assert "BEGIN CERTIFICATE" not in shut.stdout
    wrong = run(*reading, "--verify-pin", "--auth-id", "02", "--pin", "WRONG99")
    assert wrong.returncode != 0
    assert load_card_file(card_file).signature_tries == 4
    pem = said(*reading, "--verify-pin", "--auth-id", "02", "--pin", "ABC123")
    assert der_of(tmp_path, pem) == load_card_file(card_file).signature_certificate
