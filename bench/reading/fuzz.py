"""Damaged, spliced and invented files against every reader and parser: nothing but ``FileRefused`` may come out.

    python bench/reading/fuzz.py [--runs 20000] [--seed 1] [--seeds DIR]

Each run damages one of the seeds (files made here in every format, and the small ones below ``DIR`` or
ORDERDROP_EXPORTS) and reads it twice: in bulk and row by row must give the same cells and the same broken rows. A text
made up then goes through every parser a mapping can name. A run that takes more than ten seconds is a failure.
"""

from __future__ import annotations

import argparse
import gzip
import io
import os
import random
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import xlsxwriter

from pipeline.errors import FileRefused
from pipeline.fields import RECORD_KINDS
from pipeline.intake.archives import archive_kind, unpack
from pipeline.mapping.cells import Reading
from pipeline.mapping.parsers import PARSERS, read_one
from pipeline.reading import Table, open_table
from pipeline.reasons import Trouble

SLOW = 10.0
LARGEST_SEED = 60_000
_TOKENS = (
    b'"', b'""', b"'", b",", b";", b"\t", b"|", b"||", b"\r", b"\n", b"\r\n", b"\x00", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\\", b"sep=;\n", b"TOTAL", b"=1+1", b"\xe9", b"\x85", "合计".encode(), "é".encode("cp1252"), b"<v>", b"</row>",
    b"&amp;", b"9" * 400,
    b"PK\x03\x04", b"\x1f\x8b", b"1e999", b"-0", b"NaN", b"1.234,56", b"31/02/2024", b"t=\"s\"",
)  # fmt: skip
_TEXTS = "0123456789.,-+()%$€/: TZapmAPMEe'\"\t\u00a0\u202f١٢٣éßş\u200f月年日½−"


@dataclass(slots=True)
class Outcome:
    """What the runs came to. ``failures`` are told with what is needed to repeat them."""

    runs: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)


def fuzz(runs: int, seed: int, seeds: Sequence[tuple[str, bytes]], *, told: Callable[[Outcome], None]) -> Outcome:
    """So many damaged files; ``told`` hears of the progress every thousand."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs):
            chance = random.Random(f"{seed} {number}")
            name, content = chance.choice(seeds)
            path = Path(folder) / f"f{number}{Path(name).suffix}"
            path.write_bytes(damaged(content, chance, [other for _, other in seeds]))
            _one(outcome, path, f"--seed {seed}, run {number} ({name})", chance)
            path.unlink()
            if number % 1000 == 999:
                told(outcome)
    return outcome


def _one(outcome: Outcome, path: Path, label: str, chance: random.Random) -> None:
    outcome.runs += 1
    begun = time.monotonic()
    try:
        outcome.codes[read_twice(path, outcome)] += 1
        parse_invented(chance)
    except Exception:  # noqa: BLE001 - that is what is looked for
        outcome.failures.append(f"{label}: {traceback.format_exc(limit=-4)}")
    took = time.monotonic() - begun
    outcome.slowest = max(outcome.slowest, took)
    if took > SLOW:
        outcome.failures.append(f"{label}: took {took:.0f} s")


def read_twice(path: Path, outcome: Outcome) -> str:
    """Read in bulk and in small blocks; the refusal's code, or ``read``. ``AssertionError`` when they differ."""
    kind = archive_kind(path)
    if kind is not None:
        with tempfile.TemporaryDirectory() as folder:
            try:
                unpack(path, kind, Path(folder) / "out")
            except FileRefused as refused:
                return _well_said(refused)
            return "unpacked"
    table, code = _opened(path)
    if table is None:
        return code
    large, one = _all(table, 5000)
    small, other = _all(table, 7)
    assert one == other, f"in bulk {one}, row by row {other}"
    assert large == small, "read in bulk and row by row it is not the same"
    outcome.rows += len(large)
    return one


