"""The law of the workbook: any texts written and read back are the same texts, and no cell is ever a formula.

Excepted is what a cell cannot hold, as ``fit`` says: control characters come back as their pictures, carriage
returns as line feeds, non-characters as U+FFFD, and texts over 32,767 UTF-16 units cut with a mark.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from pipeline.closing.cells import fit
from pipeline.closing.workbook import ErrorsSheet, Problem, SheetRow, write_errors_workbook

NASTY = st.sampled_from(
    ["=1+1", "+2", "-3", "@x", "'0012", " 007 ", "<r>x</r>", "_x000D_", "#REF!", "\t\n", "1E+5", "TRUE"]
)
TEXTS = st.one_of(NASTY, st.text(max_size=40), st.text(alphabet="<r>/=\x00\x1b\r\n_xD ", max_size=30))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_texts_come_back_as_they_were_and_none_is_a_formula(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 4))
    header = data.draw(st.tuples(*[TEXTS] * width))
    rows = data.draw(st.lists(st.tuples(*[TEXTS] * width), min_size=1, max_size=4))
    told = data.draw(TEXTS)
    sheet_rows = [SheetRow(n, cells, (Problem(0, told, told),)) for n, cells in enumerate(rows, 2)]
    received = datetime(2026, 1, 5, tzinfo=UTC)
    sheet = ErrorsSheet(told, told, "k3x9q2ab", header, sheet_rows, len(rows), 0, len(rows), 0, received)
    with tempfile.TemporaryDirectory() as folder:
        [path] = write_errors_workbook(Path(folder) / "a.xlsx", sheet)
        book = openpyxl.load_workbook(path)
    cells = [line[:width] for line in book["Fix these rows"].iter_rows()]
    back = [tuple(unescape(cell.value or "") for cell in line) for line in cells]
    assert back == [tuple(map(fit, texts)) for texts in (header, *rows)]
    assert all(cell.data_type != "f" for page in book for line in page.iter_rows() for cell in line)
