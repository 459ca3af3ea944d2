"""What the form of a change says, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from backend.participation.errors import UnreadableMomentError
from backend.participation.model import Wish
from backend.participation.moments import read_moment

_LONGEST: Final = 200
_DIGITS: Final = 6


class FormError(ValueError):
    """A field cannot be read; the message is for the person who filled it in."""


@dataclass(frozen=True)
class ChangeForm:
    """The fields as they were typed."""

    later: bool = False
    moment: str = ""
    fee: str = ""
    comment: str = ""
    seen: int = -1
    """The newest change that the page showed; -1: none that can be, and so refused."""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """Take the fields out of a request."""
        seen = fields.get("seen", "")
        return cls(
            later=fields.get("when") == "later",
            moment=fields.get("moment", "")[:_LONGEST],
            fee=fields.get("fee", "")[:_LONGEST],
            comment=fields.get("comment", "")[: _LONGEST + 1],
            seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 16 else -1,  # noqa: PLR2004 - fits any database's integer
        )


def read_change(form: ChangeForm, *, to_open: bool, now: datetime, fee: int) -> Wish:
    """Return what the form asks for; `fee` is kept where the kind is closed.

    Raises:
        FormError: with the sentence to show.
    """
    if len(form.comment) > _LONGEST:
        raise FormError(f"理由は{_LONGEST}文字までで入力してください。")
    if not form.comment.strip():
        raise FormError("理由を入力してください。履歴に残ります。")
    at = now
    if form.later:
        if not form.moment:
            raise FormError("いつから変えるか、日時を選んでください。")
        try:
            at = read_moment(form.moment)
        except UnreadableMomentError:
            raise FormError("日時を読み取れません。カレンダーから選んでください。") from None
    if to_open:
        typed = form.fee.strip()
        if not (typed.isascii() and typed.isdigit() and len(typed) <= _DIGITS):
            raise FormError("手数料を数字で入力してください。例：200")
        fee = int(typed)
    return Wish(open=to_open, effective_from=at, fee=fee)
