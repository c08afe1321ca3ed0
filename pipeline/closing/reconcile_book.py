"""The workbook of a reconciliation: what is missing, extra and different at one account, every cell as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.closing.cells import write_text
from pipeline.closing.look import Book, Look
from pipeline.closing.workbook import ROWS_PER_WORKBOOK, atomically

_SHEETS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "missing",
        "Missing there",
        (("Record", "key"), ("Kind", "kind"), ("Id there", "remote_id"), ("Delivered", "delivered_at"),
         ("File", "file"), ("Rows", "rows")),
    ),
    (
        "extra",
        "Extra there",
        (("Record", "key"), ("Kind", "kind"), ("Id there", "remote_id"), ("Why", "why"), ("What it says", "facts")),
    ),
    (
        "differing",
        "Different",
        (("Record", "key"), ("Kind", "kind"), ("Id there", "remote_id"), ("Field", "field"), ("Sent", "ours"),
         ("There now", "theirs"), ("File", "file"), ("Rows", "rows")),
    ),
)  # fmt: skip
"""Entry of the told account, sheet title, and its columns as (header, name in the entry)."""


def write_reconcile_workbook(path: Path, told: Mapping[str, Any], made: datetime) -> None:
    """Write one account's reconciliation, whole or not at all; ``OSError`` when the folder cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)

    def sheets(book: Book) -> None:
        look = Look(book)
        _summary(book, look, told, made)
        for name, title, columns in _SHEETS:
            _table(book, look, title, columns, told[name])

    atomically(path, made, sheets)


def _summary(book: Book, look: Look, told: Mapping[str, Any], made: datetime) -> None:
    sheet = book.add_worksheet("Summary")
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 90)
    lines = [
        ("Account", told["account"]),
        ("Looked at", made.strftime("%Y-%m-%d %H:%M %Z")),
        ("Time covered", f"{told['since']} to {told['until']}"),
        ("Records looked for", str(told["checked"])),
        *((title, str(len(told[name]))) for name, title, _ in _SHEETS),
        ("Note", told["note"]),
    ]
    for row, (label, text) in enumerate(lines):
        write_text(sheet, row, 0, label, look.label)
        write_text(sheet, row, 1, text, look.prose)


def _table(
    book: Book, look: Look, title: str, columns: Sequence[tuple[str, str]], entries: Sequence[Mapping[str, Any]]
) -> None:
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, 26)
    for position, (header, _) in enumerate(columns):
        write_text(sheet, 0, position, header, look.header)
    for row, entry in enumerate(entries[:ROWS_PER_WORKBOOK], 1):
        for position, (_, name) in enumerate(columns):
            write_text(sheet, row, position, _text(entry[name]), look.cell)


def _text(value: Any) -> str:  # noqa: ANN401 - plain JSON values
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {text}" for name, text in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
