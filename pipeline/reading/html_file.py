"""Web pages dressed as workbooks: each table of the page is a sheet, read as a browser lays it out."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipeline.errors import FileRefused
from pipeline.reading.blocks import Raw, TooLarge
from pipeline.reading.encoding import CHUNK, Encoding, decodes_whole, find_encoding, garbled_by
from pipeline.reading.html_cells import CellText, class_formats, is_invisible, told_text
from pipeline.reading.html_tags import CutShort, Style, Tag, tokens
from pipeline.reading.laid import RowLayer, Seen
from pipeline.reading.refusals import (
    ASK_FOR_ROWS,
    damaged,
    not_a_table,
    readable,
    too_large_inside,
)
from pipeline.reading.sheets import Sheet

_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w:.-]{2,30})""", re.IGNORECASE)
# What browsers take these names for (WHATWG "Encoding"): the names were used for more than they stand for.
_MEANT = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030",
          "shift_jis": "cp932", "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "windows-31j": "cp932",
          "iso-8859-9": "cp1254", "x-sjis": "cp932"}  # fmt: skip
_PARAGRAPHS = frozenset({"p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "hr"})
_MOST_TABLES = 1000
_DEEPEST = 50
_TALLEST, _WIDEST = 65_534, 1000  # the most that browsers take (WHATWG "HTML", §4.9.11)


def page_encoding(path: Path, hint: str | None) -> Encoding:
    """The named encoding, the one the page declares where its bytes fit, else the found one."""
    with readable(path):
        with path.open("rb") as stream:
            head = stream.read(8192)
        declared = _CHARSET.search(head)
        if not hint and declared and not head.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
            said = declared[1].decode("ascii", "replace").casefold()
            name = _MEANT.get(said, said)
            fits = _is_known(name) and not name.startswith(("utf-16", "utf-32", "unicode"))
            if fits and decodes_whole(path, name) and garbled_by(path, name) is None:
                return Encoding(codecs.lookup(name).name)
        return find_encoding(path, hint)


def _is_known(name: str) -> bool:
    try:
        "a".encode(name)
    except (LookupError, UnicodeError):
        return False
    return True


def open_sheets(path: Path, encoding: Encoding) -> list[Sheet]:
    """The tables of a page in their order; ``FileRefused`` when there is none or its end is missing."""
    page = _Page(wanted=-1)
    for _ in _read(path, encoding, page):
        pass
    if page.frames and not page.tables:
        raise not_a_table(path, "a web page that only points to others, where its tables are", ASK_FOR_ROWS)
    if not page.tables:
        raise not_a_table(path, "a web page (HTML) without a table", ASK_FOR_ROWS)
    if page.is_open:
        raise damaged(path, "a table is never closed (</table> is missing), so its end may be lost")
    return [
        Sheet(_name(page.tables, at), partial(_rows, path, encoding, at), seen.is_hidden, seen.view)
        for at, seen in enumerate(page.tables)
    ]


def _name(tables: list[Seen], at: int) -> str:
    """Its caption or id, where no other table has it; else ``table 2``."""
    own = tables[at].name
    is_own = bool(own) and sum(1 for table in tables if table.name.casefold() == own.casefold()) == 1
    return own if is_own else f"table {at + 1}"


def _rows(path: Path, encoding: Encoding, wanted: int) -> Iterator[Raw]:
    return _read(path, encoding, _Page(wanted))


def _read(path: Path, encoding: Encoding, page: _Page) -> Iterator[Raw]:
    try:
        with readable(path), path.open(encoding=encoding.name, errors=encoding.errors, buffering=CHUNK) as stream:
            for token in tokens(iter(partial(stream.read, CHUNK), "")):
                row = page.take(token)
                if row is not None:
                    yield row
    except CutShort as problem:
        raise damaged(path, str(problem)) from None
    except UnicodeDecodeError:
        raise FileRefused(
            "undecodable",
            f"{path.name} cannot be read as {encoding.name}: it holds bytes that are no letters in it.",
            "Save it as .xlsx or as CSV UTF-8 and drop that, or name its encoding: `files: {encoding: …}`.",
        ) from None
    except TooLarge:
        raise too_large_inside(path) from None
    except ValueError as problem:
        raise damaged(path, f"its tags do not fit together ({problem})") from None


class _Grid:
    """One open table: its row, the cell under way, and the columns that cells of rows above still fill."""

    def __init__(self, seen: Seen, index: int) -> None:
        self.index, self.seen = index, seen
        self.layer = RowLayer(seen.merged, last_row=1 << 40)
        self.text: CellText | None = None
        self.is_caption = False
        self._attributes: dict[str, str] = {}
        self._in_row = False

    def open_row(self, attributes: dict[str, str], formats: dict[str, str]) -> Raw | None:
        ended = self.close_row(formats)
        self.layer.begin(self.layer.number + 1)
        self._in_row = True
        if is_invisible(attributes):
            self.layer.spend(1)
            self.seen.hidden_rows.add(self.layer.number)
        return ended

    def open_cell(self, attributes: dict[str, str], formats: dict[str, str]) -> None:
        self.close_cell(formats)
        if not self._in_row:
            self.open_row({}, formats)
        self.text, self._attributes = CellText(), attributes

    def close_cell(self, formats: dict[str, str]) -> None:
        if self.text is None:
            return
        text = self.text if not self.is_caption else None
        seen, self.text = self.text.seen(), None
        if text is None:
            self.seen.name, self.is_caption = self.seen.name or " ".join(seen.split())[:60], False
            return
        wide = _span(self._attributes.get("colspan"), _WIDEST)
        tall = _span(self._attributes.get("rowspan"), _TALLEST)
        self.layer.pass_taken()
        self.layer.put(told_text(seen, self._attributes, formats), wide=wide, tall=tall)

    def close_row(self, formats: dict[str, str]) -> Raw | None:
        self.close_cell(formats)
        if not self._in_row:
            return None
        self._in_row = False
        return self.layer.row()

    def holds_another(self) -> None:
        """A table begins within the cell under way."""
        if self.text is not None and not self.is_caption:
            self.layer.flaw(
                "table_in_cell",
                f"Row {self.layer.number} of the table has a cell that holds another table, which is not read with it.",
                "Write what the cell means as text, or send the inner table as a file of its own.",
            )


class _Page:
    """Takes tokens and gives the rows of the wanted table as they end; ``tables`` tells of all that began."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self.tables: list[Seen] = []
        self.frames = False
        self._open: list[_Grid] = []
        self._formats: dict[str, str] = {}

    @property
    def is_open(self) -> bool:
        """Whether a table that began has not ended."""
        return bool(self._open)

    def take(self, token: str | Tag | Style) -> Raw | None:
        if isinstance(token, str):
            if self._open and self._open[-1].text is not None:
                self._open[-1].text.add(token)
            return None
        if isinstance(token, Style):
            self._formats |= class_formats(token.text)
            return None
        if token.name == "table":
            if token.is_end:
                return self._end_table()
            self._begin_table(token)
            return None
        self.frames = self.frames or token.name == "frame"
        return self._inside(self._open[-1], token) if self._open else None

    def _inside(self, grid: _Grid, tag: Tag) -> Raw | None:
        row: Raw | None = None
        match tag.name:
            case "tr" if not tag.is_end:
                row = grid.open_row(tag.attributes(), self._formats)
            case "tr" | "thead" | "tbody" | "tfoot":
                row = grid.close_row(self._formats)
            case "td" | "th" if not tag.is_end:
                grid.open_cell(tag.attributes(), self._formats)
            case "caption" if not tag.is_end:
                grid.text, grid.is_caption = CellText(), True
            case "td" | "th" | "caption":
                grid.close_cell(self._formats)
            case "br":
                if grid.text is not None:
                    grid.text.break_line()
            case name if name in _PARAGRAPHS and grid.text is not None:
                grid.text.break_line()
        return row if grid.index == self._wanted else None

    def _begin_table(self, tag: Tag) -> None:
        if len(self.tables) >= _MOST_TABLES or len(self._open) >= _DEEPEST:
            raise TooLarge("more tables than a page can show")
        attributes = tag.attributes()
        if self._open:
            self._open[-1].holds_another()
        seen = Seen(attributes.get("id", "").strip()[:60], is_invisible(attributes))
        self.tables.append(seen)
        self._open.append(_Grid(seen, len(self.tables) - 1))

    def _end_table(self) -> Raw | None:
        if not self._open:
            return None
        grid = self._open.pop()
        row = grid.close_row(self._formats)
        return row if grid.index == self._wanted else None


def _span(said: str | None, most: int) -> int:
    """How far a cell reaches; 0 rows mean: to the end."""
    text = (said or "1").strip()
    if not (text.isascii() and text.isdigit()):
        return 1
    return min(int(text[:9]) or (most if most == _TALLEST else 1), most)
