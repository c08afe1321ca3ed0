"""What reading gives: a header and blocks of text rows with true row numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct, field

from pipeline.model import Rejection
from pipeline.rows import Rows


class Hints(Struct, frozen=True):
    """What a mapping names about a file; ``None`` means: find it. ``header_row`` counts from 1;
    ``header_rows`` says how many rows, the last of them ``header_row``, make up the header together,
    ``footer_rows`` how many at the end are no records.

    ``below_header`` counts rows under the header that only describe it. ``hidden_rows`` is ``read``, ``skip`` or
    ``refuse``, ``merged_cells`` is ``blank`` or ``fill``.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    escape: str | None = None
    below_header: int | None = None
    hidden_rows: str = "read"
    merged_cells: str = "blank"
    header_rows: int | None = None
    footer_rows: int = 0


class Found(Struct, frozen=True):
    """What was found (or named): shown by ``preview`` and stored, so that a second reading reads the same.

    ``format`` is ``csv``, ``xlsx``, ``xls``, ``xlsb``, ``ods``, ``html`` or ``xml``; ``joined`` tells as JSON
    how another table was joined; ``notes`` are sentences for people.
    """

    format: str
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    header_row: int = 1
    notes: tuple[str, ...] = ()
    joined: str | None = None
    escape: str | None = None
    below_header: int = 0
    hidden_rows: str = "read"
    merged_cells: str = "blank"
    header_rows: int = 1
    footer_rows: int = 0

    def hints(self) -> Hints:
        """The hints that make a second reading read the same."""
        return Hints(
            self.encoding, self.delimiter, self.quote, self.sheet, self.header_row, self.escape, self.below_header,
            self.hidden_rows, self.merged_cells, self.header_rows, self.footer_rows,
        )  # fmt: skip


class Block(Struct, frozen=True):
    """Consecutive rows of a table.

    ``rows``: one text column per header column, never null (an empty cell is ``""``), and the row numbers that a
    spreadsheet shows. Rows that are wholly blank are left out. Broken rows (too many or too few cells) are among
    ``rows`` too, padded, and named in ``broken``; their cells beyond the header are kept in ``overflow`` so that
    nothing a person sent is lost.
    """

    rows: Rows
    broken: tuple[Rejection, ...] = ()
    overflow: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


class Table(Struct, frozen=True):
    """A file opened for reading. ``header`` holds the file's own texts, cell by cell, blanks and repeats included.

    ``blocks(size)`` reads from the start each time it is called, at most ``size`` rows a block.
    """

    header: tuple[str, ...]
    found: Found
    blocks: Callable[[int], Iterator[Block]]
