"""The validity centre over OCSP (RFC 6960): good, or refused; whatever is unclear is refused."""

import contextlib
import socket
from collections.abc import Iterator
from datetime import datetime
from threading import Timer
from typing import Final
from urllib.parse import urlsplit

import urllib3
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from urllib3.connection import HTTPConnection

from backend.identity.certificates import TrustedCa, TrustedCas, issued_by, load_certificate
from backend.identity.errors import CardRefusedError
from backend.identity.model import CardHolder, CertificateStatus, StatusAnswer, status_refusal
from dedicated_line.clock import Clock, Entropy
from dedicated_line.contract.refusals import Refusal
from dedicated_line.errors import UsageError

DEADLINE_SECONDS: Final = 3.0
"""From the first byte sent to the last one read: after it the validity centre counts as down."""
NONCE_BYTES: Final = 32
"""RFC 9654, section 2.1."""
MAX_ANSWER_BYTES: Final = 16384
_ANSWERED: Final = 200
_MEDIA_TYPE: Final = "application/ocsp-response"
_STRONG: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_STATUSES: Final = {
    ocsp.OCSPCertStatus.GOOD: CertificateStatus.GOOD,
    ocsp.OCSPCertStatus.REVOKED: CertificateStatus.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: CertificateStatus.UNKNOWN,
}


class _UnclearError(ValueError):
    """The validity centre's answer proves nothing; the words are for operators."""


class OcspClient:
    """Asks one validity centre; adapter of `service.ValidityCentre`."""

    def __init__(
        self,
        url: str,
        cas: TrustedCas,
        clock: Clock,
        entropy: Entropy,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        """Ask at an ``http://`` URL; answers are signed, so the transport need not be."""
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise UsageError(f"the OCSP address {url!r} is no http:// URL; correct the settings")
        self._host = parts.hostname
        self._port = parts.port or 80
        self._path = parts.path or "/"
        self._cas = cas
        self._clock = clock
        self._entropy = entropy
        self._deadline = deadline

    def require_good(self, holder: CardHolder, user_certificate: bytes) -> None:
        """Return when the certificate is good now; raise CardRefusedError in every other case."""
        ca = self._cas.by_generation[holder.generation]
        nonce = self._entropy.token(NONCE_BYTES)
        asked = (
            ocsp.OCSPRequestBuilder()
            .add_certificate(load_certificate(user_certificate), ca.certificate, hashes.SHA256())
            .add_extension(x509.OCSPNonce(nonce), critical=False)
            .build()
        )
        try:
            body = self._post(asked.public_bytes(Encoding.DER))
            answer = read_answer(body, asked, ca, self._clock.now())
        except _UnclearError as error:
            raise CardRefusedError(Refusal.CANNOT_CONFIRM, str(error)) from error
        refusal = status_refusal(answer, self._clock.now())
        if refusal is not None:
            raise CardRefusedError(refusal, f"OCSP says {answer.status}")

    def _post(self, body: bytes) -> bytes:
        end = self._clock.monotonic() + self._deadline
        connection = HTTPConnection(self._host, port=self._port, timeout=self._deadline)
        headers = {"Content-Type": "application/ocsp-request", "Connection": "close"}
        try:
            connection.connect()
            with _closed_after(connection.sock, end - self._clock.monotonic()):
                connection.request(
                    "POST",
                    self._path,
                    body=body,
                    headers=headers,
                    preload_content=False,
                    decode_content=False,
                )
                with contextlib.closing(connection.getresponse()) as response:
                    data = response.read(MAX_ANSWER_BYTES + 1)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _UnclearError("the validity centre does not answer in time") from error
        finally:
            connection.close()
        media_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if response.status != _ANSWERED or media_type != _MEDIA_TYPE:
            raise _UnclearError("the validity centre answers, but not in OCSP")
        if len(data) > MAX_ANSWER_BYTES:
            raise _UnclearError("the validity centre's answer is too long")
        return data


@contextlib.contextmanager
def _closed_after(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Cut the connection at the deadline, however slowly the other end goes on sending."""

    def cut() -> None:
        with contextlib.suppress(OSError):  # it has been closed meanwhile
            sock.shutdown(socket.SHUT_RDWR)

    timer = Timer(max(seconds, 0.0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def read_answer(body: bytes, asked: ocsp.OCSPRequest, ca: TrustedCa, now: datetime) -> StatusAnswer:
    """Return what an OCSP response says once it is certainly the CA's, about this very request.

    Raises ValueError in words for operators when anything is unclear.
    """
    try:
        response = ocsp.load_der_ocsp_response(body)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise _UnclearError(f"OCSP refuses to answer: {response.response_status.name}")
        _require_same_question(response, asked)
        _require_signed(response, ca, now)
        answers = list(response.responses)
        return StatusAnswer(
            status=_STATUSES[answers[0].certificate_status],
            this_update=answers[0].this_update_utc,
            next_update=answers[0].next_update_utc,
        )
    except _UnclearError:
        raise
    except (ValueError, TypeError, x509.DuplicateExtension, UnsupportedAlgorithm) as error:
        raise _UnclearError("the OCSP response cannot be read") from error


def _require_same_question(response: ocsp.OCSPResponse, asked: ocsp.OCSPRequest) -> None:
    answers = list(response.responses)
    if len(answers) != 1:
        raise _UnclearError("the OCSP response is about more than one certificate")
    answer = answers[0]
    same = (
        answer.serial_number == asked.serial_number
        and isinstance(answer.hash_algorithm, type(asked.hash_algorithm))
        and answer.issuer_name_hash == asked.issuer_name_hash
        and answer.issuer_key_hash == asked.issuer_key_hash
    )
    if not same:
        raise _UnclearError("the OCSP response is about another certificate")
    try:
        nonce = response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound as error:
        raise _UnclearError("the OCSP response has no nonce") from error
    if nonce != asked.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce:
        raise _UnclearError("the OCSP response answers another request")


def _require_signed(response: ocsp.OCSPResponse, ca: TrustedCa, now: datetime) -> None:
    """Accept the CA itself, or a responder that the CA delegated (RFC 6960, section 4.2.2.2)."""
    if not isinstance(response.signature_hash_algorithm, _STRONG):
        raise _UnclearError("the OCSP response is signed with a weak digest")
    signers = [ca.certificate] + [one for one in response.certificates if _delegated(one, ca, now)]
    if not any(_is_responder(response, one) and _signed_by(response, one) for one in signers):
        raise _UnclearError("the OCSP response is not signed by a responder of this CA")


def _delegated(certificate: x509.Certificate, ca: TrustedCa, now: datetime) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return (
        ExtendedKeyUsageOID.OCSP_SIGNING in usage
        and certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        and issued_by(certificate, ca.certificate)
    )


def _is_responder(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    if response.responder_key_hash is not None:
        identifier = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())
        return identifier.digest == response.responder_key_hash
    return response.responder_name == certificate.subject


def _signed_by(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    key, digest = certificate.public_key(), response.signature_hash_algorithm
    if digest is None:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True
