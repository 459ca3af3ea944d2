"""The key list: expiry, distrust, and the pinned root."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dedicated_line.contract import canonical, cose
from dedicated_line.contract.key_list import (
    ROOT_KEY_ID,
    KeyList,
    KeyUse,
    ListedKey,
    UntrustedKeyError,
    read_key_list,
    sign_key_list,
    trusted_key,
)
from dedicated_line.contract.keys import BadSignatureError, Purpose, encode_public_key
from dedicated_line.contract.sealed_box import CannotOpenError, Sealed, open_sealed, seal

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ROOT = ec.derive_private_key(11, ec.SECP256R1())
KEY = ec.derive_private_key(12, ec.SECP256R1())


def _list(**changes: object) -> KeyList:
    key = ListedKey(
        key_id="352012-envelope-1",
        municipality="352012",
        use=KeyUse.ENVELOPE,
        public_key=encode_public_key(KEY.public_key()),
        valid_from=NOW - DAY,
        valid_until=NOW + 10 * DAY,
    )
    return KeyList(
        version=3,
        issued_at=NOW - DAY,
        expires_at=NOW + DAY,
        keys=(key.model_copy(update=changes),),
    )


def test_a_key_list_reads_under_its_root() -> None:
    data = sign_key_list(ROOT, _list())
    assert read_key_list(data, ROOT.public_key(), NOW) == _list()


@pytest.mark.parametrize("at", [NOW + DAY, NOW - DAY - timedelta(seconds=1)])
def test_a_key_list_is_no_good_outside_its_time(at: datetime) -> None:
    with pytest.raises(UntrustedKeyError, match="newer"):
        read_key_list(sign_key_list(ROOT, _list()), ROOT.public_key(), at)


def test_a_key_list_of_another_root_is_refused() -> None:
    with pytest.raises(BadSignatureError):
        read_key_list(sign_key_list(KEY, _list()), ROOT.public_key(), NOW)


def test_a_key_list_signed_for_another_purpose_is_refused() -> None:
    data = cose.sign(ROOT, ROOT_KEY_ID, Purpose.ENVELOPE, canonical.encode_message(_list()))
    with pytest.raises(BadSignatureError, match="not for"):
        read_key_list(data, ROOT.public_key(), NOW)


def test_something_else_signed_as_a_key_list_is_refused() -> None:
    data = cose.sign(ROOT, ROOT_KEY_ID, Purpose.KEY_LIST, b"\xa0")
    with pytest.raises(BadSignatureError, match="not a key list"):
        read_key_list(data, ROOT.public_key(), NOW)


def _is_trusted(
    keys: KeyList,
    *,
    key_id: str = "352012-envelope-1",
    use: KeyUse = KeyUse.ENVELOPE,
    municipality: str = "352012",
    at: datetime = NOW,
) -> bool:
    try:
        trusted_key(keys, key_id, use, municipality, at)
    except UntrustedKeyError:
        return False
    return True


def test_a_listed_key_is_trusted_for_its_own_use_and_municipality_alone() -> None:
    assert _is_trusted(_list())
    assert not _is_trusted(_list(), use=KeyUse.SEAL)
    assert not _is_trusted(_list(), municipality="352021")
    assert not _is_trusted(_list(), key_id="352012-envelope-2")


def test_a_listed_key_is_trusted_from_its_first_instant_to_before_its_last() -> None:
    assert _is_trusted(_list(), at=NOW - DAY)
    assert not _is_trusted(_list(), at=NOW - DAY - timedelta(microseconds=1))
    assert not _is_trusted(_list(), at=NOW + 10 * DAY)


def test_a_key_is_not_trusted_for_issues_after_distrust_begins() -> None:
    keys = _list(not_trusted_after=NOW)
    assert not _is_trusted(keys, at=NOW)
    assert _is_trusted(keys, at=NOW - timedelta(seconds=1))


def test_distrust_never_makes_a_key_live_longer() -> None:
    keys = _list(not_trusted_after=NOW + 20 * DAY)
    assert not _is_trusted(keys, at=NOW + 10 * DAY)


def test_a_box_opens_with_its_key_purpose_and_session_alone() -> None:
    session = "00112233445566778899aabbccddeeff"
    box = seal(KEY.public_key(), Sealed.CONTENT, session, b"content")
    assert open_sealed(KEY, Sealed.CONTENT, session, box) == b"content"
    for key, what, name, data in (
        (ROOT, Sealed.CONTENT, session, box),
        (KEY, Sealed.PERSONAL, session, box),
        (KEY, Sealed.CONTENT, session[::-1], box),
        (KEY, Sealed.CONTENT, session, box[:-1] + bytes([box[-1] ^ 1])),
        (KEY, Sealed.CONTENT, session, b""),
    ):
        with pytest.raises(CannotOpenError):
            open_sealed(key, what, name, data)
