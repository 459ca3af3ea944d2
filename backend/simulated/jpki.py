"""The simulated national JPKI centre: personalises cards, revokes, and knows what is good."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from backend.simulated.authorities import (
    SIGNATURE,
    USER_CAS,
    Authority,
    PrivateKey,
    establish,
    new_rsa_key,
)
from backend.simulated.card_certificates import signature_certificate, user_certificate
from backend.simulated.status_list import Issued, Status, StatusList
from dedicated_line.clock import Clock, Entropy
from dedicated_line.contract.sessions import CardAlgorithm
from dedicated_line.contract.simulated_card import (
    PIN_TRIES,
    SIGNATURE_PASSWORD_TRIES,
    SimulatedCardFile,
)
from dedicated_line.errors import KofuError, UsageError

MY_NUMBER_CARD_LABEL: Final = "JPKIAPICCTOKEN2"
SIGNATURE_PASSWORD: Final = "KOFU2026"  # noqa: S105 - of simulated cards; printed in the docs
SERIAL_BYTES: Final = 16
CRL_TERM: Final = timedelta(days=1)


class Reason(StrEnum):
    """Why a certificate is revoked (RFC 5280, section 5.3.1)."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION = "cessationOfOperation"


HOLD: Final = "certificateHold"


@dataclass(frozen=True)
class CardOrder:
    """What a card is to be."""

    persona: str
    generation: str
    pin: str
    not_before: datetime
    not_after: datetime
    label: str = MY_NUMBER_CARD_LABEL
    tries: int = PIN_TRIES
    algorithm: CardAlgorithm = CardAlgorithm.RS256


class Personalised(NamedTuple):
    """A card, and by what the world knows its holder."""

    card: SimulatedCardFile
    generation: str
    serial: int


def _key_of(algorithm: CardAlgorithm) -> PrivateKey:
    if algorithm is CardAlgorithm.ES384:
        return ec.generate_private_key(ec.SECP384R1())
    return new_rsa_key()


