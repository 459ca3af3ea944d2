"""Replies are told apart, and pages are cut into safe blocks."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dedicated_line.contract.line import Health
from dedicated_line.errors import UsageError
from printers.escpos.blocks import blocks, has_real_time, last_gap
from printers.escpos.model import (
    Fault,
    Paper,
    ReplyKind,
    ReplyReader,
    from_automatic,
    from_real_time,
    process_id,
)
from printers.escpos.profiles import load_profile, profile_names
from printers.pages.service import DrawnCopy

ASB = bytes((0x1C, 0x00, 0x0F, 0x00))
PROCESS = b"\x37\x22abcd\x00"
PARTS = [
    (ReplyKind.AUTOMATIC, ASB),
    (ReplyKind.REAL_TIME, b"\x12"),
    (ReplyKind.PROCESS_ID, PROCESS),
    (ReplyKind.BUFFERED, b"\x00"),
    (ReplyKind.CLEARED, b"\x37\x25\x00"),
    (ReplyKind.REAL_TIME, b"\x72"),
    (ReplyKind.BUFFERED, b"\x0c"),
]


@settings(deadline=None)
@given(st.permutations(PARTS), st.integers(min_value=1, max_value=5))
def test_replies_are_told_apart_in_whatever_order_and_pieces_they_come(
    parts: list[tuple[ReplyKind, bytes]], size: int
) -> None:
    stream = b"".join(data for _, data in parts)
    reader = ReplyReader()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    replies = list(itertools.chain.from_iterable(reader.feed(piece) for piece in pieces))
    assert [(reply.kind, reply.data) for reply in replies] == parts


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_at_all_are_read_without_harm(data: bytes) -> None:
    replies = list(ReplyReader().feed(data))
    assert b"".join(reply.data for reply in replies) == data[: sum(len(r.data) for r in replies)]


def test_a_well_printer_is_ready_and_near_end_is_only_a_warning() -> None:
    well = from_real_time(0x12, 0x12, 0x12, 0x12)
    assert (well.ready, well.health, well.paper) == (True, Health.READY, Paper.PLENTY)
    near = from_real_time(0x12, 0x12, 0x12, 0x1E)
    assert (near.ready, near.health, near.paper) == (True, Health.WARNING, Paper.NEAR_END)


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ((0x1A, 0x16, 0x12, 0x12), Fault.COVER_OPEN),
        ((0x1A, 0x32, 0x12, 0x7E), Fault.PAPER_END),
        ((0x1A, 0x52, 0x1A, 0x12), Fault.CUTTER),
        ((0x1A, 0x52, 0x32, 0x12), Fault.UNRECOVERABLE),
        ((0x1A, 0x12, 0x12, 0x12), Fault.OFFLINE),
    ],
)
def test_each_fault_is_read_from_real_time_status(
    answers: tuple[int, int, int, int], fault: Fault
) -> None:
    state = from_real_time(*answers)
    assert not state.ready
    assert state.faults == {fault}
    assert fault.value in state.detail


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\x38\0\0\0", Fault.COVER_OPEN),
        (b"\x18\0\x0c\0", Fault.PAPER_END),
        (b"\x18\x08\0\0", Fault.CUTTER),
        (b"\x18\0\0\0", Fault.OFFLINE),
    ],
)
def test_each_fault_is_read_from_automatic_status(data: bytes, fault: Fault) -> None:
    assert from_automatic(data).faults == {fault}


@settings(deadline=None)
@given(st.binary(min_size=4, max_size=4))
def test_a_process_id_is_visible_ascii(job: bytes) -> None:
    assert all(0x21 <= byte <= 0x7E for byte in process_id(job))


def _together(page: Image.Image, rows: int) -> np.ndarray:
    """Put the blocks of a page together again."""
    whole = np.zeros((page.height, page.width), dtype=bool)
    row = 0
    for block in blocks(page, rows):
        assert block.top == row
        ink = ~np.asarray(block.image)
        assert not has_real_time(np.packbits(ink, axis=1).tobytes())
        whole[row : row + len(ink), block.margin :] = ink
        row += len(ink)
    assert row == page.height
    return whole


@pytest.mark.parametrize("name", ["single", "four", "seven", "foreign", "longest"])
def test_blocks_hold_no_real_time_command_and_exactly_the_dots_of_the_page(
    name: str, drawn: dict[str, DrawnCopy]
) -> None:
    for page in drawn[name].pages:
        assert (_together(page, 240) == ~np.asarray(page)).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(min_value=0, max_value=2**32 - 1), st.integers(min_value=1, max_value=64))
def test_pages_full_of_real_time_commands_are_sent_safely_too(seed: int, rows: int) -> None:
    generator = np.random.default_rng(seed)
    data = generator.choice(np.array([0x10, 0x04, 0x05, 0x14, 0x00], dtype=np.uint8), (80, 72))
    data[:, :2] = 0
    data[:, 10:] *= generator.random((80, 62)) < 0.05
    page = Image.fromarray(~np.unpackbits(data, axis=1).astype(bool))
    assert (_together(page, rows) == ~np.asarray(page)).all()


@pytest.mark.parametrize("name", ["single", "longest"])
def test_what_is_held_back_is_the_qr_code(name: str, drawn: dict[str, DrawnCopy]) -> None:
    page = drawn[name].pages[-1]
    row = last_gap(page)
    assert 250 < page.height - row < 450


def test_a_profile_that_is_not_there_is_wrong_usage_and_names_those_that_are() -> None:
    assert [load_profile(name).width for name in profile_names()] == [576, 576]
    with pytest.raises(UsageError, match="tm-80mm-203dpi"):
        load_profile("nobody")
