"""The client of the centre's API, over a line made for the test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dedicated_line.clock import CountedEntropy, FixedClock
from dedicated_line.contract.key_list import KeyList, sign_key_list
from dedicated_line.contract.keys import Purpose, verify_body
from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.message import decode_base64url
from dedicated_line.contract.orders import (
    IDEMPOTENCY_HEADER,
    SIGNATURE_HEADER,
    Money,
    MoneyFact,
    OrderSealed,
    OrderStatus,
    Outcome,
    OutcomeResult,
    PlaceOrder,
    Release,
    Released,
)
from dedicated_line.contract.problems import Problem, ProblemCode, problem
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import OpenSession
from dedicated_line.errors import KofuError
from dedicated_line.kiosk_end.client import LineAnswer, LineLoss, LineLostError
from kiosk.centre.client import REQUEST_SECONDS, CentreClient, KeyListError, SessionKeys
from kiosk.centre.errors import (
    CentreError,
    CentreIntegrityError,
    CentreRefusedError,
    CentreUnavailableError,
    NotUnderstoodError,
    SessionLostError,
)

NOW = datetime(2026, 4, 1, tzinfo=UTC)
ORDER = "b" * 32
ROOT = ec.generate_private_key(ec.SECP256R1())
DEVICE = ec.generate_private_key(ec.SECP256R1())


@dataclass
class FakeLine:
    """Answers from a list."""

    answers: list[LineAnswer | LineLostError]
    asked: list[tuple[str, str, bytes | None, Mapping[str, str]]] = field(default_factory=list)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 10.0,
    ) -> LineAnswer:
        assert 0 < seconds <= 10
        self.asked.append((method, path, body, dict(headers or {})))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, LineLostError):
            raise answer
        return answer


@dataclass
class Versions:
    highest: int = 0

    def key_list_version(self) -> int:
        return self.highest

    def key_list_accepted(self, version: int) -> None:
        self.highest = max(version, self.highest)


def good(message: Any, status: int = 200) -> LineAnswer:
    return LineAnswer(status, {}, message.to_json())


def bad(code: ProblemCode, **more: Any) -> LineAnswer:
    return LineAnswer(409, {}, problem(code, 409, "No.", **more).to_json())


def client(*answers: LineAnswer | LineLostError, highest: int = 0) -> tuple[CentreClient, FakeLine]:
    line, clock = FakeLine(list(answers)), FixedClock(NOW)
    made = CentreClient(
        line,
        device_key=DEVICE,
        root=ROOT.public_key(),
        versions=Versions(highest),
        clock=clock,
        entropy=CountedEntropy(),
        pause=lambda seconds: clock.move(seconds=seconds),
    )
    return made, line


PLACE = PlaceOrder(
    session="a" * 32,
    kind=Kind.RESIDENCE_CERTIFICATE,
    options=Options(),
    members=("c" * 16,),
    copies=1,
    layout="d" * 64,
)
SEALED = OrderSealed(order=ORDER, fee=300, header=b"h")
LOST = LineLostError(LineLoss.BROKEN)


def test_an_order_is_signed_by_the_session_and_has_a_key() -> None:
    centre, line = client(good(SEALED, 201))
    keys = SessionKeys.make()
    assert centre.place_order(PLACE, keys) == SEALED
    ((method, path, body, headers),) = line.asked
    assert (method, path) == ("POST", f"/v1/sessions/{'a' * 32}/orders")
    assert body is not None
    signature = decode_base64url(headers[SIGNATURE_HEADER])
    verify_body(keys.signing.public_key(), Purpose.ORDER, body, signature)
    assert len(headers[IDEMPOTENCY_HEADER]) == 24


def test_a_release_is_signed_for_its_own_purpose() -> None:
    answer = Released(order=ORDER, ciphertext=b"c", fence=1, print_window=60)
    centre, line = client(good(answer))
    keys = SessionKeys.make()
    centre.release(Release(order=ORDER, money=Money(amount=300, receipt="r")), keys)
    ((_, path, body, headers),) = line.asked
    assert path == f"/v1/orders/{ORDER}/release"
    assert body is not None
    signature = decode_base64url(headers[SIGNATURE_HEADER])
    verify_body(keys.signing.public_key(), Purpose.RELEASE, body, signature)


def test_an_outcome_is_signed_by_the_device() -> None:
    status = OrderStatus(order=ORDER, kind=Kind.RESIDENCE_CERTIFICATE, issues=())
    centre, line = client(good(status))
    money = MoneyFact(taken=0, returned=0, owed=0)
    body = Outcome(order=ORDER, result=OutcomeResult.CANCELLED, money=money).to_json()
    centre.send_outcome(ORDER, body, "k" * 24)
    ((_, _, sent, headers),) = line.asked
    assert sent == body
    signature = decode_base64url(headers[SIGNATURE_HEADER])
    verify_body(DEVICE.public_key(), Purpose.OUTCOME, body, signature)


@pytest.mark.parametrize("losses", [1, 2, 5])
def test_a_lost_answer_is_asked_for_again_under_the_same_key(losses: int) -> None:
    centre, line = client(*[LOST] * losses, good(SEALED, 201))
    centre.place_order(PLACE, SessionKeys.make())
    assert len(line.asked) == losses + 1
    assert all(asked == line.asked[0] for asked in line.asked)


def test_a_line_that_stays_lost_is_given_up_in_time() -> None:
    centre, line = client(LOST)
    with pytest.raises(LineLostError):
        centre.place_order(PLACE, SessionKeys.make())
    assert 2 < len(line.asked) <= REQUEST_SECONDS / 0.4 + 1


def test_a_line_that_refuses_the_x509_is_not_asked_again() -> None:
    centre, line = client(LineLostError(LineLoss.UNTRUSTED))
    with pytest.raises(LineLostError):
        centre.order_status(ORDER)
    assert len(line.asked) == 1


def test_a_centre_that_is_down_for_a_moment_is_asked_again() -> None:
    centre, line = client(bad(ProblemCode.UNAVAILABLE, retryable=True), good(SEALED, 201))
    assert centre.place_order(PLACE, SessionKeys.make()) == SEALED
    assert len(line.asked) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (bad(ProblemCode.REFUSED, refusal=Refusal.COUNTER), CentreRefusedError),
        (bad(ProblemCode.UNKNOWN_SESSION), SessionLostError),
        (bad(ProblemCode.CHALLENGE_USED), SessionLostError),
        (bad(ProblemCode.INTEGRITY), CentreIntegrityError),
        (bad(ProblemCode.KEY_REUSED), CentreError),
        (bad(ProblemCode.GONE), CentreError),
        (bad(ProblemCode.INTERNAL, incident="abc"), CentreError),
        (bad(ProblemCode.UNAVAILABLE, retryable=True), CentreUnavailableError),
        (LineAnswer(500, {}, b"<html>"), NotUnderstoodError),
        (LineAnswer(200, {}, b"{}"), NotUnderstoodError),
        (LineAnswer(200, {}, b"\xff"), NotUnderstoodError),
    ],
)
def test_each_no_has_its_own_error(answer: LineAnswer, error: type[KofuError]) -> None:
    centre, _ = client(answer)
    with pytest.raises(error):
        centre.place_order(PLACE, SessionKeys.make())


def test_a_refusal_carries_what_the_resident_is_told() -> None:
    said = problem(ProblemCode.REFUSED, 403, "No.", refusal=Refusal.NOT_YET_PARTICIPATING)
    said = said.model_copy(update={"municipality_name": "山口県山口市", "opens_at": NOW})
    centre, _ = client(LineAnswer(403, {}, said.to_json()))
    with pytest.raises(CentreRefusedError) as refused:
        centre.open_session(OpenSession(contract=1, software="s", layouts={}))
    told: Problem = refused.value.problem
    assert (told.municipality_name, told.opens_at) == ("山口県山口市", NOW)


def key_list(version: int = 1, days: int = 30) -> bytes:
    keys = KeyList(
        version=version,
        issued_at=NOW - timedelta(days=60),
        expires_at=NOW + timedelta(days=days),
        keys=(),
    )
    return sign_key_list(ROOT, keys)


def test_the_key_list_is_fetched_once_and_then_only_asked_about() -> None:
    centre, line = client(LineAnswer(200, {"etag": '"one"'}, key_list()), LineAnswer(304, {}, b""))
    assert centre.key_list() == centre.key_list()
    assert line.asked[1][3]["If-None-Match"] == '"one"'


@pytest.mark.parametrize(
    ("body", "highest"),
    [
        (key_list(version=3), 4),
        (key_list(days=-1), 0),
        (key_list()[:-1] + b"\x00", 0),
        (b"", 0),
    ],
    ids=["older than the one seen", "expired", "changed", "empty"],
)
def test_a_key_list_that_does_not_hold_is_refused(body: bytes, highest: int) -> None:
    centre, _ = client(LineAnswer(200, {}, body), highest=highest)
    with pytest.raises(KeyListError):
        centre.key_list()


def test_session_keys_are_new_each_time_and_show_nothing() -> None:
    one, two = SessionKeys.make(), SessionKeys.make()
    assert one.signing_point != two.signing_point
    assert len(one.receiving_point) == 65
    assert repr(one) == "SessionKeys()"
