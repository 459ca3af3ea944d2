"""What can be asked of the issuing server: identify a holder, compose, confirm.

It takes nobody's word: the card's certificate and message, and the order's signature, are
verified here once more, whoever has verified them before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from pydantic import ValidationError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from backend.database import transaction
from backend.issuer.kinds import residence_certificate
from backend.issuer.kinds.model import (
    Reason,
    Refused,
    household_refusal,
    public,
    standing_reason,
)
from backend.issuer.kinds.residence_certificate import Attestation
from backend.issuer.register.model import Resident
from backend.issuer.register.service import Found, find_holder
from backend.issuer.register.store import Hosted, find_municipality, read_household
from backend.issuer.register.vault import Vault
from backend.issuer.sealing.errors import (
    IssueRefusedError,
    OrderForgedError,
    OrderGoneError,
    OrderReusedError,
    OrderUnknownError,
    OrderUnreadableError,
)
from backend.issuer.sealing.handles import member_handle, members_of, order_digest
from backend.issuer.sealing.pages import Seals, SigningKey, seal_copy
from backend.issuer.sealing.store import (
    Composition,
    find_composition,
    find_refusal,
    forget_ciphertexts,
    save_composition,
    save_refusal,
)
from dedicated_line.clock import TOKYO, Clock, Entropy
from dedicated_line.contract import CONTRACT_VERSION, canonical, cose, sealed_box
from dedicated_line.contract.envelope import SALT_BYTES, Content, EnvelopeHeader, IssuedCopy
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.issuing import (
    CardWord,
    Compose,
    Composed,
    Confirm,
    Confirmed,
    HolderIdentified,
    IdentifyHolder,
)
from dedicated_line.contract.key_list import KeyUse
from dedicated_line.contract.keys import (
    BadSignatureError,
    Purpose,
    decode_public_key,
    verify_body,
)
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.orders import PlaceOrder
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.residence import ResidenceCertificate
from dedicated_line.contract.sealed_box import Sealed
from dedicated_line.contract.sessions import Member, PersonalPart

ATTEMPTS: Final = 2
"""Of one composition: another request with the same order may have been first."""


class Holder(Protocol):
    """What identity says of a card's holder."""

    @property
    def generation(self) -> str:
        """Return the CA generation."""
        ...

    @property
    def serial(self) -> int:
        """Return the user certificate's serial number."""
        ...

    @property
    def fingerprint(self) -> str:
        """Return SHA-256 of the user certificate's DER."""
        ...


class SigningKeys(Protocol):
    """The private keys of the municipalities hosted here."""

    def current(self, municipality: str, use: KeyUse, at: datetime) -> SigningKey | None:
        """Return the key that the published list trusts at that instant, None without one."""
        ...


class Paper(Protocol):
    """What the issuing server has to know of pages."""

    def layout(self, kind: Kind) -> str:
        """Return the digest of the approved layout."""
        ...

    def can_draw(self, document: ResidenceCertificate, copy: IssuedCopy) -> bool:
        """Tell whether every character has a glyph and every text its room."""
        ...


@dataclass(frozen=True)
class Issuer:
    """All that the issuing server works with."""

    engine: Engine
    vault: Vault
    verify: Callable[[CardWord, datetime], Holder]
    """Raises CardRefusedError."""
    keys: SigningKeys
    paper: Paper
    handle_secret: bytes
    environment: Environment
    clock: Clock
    entropy: Entropy
    keep: timedelta
    """How long a ciphertext is kept after sealing."""


def _hosted(connection: Connection, issuer: Issuer, code: str) -> Hosted:
    hosted = find_municipality(connection, issuer.vault, code)
    if hosted is None:
        raise IssueRefusedError(public(Reason.NOT_HOSTED))
    return hosted


