"""One address of a small django-ca site: a CSR comes in, a signed and stored certificate goes out.

Run in the peer's own environment, never in ours.
"""

from typing import Any

from cryptography import x509
from django.http import HttpResponse  # type: ignore[import-not-found]
from django.urls import include, path  # type: ignore[import-not-found]
from django_ca.key_backends.storages.models import (  # type: ignore[import-not-found]
    StoragesUsePrivateKeyOptions,
)
from django_ca.models import Certificate, CertificateAuthority  # type: ignore[import-not-found]


def sign(request: Any) -> Any:
    """Sign and store a certificate for the CSR (PEM) in the body."""
    authority = CertificateAuthority.objects.get(name="bench")
    options = StoragesUsePrivateKeyOptions(password=None)
    csr = x509.load_pem_x509_csr(request.body)
    certificate = Certificate.objects.create_cert(authority, options, csr, subject=csr.subject)
    return HttpResponse(certificate.pub.pem, content_type="application/pem-certificate-chain")


urlpatterns = [path("sign", sign), path("django_ca/", include("django_ca.urls"))]
