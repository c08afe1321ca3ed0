"""A schema of our own words judges the same without pandera; any other file is run with it, as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import pandera.pandas as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapped import NEW_YORK, mapping_of, rows_of
from project import SECRETS, ProjectFolder, order_row

from pipeline.checking import check_file, load_schema, schema_to_judge_by
from pipeline.checking.plain_schema import PlainSchema, plain_schema
from pipeline.errors import SetupError
from pipeline.fields import RECORD_KINDS
from pipeline.mapping.apply import bind, survey, typed
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

CELLS = {
    "decimal": ["1", "1", "0", "-0.01", "-10000001", "10000000", "10000001", "1000000.5", "", "x"],
    "time": ["2026-01-05T10:00:00Z", ""],
    "date": ["2026-01-05", ""],
    "boolean": ["yes", ""],
    "country": ["US", "DE", "Neuland", ""],
    "email": ["a@b.com", f"{'x' * 60}@{'y' * 63}.{'y' * 63}.{'y' * 63}.com", ""],
    "phone": ["+1 555 0100", "5" * 23 + " " * 20 + "#1", ""],
    "text": ["a", "product", "USD", "usd", "u$d", "ä" * 200, "x" * 255, "x" * 256, "https://x.example", ""],
}
FROM = "from pipeline.checking.columns import number, text\nimport pandera.pandas as pa\n"


@lru_cache(maxsize=8)
def _bound(kind: str):
    names = [name for name, field in RECORD_KINDS[kind].items() if field.type in CELLS]
    fields = "".join(f"  {name}: {{column: {name}}}\n" for name in names)
    with tempfile.TemporaryDirectory() as folder:
        mapping = mapping_of(Path(folder), f"feed: f\nrecord: {kind}\ndecimal: '.'\nfields:\n{fields}deliver: []\n")
    return names, bind(mapping, names, NEW_YORK)


@lru_cache(maxsize=8)
def _both(kind: str):
    return load_schema(Path(), kind), schema_to_judge_by(Path(), kind)


@given(st.sampled_from(sorted(RECORD_KINDS)), st.integers(1, 6), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_starter_schemas_judge_alike_with_pandera_and_without(kind, count, random):
    names, bound = _bound(kind)
    rows = [[random.choice(CELLS[RECORD_KINDS[kind][name].type]) for name in names] for _ in range(count)]
    read = rows_of(rows, width=len(names))
    with_pandera, without = (
        check_file(bound, [typed(bound, read, survey(bound, [read]))], [], schema) for schema in _both(kind)
    )
    assert with_pandera.rejections == without.rejections
    assert list(with_pandera.records) == list(without.records)


@pytest.mark.parametrize("kind", sorted(RECORD_KINDS))
def test_the_starter_schemas_say_the_same_to_both(kind):
    with_pandera, plain = _both(kind)
    assert isinstance(with_pandera, pa.DataFrameSchema)
    assert isinstance(plain, PlainSchema)
    assert list(with_pandera.columns) == list(plain.columns)
    for name, column in with_pandera.columns.items():
        words = [(check.name, check.error, check.description) for check in column.checks]
        assert words == [(check.name, check.error, check.description) for check in plain.columns[name].checks]


def _file(folder: Path, body: str) -> Path:
    (folder / "schemas").mkdir()
    path = folder / "schemas" / "order.py"
    path.write_text(body, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "body",
    [
        FROM + "schema = pa.DataFrameSchema({})",
        FROM + "MOST = -10**3 * -1\nschema = pa.DataFrameSchema({'quantity': number(at_most=MOST)})",
        FROM + "schema = pa.DataFrameSchema({**{name: text(9) for name in ('sku', 'note')}, f'{\"tag\"}': text()})",
        FROM.replace("text", "text as words").replace("pa\n", "anders\n")
        + "NOTE = {'note': words(9)}\nschema = anders.DataFrameSchema(NOTE | {'extra.gift': words(9)})",
        "from __future__ import annotations\nfrom pipeline.fields import LINE_TYPES\n"
        + FROM.replace("number", "one_of")
        + "schema = pa.DataFrameSchema({'line_type': one_of(LINE_TYPES)})",
    ],
)
def test_a_file_of_our_own_words_is_plain(tmp_path, body):
    plain = plain_schema(_file(tmp_path, body))
    assert plain is not None
    assert list(plain.columns) == list(load_schema(tmp_path, "order").columns)
    assert schema_to_judge_by(tmp_path, "order") == schema_to_judge_by(tmp_path, "order")


@pytest.mark.parametrize(
    "body",
    [
        FROM + "schema = pa.DataFrameSchema({'sku': pa.Column(None, nullable=True, required=False)})",
        FROM + "schema = pa.DataFrameSchema({'sku': text(9)}, checks=pa.Check(lambda frame: frame['sku'] != 'x'))",
        FROM + "schema = pa.DataFrameSchema({'sku': text(9)}).add_columns({'note': text(9)})",
        FROM + "from pipeline.checking.columns import check, column\n"
        "schema = pa.DataFrameSchema({'sku': column(check('odd', 'is odd', 'Mend it.', lambda cells: cells != 'x'))})",
        FROM + "schema = pa.DataFrameSchema({'sku': text(9)})\nschema.name = 'mine'",
        FROM + "pa.DataFrameSchema.strict = True\nschema = pa.DataFrameSchema({'sku': text(9)})",
        FROM + "frame = pa.DataFrameSchema\nschema = frame({'sku': text(9)})",
        FROM + "schema = None\ntry:\n    schema = pa.DataFrameSchema({'sku': text(9)})\nfinally:\n    pass",
        FROM + "print('loaded')\nschema = pa.DataFrameSchema({'sku': text(9)})",
        FROM + "import decimal\nschema = pa.DataFrameSchema({'sku': text(9)})",
        FROM + "if text:\n    schema = pa.DataFrameSchema({'sku': text(9)})",
        FROM.replace("import pandera.pandas as pa", "from pandera.pandas import DataFrameSchema")
        + "schema = DataFrameSchema({'sku': text(9)})",
    ],
)  # fmt: skip
def test_any_other_file_is_run_with_pandera(tmp_path, body):
    assert plain_schema(_file(tmp_path, body)) is None
    assert isinstance(schema_to_judge_by(tmp_path, "order"), pa.DataFrameSchema)


@pytest.mark.parametrize(
    "body",
    [
        FROM + "schema = pa.DataFrameSchema({'skuu': text(9)})",
        FROM + "schema = pa.DataFrameSchema({'sku': 5})",
        FROM + "schema = pa.DataFrameSchema(text(9))",
        FROM + "schema = text(9)",
        FROM + "other = pa.DataFrameSchema({'sku': text(9)})",
        FROM + "schema = pa.DataFrameSchema({'sku': text(9 / 0)})",
        FROM + "schema = pa.DataFrameSchema({'sku': text(longst=9)})",
        FROM + "schema = pa.DataFrameSchema({'sku': text('9')})",
        FROM + "schema = pa.DataFrameSchema({'sku': text(None)})",
        FROM + "schema = pa.DataFrameSchema({'quantity': number(at_most='9')})",
        FROM + "schema = pa.DataFrameSchema({'quantity': number(above=None, at_least='nan')})",
        FROM + "schema = pa.DataFrameSchema({'sku': words(9)})",
        FROM + "schema = (",
        FROM + "from pipeline.checking.columns import txt",
        FROM + "from pipeline.fields import LINES",
        FROM + "from .columns import text",
        "\0",
    ],
)
def test_a_wrong_file_is_refused_in_the_same_words(tmp_path, body):
    _file(tmp_path, body)
    with pytest.raises(SetupError) as refused:
        load_schema(tmp_path, "order")
    with pytest.raises(SetupError) as refused_too:
        schema_to_judge_by(tmp_path, "order")
    assert str(refused.value) == str(refused_too.value)


@pytest.mark.parametrize(
    ("bound", "says"), [("'9'", "at_most='9'"), ("float('nan')", "at_most=nan"), ("[9]", "at_most=[9]")]
)
def test_a_bound_that_is_no_number_is_refused_where_it_stands(tmp_path, bound, says):
    _file(tmp_path, FROM + f"schema = pa.DataFrameSchema({{'quantity': number(at_most={bound})}})")
    with pytest.raises(SetupError, match=re.escape(f"schemas/order.py, line 3: TypeError: number({says})")):
        schema_to_judge_by(tmp_path, "order")


@pytest.mark.parametrize("bound", ["10", "10.0", "Decimal('10')"])
def test_a_bound_may_be_any_number(tmp_path, bound):
    text = "from decimal import Decimal\n" if "Decimal" in bound else ""
    _file(tmp_path, f"{text}{FROM}schema = pa.DataFrameSchema({{'quantity': number(above={bound})}})")
    names, bound_mapping = _bound("order")
    rows = [
        ["10" if name == "quantity" else "" for name in names],
        ["10.01" if name == "quantity" else "" for name in names],
    ]
    read = rows_of(rows, width=len(names))
    blocks = [typed(bound_mapping, read, survey(bound_mapping, [read]))]
    told = check_file(bound_mapping, blocks, [], schema_to_judge_by(tmp_path, "order")).rejections
    assert [(one.row, one.code) for one in told if one.field == "quantity"] == [(2, "below_minimum")]


def test_a_file_that_changes_is_looked_at_anew(tmp_path):
    path = _file(tmp_path, FROM + "schema = pa.DataFrameSchema({'sku': text(9)})")
    assert isinstance(schema_to_judge_by(tmp_path, "order"), PlainSchema)
    path.write_text(FROM + "import decimal\nschema = pa.DataFrameSchema({'sku': text(9)})")
    assert isinstance(schema_to_judge_by(tmp_path, "order"), pa.DataFrameSchema)


RUN = """
import sys
from pipeline.cli import cli
code = cli.main(["run", "--json", "--project", sys.argv[1]], standalone_mode=False)
print("pandera" in sys.modules, file=sys.stderr)
sys.exit(code)
"""
OWN = """
import pandera.pandas as pa
from pipeline.checking.columns import check, column
odd = check("odd_sku", "is odd", "Mend it.", lambda cells: cells != "ODD")
schema = pa.DataFrameSchema({"sku": column(odd)})
"""


def test_a_run_loads_pandera_for_a_schema_of_ones_own_only(tmp_path, monkeypatch):
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    with SandboxServer(all_targets()) as sandbox:
        folder = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
        folder.drop("orders_1.csv", order_row("1001"))
        assert _ran(folder) == (0, "False")
        (folder.path / "schemas").mkdir()
        (folder.path / "schemas" / "order.py").write_text(OWN)
        folder.drop("orders_2.csv", order_row("1002", sku="ODD"))
        assert _ran(folder) == (1, "True")


def _ran(folder: ProjectFolder) -> tuple[int, str]:
    program = [sys.executable, "-c", RUN, str(folder.path)]
    ran = subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)
    return ran.returncode, ran.stderr.splitlines()[-1]
