from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backend.identity.model import (
    USER_AUTHENTICATION_POLICY,
    CertificateStatus,
    StatusAnswer,
    UserCertificateForm,
    dates_refusal,
    environment_refusal,
    form_refusal,
    status_refusal,
)
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.refusals import Refusal

NOON = datetime(2026, 6, 15, 3, 0, tzinfo=UTC)
FORM = UserCertificateForm(
    version_3=True,
    organisation="JPKI-TEST",
    digital_signature_only=True,
    policies=frozenset({USER_AUTHENTICATION_POLICY}),
    is_ca=False,
    unknown_critical=False,
    not_before=NOON - timedelta(days=100),
    not_after=NOON + timedelta(days=100),
)
FRESH = StatusAnswer(
    CertificateStatus.GOOD, NOON - timedelta(minutes=1), NOON + timedelta(minutes=9)
)


def test_an_ordinary_certificate_is_not_refused() -> None:
    assert form_refusal(FORM) is None
    assert dates_refusal(FORM, NOON) is None
    assert environment_refusal(FORM, Environment.SIMULATION) is None


@pytest.mark.parametrize(
    ("environment", "organisation", "refused"),
    [
        (Environment.SIMULATION, "JPKI-TEST", False),
        (Environment.SIMULATION, "JPKI", True),
        (Environment.PRODUCTION, "JPKI", False),
        (Environment.PRODUCTION, "JPKI-TEST", True),
        (Environment.PRODUCTION, None, True),
        (Environment.SIMULATION, "jpki-test", True),
    ],
)
def test_each_environment_refuses_the_others_certificates(
    environment: Environment, organisation: str | None, *, refused: bool
) -> None:
    form = replace(FORM, organisation=organisation)
    expected = Refusal.CERTIFICATE_UNKNOWN if refused else None
    assert environment_refusal(form, environment) is expected


@pytest.mark.parametrize(
    "form",
    [
        replace(FORM, version_3=False),
        replace(FORM, digital_signature_only=False),
        replace(FORM, policies=frozenset()),
        replace(FORM, policies=frozenset({"1.2.392.200149.8.5.1.1.20"})),
        replace(FORM, is_ca=True),
        replace(FORM, unknown_critical=True),
    ],
)
def test_what_is_no_user_authentication_certificate_does_not_confirm_a_card(
    form: UserCertificateForm,
) -> None:
    assert form_refusal(form) is Refusal.CARD_NOT_CONFIRMED


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (FORM.not_after, None),
        (FORM.not_after + timedelta(seconds=1), Refusal.CERTIFICATE_EXPIRED),
        (FORM.not_before, Refusal.REGISTERED_TOMORROW),
        (FORM.not_before - timedelta(days=2), Refusal.CARD_NOT_CONFIRMED),
        # It begins at noon in Tokyo: new until midnight there, which is 15:00 in UTC.
        (FORM.not_before.replace(hour=14, minute=59), Refusal.REGISTERED_TOMORROW),
        (FORM.not_before.replace(hour=15, minute=0), None),
        # Issued later on the same Tokyo day: still "come tomorrow".
        (FORM.not_before - timedelta(hours=3), Refusal.REGISTERED_TOMORROW),
    ],
)
def test_dates_are_judged_by_the_calendar_of_tokyo(now: datetime, expected: Refusal | None) -> None:
    assert dates_refusal(FORM, now) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (FRESH, None),
        (replace(FRESH, status=CertificateStatus.REVOKED), Refusal.CERTIFICATE_REVOKED),
        (replace(FRESH, status=CertificateStatus.UNKNOWN), Refusal.CANNOT_CONFIRM),
        (replace(FRESH, next_update=None), Refusal.CANNOT_CONFIRM),
        (replace(FRESH, next_update=NOON - timedelta(seconds=61)), Refusal.CANNOT_CONFIRM),
        (replace(FRESH, next_update=NOON - timedelta(seconds=60)), None),
        (replace(FRESH, this_update=NOON + timedelta(seconds=61)), Refusal.CANNOT_CONFIRM),
        (
            replace(FRESH, status=CertificateStatus.REVOKED, next_update=NOON - timedelta(days=1)),
            Refusal.CANNOT_CONFIRM,
        ),
    ],
)
def test_only_a_fresh_answer_of_the_validity_centre_decides(
    answer: StatusAnswer, expected: Refusal | None
) -> None:
    assert status_refusal(answer, NOON) is expected
