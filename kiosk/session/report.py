"""What a headless journey shows: each step, its time, and the result."""

import sys
from typing import TextIO

from dedicated_line.clock import Clock
from dedicated_line.contract.states import PrintResult
from dedicated_line.errors import Exit
from kiosk.journal.settle import Settled
from kiosk.session.state import Session, Stage
from kiosk.session.texts import ending_text

_MS = 1000


class Report:
    """Writes lines; never anything of a resident but the persona's made-up id."""

    def __init__(
        self,
        clock: Clock,
        *,
        persona: str,
        kiosk: str,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self._clock = clock
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._begun = clock.monotonic()
        self._printed_at: float | None = None
        self._stage = Stage.START
        self._say(f"journey of {persona} at kiosk {kiosk}")
        self._say(f"{'step':<42}{'ms':>8}{'total ms':>10}  what happened")

    def done(self, what: str, seconds: float, detail: str) -> None:
        """Write one step."""
        now = self._clock.monotonic()
        if what.startswith("print "):
            self._printed_at = now
        total = (now - self._begun) * _MS
        self._say(f"{what:<42}{seconds * _MS:>8.0f}{total:>10.0f}  {detail}".rstrip())

    def watch(self, session: Session) -> None:
        """Write what the resident does, at a new stage."""
        if session.stage is self._stage:
            return
        before, self._stage = self._stage, session.stage
        words = {
            (Stage.TAKE_CARD, Stage.KIND): "card taken back",
            (Stage.CONFIRM, Stage.ORDERING): "confirmed on the check screen",
            (Stage.PAY, Stage.RELEASING): f"paid {session.till.taken} yen into escrow",
            (Stage.TAKE_PAPER, Stage.FINISHED): "paper taken",
        }.get((before, session.stage))
        if words is not None:
            total = (self._clock.monotonic() - self._begun) * _MS
            self._say(f"{words:<42}{'':>8}{total:>10.0f}")

    def settled(self, settled: Settled) -> None:
        """Write what was unfinished."""
        if settled.told or settled.waiting or settled.given_back:
            self._say(
                f"unfinished before: {len(settled.told)} closed, {len(settled.waiting)} waiting, "
                f"{settled.given_back} yen given back"
            )

    def result(self, session: Session, pin_typed_at: float | None) -> int:
        """Write how it ended; return the exit code."""
        order = session.order
        if order is not None:
            for issue in order.issues:
                state = issue.result.value if issue.result else "not issued"
                self._say(f"issue number: {issue.number} ({state})")
        if session.reference is not None:
            self._say(f"reference number: {session.reference}")
        if pin_typed_at is not None and self._printed_at is not None:
            took = (self._printed_at - pin_typed_at) * _MS
            self._say(f"PIN typed to last byte at the printer and its proof: {took:.0f} ms")
        return self._ending(session)

    def _ending(self, session: Session) -> int:
        text = ending_text(session)
        ending = session.ending
        if ending is None or text is None:
            issues = () if session.order is None else session.order.issues
            printed = [issue for issue in issues if issue.result is PrintResult.PRINTED]
            if session.stage is Stage.FINISHED and printed:
                copies = f"{len(printed)} cop{'y' if len(printed) == 1 else 'ies'}"
                self._say(f"served: {copies}, {session.till.kept} yen")
                return Exit.SERVED
            self._say("fault: it ended before anything was printed")
            return Exit.FAULT
        if ending.fault is None and ending.refusal is not None:
            self._say(f"refused: {ending.refusal.value}: {text.en} {text.ja}")
            return Exit.REFUSED
        word = "cancelled" if ending.fault is None else ending.fault.value
        detail = f" ({ending.detail})" if ending.detail else ""
        incident = f" [incident {ending.incident}]" if ending.incident else ""
        self._err.write(f"kofu-kiosk: {text.en}{detail}{incident}\n")
        self._err.flush()
        self._say(f"fault: {word}: {text.en} {text.ja}")
        return Exit.FAULT

    def _say(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()