def _der(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


class JpkiCentre:
    """One centre with all its CA generations; its files are its own."""

    def __init__(
        self, folder: Path, authorities: Mapping[str, Authority], clock: Clock, entropy: Entropy
    ) -> None:
        """Take authorities as `establish` returned them."""
        self.authorities = authorities
        self._list = StatusList(folder / "certificates.db")
        self._clock = clock
        self._entropy = entropy

    @classmethod
    def init(cls, folder: Path, trust_folder: Path, clock: Clock, entropy: Entropy) -> Self:
        """Open the centre in a folder, making whatever is missing; publish the trusted CAs."""
        try:
            authorities = establish(folder, trust_folder, clock.now(), _serials(entropy))
        except OSError as error:
            raise KofuError(
                f"the simulated JPKI centre cannot write {error.filename or folder} "
                f"({error.strerror}); set KOFU_VAR to a folder that can be written"
            ) from error
        return cls(folder, authorities, clock, entropy)

    def close(self) -> None:
        """Close its files."""
        self._list.close()

    def personalise(
        self,
        persona: str,
        *,
        generation: str,
        pin: str,
        not_before: datetime,
        not_after: datetime,
        label: str = MY_NUMBER_CARD_LABEL,
        tries: int = PIN_TRIES,
        algorithm: CardAlgorithm = CardAlgorithm.RS256,
    ) -> Personalised:
        """Make one card; its holder's former certificates are superseded."""
        order = CardOrder(persona, generation, pin, not_before, not_after, label, tries, algorithm)
        return self.personalise_all([order])[0]

    def personalise_all(self, orders: Sequence[CardOrder]) -> list[Personalised]:
        """Make many cards at once: RSA keys on all cores (about 70 ms a card on two)."""
        for order in orders:
            if order.generation not in USER_CAS:
                raise UsageError(
                    f"there is no CA generation {order.generation!r}; "
                    f"take one of {', '.join(USER_CAS)}"
                )
        # OpenSSL lets go of the interpreter while it looks for primes: threads use all cores.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            user_keys = pool.map(_key_of, [order.algorithm for order in orders])
            signature_keys = pool.map(_key_of, [CardAlgorithm.RS256 for _ in orders])
            keys = list(zip(user_keys, signature_keys, strict=True))
        made = [
            self._make(order, *pair, _serials(self._entropy))
            for order, pair in zip(orders, keys, strict=True)
        ]
        former = [one.serial for order in orders for one in self._list.of_persona(order.persona)]
        self._list.change(former, Status.REVOKED, Reason.SUPERSEDED.value, self._clock.now())
        self._list.add(issued for _, pair in made for issued in pair)
        return [personalised for personalised, _ in made]

    def _make(
        self, order: CardOrder, user_key: PrivateKey, sign_key: PrivateKey, serials: Iterator[int]
    ) -> tuple[Personalised, tuple[Issued, Issued]]:
        ca, signature_ca = self.authorities[order.generation], self.authorities[SIGNATURE]
        serial, signature_serial = next(serials), next(serials)
        term = (order.not_before, order.not_after)
        opaque = hashlib.sha256(self._entropy.token(SERIAL_BYTES)).hexdigest()[:26].upper()
        user = user_certificate(ca, user_key.public_key(), serial, opaque, term)
        signature = signature_certificate(
            signature_ca, sign_key.public_key(), signature_serial, order.persona, term
        )
        card = SimulatedCardFile(
            persona=order.persona,
            label=order.label,
            algorithm=order.algorithm,
            pin=order.pin,
            tries=order.tries,
            user_certificate=user.public_bytes(Encoding.DER),
            user_key=_der(user_key),
            user_ca=ca.certificate.public_bytes(Encoding.DER),
            signature_certificate=signature.public_bytes(Encoding.DER),
            signature_key=_der(sign_key),
            signature_ca=signature_ca.certificate.public_bytes(Encoding.DER),
            signature_password=SIGNATURE_PASSWORD,
            signature_tries=SIGNATURE_PASSWORD_TRIES,
        )
        issued = (
            Issued(serial, order.generation, order.persona, *term),
            Issued(signature_serial, SIGNATURE, order.persona, *term),
        )
        return Personalised(card, order.generation, serial), issued

    def revoke(self, serial: int, reason: Reason = Reason.UNSPECIFIED) -> Issued:
        """Revoke a certificate for ever; once revoked, it stays as it was."""
        return self._change(serial, Status.REVOKED, reason.value)

    def hold(self, serial: int) -> Issued:
        """Put a certificate on hold (a lost card, reported by telephone)."""
        return self._change(serial, Status.HELD, HOLD)

    def _change(self, serial: int, status: Status, reason: str) -> Issued:
        self._list.change([serial], status, reason, self._clock.now())
        found = self._list.find(serial)
        if found is None:
            raise UsageError(
                f"there is no certificate {serial:x}; see kofu-backend jpki show for those there"
            )
        return found

    def find(self, serial: int) -> Issued | None:
        """Return what is known of a certificate."""
        return self._list.find(serial)

    def of_persona(self, persona: str) -> tuple[Issued, ...]:
        """Return the certificates of a persona, oldest first."""
        return self._list.of_persona(persona)

    def all(self) -> tuple[Issued, ...]:
        """Return every certificate, oldest first."""
        return self._list.all()

    def crl(self, generation: str) -> bytes:
        """Return a generation's CRL of now (DER)."""
        ca, now = self.authorities[generation], self._clock.now()
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(ca.certificate.subject)
            .last_update(now)
            .next_update(now + CRL_TERM)
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        )
        for one in self._list.not_good(generation):
            entry = (
                x509.RevokedCertificateBuilder()
                .serial_number(one.serial)
                .revocation_date(one.changed_at or now)
            )
            if one.reason not in {None, Reason.UNSPECIFIED.value}:
                reason = x509.CRLReason(x509.ReasonFlags(one.reason))
                entry = entry.add_extension(reason, critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(ca.key, ca.digest).public_bytes(Encoding.DER)


def _serials(entropy: Entropy) -> Iterator[int]:
    while True:
        # The highest bit clear and the next one set: positive, and always 16 bytes long.
        yield int.from_bytes(entropy.token(SERIAL_BYTES), "big") % (1 << 126) | (1 << 126)
