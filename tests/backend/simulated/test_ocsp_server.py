import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from flask.testing import FlaskClient

from backend.simulated.ocsp_server import create_app
from dedicated_line.clock import FixedClock


@pytest.fixture
def http(jpki_world: Any, tmp_path: Path) -> FlaskClient:
    return create_app(jpki_world.centre, FixedClock(jpki_world.now), tmp_path).test_client()


def request_for(
    world: Any, made: Any, *, nonce: bytes | None = None, digest: hashes.HashAlgorithm | None = None
) -> bytes:
    certificate = x509.load_der_x509_certificate(made.card.user_certificate)
    issuer = world.centre.authorities[made.generation].certificate
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate,
        issuer,
        digest or hashes.SHA256(),  # type: ignore[arg-type] - one of those allowed
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def posted(http: FlaskClient, body: bytes) -> ocsp.OCSPResponse:
    answer = http.post("/ocsp", data=body)
    assert answer.status_code == 200
    assert answer.mimetype == "application/ocsp-response"
    return ocsp.load_der_ocsp_response(answer.data)


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256()], ids=lambda one: one.name)  # noqa: S303 - RFC 5019 clients still ask so
def test_a_good_certificate_is_good_whichever_digest_names_its_ca(
    jpki_world: Any, http: FlaskClient, digest: hashes.HashAlgorithm
) -> None:
    response = posted(http, request_for(jpki_world, jpki_world.card(), digest=digest))
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.this_update_utc == jpki_world.now


def test_the_same_is_said_to_get(jpki_world: Any, http: FlaskClient) -> None:
    text = base64.b64encode(request_for(jpki_world, jpki_world.card())).decode()
    answer = http.get("/ocsp/" + text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"))
    response = ocsp.load_der_ocsp_response(answer.data)
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD


def test_the_nonce_comes_back(jpki_world: Any, http: FlaskClient) -> None:
    response = posted(http, request_for(jpki_world, jpki_world.card(), nonce=b"n" * 32))
    nonce = response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    assert nonce == b"n" * 32


def test_a_revocation_has_its_reason(jpki_world: Any, http: FlaskClient) -> None:
    made = jpki_world.new_card("server-held")
    jpki_world.centre.hold(made.serial)
    response = posted(http, request_for(jpki_world, made))
    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_reason is x509.ReasonFlags.certificate_hold


def test_a_serial_that_was_never_issued_is_unknown(jpki_world: Any, http: FlaskClient) -> None:
    asked = ocsp.load_der_ocsp_request(request_for(jpki_world, jpki_world.card()))
    body = (
        ocsp.OCSPRequestBuilder()
        .add_certificate_by_hash(
            asked.issuer_name_hash, asked.issuer_key_hash, 12345, hashes.SHA256()
        )
        .build()
        .public_bytes(Encoding.DER)
    )
    assert posted(http, body).certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_a_ca_of_somebody_else_is_not_answered_for(jpki_world: Any, http: FlaskClient) -> None:
    certificate = x509.load_der_x509_certificate(jpki_world.card().card.user_certificate)
    body = (
        ocsp.OCSPRequestBuilder()
        .add_certificate(certificate, certificate, hashes.SHA256())
        .build()
        .public_bytes(Encoding.DER)
    )
    assert posted(http, body).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


@pytest.mark.parametrize("body", [b"", b"\x30", b"rubbish" * 100])
def test_rubbish_is_called_malformed(http: FlaskClient, body: bytes) -> None:
    assert posted(http, body).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_nonce_without_measure_is_malformed(jpki_world: Any, http: FlaskClient) -> None:
    response = posted(http, request_for(jpki_world, jpki_world.card(), nonce=b"n" * 300))
    assert response.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_get_that_is_no_base64_is_malformed(http: FlaskClient) -> None:
    response = ocsp.load_der_ocsp_response(http.get("/ocsp/%%%").data)
    assert response.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_body_without_end_is_refused(http: FlaskClient) -> None:
    assert http.post("/ocsp", data=b"x" * 100_000).status_code == 413


def test_each_generation_has_its_crl(jpki_world: Any, http: FlaskClient) -> None:
    for generation, authority in jpki_world.centre.authorities.items():
        answer = http.get(f"/crl/{generation}")
        assert answer.mimetype == "application/pkix-crl"
        crl = x509.load_der_x509_crl(answer.data)
        assert crl.issuer == authority.certificate.subject
    assert http.get("/crl/g1999").status_code == 404
