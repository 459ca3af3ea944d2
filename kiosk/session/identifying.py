"""Who is it: look at the card, let it sign, present its holder."""

import hashlib
from datetime import timedelta
from typing import Final

from pydantic import ValidationError

from dedicated_line.contract import CONTRACT_VERSION
from dedicated_line.contract.card_message import card_message
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sealed_box import CannotOpenError, Sealed, open_sealed
from dedicated_line.contract.sessions import (
    HolderAccepted,
    KindOffer,
    Member,
    OpenSession,
    PersonalPart,
    PresentHolder,
    SessionOpened,
)
from dedicated_line.errors import KofuError
from kiosk.cards import dialogue
from kiosk.centre.client import SessionKeys
from kiosk.session import commands as do
from kiosk.session import events as on
from kiosk.session.memory import Memory
from kiosk.session.ports import Ports
from kiosk.session.stopwatch import Stopwatch

LARGEST_SKEW: Final = timedelta(seconds=60)
"""Between the centre's time and the kiosk's; beyond it nothing is sold (flow, section 2)."""


class ClockWrongError(KofuError):
    """Kiosk and centre are too far apart in time."""


class NotTrustedError(KofuError):
    """What came from the centre does not hold."""


def look_at_card(ports: Ports, watch: Stopwatch) -> on.Event:
    """Look at the card that lies on the reader; costs no try."""
    with watch.timed("look at the card") as note:
        look = ports.cards.look()
        note.detail = f"{look.label}, {look.tries_left} tries left"
    dialogue.require_servable(look, ports.clock.now())
    return on.CardSeen(medium=look.medium.value, tries_left=look.tries_left)


def sign_in(ports: Ports, memory: Memory, watch: Stopwatch, command: do.SignIn) -> on.Event:
    """Open a session, have the card sign for it, present its holder."""
    with watch.timed("key list") as note:
        memory.key_list = ports.centre.key_list()
        note.detail = f"version {memory.key_list.version}, signed by the pinned root"
    with watch.timed("open session"):
        opened = _open(ports)
        memory.session = opened.session
    keys = memory.keys = SessionKeys.make()
    message = card_message(
        environment=ports.identity.environment,
        centre=ports.identity.centre,
        kiosk=ports.identity.kiosk,
        session=opened.session,
        challenge=opened.challenge,
        signing_key=keys.signing_point,
        receiving_key=keys.receiving_point,
    )
    with watch.timed("card signs") as note:
        word = ports.cards.sign_in(
            command.pin, message, go_ahead_at_last_try=command.go_ahead_at_last_try
        )
        note.detail = f"PIN right, {word.algorithm.value}"
    memory.holder = hashlib.sha256(word.user_certificate).hexdigest()
    request = PresentHolder(
        user_certificate=word.user_certificate,
        algorithm=word.algorithm,
        signing_key=keys.signing_point,
        receiving_key=keys.receiving_point,
        card_signature=word.signature,
    )
    with watch.timed("present holder") as note:
        accepted = ports.centre.present_holder(opened.session, request)
        note.detail = accepted.municipality_name
    memory.municipality = accepted.municipality
    offers = _offers(ports, accepted)
    memory.members = _members(memory, keys, accepted, offers)
    return on.SignedIn(
        session=opened.session,
        municipality_name=accepted.municipality_name,
        offers=offers,
        members=memory.members,
    )


def _open(ports: Ports) -> SessionOpened:
    identity = ports.identity
    opened = ports.centre.open_session(
        OpenSession(
            contract=CONTRACT_VERSION,
            software=identity.software,
            layouts=dict(identity.layouts),
        )
    )
    if (opened.centre, opened.environment) != (identity.centre, identity.environment):
        raise NotTrustedError(
            "the centre that answers is not the one that this kiosk belongs to; "
            "check KOFU_CENTRE and KOFU_ENVIRONMENT"
        )
    if abs(opened.time - ports.clock.now()) > LARGEST_SKEW:
        raise ClockWrongError(
            "kiosk and centre are more than 60 s apart; set the kiosk's clock by the centre's"
        )
    return opened


def _offers(ports: Ports, accepted: HolderAccepted) -> tuple[KindOffer, ...]:
    """Return the centre's offers, without the kinds that are stopped at this kiosk."""
    stopped = ports.journal.stopped_kinds()
    return tuple(
        KindOffer(kind=offer.kind, open=False, reason=Refusal.STOPPED, fee=offer.fee)
        if offer.open and offer.kind in stopped
        else offer
        for offer in accepted.kinds
    )


def _members(
    memory: Memory, keys: SessionKeys, accepted: HolderAccepted, offers: tuple[KindOffer, ...]
) -> tuple[Member, ...]:
    if accepted.personal is None:
        if any(offer.open for offer in offers):
            raise NotTrustedError("the centre offers kinds for nobody; call the operators")
        return ()
    try:
        plain = open_sealed(keys.receiving, Sealed.PERSONAL, memory.session, accepted.personal)
        return PersonalPart.model_validate_json(plain).members
    except (CannotOpenError, ValidationError):
        raise NotTrustedError(
            "the personal part is not for this session; call the operators"
        ) from None
