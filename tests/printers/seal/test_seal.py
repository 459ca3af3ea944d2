"""The seal on paper: drawn, read back by another decoder, verified, or refused."""

import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image, ImageFilter

from dedicated_line.contract.envelope import IssuedCopy
from dedicated_line.contract.key_list import KeyList, sign_key_list
from dedicated_line.contract.residence import ResidenceCertificate, page_digest
from dedicated_line.contract.seal import from_qr_text, to_qr_text
from dedicated_line.errors import UsageError
from printers.pages.service import DrawnCopy
from printers.pages.specimen import sealed_copy
from printers.seal.cli import verify
from printers.seal.qr import SealTooLargeError, draw_qr
from printers.seal.report import report_on
from printers.seal.scan import pictures
from printers.seal.service import (
    ForgedSealError,
    NotASealOfOursError,
    UnknownKeyError,
    read_seal_texts,
    verify_seal,
)

NAMES = ("single", "four", "seven", "foreign", "longest")
Seal = Callable[..., IssuedCopy]


@pytest.mark.parametrize("name", NAMES)
def test_the_seal_of_every_page_is_read_back_from_its_dots_and_holds(
    name: str,
    samples: dict[str, ResidenceCertificate],
    drawn: dict[str, DrawnCopy],
    key_list: KeyList,
) -> None:
    for page, sheet in zip(drawn[name].pages, samples[name].sheets, strict=True):
        [text] = read_seal_texts(page)
        claims = verify_seal(text, key_list)
        assert (claims.page, claims.pages) == (sheet.sheet, sheet.sheets)
        assert claims.page_digest.hex() == page_digest(claims.salt, sheet)
        assert claims.specimen is sheet.specimen


def test_the_qr_code_is_on_the_page_dot_for_dot_and_ends_it(
    drawn: dict[str, DrawnCopy],
) -> None:
    page = drawn["single"].pages[0]
    [text] = read_seal_texts(page)
    code = draw_qr(from_qr_text(text))
    place = (page.width - 16 - code.side, page.height - code.side, page.width - 16, page.height)
    assert page.crop(place).tobytes() == code.image.tobytes()


def test_a_torn_page_carries_no_seal(drawn: dict[str, DrawnCopy]) -> None:
    page = drawn["single"].pages[0]
    assert read_seal_texts(page.crop((0, 0, page.width, page.height - 120))) == []


def test_the_seal_reads_from_a_blurred_tilted_photograph(
    drawn: dict[str, DrawnCopy], key_list: KeyList
) -> None:
    photograph = drawn["single"].pages[0].convert("L").rotate(4, expand=True, fillcolor=200)
    photograph = photograph.resize((photograph.width * 3 // 2, photograph.height * 3 // 2))
    photograph = photograph.filter(ImageFilter.GaussianBlur(1.2))
    data = io.BytesIO()
    photograph.save(data, "JPEG", quality=70)
    [text] = read_seal_texts(Image.open(data))
    assert verify_seal(text, key_list).municipality == "352012"


def test_another_key_under_the_same_id_is_a_forgery(
    samples: dict[str, ResidenceCertificate], key_list: KeyList
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    copy = sealed_copy(samples["single"], key, "352012-seal-1", attested_on=date(2026, 4, 1))
    with pytest.raises(ForgedSealError, match="do not accept"):
        verify_seal(to_qr_text(copy.pages[0].seal), key_list)


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2027, 1, 2)])
def test_a_key_is_trusted_only_for_its_time(
    day: date, samples: dict[str, ResidenceCertificate], sealed: Seal, key_list: KeyList
) -> None:
    seal = sealed(samples["single"], attested_on=day).pages[0].seal
    with pytest.raises(UnknownKeyError):
        verify_seal(to_qr_text(seal), key_list)


@pytest.mark.parametrize(
    "text", ["", "KOFU1:", "KOFU1:ABC", "https://example.com", "KOFU1:" + "Z" * 500]
)
def test_what_is_no_seal_is_told_apart(text: str, key_list: KeyList) -> None:
    with pytest.raises(NotASealOfOursError):
        verify_seal(text, key_list)


def test_every_changed_byte_of_a_seal_is_noticed(
    samples: dict[str, ResidenceCertificate], sealed: Seal, key_list: KeyList
) -> None:
    seal = sealed(samples["single"]).pages[0].seal
    for place in range(len(seal)):
        changed = seal[:place] + bytes((seal[place] ^ 1,)) + seal[place + 1 :]
        with pytest.raises((NotASealOfOursError, UnknownKeyError, ForgedSealError)):
            verify_seal(to_qr_text(changed), key_list)


