"""From a journey's state to what a template shows: words and numbers, nothing to decide."""

from dataclasses import dataclass
from typing import Final

from dedicated_line.contract.kinds import KIND_NAMES_JA, Kind, Options
from dedicated_line.contract.sessions import KindOffer
from dedicated_line.contract.states import PrintResult
from kiosk.session.ending import needs_last_try_word
from kiosk.session.state import MAY_CANCEL, Ending, Session, Stage
from kiosk.session.texts import ending_text, refusal_text
from kiosk.web.texts import KINDS_EN, TEXTS, TITLES, Language, in_language

STEPS: Final[dict[Stage, int]] = {
    Stage.HOLD_CARD: 1,
    Stage.PIN: 2,
    Stage.SIGNING_IN: 2,
    Stage.TAKE_CARD: 3,
    Stage.KIND: 4,
    Stage.WHO: 5,
    Stage.OPTIONS: 6,
    Stage.COPIES: 7,
    Stage.CONFIRM: 8,
    Stage.ORDERING: 8,
    Stage.PAY: 9,
    Stage.RELEASING: 9,
    Stage.DRAWING: 10,
    Stage.PRINTING: 10,
    Stage.CLOSING: 10,
    Stage.TAKE_PAPER: 10,
}
LAST_STEP: Final = 10
BACK: Final = frozenset({Stage.WHO, Stage.OPTIONS, Stage.COPIES, Stage.CONFIRM})
"""Where 「もどる」 is on the screen."""
TEMPLATES: Final[dict[Stage, str]] = {
    Stage.START: "start",
    Stage.HOLD_CARD: "hold-card",
    Stage.PIN: "pin",
    Stage.TAKE_CARD: "take-card",
    Stage.KIND: "kind",
    Stage.WHO: "who",
    Stage.OPTIONS: "options",
    Stage.COPIES: "copies",
    Stage.CONFIRM: "confirm",
    Stage.PAY: "pay",
    Stage.TAKE_PAPER: "take-paper",
    Stage.FINISHED: "end",
    Stage.CANCELLED: "end",
    Stage.REFUSED: "end",
    Stage.FAULT: "end",
}
"""Stages without one of their own are busy ones."""
OPTION_NAMES: Final = tuple(Options.model_fields)


@dataclass(frozen=True)
class OfferLine:
    """One kind on the screen, open or closed."""

    kind: Kind
    name: str
    open: bool
    words: str
    """The fee, or why it is closed and when it opens."""


@dataclass(frozen=True)
class View:
    """Everything that a template may read."""

    session: Session
    language: Language
    version: str
    """`state_version`: names one state of one journey."""

    def t(self, name: str, **values: object) -> str:
        """Return words of the catalogue, with values filled in."""
        words = in_language(TEXTS[name], self.language)
        return words.format(**values) if values else words

    @property
    def template(self) -> str:
        """Return the template of the stage."""
        return f"stages/{TEMPLATES.get(self.session.stage, 'busy')}.html"

    @property
    def title(self) -> str:
        """Return the screen's heading."""
        return in_language(TITLES[self.session.stage], self.language)

    @property
    def step(self) -> str:
        """Return 「手順 n / N」; nothing before the first step and after the last."""
        number = STEPS.get(self.session.stage)
        return "" if number is None else f"{self.t('step')} {number} / {LAST_STEP}"

    @property
    def may_cancel(self) -> bool:
        """Tell whether 「やめる」 is on the screen."""
        return self.session.stage in MAY_CANCEL

    @property
    def may_go_back(self) -> bool:
        """Tell whether 「もどる」 is on the screen."""
        return self.session.stage in BACK

    @property
    def needs_last_try_word(self) -> bool:
        """Tell whether the PIN pad stays closed until the last try is accepted."""
        return needs_last_try_word(self.session)

    @property
    def offers(self) -> tuple[OfferLine, ...]:
        """Return all kinds; closed ones stay visible with their reason."""
        return tuple(
            OfferLine(offer.kind, self.kind_name(offer.kind), offer.open, self._words(offer))
            for offer in self.session.offers
        )

    @property
    def chosen_options(self) -> tuple[str, ...]:
        """Return the names of the items that were asked for."""
        wish = self.session.wish.options
        return tuple(self.t(name) for name in OPTION_NAMES if getattr(wish, name))

    @property
    def printed(self) -> int:
        """Return how many copies are printed."""
        order = self.session.order
        done = () if order is None else order.issues
        return sum(issue.result is PrintResult.PRINTED for issue in done)

    @property
    def pages(self) -> int:
        """Return how many pages the order has in all."""
        order = self.session.order
        return 0 if order is None else order.sheets * len(order.issues)

    @property
    def ending(self) -> str:
        """Return why it ended, in whole sentences; nothing that the heading says already."""
        text = ending_text(self.session)
        said = "" if text is None else in_language(text, self.language)
        return said.removeprefix(f"{self.title}。")

    def kind_name(self, kind: Kind) -> str:
        """Return a kind's name."""
        if self.language is Language.JAPANESE:
            return KIND_NAMES_JA[kind]
        return KINDS_EN[kind.value]

    def _words(self, offer: KindOffer) -> str:
        if offer.open:
            return self.t("fee", yen=offer.fee)
        if offer.reason is None:
            return self.t("closed")
        ending = Ending(refusal=offer.reason, kind=offer.kind, opens_at=offer.opens_at)
        return in_language(refusal_text(self.session, ending, offer.reason), self.language)
