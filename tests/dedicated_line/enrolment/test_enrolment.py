"""Enrolling kiosks: one circuit each, keys that nobody else reads, nothing made twice."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from dedicated_line.clock import FixedClock, SystemClock, SystemEntropy
from dedicated_line.contract.keys import encode_public_key
from dedicated_line.enrolment.service import Enrolment, NotEnrolledError
from dedicated_line.enrolment.store import LineFilesError
from dedicated_line.errors import UsageError

KIOSK, CIRCUIT = "k000001", "127.1.0.1"


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_kiosk_gets_keys_that_fit_the_register(enrolment: Enrolment) -> None:
    assert enrolment.add_kiosk(KIOSK, CIRCUIT, "下関駅前店")
    folder = enrolment.kiosks / KIOSK
    (entry,) = enrolment.register().kiosks
    assert (entry.kiosk, entry.circuit, entry.name) == (KIOSK, CIRCUIT, "下関駅前店")
    assert entry.in_service
    shown = x509.load_pem_x509_certificate((folder / "line.pem").read_bytes())
    assert format(shown.serial_number, "x") == entry.certificate_serial
    assert shown.subject.rfc4514_string() == f"CN={KIOSK}"
    uses = shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    authority = x509.load_pem_x509_certificate((folder / "line-ca.pem").read_bytes())
    shown.verify_directly_issued_by(authority)
    device = load_pem_private_key((folder / "device.key").read_bytes(), None)
    assert encode_public_key(device.public_key()) == entry.device_key  # type: ignore[arg-type]


def test_private_keys_are_for_their_owner_alone(enrolment: Enrolment) -> None:
    enrolment.add_kiosk(KIOSK, CIRCUIT, "")
    folder = enrolment.kiosks / KIOSK
    for path in (
        enrolment.line / "ca.key",
        enrolment.line / "server.key",
        folder / "line.key",
        folder / "device.key",
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_doing_it_again_changes_nothing(enrolment: Enrolment) -> None:
    enrolment.add_kiosk(KIOSK, CIRCUIT, "")
    before = _files(enrolment.line) | _files(enrolment.kiosks)
    assert not enrolment.init_ca()
    assert not enrolment.add_kiosk(KIOSK, CIRCUIT, "another name")
    assert _files(enrolment.line) | _files(enrolment.kiosks) == before


@pytest.mark.parametrize(
    ("kiosk", "circuit", "word"),
    [
        ("k000002", CIRCUIT, "belongs to k000001"),
        (KIOSK, "127.1.0.2", "is on circuit 127.1.0.1"),
        ("kiosk-2", "127.1.0.2", "k000001"),
        ("../evil", "127.1.0.2", "k000001"),
        ("", "127.1.0.2", "k000001"),
        ("k000002", "127.1.0.300", "not a circuit"),
        ("k000002", "127.1.0.02", "not a circuit"),
        ("k000002", "127.0.0.1", "not a circuit"),
        ("k000002", "example", "not a circuit"),
    ],
)
def test_what_is_taken_or_misspelt_is_refused_and_leaves_nothing_behind(
    enrolment: Enrolment, kiosk: str, circuit: str, word: str
) -> None:
    enrolment.add_kiosk(KIOSK, CIRCUIT, "")
    before = _files(enrolment.line) | _files(enrolment.kiosks)
    with pytest.raises(UsageError, match=word):
        enrolment.add_kiosk(kiosk, circuit, "")
    assert _files(enrolment.line) | _files(enrolment.kiosks) == before


def test_a_revoked_kiosk_comes_back_only_when_that_is_said(enrolment: Enrolment) -> None:
    enrolment.add_kiosk(KIOSK, CIRCUIT, "")
    old = enrolment.register().kiosks[0]
    assert enrolment.revoke(KIOSK)
    assert not enrolment.revoke(KIOSK)
    assert not enrolment.register().kiosks[0].in_service
    with pytest.raises(NotEnrolledError, match="--again"):
        enrolment.add_kiosk(KIOSK, CIRCUIT, "")
    assert enrolment.add_kiosk(KIOSK, CIRCUIT, "", again=True)
    new = enrolment.register().kiosks[0]
    assert new.in_service
    assert new.certificate_serial != old.certificate_serial
    assert new.device_key != old.device_key


def test_a_kiosk_whose_keys_are_gone_is_said_to_need_new_ones(enrolment: Enrolment) -> None:
    enrolment.add_kiosk(KIOSK, CIRCUIT, "")
    (enrolment.kiosks / KIOSK / "line.key").unlink()
    with pytest.raises(NotEnrolledError, match=r"line\.key is gone"):
        enrolment.add_kiosk(KIOSK, CIRCUIT, "")


def test_nobody_is_enrolled_before_there_is_a_ca(tmp_path: Path) -> None:
    part = Enrolment(tmp_path / "l", tmp_path / "k", SystemClock(), SystemEntropy())
    with pytest.raises(NotEnrolledError, match="ca init"):
        part.add_kiosk(KIOSK, CIRCUIT, "")


def test_an_unknown_kiosk_cannot_be_revoked(enrolment: Enrolment) -> None:
    with pytest.raises(UsageError, match="kiosk list"):
        enrolment.revoke("k000009")


def test_the_centre_ends_certificate_is_made_anew_near_its_end(enrolment: Enrolment) -> None:
    clock = FixedClock(SystemClock().real_now())
    later = Enrolment(enrolment.line, enrolment.kiosks, clock, SystemEntropy())
    before = _files(enrolment.line)
    clock.move(days=690)
    assert not later.init_ca()
    clock.move(days=20)
    assert later.init_ca()
    after = _files(enrolment.line)
    changed = {Path(name).name for name in after if after[name] != before[name]}
    assert changed == {"server.pem", "server.key"}


def test_a_damaged_register_or_ca_is_said_and_never_overwritten(enrolment: Enrolment) -> None:
    enrolment.register_file.write_text("{")
    with pytest.raises(LineFilesError, match="register of circuits"):
        enrolment.add_kiosk(KIOSK, CIRCUIT, "")
    (enrolment.line / "ca.pem").write_text("nonsense")
    with pytest.raises(NotEnrolledError, match="damaged"):
        enrolment.add_kiosk(KIOSK, CIRCUIT, "")
    assert enrolment.register_file.read_text() == "{"


def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    part = Enrolment(tmp_path / "file" / "line", tmp_path / "k", SystemClock(), SystemEntropy())
    with pytest.raises(LineFilesError, match="cannot write"):
        part.init_ca()