def _opened(path: Path) -> tuple[Table | None, str]:
    try:
        return open_table(path), "read"
    except FileRefused as refused:
        return None, _well_said(refused)


def _well_said(refused: FileRefused) -> str:
    assert refused.code, "a refusal needs a code"
    assert refused.message, "a refusal needs a sentence"
    assert refused.advice, "a refusal needs an advice"
    return refused.code


def _all(table: Table, size: int) -> tuple[dict[int, tuple[str, ...]], str]:
    rows: dict[int, tuple[str, ...]] = {}
    broken: set[tuple[int, str]] = set()
    try:
        for block in table.blocks(size):
            assert not any(c.null_count for c in block.rows.columns), "an empty cell is an empty text"
            for number, cells in zip(block.rows.numbers.tolist(), map(list, block.rows.lines()), strict=True):
                assert number not in rows, "a row number stands twice"
                rows[number] = (*cells, *block.overflow.get(number, ()))
            broken |= {(rejection.row, rejection.code) for rejection in block.broken}
    except FileRefused as refused:
        return {}, _well_said(refused)
    assert {row for row, _ in broken} <= set(rows), "a row that is not there is broken"
    return rows, "read"


def parse_invented(chance: random.Random) -> None:
    """A made-up text through every parser."""
    text = "".join(chance.choices(_TEXTS, k=chance.randrange(0, 24)))
    for name in PARSERS:
        for field_name in ("quantity", "ordered_at", "email", "phone", "billing_country", "product_name", "confirmed"):
            spec = RECORD_KINDS["order"][field_name]
            if spec.type in PARSERS[name].fits:
                value = read_one(text, Reading(spec, name, ZoneInfo("America/New_York")))
                assert value is None or isinstance(value, Trouble) or not pd.isna(value)


# --- seeds and damage ------------------------------------------------------------------------------------------------


