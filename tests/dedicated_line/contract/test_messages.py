"""Every message: nothing unknown gets in, and what goes out comes back."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import dedicated_line.contract as package
from dedicated_line.contract import canonical
from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.line import (
    Health,
    Heartbeat,
    KioskState,
    LineEvent,
    LineEventKind,
    LineEvents,
    PartHealth,
    RegisteredKiosk,
)
from dedicated_line.contract.message import (
    Message,
    decode_base64url,
    encode_base64url,
)
from dedicated_line.contract.numbers import issue_number
from dedicated_line.contract.orders import MoneyFact, Outcome, OutcomeResult, PlaceOrder
from dedicated_line.contract.problems import ProblemCode, problem
from dedicated_line.contract.residence import ForeignItems, ResidencePerson
from dedicated_line.contract.sessions import (
    CardAlgorithm,
    HolderAccepted,
    OpenSession,
    PresentHolder,
)

for _module in pkgutil.iter_modules(package.__path__):
    importlib.import_module(f"{package.__name__}.{_module.name}")


def _descendants(model: type[Message]) -> Iterator[type[Message]]:
    for child in model.__subclasses__():
        yield child
        yield from _descendants(child)


MODELS = sorted(
    {each for each in _descendants(Message) if each.__module__.startswith(package.__name__)},
    key=lambda each: each.__qualname__,
)

hexadecimal = st.sampled_from("0123456789abcdef")
identifiers = st.text(hexadecimal, min_size=32, max_size=32)
digests = st.text(hexadecimal, min_size=64, max_size=64)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
times = st.integers(0, 4_000_000_000_000_000).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
parts = st.builds(PartHealth, health=st.sampled_from(Health), detail=words)
heartbeats = st.builds(
    Heartbeat,
    software=words,
    reader=parts,
    printer=parts,
    coins=parts,
    paper=parts,
    state=words,
)
yen = st.integers(0, 1_000_000)
messages = st.one_of(
    heartbeats,
    st.builds(
        KioskState,
        kiosk=st.from_regex(r"k[0-9]{6}", fullmatch=True, alphabet=st.sampled_from("k0123456789")),
        circuit=st.just("127.1.0.1"),
        connected=st.booleans(),
        seen_at=times,
        heartbeat=st.none() | heartbeats,
    ),
    st.builds(
        LineEvents,
        last=words,
        events=st.lists(
            st.builds(
                LineEvent,
                kind=st.sampled_from(LineEventKind),
                municipality=st.just("352012"),
                certificate_kind=st.none() | st.sampled_from(Kind),
                at=times,
            ),
            max_size=3,
        ).map(tuple),
    ),
    st.builds(
        RegisteredKiosk,
        kiosk=st.just("k000001"),
        circuit=st.just("127.1.0.1"),
        name=words,
        certificate_serial=st.text(hexadecimal, min_size=1, max_size=32),
        device_key=st.binary(max_size=65),
        in_service=st.booleans(),
    ),
    st.builds(
        OpenSession,
        contract=st.integers(-1, 9),
        software=texts,
        layouts=st.dictionaries(st.sampled_from(Kind), digests),
    ),
    st.builds(
        PresentHolder,
        user_certificate=st.binary(max_size=50),
        algorithm=st.sampled_from(CardAlgorithm),
        signing_key=st.binary(max_size=65),
        receiving_key=st.binary(max_size=65),
        card_signature=st.binary(max_size=50),
    ),
    st.builds(
        HolderAccepted,
        municipality=st.just("352012"),
        municipality_name=texts,
        kinds=st.just(()),
        personal=st.none() | st.binary(max_size=50),
    ),
    st.builds(
        PlaceOrder,
        session=identifiers,
        kind=st.sampled_from(Kind),
        options=st.builds(Options),
        members=st.lists(
            st.text(hexadecimal, min_size=16, max_size=16), min_size=1, max_size=4
        ).map(tuple),
        copies=st.integers(1, 10),
        layout=digests,
        replaces=st.none()
        | st.integers(0, 2**60 - 1).map(lambda bits: issue_number("352012", bits)),
    ),
    st.builds(
        Outcome,
        order=identifiers,
        result=st.sampled_from(OutcomeResult),
        evidence=words,
        money=st.builds(MoneyFact, taken=yen, returned=yen, owed=yen),
    ),
    st.builds(
        ResidencePerson,
        name=texts,
        birth_date=texts,
        sex=texts,
        foreign=st.none() | st.builds(ForeignItems, nationality=texts, status=texts),
    ),
)


def test_the_contract_has_messages_to_check() -> None:
    assert len(MODELS) > 30


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__qualname__)
def test_an_unknown_field_is_refused(model: type[Message]) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(json.dumps({"not_in_the_contract": 1}))
    assert ("extra_forbidden", ("not_in_the_contract",)) in [
        (error["type"], error["loc"]) for error in caught.value.errors()
    ]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__qualname__)
def test_a_message_cannot_be_changed(model: type[Message]) -> None:
    assert model.model_config["frozen"]
    assert model.model_config["strict"]


@given(message=messages)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_goes_out_as_json_comes_back_the_same(message: Message) -> None:
    assert type(message).model_validate_json(message.to_json()) == message


@given(message=messages)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_canonical_bytes_come_back_the_same(message: Message) -> None:
    data = canonical.encode_message(message)
    again = canonical.decode_message(type(message), data)
    assert again == message
    assert canonical.encode_message(again) == data


@given(data=st.binary(max_size=80))
def test_any_bytes_are_read_as_canonical_or_refused(data: bytes) -> None:
    try:
        value = canonical.decode(data)
    except canonical.NotCanonicalError:
        return
    assert canonical.encode(value) == data


@given(data=st.binary(max_size=100))
def test_base64url_comes_back_the_same(data: bytes) -> None:
    assert decode_base64url(encode_base64url(data)) == data


@pytest.mark.parametrize("text", ["YQ==", "YR", "a", "+w", "/w", "Y Q", "YQ\n", "é"])
def test_base64url_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        decode_base64url(text)


def test_a_time_without_its_offset_is_refused() -> None:
    with pytest.raises(ValidationError, match="offset"):
        LineEvent.model_validate_json(
            '{"kind":"stopped","municipality":"352012","at":"2026-01-05T10:00:00"}'
        )


def test_a_time_is_held_in_utc() -> None:
    event = LineEvent.model_validate_json(
        '{"kind":"stopped","municipality":"352012","at":"2026-01-05T10:00:00+09:00"}'
    )
    assert b"2026-01-05T01:00:00Z" in event.to_json()


@pytest.mark.parametrize(
    "body",
    ['{"copies":"2"}', '{"copies":2.0}', '{"copies":true}', '{"copies":0}', '{"copies":11}'],
)
def test_a_count_is_a_whole_number_in_its_range(body: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PlaceOrder.model_validate_json(body)
    assert ("copies",) in [error["loc"] for error in caught.value.errors()]


def test_a_problem_names_its_type_and_says_whether_to_repeat() -> None:
    found = json.loads(problem(ProblemCode.UNAVAILABLE, 503, "repeat it", retryable=True).to_json())
    assert found["type"] == "urn:kofu:problem:unavailable"
    assert (found["status"], found["retryable"]) == (503, True)
