"""The key list: verified under the pinned root, never expired, never going back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.orders.errors import KeyListMissingError
from backend.orders.key_list import KeyListFile
from dedicated_line.clock import FixedClock
from dedicated_line.contract.key_list import KeyList, sign_key_list

NOW = datetime(2026, 6, 15, tzinfo=UTC)
ROOT = ec.derive_private_key(11, ec.SECP256R1())


def publish(path: Path, version: int, root: ec.EllipticCurvePrivateKey = ROOT) -> bytes:
    keys = KeyList(version=version, issued_at=NOW, expires_at=NOW + timedelta(days=9), keys=())
    body = sign_key_list(root, keys)
    path.write_bytes(body)
    return body


@pytest.fixture
def file(tmp_path: Path) -> KeyListFile:
    pem = ROOT.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "root.pem").write_bytes(pem)
    return KeyListFile(tmp_path / "list.cose", tmp_path / "root.pem", FixedClock(NOW))


def test_a_newer_list_is_taken_and_an_older_one_refused(file: KeyListFile, tmp_path: Path) -> None:
    body = publish(tmp_path / "list.cose", 1)
    assert file.published() == body
    assert file.trusted().version == 1
    publish(tmp_path / "list.cose", 2)
    assert file.trusted().version == 2
    publish(tmp_path / "list.cose", 1)
    with pytest.raises(KeyListMissingError, match="older"):
        file.trusted()


def test_a_list_that_does_not_hold_is_none(file: KeyListFile, tmp_path: Path) -> None:
    with pytest.raises(KeyListMissingError, match="kofu-backend keys init"):
        file.trusted()
    publish(tmp_path / "list.cose", 1, ec.derive_private_key(12, ec.SECP256R1()))
    with pytest.raises(KeyListMissingError, match="does not hold"):
        file.trusted()
    (tmp_path / "root.pem").write_text("no key")
    with pytest.raises(KeyListMissingError, match="pinned root"):
        file.trusted()
