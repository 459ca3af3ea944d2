"""What the page may post, and the journey's event for it."""

from typing import Annotated, Literal, assert_never

from pydantic import Field, TypeAdapter

from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.message import MemberHandle, Message
from dedicated_line.contract.orders import MAX_COPIES, MAX_MEMBERS
from kiosk.cards.model import PIN_DIGITS
from kiosk.cards.pin import Pin
from kiosk.session import events as on
from kiosk.session.state import Stage


class _Posted(Message):
    """One touch."""


class Plain(_Posted):
    """A touch that needs no more words."""

    do: Literal[
        "begin", "cancel", "back", "still-here", "last-try", "confirm", "paper-taken", "done"
    ]


class EnteredPin(_Posted):
    """The PIN's last key; its digits came before, one by one."""

    do: Literal["pin"]


class Key(Message):
    """One key of the PIN pad, in the body of a POST of its own and nowhere else."""

    place: Annotated[int, Field(ge=0, lt=PIN_DIGITS)]
    """How many digits the page has typed before it."""
    digit: Annotated[int | None, Field(ge=0, le=9, repr=False)]
    """None takes the last digit away."""


class ChosenKind(_Posted):
    """A kind."""

    do: Literal["kind"]
    kind: Annotated[Kind, Field(strict=False)]


class ChosenMembers(_Posted):
    """Who shall be on the paper."""

    do: Literal["members"]
    members: Annotated[list[MemberHandle], Field(max_length=MAX_MEMBERS, repr=False)]


class ChosenOptions(_Posted):
    """Which items shall be on the paper."""

    do: Literal["options"]
    options: Options


class ChosenCopies(_Posted):
    """How many copies."""

    do: Literal["copies"]
    copies: Annotated[int, Field(ge=1, le=MAX_COPIES)]


class WantedChange(_Posted):
    """「変更」 beside one line of the check screen."""

    do: Literal["change"]
    to: Annotated[Stage, Field(strict=False)]


Posted = (
    Plain | EnteredPin | ChosenKind | ChosenMembers | ChosenOptions | ChosenCopies | WantedChange
)
_ADAPTER: TypeAdapter[Posted] = TypeAdapter(Annotated[Posted, Field(discriminator="do")])
_PLAIN: dict[str, on.Touch] = {
    "begin": on.Begin(),
    "cancel": on.Cancel(),
    "back": on.Back(),
    "still-here": on.StillHere(),
    "last-try": on.LastTryAccepted(),
    "confirm": on.Confirmed(),
    "paper-taken": on.PaperTaken(),
    "done": on.Done(),
}


def read_touch(body: bytes, pin: Pin) -> on.Touch:
    """Read a posted touch; `pin` holds the digits typed so far and is wiped when they go on.

    Raises:
        ValueError: it is none (pydantic's), or the PIN is not complete.
    """
    return _event(_ADAPTER.validate_json(body), pin)


def press(body: bytes, pin: Pin) -> bool:
    """Press a key of the PIN pad; tell whether page and kiosk had typed as much before it.

    Raises:
        ValueError: it is no key (pydantic's).
    """
    key = Key.model_validate_json(body)
    if key.place == 0 and key.digit is not None:
        pin.wipe()  # the page begins anew
    if len(pin) != key.place + (key.digit is None):
        pin.wipe()
        return False
    if key.digit is None:
        pin.delete()
    else:
        pin.add(key.digit)
    return True


def _typed(pin: Pin) -> on.PinTyped:
    if not pin.complete:
        raise ValueError("digits are missing")
    event = on.PinTyped(pin.copy())
    pin.wipe()
    return event


def _event(posted: Posted, pin: Pin) -> on.Touch:  # noqa: PLR0911 - one line a touch
    match posted:
        case Plain():
            return _PLAIN[posted.do]
        case EnteredPin():
            return _typed(pin)
        case ChosenKind():
            return on.KindChosen(posted.kind)
        case ChosenMembers():
            return on.MembersChosen(tuple(posted.members))
        case ChosenOptions():
            return on.OptionsChosen(posted.options)
        case ChosenCopies():
            return on.CopiesChosen(posted.copies)
        case WantedChange():
            return on.Change(posted.to)
        case _ as unknown:
            assert_never(unknown)
