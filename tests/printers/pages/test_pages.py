"""A document becomes pages of exact dots, and its text can be read back."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dedicated_line.clock import SystemClock
from dedicated_line.contract.envelope import IssuedCopy
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.residence import ResidenceCertificate
from printers.pages.characters import UncoveredCharactersError, texts, uncovered
from printers.pages.drawing_process import DrawingProcess
from printers.pages.official_seal import seal_columns
from printers.pages.raster import WIDTH, rasterise
from printers.pages.service import (
    DrawingFailedError,
    DrawnCopy,
    PageOverflowError,
    draw,
    layout_digest,
)
from printers.pages.text import normalised, page_texts

NAMES = ("single", "four", "seven", "foreign", "longest")


@pytest.mark.parametrize("name", NAMES)
def test_each_sheet_is_exactly_one_page_of_576_dots(
    name: str, samples: dict[str, ResidenceCertificate], drawn: dict[str, DrawnCopy]
) -> None:
    assert len(drawn[name].pages) == len(samples[name].sheets)
    for page in drawn[name].pages:
        assert (page.mode, page.width) == ("1", WIDTH)
        assert 1_000 < page.height < 6_000


@pytest.mark.parametrize("name", NAMES)
def test_every_value_of_a_document_is_found_in_the_text_of_its_page(
    name: str, samples: dict[str, ResidenceCertificate], drawn: dict[str, DrawnCopy]
) -> None:
    pages = page_texts(drawn[name].pdf)
    for sheet, page in zip(samples[name].sheets, pages, strict=True):
        text = normalised(page)
        for value in texts(sheet.model_dump(mode="json")):
            assert normalised(value) in text, value
        assert f"{sheet.sheet}/{sheet.sheets}頁" in text
        assert "発行番号352012-" in text


def test_a_specimen_says_so_and_a_certificate_does_not(drawn: dict[str, DrawnCopy]) -> None:
    assert "証明書としての効力はありません" in normalised(page_texts(drawn["single"].pdf)[0])
    assert "効力はありません" not in normalised(page_texts(drawn["foreign"].pdf)[0])


def test_the_same_document_gives_the_same_bytes_and_dots(
    samples: dict[str, ResidenceCertificate], sealed: Callable[..., IssuedCopy]
) -> None:
    copy = sealed(samples["four"])
    first, second = draw(samples["four"], copy), draw(samples["four"], copy)
    assert first.pdf == second.pdf
    assert [p.tobytes() for p in first.pages] == [p.tobytes() for p in second.pages]


def test_a_drawing_process_draws_the_same_and_tells_the_same_errors(
    samples: dict[str, ResidenceCertificate], sealed: Callable[..., IssuedCopy]
) -> None:
    copy = sealed(samples["single"])
    here = draw(samples["single"], copy)
    with DrawingProcess(SystemClock()) as process:
        there = process.draw(samples["single"], copy)
        assert there.pdf == here.pdf
        assert there.pages[0].tobytes() == here.pages[0].tobytes()
        with pytest.raises(DrawingFailedError, match="one seal for each sheet"):
            process.draw(samples["seven"], copy)
    with pytest.raises(DrawingFailedError, match="has ended"):
        process.draw(samples["single"], copy)


def _glyphs(size: int) -> Iterator[tuple[str, Image.Image]]:
    """Draw the characters that differ by one stroke, as the pages do, at one size."""
    import typst

    from printers.pages.fonts import MINCHO

    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(MINCHO.parent)],
    )
    characters = "一二三十日目月田由甲申"
    for character in characters:
        source = (
            "#set page(width: 72mm, height: 72mm, margin: 8mm)\n"
            f'#text(font: "IPAmjMincho", size: {size} * 0.125mm, fallback: false)[{character}]'
        )
        pdf: Any = typst.compile(source.encode(), font_paths=fonts, format="pdf")
        yield character, rasterise(pdf)[0]


def _strokes(image: Image.Image) -> int:
    """Count the most strokes that a line from top to bottom meets, left of the glyph's middle."""
    ink = ~np.asarray(image)
    columns = np.flatnonzero(ink.any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    places = range(left + (right - left) // 5, left + 2 * (right - left) // 5 + 1)
    lines = [np.diff(ink[:, place].astype(int), prepend=0) for place in places]
    return max(int(np.count_nonzero(line == 1)) for line in lines)


def test_no_size_in_use_loses_a_stroke() -> None:
    expected = {"一": 1, "二": 2, "三": 3, "十": 1, "日": 3, "目": 4, "月": 3}
    expected |= {"田": 3, "由": 3, "甲": 3, "申": 3}
    for size in (22, 26, 28, 32, 36, 40):
        images = dict(_glyphs(size))
        assert {each: _strokes(image) for each, image in images.items()} == expected, size
        assert len({image.tobytes() for image in images.values()}) == len(expected)


def test_characters_that_no_font_has_are_named_with_their_selectors() -> None:
    assert uncovered("山田 𠮷髙﨑德邉\U000e010f　ＡA1-") == ()
    assert uncovered("邉\U000e0102と\U0002ebf0と邉\U000e0102") == ("邉\U000e0102", "\U0002ebf0")
    assert uncovered("\U000e010f") == ("\U000e010f",)
    assert uncovered("一\n\x00") == ("\n", "\x00")


def test_a_character_that_no_font_has_stops_the_drawing_and_only_its_number_is_told(
    document: Any, person: Any, sealed: Callable[..., IssuedCopy]
) -> None:
    certificate = document(person("見本\U000e0102"))
    with pytest.raises(UncoveredCharactersError, match=r"U\+672C\+U\+E0102") as told:
        draw(certificate, sealed(certificate))
    assert "見" not in str(told.value)


@pytest.mark.parametrize(
    "items", [{"name": "A" * 40}, {"birth_date": "1" * 60}, {"sex": "X" * 20}, {"alias": "W" * 50}]
)
def test_a_word_that_cannot_be_divided_and_does_not_fit_is_an_error(
    items: dict[str, str], document: Any, person: Any, sealed: Callable[..., IssuedCopy]
) -> None:
    certificate = document(person(**items))
    with pytest.raises(PageOverflowError):
        draw(certificate, sealed(certificate))


@pytest.mark.parametrize(
    "value",
    ["#panic()", '"; $x$', "*強調* _下線_", "<b>&amp;", "\\u{41}", "// 註", "@ref [x]", "{{a}}"],
)
def test_a_value_that_looks_like_markup_stands_on_the_page_as_it_is(
    value: str, document: Any, person: Any, sealed: Callable[..., IssuedCopy]
) -> None:
    certificate = document(person(former_address=value))
    drawn = draw(certificate, sealed(certificate))
    assert normalised(value) in normalised(page_texts(drawn.pdf)[0])


def test_nothing_of_a_page_is_left_on_disk(
    samples: dict[str, ResidenceCertificate],
    sealed: Callable[..., IssuedCopy],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    draw(samples["single"], sealed(samples["single"]))
    assert list(tmp_path.iterdir()) == []


def test_the_layout_digest_stays_the_same() -> None:
    digest = layout_digest(Kind.RESIDENCE_CERTIFICATE)
    assert digest == layout_digest(Kind.RESIDENCE_CERTIFICATE)
    assert len(bytes.fromhex(digest)) == 32


def test_the_official_seal_reads_from_right_to_left() -> None:
    assert seal_columns("山口県下関市", "下関市長　見本", specimen=False) == [
        ["下", "関", "市"],
        ["長", "之", "印"],
    ]
    columns = seal_columns("山口県下関市", "見本 花子", specimen=True)
    assert "".join("".join(column) for column in columns) == "山口県下関市長見本之印"
