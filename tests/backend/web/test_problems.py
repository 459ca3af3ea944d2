"""Every error is a problem; an unexpected one is an incident, and says nothing else."""

from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from backend.database import DatabaseDownError
from backend.web.problems import handle_errors, parse
from dedicated_line.contract.orders import Release
from dedicated_line.errors import INCIDENT_LOG


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    app = Flask("test")
    handle_errors(app, part="test", log_folder=tmp_path, max_body_bytes=100)

    @app.post("/body")
    def _body() -> str:
        parse(Release, request.get_data())
        return "read"

    @app.get("/fault")
    def _fault() -> str:
        raise RuntimeError("見本太郎 1970-04-01")

    @app.get("/database")
    def _database() -> str:
        raise DatabaseDownError("the database does not answer")

    return app.test_client()


def test_an_unexpected_error_is_an_incident_that_names_nobody(
    client: FlaskClient, tmp_path: Path
) -> None:
    answer = client.get("/fault")
    found = answer.get_json()
    assert (answer.status_code, found["code"]) == (500, "internal")
    assert answer.mimetype == "application/problem+json"
    log = (tmp_path / INCIDENT_LOG).read_text("utf-8")
    assert found["incident"] in log
    assert "見本太郎" not in log.replace('raise RuntimeError("見本太郎 1970-04-01")', "")
    assert "見本太郎" not in answer.get_data(as_text=True)


def test_a_database_that_is_down_may_be_tried_again(client: FlaskClient) -> None:
    found = client.get("/database").get_json()
    assert (found["status"], found["code"], found["retryable"]) == (503, "unavailable", True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"order": "x", "money": {"amount": 1}}',
        b'{"order": "00000000000000000000000000000000", "money": {"amount": "1"}}',
        b'{"order": "00000000000000000000000000000000", "money": {"amount": -1}}',
        b'{"order": "00000000000000000000000000000000"}',
    ],
)
def test_what_is_not_the_message_is_malformed(client: FlaskClient, body: bytes) -> None:
    found = client.post("/body", data=body).get_json()
    assert (found["status"], found["code"]) == (400, "malformed")


def test_a_made_up_field_is_not_sent_back(client: FlaskClient) -> None:
    found = client.post("/body", data=b'{"MADE_UP": 1}').get_json()
    assert "MADE_UP" not in found["detail"]


def test_a_long_body_is_not_read(client: FlaskClient) -> None:
    found = client.post("/body", data=b" " * 101).get_json()
    assert (found["status"], found["code"]) == (413, "too-large")
