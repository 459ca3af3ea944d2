"""Requests 1 and 2: open a session, and hear the card's word. They own their transactions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Engine

from backend.database import reading, transaction
from backend.identity.errors import CardRefusedError, ChallengeUsedError
from backend.identity.model import CardHolder
from backend.identity.service import TrustedCas, ValidityCentre, verify_card_word
from backend.identity.sessions import Claim, OpenedSession, StoredHolder, StoredSession
from backend.identity.store import Access, record_access
from backend.network.service import which_municipality
from backend.orders.desk import Asker
from backend.orders.errors import IssuerRefusedError, IssuerUnavailableError
from backend.orders.turned_away import Nobody, TurnedAway, Visitors
from backend.participation.model import Offer
from backend.participation.service import municipality_name, offers
from dedicated_line.clock import Clock
from dedicated_line.contract import CONTRACT_VERSION, canonical
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.issuing import CardWord, HolderIdentified, IdentifyHolder
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import (
    HolderAccepted,
    KindOffer,
    OpenSession,
    PresentHolder,
    SessionOpened,
)
from dedicated_line.errors import KofuError

VERSIONS: Final = frozenset({CONTRACT_VERSION, max(CONTRACT_VERSION - 1, 1)})
"""This version of the contract and the one before it."""
_NOT_KNOWN_YET: Final = "000000"
"""Stands for the municipality while the card's word is verified, which does not speak of it."""


class VersionError(KofuError):
    """The kiosk speaks a version of the contract that this centre does not."""


class UnknownSessionError(KofuError):
    """No live session of this kiosk has this id, or its challenge came too late."""


class HolderRefusedError(KofuError):
    """The holder is not served now; `refusal` is what they may be told."""

    def __init__(self, refusal: Refusal, name: str | None = None) -> None:
        """Take the refusal, and the municipality's name where it is known and may be said."""
        super().__init__(f"the holder is not served now: {refusal.value}")
        self.refusal = refusal
        self.municipality_name = name


class Sessions(Protocol):
    """Where sessions are kept; `backend.identity.sessions.SessionStore` keeps them in Redis."""

    def open(
        self, kiosk: str, layouts: Mapping[Kind, str], outdated: tuple[Kind, ...]
    ) -> OpenedSession:
        """Open a session for a kiosk."""
        ...

    def find(self, session: str, kiosk: str) -> StoredSession | None:
        """Return a live session of this kiosk."""
        ...

    def claim_challenge(self, session: str, body_digest: str) -> Claim:
        """Let one body answer the challenge."""
        ...

    def keep_holder(self, session: str, holder: StoredHolder) -> StoredHolder | None:
        """Keep the holder; return the one that stands."""
        ...

    def ping(self) -> None:
        """Return when sessions can be kept."""
        ...


class Identifier(Protocol):
    """The issuing server, as far as request 2 needs it."""

    def identify(self, question: IdentifyHolder) -> HolderIdentified:
        """Return the personal part; IssuerRefusedError or IssuerUnavailableError."""
        ...


@dataclass(frozen=True)
class Reception:
    """What requests 1 and 2 work with."""

    engine: Engine
    sessions: Sessions
    cas: TrustedCas
    validity: ValidityCentre
    issuer: Identifier
    environment: Environment
    centre: str
    clock: Clock
    layouts: Mapping[Kind, str]
    """The approved list: digest of each kind's layout in this release."""
    visitors: Visitors = field(default_factory=Nobody)
    """Who takes note of those that are turned away here."""


def open_session(reception: Reception, kiosk: str, wish: OpenSession) -> SessionOpened:
    """Open a session; kinds whose layout is not on the approved list are closed at this kiosk.

    Raises:
        VersionError: the contract's version is spoken here no more, or not yet.
        SessionsDownError: Redis is down.
    """
    if wish.contract not in VERSIONS:
        raise VersionError(
            f"this centre speaks contract version {CONTRACT_VERSION}; update the kiosk"
        )
    outdated = tuple(kind for kind in Kind if wish.layouts.get(kind) != reception.layouts.get(kind))
    opened = reception.sessions.open(kiosk, wish.layouts, outdated)
    return SessionOpened(
        session=opened.session,
        centre=reception.centre,
        environment=reception.environment,
        challenge=opened.challenge,
        time=reception.clock.now(),
        outdated=outdated,
    )


def present_holder(
    reception: Reception, kiosk: str, session: str, presented: PresentHolder, body: bytes
) -> bytes:
    """Verify the card's word and answer what its holder can have; the exact bytes to send.

    The access record is durable before the register of persons is asked. The same body gets the
    same answer; another one finds the challenge used.

    Raises:
        UnknownSessionError, ChallengeUsedError: nothing was done.
        HolderRefusedError: not served, and why, as far as they may be told.
        SessionsDownError: Redis is down.
    """
    digest = canonical.digest(body)
    stored = _find(reception, kiosk, session)
    if stored.holder is not None:
        if stored.holder.body_digest != digest:
            raise ChallengeUsedError("this session's challenge has been answered before")
        return stored.holder.answer
    match reception.sessions.claim_challenge(session, digest):
        case Claim.USED:
            raise ChallengeUsedError("this session's challenge has been answered before")
        case Claim.EXPIRED:
            raise UnknownSessionError("the challenge has expired; begin again with the card")
        case Claim.GRANTED:
            pass
    try:
        holder = _stored_holder(reception, stored.opened, presented, digest)
    except HolderRefusedError as error:
        _note(reception, stored.opened, error.refusal, error.municipality_name)
        raise
    if not any(offer.open for offer in holder.offers):
        reasons = [offer.reason for offer in holder.offers if offer.reason is not None]
        name = HolderAccepted.model_validate_json(holder.answer).municipality_name
        _note(reception, stored.opened, next(iter(reasons), Refusal.KIND_CLOSED), name)
    kept = reception.sessions.keep_holder(session, holder)
    if kept is None:
        raise UnknownSessionError("the session has ended; begin again with the card")
    return kept.answer


