"""OCSP (RFC 6960) and CRLs (RFC 5280) of the simulated national centre, over HTTP."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from backend.simulated.authorities import USER_CAS, Authority
from backend.simulated.jpki import JpkiCentre
from backend.simulated.status_list import Issued, Status
from dedicated_line.clock import Clock
from dedicated_line.errors import record_incident

MAX_REQUEST_BYTES: Final = 4096
MAX_NONCE_BYTES: Final = 128
"""RFC 9654, section 2.1."""
ANSWER_TERM: Final = timedelta(minutes=10)
_STATUSES: Final = {
    Status.GOOD: ocsp.OCSPCertStatus.GOOD,
    Status.HELD: ocsp.OCSPCertStatus.REVOKED,
    Status.REVOKED: ocsp.OCSPCertStatus.REVOKED,
}


def _answer(data: bytes, kind: str) -> Response:
    response = Response(data, mimetype=f"application/{kind}")
    response.headers["Cache-Control"] = "no-store"
    return response


def _unsuccessful(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


class Responder:
    """Answers one OCSP request at a time."""

    def __init__(self, centre: JpkiCentre, clock: Clock) -> None:
        """Answer from the centre's own list, by domain time."""
        self._centre = centre
        self._clock = clock
        self._by_name: Mapping[str, Authority] = {
            generation: centre.authorities[generation] for generation in USER_CAS
        }

    def answer(self, der: bytes) -> bytes:
        """Return the DER of the response to a request, whatever it is."""
        try:
            asked = ocsp.load_der_ocsp_request(der)
            algorithm = asked.hash_algorithm
            nonce = _nonce_of(asked)
        except (ValueError, NotImplementedError, UnsupportedAlgorithm, x509.DuplicateExtension):
            return _unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        ca = self._ca_of(asked, algorithm)
        if ca is None or ca.responder_certificate is None or ca.responder_key is None:
            return _unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        issued = self._centre.find(asked.serial_number)
        if issued is not None and issued.generation != ca.generation:
            issued = None
        now = self._clock.now()
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                asked.issuer_name_hash,
                asked.issuer_key_hash,
                asked.serial_number,
                algorithm,
                ocsp.OCSPCertStatus.UNKNOWN if issued is None else _STATUSES[issued.status],
                now,
                now + ANSWER_TERM,
                *_revocation(issued),
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, ca.responder_certificate)
            .certificates([ca.responder_certificate])
        )
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        return builder.sign(ca.responder_key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _ca_of(self, asked: ocsp.OCSPRequest, algorithm: hashes.HashAlgorithm) -> Authority | None:
        for ca in self._by_name.values():
            # The library computes the two hashes for a request about any certificate of this CA.
            likeness = (
                ocsp.OCSPRequestBuilder()
                .add_certificate(ca.certificate, ca.certificate, algorithm)
                .build()
            )
            if (likeness.issuer_name_hash, likeness.issuer_key_hash) == (
                asked.issuer_name_hash,
                asked.issuer_key_hash,
            ):
                return ca
        return None


def _nonce_of(asked: ocsp.OCSPRequest) -> bytes | None:
    try:
        nonce = asked.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None
    if not 1 <= len(nonce) <= MAX_NONCE_BYTES:
        raise ValueError("a nonce of no size")
    return nonce


def _revocation(issued: Issued | None) -> tuple[datetime | None, x509.ReasonFlags | None]:
    if issued is None or issued.status is Status.GOOD:
        return None, None
    return issued.changed_at, x509.ReasonFlags(issued.reason)


def create_app(centre: JpkiCentre, clock: Clock, log_folder: Path) -> Flask:
    """Return the centre's web application: ``/ocsp`` (POST, GET) and ``/crl/<generation>``."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    responder = Responder(centre, clock)

    @app.post("/ocsp")
    def post() -> Response:
        return _answer(responder.answer(request.get_data()), "ocsp-response")

    @app.get("/ocsp/<path:text>")
    def get(text: str) -> Response:
        try:
            der = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            malformed = _unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
            return _answer(malformed, "ocsp-response")
        return _answer(responder.answer(der), "ocsp-response")

    @app.get("/crl/<generation>")
    def crl(generation: str) -> Response:
        if generation not in centre.authorities:
            abort(404)
        return _answer(centre.crl(generation), "pkix-crl")

    @app.errorhandler(Exception)
    def incident(error: Exception) -> Response | HTTPException:
        if isinstance(error, HTTPException):
            return error
        record_incident(log_folder, "jpki-centre")
        return _answer(_unsuccessful(ocsp.OCSPResponseStatus.INTERNAL_ERROR), "ocsp-response")

    return app
