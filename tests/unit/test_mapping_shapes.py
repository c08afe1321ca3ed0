"""unpivot and split are proved before any file is there: unknown keys, contradictions, columns that are gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapped import mapping_of

from pipeline.errors import SetupError

FIELDS = """
feed: f
record: order
fields:
  order_id: {column: Order}
  ordered_at: {column: Date}
  quantity: {column: Qty}
  unit_price: {column: Price}
deliver: [{account: shop, operation: order}]
"""


def problems(folder: Path, shape: str, fields: str = FIELDS) -> str:
    with pytest.raises(SetupError) as caught:
        mapping_of(folder, fields + shape)
    return str(caught.value)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("unpivott: {Qty: 'Qty {n}'}", "unpivott: unknown key. Did you mean 'unpivot'?"),
        ("unpivot: 'Qty {n}'", "unpivot: expected a table"),
        ("unpivot: {Qty: []}", "Qty: write the columns it comes from"),
        ("unpivot: {Qty: 'Qty {m}'}", "must have {n} once"),
        ("unpivot: {Qty: 'Qty {n} {n}'}", "must have {n} once"),
        ("unpivot: {Qty: '{n}'}", "would take every column that is a number"),
        ("unpivot: {Qty: ['Qty {n}', Menge]}", "one pattern with {n}, or a list of headers"),
        ("unpivot: {Qty: 'Qty {n}', Menge: 'Qty {n}'}", "'Qty {n}' stands twice"),
        ("unpivot: {Qty: 'Qty {n}', Date: 'Qty {n}'}", "'Qty {n}' stands twice"),
        ("split: {colum: Items, between: ';'}", "unknown key 'colum'. Did you mean 'column'?"),
        ("split: {between: ';'}", "name the `column` to take apart"),
        ("split: {column: Items, columns: [A, B], between: ';'}", "name the `column` to take apart"),
        ("split: {column: Items}", "say how the cell is written"),
        ("split: {columns: [Qty, Price]}", "parallel `columns` need `between`"),
        ("split: {column: Items, form: '{Qty}{Price}'}", "nothing stands between {Qty} and {Price}"),
        ("split: {column: Items, form: '{Qty x Price'}", "braces"),
        ("split: {column: Items, form: 'Qty x Price'}", "has no column in it"),
        ("split: {column: Items, form: '{Qty} x {Qty}'}", "'Qty' stands twice"),
        ("split: {column: Items, form: '{Qty} x {Price}', json: {a: b}}", "form and json exclude each other"),
        ("split: {column: Items, json: {Qty: a, Price: b}, between: ';'}", "use `items` for the path"),
        ("split: {column: Items, items: lines, between: ';'}", "needs `json`"),
        ("split: {column: Items, pairs: {into: [Qty], mark: '|'}}", "must be two different texts"),
        ("split: {column: Items, pairs: {intoo: [Qty]}}", "intoo"),
        ("split: {column: Items, pairs: {into: []}}", "name the wanted values"),
        ("split: {column: Items, pairs: {into: [Qty, Qty]}}", "'Qty' is made twice"),
        ("split: {columns: [Qty, Price], between: ''}", "an empty text stands between"),
        ("join: {sheet: A, on: {Order: No}}", "name the one with the lines"),
        ("join: {on: {Order: No}}", "say where the other table is"),
        ("join: {sheet: A, files: b, on: {Order: No}}", "say where the other table is"),
        ("join: {files: 'b*', on: {}}\nfiles: {pattern: 'a*'}", "say which columns hold the key"),
        ("join: {files: 'a*', on: {Order: No}}\nfiles: {pattern: 'a*'}", "both files of a pair would be called"),
        ("join: {files: 'b', on: {Order: No}}\nfiles: {pattern: 'a*'}", "'b' must have one * in it"),
        ("join: {files: 'b*', on: {Order: No}}\nfiles: {pattern: ['a*', 'c*']}", "exactly one files.pattern"),
        ("join: {sheet: a, on: {Order: No}}\nfiles: {sheet: A}", "holds the lines already"),
        ("join: {shet: a, on: {Order: No}}", "Did you mean 'sheet'?"),
        (
            "join: {files: 'b*', on: {Order: No}, without_lines: drop}\nfiles: {pattern: 'a*'}",
            "not one of refuse, ignore",
        ),
        ("unpivot: {Quantity: 'Qty {n}', Price: 'Price {n}'}\nfill_down: Qtty", "Qtty"),
    ],
)
def test_what_is_wrong_with_a_shape_is_said_with_its_key(tmp_path, shape, said):
    assert said in problems(tmp_path, shape)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("unpivot: {Number: 'Qty {n}', Price: 'Price {n}'}", "'Qty 1' is unfolded into Number, Price"),
        (
            "split: {column: 'Qty 1', between: ';', form: '{Number} of {Price}'}",
            "'Qty 1' is unfolded into Number, Price",
        ),
    ],
)
def test_a_field_that_asks_for_an_unfolded_column_is_told_which_columns_there_are(tmp_path, shape, said):
    assert said in problems(tmp_path, shape, FIELDS.replace("column: Qty", "column: Qty 1"))


def test_a_mapping_without_shapes_has_the_fingerprint_it_had(tmp_path):
    plain = mapping_of(tmp_path, FIELDS)
    assert plain.fingerprint() == "f2f7e72dd50894171845012246eb193d08419113c46d279e5a75574389bbb17d"
    unfolded = mapping_of(tmp_path, FIELDS + "unpivot: {Qty: 'Qty {n}', Price: 'Price {n}'}")
    assert unfolded.fingerprint() != plain.fingerprint()
