"""What the documents name exists: tests, links, commands."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from backend.cli import kofu_backend
from dedicated_line.cli import kofu_line
from kiosk.cli import kofu_kiosk
from printers.cli import kofu_printer

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "README.ja.md", *sorted((ROOT / "docs").glob("*.md"))]
GROUPS: dict[str, click.Group] = {
    "kofu-backend": kofu_backend,
    "kofu-kiosk": kofu_kiosk,
    "kofu-line": kofu_line,
    "kofu-printer": kofu_printer,
}
FAULTS = ROOT / "docs" / "faults.md"
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:::(\w+))?`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`|^ {4,}(\S.*)$", re.MULTILINE)
COMMAND = re.compile(r"(kofu-(?:backend|kiosk|line|printer))((?: +[a-z][a-z-]*)*)")
documents = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(each.relative_to(ROOT)) for each in DOCUMENTS]
)


def test_every_fault_has_a_test_that_exists_or_is_marked_later() -> None:
    rows = [line for line in FAULTS.read_text("utf-8").splitlines() if line.startswith("| ")]
    faults = [row for row in rows if not row.startswith("| at ")]
    assert len(faults) > 50
    for row in faults:
        assert row.count("|") == 7, row
        named = NAMED_TEST.findall(row)
        assert named or "**later:**" in row, row
        for file, *names in named:
            place = ROOT / file
            assert place.is_file(), f"{file} is not there"
            text = place.read_text("utf-8")
            for name in filter(None, names):
                found = re.search(rf"^\s*(?:def|class) {name}\b", text, re.MULTILINE)
                assert found, f"{file} has no {name}"


def test_nothing_but_tests_is_named_as_one() -> None:
    for code in re.findall(r"`(tests/[^`]*::[^`]*)`", FAULTS.read_text("utf-8")):
        assert NAMED_TEST.fullmatch(f"`{code}`"), code


@documents
def test_every_relative_link_resolves(document: Path) -> None:
    for target in LINK.findall(document.read_text("utf-8")):
        if not re.match(r"[a-z]+:|#", target):
            assert (document.parent / target.partition("#")[0]).exists(), target


@documents
def test_every_command_that_is_named_exists(document: Path) -> None:
    for name, words in _commands(document.read_text("utf-8")):
        command: click.Command = GROUPS[name]
        for word in words:
            if not isinstance(command, click.Group):
                break  # what follows are arguments
            following = command.get_command(click.Context(command), word)
            assert following is not None, f"{name} {' '.join(words)}: there is no {word}"
            command = following


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command in code, with the words after it or in the same row of a table."""
    for name, row in re.findall(r"^\| `(kofu-[a-z]+)` \|(.*)$", text, re.MULTILINE):
        for words in re.findall(r"`([a-z][a-z -]*)`", row):
            yield name, words.split()
    for inline, block in CODE.findall(text):
        for name, words in COMMAND.findall(inline or block):
            yield name, words.split()


def test_commands_in_code_are_found() -> None:
    text = "`kofu-backend world load`\n\n    .venv/bin/kofu-kiosk card show\n"
    row = "| `kofu-line` | `ca`, `kiosk add` |\n"
    assert list(_commands(text)) == [
        ("kofu-backend", ["world", "load"]),
        ("kofu-kiosk", ["card", "show"]),
    ]
    assert ("kofu-line", ["kiosk", "add"]) in list(_commands(row))
