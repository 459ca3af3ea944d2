"""SIMULATED coin unit, in this process; its counters lie in a file, as in a real unit's chip."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from threading import Condition

from dedicated_line.errors import KofuError
from kiosk.coins.unit import CoinFaultError, Counters, Deposit, Returned


class CoinFileError(KofuError):
    """The counters' file cannot be read or written."""


class SimulatedCoinUnit:
    """Takes coins that a caller drops, or that a made-up resident drops by themselves."""

    def __init__(self, file: Path, *, name: str, resident_pays: bool) -> None:
        """Read the counters.

        Args:
            file: where the counters lie; begins at nothing when there is none.
            name: stands in receipts.
            resident_pays: exactly the missing coins come in as soon as an amount is asked for.
        """
        self._file = file
        self._name = name
        self._resident_pays = resident_pays
        self._jammed = False
        self._change = 1_000_000
        self._changed = Condition()
        self._counters = self._read()

    # ---------------------------------------------------------------- what the world does
    def drop(self, amount: int) -> None:
        """Drop coins in."""
        with self._changed:
            self._add(amount)
            self._changed.notify_all()

    def jam(self, *, jammed: bool = True) -> None:
        """Jam the unit, or free it."""
        with self._changed:
            self._jammed = jammed
            self._changed.notify_all()

    def leave_change(self, amount: int) -> None:
        """Say how much change lies in the unit."""
        with self._changed:
            self._change = amount

    # ---------------------------------------------------------------- the port
    def check(self) -> None:
        """Raise CoinFaultError while it is jammed."""
        if self._jammed:
            raise CoinFaultError("the coin unit is jammed; open it and free the path")

    def can_give_change(self, amount: int) -> bool:
        """Tell whether a thousand-yen note over the amount could be changed."""
        return not self._jammed and self._change >= max(1000 - amount, 0)

    def accept(self, amount: int, seconds: float) -> Deposit:
        """Wait until the amount is in escrow; give the rest out as change."""
        with self._changed:
            missing = amount - self._counters.escrow
            if self._resident_pays and missing > 0 and not self._jammed:
                self._add(missing)
            self._changed.wait_for(lambda: self._jammed or self._counters.escrow >= amount, seconds)
            self.check()
            if self._counters.escrow < amount:
                return Deposit(self._counters.escrow)
            self._give_out(self._counters.escrow - amount)
            return Deposit(amount, f"{self._name}-{self._counters.accepted:09d}")

    def escrow(self) -> int:
        """Return what is in escrow."""
        return self._counters.escrow

    def keep(self, amount: int) -> None:
        """Move the amount into the box."""
        with self._changed:
            now = self._counters
            if amount > now.escrow:
                raise CoinFaultError("more is to be kept than is in escrow; call the operators")
            self._write(replace(now, kept=now.kept + amount, escrow=now.escrow - amount))

    def return_all(self) -> Returned:
        """Give back what is in escrow; nothing comes out of a jammed unit."""
        with self._changed:
            amount = self._counters.escrow
            if self._jammed:
                self._write(replace(self._counters, kept=self._counters.kept + amount, escrow=0))
                return Returned(returned=0, owed=amount)
            self._give_out(amount)
            return Returned(returned=amount, owed=0)

    def counters(self) -> Counters:
        """Return the counters."""
        return self._counters

    # ---------------------------------------------------------------- the file
    def _add(self, amount: int) -> None:
        now = self._counters
        self._write(replace(now, accepted=now.accepted + amount, escrow=now.escrow + amount))

    def _give_out(self, amount: int) -> None:
        now = self._counters
        if amount:
            self._write(replace(now, returned=now.returned + amount, escrow=now.escrow - amount))

    def _read(self) -> Counters:
        try:
            return Counters(**json.loads(self._file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Counters(accepted=0, kept=0, returned=0, escrow=0)
        except (OSError, ValueError, TypeError) as error:
            raise CoinFileError(
                f"the simulated coin unit's file {self._file} cannot be read; remove it"
            ) from error

    def _write(self, counters: Counters) -> None:
        new = self._file.with_suffix(".new")
        try:
            with new.open("w", encoding="utf-8") as out:
                json.dump(asdict(counters), out)
                out.flush()
                os.fsync(out.fileno())
            new.replace(self._file)
        except OSError as error:
            raise CoinFileError(
                f"{self._file} cannot be written ({error.strerror}); "
                "free the disk or its permissions"
            ) from error
        self._counters = counters
