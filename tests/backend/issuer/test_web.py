from typing import Any

import pytest

from backend.issuer.web.app import Listener, make_app

PATHS = ["/v1/holders", "/v1/compositions", "/v1/confirmations"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b'{"order": 1}', b'{"unheard_of": true}']
)
def test_what_is_no_request_is_malformed(town: Any, path: str, body: bytes) -> None:
    answer = town.client.post(path, data=body)
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("path", PATHS)
def test_a_body_over_256_kib_is_too_large(town: Any, path: str) -> None:
    answer = town.client.post(path, data=b" " * (256 * 1024 + 1))
    assert (answer.status_code, answer.json["code"]) == (413, "too-large")


def test_there_is_nothing_else(town: Any) -> None:
    assert town.client.get("/v1/residents").json["code"] == "not-found"
    assert town.client.get("/v1/holders").json["code"] == "malformed"


def test_an_order_body_that_is_no_order_is_malformed(town: Any, records: Any) -> None:
    from dedicated_line.contract.keys import Purpose, sign_body

    town.settle(records.family())
    data = b'{"session": "x"}'
    signature = sign_body(town.world.signing_key, Purpose.ORDER, data)
    order = town.order().model_copy(update={"order_body": data, "order_signature": signature})
    answer = town.ask(order)
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")


def test_an_unexpected_error_is_an_incident_without_its_message(town: Any, records: Any) -> None:
    town.settle(records.family())
    order = town.order()
    town.change("UPDATE municipality SET data_key = x'00'")
    answer = town.ask(order)
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert answer.json["incident"] in (town.log / "incidents.log").read_text()
    assert "352012" not in answer.text


def test_liveness_and_readiness_are_told_apart(town: Any) -> None:
    assert town.client.get("/livez").status_code == 200
    assert town.client.get("/readyz").status_code == 200
    app = make_app(Listener(town.issuer, town.pace, town.log, lambda: "key list"))
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready: key list\n")
    assert app.test_client().get("/livez").status_code == 200