def test_a_seal_too_large_for_the_paper_is_an_error() -> None:
    noise = b"".join(hashlib.sha256(bytes((n,))).digest() for n in range(60))
    with pytest.raises(SealTooLargeError):
        draw_qr(noise)


def test_a_strip_with_all_pages_is_verified_as_one_set(
    drawn: dict[str, DrawnCopy], key_list: KeyList
) -> None:
    first, second = drawn["seven"].pages
    strip = Image.new("1", (first.width, first.height + second.height), 1)
    strip.paste(first, (0, 0))
    strip.paste(second, (0, first.height))
    lines, good = report_on([strip], key_list)
    assert good
    assert lines[-1] == "OK: every seal holds"
    assert [("1/2頁" in line, "2/2頁" in line) for line in lines[:2]] == [
        (True, False),
        (False, True),
    ]
    lines, good = report_on([first], key_list)
    assert good
    assert any("not shown here: page 2" in line for line in lines)


def test_pages_of_two_papers_under_one_number_do_not_belong_together(
    samples: dict[str, ResidenceCertificate],
    drawn: dict[str, DrawnCopy],
    sealed: Seal,
    key_list: KeyList,
) -> None:
    from printers.pages.service import draw

    sheets = samples["seven"].sheets
    other_sheets = (sheets[0], sheets[1].model_copy(update={"address": "山口県下関市別町9番"}))
    other = samples["seven"].model_copy(update={"sheets": other_sheets})
    lines, good = report_on(
        [drawn["seven"].pages[0], draw(other, sealed(other)).pages[1]], key_list
    )
    assert not good
    assert any("do not belong together" in line for line in lines)


@pytest.fixture
def files(
    tmp_path: Path, key_list: KeyList, drawn: dict[str, DrawnCopy], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    monkeypatch.setenv("KOFU_VAR", str(tmp_path))
    monkeypatch.setenv("KOFU_ENVIRONMENT", "simulation")
    monkeypatch.setenv("KOFU_NOW", "2026-06-01T10:00+09:00")
    root = ec.generate_private_key(ec.SECP256R1())
    names = {
        name: tmp_path / name
        for name in ("page.png", "page.jpg", "page.pdf", "list.cose", "root.pem", "blank.png")
    }
    page = drawn["foreign"].pages[0]
    page.save(names["page.png"])
    page.convert("L").save(names["page.jpg"])
    names["page.pdf"].write_bytes(drawn["foreign"].pdf)
    names["list.cose"].write_bytes(sign_key_list(root, key_list))
    names["root.pem"].write_bytes(
        root.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    Image.new("1", (576, 900), 1).save(names["blank.png"])
    return {name: str(path) for name, path in names.items()}


@pytest.mark.parametrize("picture", ["page.png", "page.jpg", "page.pdf"])
def test_verify_says_ok_and_what_it_is(picture: str, files: dict[str, str]) -> None:
    arguments = [files[picture], "--keys", files["list.cose"], "--root", files["root.pem"]]
    done = CliRunner().invoke(verify, arguments, standalone_mode=False)
    assert done.return_value == 0, done.output
    for word in ("OK", "352012", "発行番号", "住民票の写し", "2026-04-01", "1/1頁", "見本ではない"):
        assert word in done.output


def test_verify_of_a_paper_without_seal_fails(files: dict[str, str]) -> None:
    arguments = [files["blank.png"], "--keys", files["list.cose"], "--root", files["root.pem"]]
    done = CliRunner().invoke(verify, arguments, standalone_mode=False)
    assert done.return_value == 1
    assert "NOT VERIFIED" in done.output


def test_verify_under_another_root_says_that_the_list_is_not_signed_by_it(
    files: dict[str, str],
) -> None:
    from printers.bootstrap import KeysNotTrustedError, trusted_keys

    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    root = Path(files["root.pem"])
    root.write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(KeysNotTrustedError, match="not signed by the root"):
        trusted_keys(Path(files["list.cose"]), root)


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7 broken", b"\x89PNG broken", json.dumps(1).encode()]
)
def test_a_file_that_is_no_picture_is_wrong_usage(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "paper"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not a PNG, JPEG or PDF"):
        pictures(path)


def test_the_instant_for_a_key_is_noon_in_tokyo() -> None:
    from printers.seal.service import _key_instant

    assert _key_instant(date(2026, 4, 1)) == datetime(2026, 4, 1, 3, tzinfo=UTC)
