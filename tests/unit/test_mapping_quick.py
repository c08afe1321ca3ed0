"""What is read in bulk is what each text would be read to the long way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapped import NEW_YORK

from pipeline.arrow import texts as in_arrow
from pipeline.fields import RECORD_KINDS
from pipeline.mapping import cells
from pipeline.mapping.cells import Reading
from pipeline.mapping.parsers import read

ORDER = RECORD_KINDS["order"]
READINGS = [
    Reading(ORDER[name], parse, NEW_YORK, decimal=decimal)
    for name, parse, decimal in (
        ("note", "text", None), ("order_id", "text", None), ("shipping_postal_code", "text", None),
        ("phone", "text", None), ("phone", "phone", None), ("email", "email", None), ("note", "email", None),
        ("unit_price", "money", None), ("unit_price", "money", "."), ("unit_price", "decimal", ","),
        ("quantity", "integer", "."), ("quantity", "integer", None), ("note", "integer", "."),
    )
]  # fmt: skip
ODD = st.sampled_from(
    ["", " ", "\t", "\u00a0x", "x\u200b", "\ufeffx", '="007"', "'007", "#N/A", "1-Mar", "1.2E+11", "01. Mrz", "a\nb",
     "2026-01-05 00:00", "x" * 32_767, "x" * 32_768, "é" * 300, "\ufffe", "12\u0085", "Jos\ufffd", "JosÃ©", "e\u0301",
     "a\u00ad", "a  b", "007", "1,234", "1.5",
     "1.50", "1.500", "9" * 18, "9" * 19, "1" * 16 + "0", "+1 602 555 0123", "555", "(602) 555-0123", "0" * 30,
     "a@b.co", "a.b@C.co", "a@b", "a@b.c", f"{'a' * 64}@b.co", f"{'a' * 65}@b.co", "-5", "1e5", "\x00"]
)  # fmt: skip
TEXTS = st.lists(ODD | st.text(max_size=6) | st.text("0123456789.,-+ @aE'=#", max_size=9), min_size=1, max_size=12)


@pytest.mark.parametrize("reading", READINGS, ids=lambda r: f"{r.spec.name}-{r.parse}-{r.decimal}")
@given(texts=TEXTS)
@settings(max_examples=40, deadline=None)
def test_in_bulk_is_as_one_by_one(reading: Reading, texts: list[str]) -> None:
    column = in_arrow(texts)
    quick = read(column, reading)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "plain", lambda *_args, **_options: None)
        slow = read(column, reading)
    assert [(type(v), v) for v in quick.cells.objects()] == [(type(v), v) for v in slow.cells.objects()]
    assert quick.troubles == slow.troubles
