"""A resident without hands: touches what was decided beforehand, as soon as a screen asks."""

from collections.abc import Callable
from dataclasses import dataclass, field

from dedicated_line.clock import Clock
from dedicated_line.contract.kinds import Kind, Options
from kiosk.cards.pin import Pin
from kiosk.session import events as on
from kiosk.session.ending import needs_last_try_word
from kiosk.session.state import ENDED, Session, Stage

STALL_SECONDS = 30.0
"""A journey that stands still for so long is given up."""


@dataclass(frozen=True)
class Plan:
    """What the resident wants."""

    pin: Pin
    kind: Kind
    whole_household: bool = False
    options: Options = field(default_factory=Options)
    copies: int = 1
    use_last_try: bool = False


class ScriptedTouches:
    """Answers each screen once; gives up where the same question comes again."""

    def __init__(self, plan: Plan, clock: Clock, take_card: Callable[[], None]) -> None:
        """Take the plan, and what takes the card off the reader."""
        self._plan = plan
        self._clock = clock
        self._take_card = take_card
        self._pin_typed = False
        self._card_taken = False
        self._version = -1
        self._since = clock.monotonic()
        self.give_up: Callable[[], None] = lambda: None
        """Ends a journey that hangs: the driver's `shut_down`."""
        self.pin_typed_at: float | None = None
        """On the monotonic clock."""

    def next(self, session: Session, seconds: float) -> on.Event | None:  # noqa: ARG002 - the port's
        """Return what this resident touches on this screen."""
        now = self._clock.monotonic()
        if session.version != self._version:
            self._version, self._since = session.version, now
        elif now - self._since > STALL_SECONDS:
            self.give_up()
            return None
        if session.card_in and (session.stage is Stage.TAKE_CARD or session.stage in ENDED):
            if not self._card_taken:
                self._card_taken = True
                self._take_card()
            return None
        if session.stage is Stage.PIN:
            return self._at_pin(session)
        return self._choice(session)

    def _at_pin(self, session: Session) -> on.Event:
        if self._pin_typed:
            return on.Cancel()
        if needs_last_try_word(session):
            return on.LastTryAccepted() if self._plan.use_last_try else on.Cancel()
        self._pin_typed = True
        self.pin_typed_at = self._clock.monotonic()
        return on.PinTyped(self._plan.pin.copy())

    def _choice(self, session: Session) -> on.Event | None:
        plan = self._plan
        wanted = session.members if plan.whole_household else (session.holder,)
        answers: dict[Stage, on.Event] = {
            Stage.START: on.Begin(),
            Stage.KIND: on.KindChosen(plan.kind),
            Stage.WHO: on.MembersChosen(tuple(one.handle for one in wanted if one is not None)),
            Stage.OPTIONS: on.OptionsChosen(plan.options),
            Stage.COPIES: on.CopiesChosen(plan.copies),
            Stage.CONFIRM: on.Confirmed(),
            Stage.TAKE_PAPER: on.PaperTaken(),
        }
        return answers.get(session.stage)