def identify(issuer: Issuer, request: IdentifyHolder) -> HolderIdentified:
    """Return who belongs to the holder's household, readable for this session only.

    Raises:
        CardRefusedError: the card's word does not hold.
        IssueRefusedError: the register is stale, or has nobody for this card.
    """
    now = issuer.clock.now()
    word = request.card
    holder = issuer.verify(word, now)
    with transaction(issuer.engine) as connection:
        hosted = _hosted(connection, issuer, word.municipality)
        found = _find(connection, hosted, holder, now)
        if isinstance(found, Refused):
            save_refusal(connection, hosted.key, found, now)
    if isinstance(found, Refused):
        raise IssueRefusedError.because(found)
    others = [member for member in found.household.members if member != found.holder]
    part = PersonalPart(
        members=tuple(
            Member(
                handle=member_handle(issuer.handle_secret, word.session, member),
                name=member.full_name,
                holder=member is found.holder,
            )
            for member in (found.holder, *others)
        )
    )
    key = decode_public_key(word.holder.receiving_key)
    box = sealed_box.seal(key, Sealed.PERSONAL, word.session, part.to_json())
    return HolderIdentified(personal=box)


def _find(connection: Connection, hosted: Hosted, holder: Holder, now: datetime) -> Found | Refused:
    if not hosted.municipality.is_fresh(now):
        return Refused(Reason.STALE)
    found = find_holder(connection, hosted, holder.generation, holder.serial)
    return found or Refused(Reason.NOT_IN_REGISTER)


@dataclass(frozen=True)
class _Order:
    """An order whose card, signature and session hold."""

    id: str
    card: CardWord
    body: PlaceOrder
    body_digest: str
    holder: Holder
    at: datetime


def _verified(issuer: Issuer, request: Compose) -> _Order:
    now = issuer.clock.now()
    card = request.card
    holder = issuer.verify(card, now)
    try:
        key = decode_public_key(card.holder.signing_key)
        verify_body(key, Purpose.ORDER, request.order_body, request.order_signature)
    except BadSignatureError as error:
        raise OrderForgedError("the order is not signed by the session's key") from error
    try:
        body = PlaceOrder.model_validate_json(request.order_body)
    except ValidationError:
        raise OrderUnreadableError("the order's body is not a PlaceOrder") from None
    if body.session != card.session:
        raise OrderForgedError("the order is of another session than the card's word")
    digest = order_digest(
        issuer.handle_secret,
        card.municipality.encode(),
        card.kiosk.encode(),
        holder.fingerprint.encode(),
        request.order_body,
    )
    return _Order(request.order, card, body, digest, holder, now)


def compose(issuer: Issuer, request: Compose) -> Composed:
    """Compose, number, sign and seal a certificate; the same order gives the same answer.

    Raises:
        CardRefusedError: the card's word does not hold.
        OrderForgedError, OrderUnreadableError: signature, session, handles or bytes are wrong.
        OrderReusedError: the order came before with another body.
        OrderGoneError: it was sealed before, and its ciphertext is deleted.
        IssueRefusedError: a rule said no.
        TamperedError: the register is not what was stored.
    """
    order = _verified(issuer, request)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction(issuer.engine) as connection:
                answer = _repeated(connection, order) or _composed(connection, issuer, order)
            break
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
    if isinstance(answer, Refusal):
        raise IssueRefusedError(answer)
    return answer


def _repeated(connection: Connection, order: _Order) -> Composed | Refusal | None:
    refused = find_refusal(connection, order.id)
    composition = find_composition(connection, order.id)
    before = refused or composition
    if before is None:
        return None
    if before.body_digest != order.body_digest:
        raise OrderReusedError("this order came before with another body; use a new order id")
    if refused is not None:
        return refused.refusal
    if composition is None or composition.ciphertext is None:
        raise OrderGoneError("this order's ciphertext is deleted; place a new order")
    return Composed(order=order.id, header=composition.header, ciphertext=composition.ciphertext)


def _composed(connection: Connection, issuer: Issuer, order: _Order) -> Composed | Refusal:
    hosted = _hosted(connection, issuer, order.card.municipality)
    forget_ciphertexts(connection, issuer.clock.real_now())
    result = _decide(connection, issuer, hosted, order)
    if isinstance(result, Composed):
        return result
    refusal = public(result.reason)
    final = None if refusal is Refusal.UNAVAILABLE else (order.id, order.body_digest)
    save_refusal(connection, hosted.key, result, order.at, final)
    return refusal


