"""The parser's plain side: however bytes are sliced, the same requests; never a crash."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from dedicated_line.centre_end.model import Limits, Refusal, Request
from dedicated_line.centre_end.requests import Phase, RequestReader

LIMITS = Limits(header_bytes=300, body_bytes=100)
GOOD = (
    b"POST /v1/sessions?x=1 HTTP/1.1\r\nHost: x\r\nKofu-Signature: c2ln\r\n"
    b"Content-Length: 5\r\n\r\nabcde"
    b"GET /v1/keys HTTP/1.1\r\nKofu-Kiosk: k1\r\nX-Other: y\r\n\r\n"
)
PIECES = st.sampled_from(
    [
        *(b"GET ", b"POST ", b"/v1/x", b"http://x/", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\n"),
        *(b"\r\n\r\n", b"Content-Length: 5", b"Content-Length: 500", b"abcde", b": ", b"\x00"),
        *(b"Transfer-Encoding: chunked", b"0\r\n\r\n", b"Upgrade: x", b"Connection: upgrade"),
        *(b"Kofu-Kiosk: x", b"Kofu_Kiosk: x", b"a" * 400, b"Expect: 100-continue"),
    ]
)


def _read(data: bytes, cuts: list[int]) -> list[Request | Refusal]:
    reader = RequestReader(LIMITS)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    found: list[Request | Refusal] = []
    for start, end in itertools.pairwise(places):
        found += reader.feed(data[start:end])
    return found


@given(cuts=st.lists(st.integers(0, 1000), max_size=30))
def test_requests_are_the_same_however_they_are_sliced(cuts: list[int]) -> None:
    first, second = _read(GOOD, cuts)
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert (first.method, first.target, first.path) == (
        "POST",
        "/v1/sessions?x=1",
        "/v1/sessions",
    )
    assert (first.headers, first.body) == ((("kofu-signature", "c2ln"),), b"abcde")
    assert not first.forged
    assert (second.method, second.headers, second.body) == ("GET", (), b"")
    assert second.forged


@given(
    data=st.lists(PIECES | st.binary(max_size=20), max_size=20).map(b"".join),
    cuts=st.lists(st.integers(0, 1000), max_size=5),
)
def test_any_bytes_give_requests_within_the_limits_or_one_refusal_at_the_end(
    data: bytes, cuts: list[int]
) -> None:
    found = _read(data, cuts)
    for each in found[:-1]:
        assert isinstance(each, Request)
    for each in found:
        if isinstance(each, Request):
            assert each.target.startswith("/")
            assert each.method in {"GET", "POST", "PUT"}
            assert len(each.body) <= LIMITS.body_bytes
            assert not any("kiosk" in name for name, _ in each.headers)


def test_nothing_is_read_after_a_refusal() -> None:
    reader = RequestReader(LIMITS)
    assert len(reader.feed(b"nonsense\r\n\r\n")) == 1
    assert reader.phase is Phase.REFUSED
    assert reader.feed(GOOD) == []


def test_the_phase_tells_which_deadline_runs() -> None:
    reader = RequestReader(LIMITS)
    assert reader.phase is Phase.IDLE
    reader.feed(b"POST /v1/x HTTP/1.1\r\nContent-")
    assert reader.phase is Phase.HEADER
    reader.feed(b"Length: 3\r\n\r\na")
    assert reader.phase is Phase.BODY
    reader.feed(b"bc")
    assert reader.phase is Phase.IDLE
