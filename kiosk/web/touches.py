"""What the page may post, and the journey's event for it."""

from typing import Annotated, Literal, assert_never

from pydantic import Field, TypeAdapter

from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.message import MemberHandle, Message
from dedicated_line.contract.orders import MAX_COPIES, MAX_MEMBERS
from kiosk.session import events as on
from kiosk.session.state import Stage


class _Posted(Message):
    """One touch."""


class Plain(_Posted):
    """A touch that needs no more words."""

    do: Literal[
        "begin", "cancel", "back", "still-here", "last-try", "confirm", "paper-taken", "done"
    ]


class TypedPin(_Posted):
    """The PIN, in the body of a POST and nowhere else."""

    do: Literal["pin"]
    pin: Annotated[str, Field(pattern=r"^[0-9]{4}$", repr=False)]


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


Posted = Plain | TypedPin | ChosenKind | ChosenMembers | ChosenOptions | ChosenCopies | WantedChange
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


def read_touch(body: bytes) -> on.Touch:
    """Read a posted touch; ValueError (pydantic's) when it is none."""
    return _event(_ADAPTER.validate_json(body))


def _event(posted: Posted) -> on.Touch:  # noqa: PLR0911 - one line a touch
    match posted:
        case Plain():
            return _PLAIN[posted.do]
        case TypedPin():
            return on.PinTyped(on.Pin(posted.pin))
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
