"""The journal on disk: SQLite, each step written before it is done, synchronous FULL."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Any, Final

from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.states import PrintResult, ProofStrength
from dedicated_line.errors import KofuError
from kiosk.journal.model import IssueEntry, OrderEntry

BUSY_MS: Final = 5_000
"""How long another process of this kiosk may hold the journal."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY, opened_at TEXT NOT NULL, kind TEXT NOT NULL, fee INTEGER NOT NULL,
    release_asked INTEGER NOT NULL DEFAULT 0, released INTEGER NOT NULL DEFAULT 0,
    taken INTEGER NOT NULL DEFAULT 0, receipt TEXT,
    kept INTEGER, returned INTEGER, owed INTEGER,
    rejected TEXT, evidence TEXT NOT NULL DEFAULT '',
    outcome BLOB, outcome_key TEXT, acknowledged INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS issues (
    number TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders, place INTEGER NOT NULL,
    printing INTEGER NOT NULL DEFAULT 0, result TEXT, proof TEXT,
    evidence TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS stopped (
    kind TEXT PRIMARY KEY, at TEXT NOT NULL, evidence TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS key_list (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER);
"""


class JournalError(KofuError):
    """The journal cannot be read or written: nothing may be sold without it."""


class Journal:
    """One kiosk's journal; usable from any thread."""

    def __init__(self, file: Path) -> None:
        """Open or begin it; JournalError when it cannot be written."""
        self._file = file
        self._lock = RLock()
        with self._words():
            self._database = sqlite3.connect(
                file, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000
            )
            self._database.row_factory = sqlite3.Row
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                self._database.execute(f"PRAGMA {pragma}")
            self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    # ---------------------------------------------------------------- orders
    def order_sealed(self, order: str, kind: Kind, fee: int, at: datetime) -> None:
        """Write that the centre holds a sealed order of this kiosk."""
        self._do(
            "INSERT INTO orders (order_id, opened_at, kind, fee) VALUES (?, ?, ?, ?)",
            (order, at.isoformat(), kind.value, fee),
        )

    def numbers_given(self, order: str, numbers: Sequence[str]) -> None:
        """Write the issue numbers of an order."""
        with self._transaction():
            for place, number in enumerate(numbers, start=1):
                self._do(
                    "INSERT INTO issues (number, order_id, place) VALUES (?, ?, ?)",
                    (number, order, place),
                )

    def seen(self, numbers: Sequence[str]) -> frozenset[str]:
        """Return those of the numbers that have been at this kiosk before."""
        marks = ",".join("?" * len(numbers))
        rows = self._ask(f"SELECT number FROM issues WHERE number IN ({marks})", tuple(numbers))  # noqa: S608 - marks only
        return frozenset(row["number"] for row in rows)

    def money_taken(self, order: str, amount: int, receipt: str | None) -> None:
        """Write what the coin unit says that it has in escrow for an order."""
        self._do(
            "UPDATE orders SET taken = ?, receipt = ? WHERE order_id = ?", (amount, receipt, order)
        )

    def release_asked(self, order: str) -> None:
        """Write that release is about to be asked for."""
        self._do("UPDATE orders SET release_asked = 1 WHERE order_id = ?", (order,))

    def released(self, order: str) -> None:
        """Write that the content has come."""
        self._do("UPDATE orders SET released = 1 WHERE order_id = ?", (order,))

    def printing(self, number: str) -> None:
        """Write that the first byte of an issue is about to be sent."""
        self._do("UPDATE issues SET printing = 1 WHERE number = ?", (number,))

    def printed(
        self, number: str, result: PrintResult, proof: ProofStrength, evidence: str
    ) -> None:
        """Write what became of an issue at the printer."""
        self._do(
            "UPDATE issues SET result = ?, proof = ?, evidence = ? WHERE number = ?",
            (result.value, proof.value, evidence, number),
        )

    def money_settled(self, order: str, kept: int, returned: int, owed: int) -> None:
        """Write what became of the money."""
        self._do(
            "UPDATE orders SET kept = ?, returned = ?, owed = ? WHERE order_id = ?",
            (kept, returned, owed, order),
        )

    def rejected(self, order: str, check: str, evidence: str, kind: Kind, at: datetime) -> None:
        """Write that a clerk's check said no, and stop the kind here until two persons lift it."""
        with self._transaction():
            self._do(
                "UPDATE orders SET rejected = ?, evidence = ? WHERE order_id = ?",
                (check, evidence, order),
            )
            self._do(
                "INSERT INTO stopped (kind, at, evidence) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (kind.value, at.isoformat(), f"{order}: {check}: {evidence}"),
            )

    def closed(self, order: str, outcome: bytes, key: str) -> None:
        """Write the outcome, as it will be sent until it is acknowledged."""
        self._do(
            "UPDATE orders SET outcome = ?, outcome_key = ? WHERE order_id = ?",
            (outcome, key, order),
        )

    def acknowledged(self, order: str) -> None:
        """Write that the centre has the outcome."""
        self._do("UPDATE orders SET acknowledged = 1 WHERE order_id = ?", (order,))

    def unfinished(self) -> tuple[OrderEntry, ...]:
        """Return the orders whose outcome the centre has not acknowledged, oldest first."""
        with self._lock:
            rows = self._ask("SELECT * FROM orders WHERE NOT acknowledged ORDER BY opened_at", ())
            return tuple(self._entry(row) for row in rows)

    def order(self, order: str) -> OrderEntry | None:
        """Return one order."""
        with self._lock:
            rows = self._ask("SELECT * FROM orders WHERE order_id = ?", (order,))
            return self._entry(rows[0]) if rows else None

    # ---------------------------------------------------------------- the rest
    def stopped_kinds(self) -> frozenset[Kind]:
        """Return the kinds that a failed check has stopped at this kiosk."""
        return frozenset(Kind(row["kind"]) for row in self._ask("SELECT kind FROM stopped", ()))

    def key_list_version(self) -> int:
        """Return the highest version of the key list that was ever accepted here."""
        rows = self._ask("SELECT version FROM key_list", ())
        return int(rows[0]["version"]) if rows else 0

    def key_list_accepted(self, version: int) -> None:
        """Write the version of the key list; it never goes back."""
        self._do(
            "INSERT INTO key_list (one, version) VALUES (1, ?) "
            "ON CONFLICT (one) DO UPDATE SET version = max(version, excluded.version)",
            (version,),
        )

    def _entry(self, row: sqlite3.Row) -> OrderEntry:
        issues = self._ask(
            "SELECT * FROM issues WHERE order_id = ? ORDER BY place", (row["order_id"],)
        )
        return OrderEntry(
            order=row["order_id"],
            kind=Kind(row["kind"]),
            fee=row["fee"],
            release_asked=bool(row["release_asked"]),
            released=bool(row["released"]),
            taken=row["taken"],
            kept=row["kept"],
            returned=row["returned"],
            owed=row["owed"],
            rejected=row["rejected"],
            evidence=row["evidence"],
            outcome=row["outcome"],
            outcome_key=row["outcome_key"],
            acknowledged=bool(row["acknowledged"]),
            issues=tuple(
                IssueEntry(
                    number=issue["number"],
                    printing=bool(issue["printing"]),
                    result=PrintResult(issue["result"]) if issue["result"] else None,
                    proof=ProofStrength(issue["proof"]) if issue["proof"] else ProofStrength.NONE,
                    evidence=issue["evidence"],
                )
                for issue in issues
            ),
        )

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalError(
                f"the journal {self._file} cannot be written ({error}); "
                "free the disk or its permissions, then start again"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._do("BEGIN IMMEDIATE", ())
            try:
                yield
            except BaseException:
                self._do("ROLLBACK", ())
                raise
            self._do("COMMIT", ())

    def _do(self, sql: str, values: tuple[Any, ...]) -> None:
        with self._lock, self._words():
            self._database.execute(sql, values)

    def _ask(self, sql: str, values: tuple[Any, ...]) -> list[sqlite3.Row]:
        with self._lock, self._words():
            return self._database.execute(sql, values).fetchall()