def _note(
    reception: Reception, opened: OpenedSession, refusal: Refusal, municipality: str | None
) -> None:
    reception.visitors.note(
        TurnedAway(
            session=opened.session,
            kiosk=opened.kiosk,
            refusal=refusal,
            at=reception.clock.real_now(),
            municipality=municipality,
        )
    )


def asker(reception: Reception, kiosk: str, session: str) -> Asker:
    """Return who may order in this session; UnknownSessionError before the holder is confirmed."""
    stored = _find(reception, kiosk, session)
    holder = stored.holder
    if holder is None:
        raise UnknownSessionError("the holder is not confirmed yet; begin again with the card")
    return Asker(
        kiosk=kiosk,
        session=session,
        municipality=holder.municipality,
        fingerprint=holder.fingerprint,
        card=holder.card,
        layouts={
            kind: layout
            for kind, layout in stored.opened.layouts.items()
            if kind not in stored.opened.outdated
        },
    )


def _find(reception: Reception, kiosk: str, session: str) -> StoredSession:
    stored = reception.sessions.find(session, kiosk)
    if stored is None:
        raise UnknownSessionError("the session has ended; begin again with the card")
    return stored


def _stored_holder(
    reception: Reception, opened: OpenedSession, presented: PresentHolder, digest: str
) -> StoredHolder:
    now = reception.clock.now()
    word = CardWord(
        municipality=_NOT_KNOWN_YET,
        kiosk=opened.kiosk,
        session=opened.session,
        challenge=opened.challenge,
        holder=presented,
    )
    holder = _confirmed(reception, word, now)
    _write_access(reception, opened, holder, digest, now)
    municipality, name, offered = _offered(reception, holder, now)
    word = word.model_copy(update={"municipality": municipality})
    kinds = tuple(_kind_offer(kind, offer, opened) for kind, offer in offered.items())
    personal = _personal(reception, word, name) if any(kind.open for kind in kinds) else None
    answer = HolderAccepted(
        municipality=municipality, municipality_name=name, kinds=kinds, personal=personal
    )
    return StoredHolder(
        body_digest=digest,
        card=word,
        fingerprint=holder.fingerprint,
        generation=holder.generation,
        serial=holder.serial,
        municipality=municipality,
        offers=kinds,
        answer=answer.to_json(),
    )


def _confirmed(reception: Reception, word: CardWord, now: datetime) -> CardHolder:
    """Return the holder once the card's word and the validity centre's both hold."""
    try:
        holder = verify_card_word(reception.cas, reception.environment, reception.centre, word, now)
        reception.validity.require_good(holder, word.holder.user_certificate)
    except CardRefusedError as error:
        raise HolderRefusedError(error.refusal) from error
    return holder


def _write_access(
    reception: Reception, opened: OpenedSession, holder: CardHolder, digest: str, now: datetime
) -> None:
    with transaction(reception.engine) as connection:
        record_access(
            connection,
            Access(
                session=opened.session,
                body_digest=digest,
                kiosk=opened.kiosk,
                generation=holder.generation,
                serial=holder.serial,
                at=now,
            ),
        )


def _offered(
    reception: Reception, holder: CardHolder, now: datetime
) -> tuple[str, str, dict[Kind, Offer]]:
    """Return the municipality, its name, and what it offers now; unlisted cards go to COUNTER."""
    with reading(reception.engine) as connection:
        found = which_municipality(connection, holder.generation, holder.serial, now)
        if found is None:
            raise HolderRefusedError(Refusal.COUNTER)
        name = municipality_name(connection, found.municipality)
        return found.municipality, name, offers(connection, found.municipality, now)


def _kind_offer(kind: Kind, offer: Offer, opened: OpenedSession) -> KindOffer:
    if offer.open and kind in opened.outdated:
        return KindOffer(kind=kind, open=False, reason=Refusal.KIOSK_OUTDATED, fee=offer.fee)
    return KindOffer(
        kind=kind, open=offer.open, reason=offer.reason, opens_at=offer.opens_at, fee=offer.fee
    )


def _personal(reception: Reception, word: CardWord, name: str) -> bytes:
    try:
        return reception.issuer.identify(IdentifyHolder(card=word)).personal
    except IssuerRefusedError as error:
        raise HolderRefusedError(error.refusal, name) from error
    except IssuerUnavailableError as error:
        raise HolderRefusedError(Refusal.UNAVAILABLE, name) from error