def damaged(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """The content with one to eight wounds; now and then that of the parts inside a ZIP."""
    if content.startswith(b"PK") and chance.random() < 0.7:
        return _damaged_inside(content, chance)
    text = bytearray(content)
    for _ in range(chance.randrange(1, 9)):
        _wound(text, chance, others)
    return bytes(text)


def _damaged_inside(content: bytes, chance: random.Random) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        names = whole.namelist()
        victim = chance.choice(names) if names else ""
        for name in names:
            part = bytearray(whole.read(name))
            if name == victim:
                for _ in range(chance.randrange(1, 5)):
                    _wound(part, chance, [])
            archive.writestr(name, bytes(part))
    return made.getvalue()


def _wound(text: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    at = chance.randrange(len(text) + 1)
    match chance.randrange(7):
        case 0:
            text[at : at + chance.randrange(1, 40)] = b""
        case 1:
            text[at:at] = chance.choice(_TOKENS)
        case 2:
            text[at : at + 1] = bytes([chance.randrange(256)])
        case 3:
            text[at:at] = text[at : at + chance.randrange(1, 200)] * chance.randrange(1, 4)
        case 4:
            del text[at:]
        case 5 if others:
            other = chance.choice(others)
            start = chance.randrange(len(other) + 1)
            text[at:at] = other[start : start + chance.randrange(1, 300)]
        case _:
            text[at : at + chance.randrange(1, 6)] = chance.choice(_TOKENS)


def own_seeds() -> list[tuple[str, bytes]]:
    """A small file of every kind that can be made here."""
    rows = "id;name;qty;price;day\n" + "".join(f'{n};"Bolt; {n}"" é";{n};{n},50;2024-01-{n:02}\n' for n in range(1, 25))
    comma = "id,name,n\n" + "".join(f"{n},Ann {n},x\n" for n in range(40))
    found = [
        ("a.csv", rows.encode()), ("b.csv", rows.encode("cp1252")), ("c.csv", rows.encode("utf-16")),
        ("d.csv", comma.replace("\n", "\r\n").encode()), ("e.csv", ("sep=;\n" + rows).encode()),
        ("f.csv", ("Report\n\n" + comma + "TOTAL,,40\n").encode()), ("g.txt", comma.replace(",", "||").encode()),
        ("h.csv", comma.replace("Ann", "'Ann").replace(",x", "',x").encode()),
        ("i.csv", "氏名,数\n山田,1\n佐藤,2\n".encode("cp932")),
        ("j.csv.gz", gzip.compress(comma.encode(), mtime=0)), ("k.xlsx", _workbook()),
        ("l.xls", b"<html><table><tr><td>id</td><td>n</td></tr><tr><td>1</td><td>2</td></tr></table></html>"),
        ("n.xls", _xml().encode()), ("o.ods", _spreadsheet()),
    ]  # fmt: skip
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", comma)
    return [*found, ("m.zip", packed.getvalue())]


def _xml() -> str:
    """An Excel 2003 workbook in XML."""
    cells = '<Row><Cell><Data ss:Type="String">A{0}</Data></Cell><Cell ss:Index="3"><Data ss:Type="Number">{0}</Data>'
    rows = "".join(f"{cells.format(number)}</Cell></Row>" for number in range(20))
    names = "urn:schemas-microsoft-com:office:spreadsheet"
    table = f'<Worksheet ss:Name="Rows"><Table>{rows}</Table></Worksheet>'
    return f'<?xml version="1.0"?>\n<Workbook xmlns="{names}" xmlns:ss="{names}">{table}</Workbook>'


def _spreadsheet() -> bytes:
    """An OpenDocument spreadsheet."""
    cells = "<t:table-cell o:value-type='string'><x:p>A{0}</x:p></t:table-cell><t:table-cell o:value-type='float' "
    rows = "".join(
        f"<t:table-row>{cells.format(number)}o:value='{number}'><x:p>00{number}</x:p></t:table-cell></t:table-row>"
        for number in range(20)
    )
    names = "".join(
        f" xmlns:{short}='urn:oasis:names:tc:opendocument:xmlns:{long}:1.0'"
        for short, long in (("o", "office"), ("t", "table"), ("x", "text"))
    )
    table = f"<o:body><o:spreadsheet><t:table t:name='Rows'>{rows}</t:table></o:spreadsheet></o:body>"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f"<o:document-content{names}>{table}</o:document-content>")
    return made.getvalue()


def _workbook() -> bytes:
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made)
    sheet = book.add_worksheet("Rows")
    sheet.write_row(0, 0, ["id", "when", "n"])
    for row in range(1, 20):
        sheet.write_row(row, 0, [f"A{row}", row * 1.5, row])
        sheet.write_formula(row, 3, f"=C{row}+1")
    book.close()
    return made.getvalue()


def seeds_below(folder: Path) -> list[tuple[str, bytes]]:
    """Small real files, where there are any."""
    files = sorted(folder.rglob("*.*")) if folder.is_dir() else []
    return [(path.name, path.read_bytes()) for path in files if path.is_file() and path.stat().st_size <= LARGEST_SEED]


def main() -> int:
    """Run, tell, and end with 1 when anything but a refusal came out."""
    parser = argparse.ArgumentParser(description="Damaged files against every reader and parser")
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=Path, default=Path(os.environ.get("ORDERDROP_EXPORTS", "exports")))
    asked = parser.parse_args()
    seeds = [*own_seeds(), *seeds_below(asked.seeds)]
    print(f"{len(seeds)} seeds")
    outcome = fuzz(
        asked.runs, asked.seed, seeds, told=lambda now: print(f"{now.runs} runs, {len(now.failures)} failures")
    )
    print(f"{outcome.runs} runs, {outcome.rows} rows read twice alike, slowest {outcome.slowest:.1f} s")
    print(", ".join(f"{code} {number}" for code, number in outcome.codes.most_common()))
    print(*outcome.failures[:20], sep="\n")
    print(f"{len(outcome.failures)} failures")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