def _decide(
    connection: Connection, issuer: Issuer, hosted: Hosted, order: _Order
) -> Composed | Refused:
    found = _find(connection, hosted, order.holder, order.at)
    if isinstance(found, Refused):
        return found
    household = found.household
    persons = members_of(issuer.handle_secret, order.body.session, household, order.body.members)
    if persons is None:
        raise OrderForgedError("a member handle is not of this session")
    if order.body.layout != issuer.paper.layout(order.body.kind):
        return Refused(Reason.LAYOUT)
    today = order.at.astimezone(TOKYO).date()
    asked_for = frozenset(person.id for person in persons)
    refused = household_refusal(household, found.holder, asked_for, today)
    if refused is not None:
        return refused
    envelope = issuer.keys.current(hosted.municipality.code, KeyUse.ENVELOPE, order.at)
    seal = issuer.keys.current(hosted.municipality.code, KeyUse.SEAL, order.at)
    if envelope is None or seal is None:
        return Refused(Reason.NO_SIGNING_KEY)
    specimen = issuer.environment is Environment.SIMULATION
    document = residence_certificate.compose(
        household,
        persons,
        order.body.options,
        Attestation(hosted.municipality, today, order.body.layout, specimen),
    )
    seals = Seals(hosted.municipality.code, today, specimen, seal)
    copies = tuple(seal_copy(document, seals, issuer.entropy) for _ in range(order.body.copies))
    if not issuer.paper.can_draw(document, copies[0]):
        return Refused(Reason.NOT_PRINTABLE)
    content = Content(salt=issuer.entropy.token(SALT_BYTES), document=document, copies=copies)
    return _seal(connection, issuer, hosted, order, found, persons, content, envelope)


def _seal(
    connection: Connection,
    issuer: Issuer,
    hosted: Hosted,
    order: _Order,
    found: Found,
    persons: tuple[Resident, ...],
    content: Content,
    key: SigningKey,
) -> Composed:
    plain = canonical.encode_message(content)
    numbers = tuple(copy.number for copy in content.copies)
    header = EnvelopeHeader(
        contract=CONTRACT_VERSION,
        municipality=hosted.municipality.code,
        order=order.id,
        session=order.body.session,
        kiosk=order.card.kiosk,
        kind=order.body.kind,
        options=order.body.options,
        members=len(persons),
        copies=order.body.copies,
        sheets=len(content.document.sheets),
        layout=order.body.layout,
        holder=order.holder.fingerprint,
        issues=numbers,
        record_version=found.household.version,
        register_as_of=hosted.municipality.register_as_of,
        sealed_at=order.at,
        attested_on=order.at.astimezone(TOKYO).date(),
        content=canonical.digest(plain),
    )
    composed = Composed(
        order=order.id,
        header=cose.sign(key.key, key.key_id, Purpose.ENVELOPE, canonical.encode_message(header)),
        ciphertext=sealed_box.seal(
            decode_public_key(order.card.holder.receiving_key),
            Sealed.CONTENT,
            order.body.session,
            plain,
        ),
    )
    save_composition(
        connection,
        Composition(
            order=order.id,
            municipality=hosted.municipality.code,
            body_digest=order.body_digest,
            household=found.household.id,
            household_version=found.household.version,
            persons=tuple(person.id for person in persons),
            header=composed.header,
            ciphertext=composed.ciphertext,
            sealed_at=order.at,
            kept_until=issuer.clock.real_now() + issuer.keep,
        ),
        numbers,
    )
    return composed


def confirm(issuer: Issuer, request: Confirm) -> Confirmed:
    """Tell whether everything about an order's paper is still as at sealing.

    Raises:
        OrderUnknownError: nothing was sealed for this order and municipality.
        TamperedError: the register is not what was stored.
    """
    now = issuer.clock.now()
    with transaction(issuer.engine) as connection:
        composition = find_composition(connection, request.order)
        if composition is None or composition.municipality != request.municipality:
            raise OrderUnknownError("no order of this id was sealed here")
        hosted = _hosted(connection, issuer, request.municipality)
        household = read_household(connection, hosted.key, composition.household)
    if household is None:
        return Confirmed(unchanged=False, record_version=0)
    persons = [household.member(person) for person in composition.persons]
    unchanged = (
        household.version == composition.household_version
        and household.complete
        and hosted.municipality.is_fresh(now)
        and all(person and standing_reason(person) is None for person in persons)
    )
    return Confirmed(unchanged=unchanged, record_version=household.version)
