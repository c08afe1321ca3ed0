"""Delimited text: what is cut, counted, kept and refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import FileRefused
from pipeline.reading import Hints, Table, open_table
from pipeline.reading.csv_file import LONGEST_CELL
from pipeline.reading.header import MOST_COLUMNS


def write(folder: Path, content: str | bytes, name: str = "orders.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table(folder: Path, content: str | bytes, **hints: object) -> Table:
    return open_table(write(folder, content), Hints(**hints))  # type: ignore[arg-type]


def rows(opened: Table, size: int = 1000) -> dict[int, list[str]]:
    return {
        number: cells
        for block in opened.blocks(size)
        for number, cells in zip(block.rows.numbers.tolist(), map(list, block.rows.lines()), strict=True)
    }


def broken(opened: Table) -> list[tuple[int, str]]:
    return [(rejection.row, rejection.code) for block in opened.blocks(1000) for rejection in block.broken]


def refusal(folder: Path, content: str | bytes, **hints: object) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        rows(table(folder, content, **hints))
    assert "orders.csv" in caught.value.message
    assert caught.value.advice
    return caught.value


def test_row_numbers_count_blank_rows_and_rows_with_line_breaks_inside(tmp_path: Path) -> None:
    opened = table(tmp_path, 'id,name\n1,Bob\n\n  , \n2,"a\nb"\n3,x\n')
    assert opened.header == ("id", "name")
    assert rows(opened) == {2: ["1", "Bob"], 5: ["2", "a\nb"], 6: ["3", "x"]}


def test_columns_are_arrow_texts_without_nulls_and_the_row_numbers_are_whole(tmp_path: Path) -> None:
    (block,) = table(tmp_path, "id,name\n1,\n").blocks(10)
    assert block.rows.width == 2
    assert all(column.type == pa.large_string() and not column.null_count for column in block.rows.columns)
    assert block.rows.numbers.dtype == "int64"


def test_blocks_start_anew_each_time_and_keep_their_size(tmp_path: Path) -> None:
    opened = table(tmp_path, "id,name\n" + "".join(f"{i},n{i}\n" for i in range(7)))
    assert [len(block.rows) for block in opened.blocks(3)] == [3, 3, 1]
    assert rows(opened, 2) == rows(opened, 100)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_one(tmp_path: Path, end: str) -> None:
    assert rows(table(tmp_path, end.join(["id,name", "1,Bob", "2,Ann"]))) == {
        2: ["1", "Bob"],
        3: ["2", "Ann"],
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "+|", "||", "~|~"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    lines = [["id", "name", "price"], ["1", f'"Bolt{delimiter}long"', "1"], ["2", "Nut", "2"]]
    opened = table(tmp_path, "\n".join(delimiter.join(line) for line in lines))
    assert opened.found.delimiter == delimiter
    assert rows(opened) == {2: ["1", f"Bolt{delimiter}long", "1"], 3: ["2", "Nut", "2"]}


def test_decimal_commas_do_not_pass_for_delimiters(tmp_path: Path) -> None:
    opened = table(tmp_path, "name;price\na;1,50\nb;2,50\nc;3,50\n")
    assert (opened.found.delimiter, rows(opened)[2]) == (";", ["a", "1,50"])


def test_empty_cells_between_pipes_are_not_a_longer_delimiter(tmp_path: Path) -> None:
    assert rows(table(tmp_path, "a|b|c\n1||3\n2||4\n")) == {2: ["1", "", "3"], 3: ["2", "", "4"]}


def test_two_equally_likely_delimiters_are_refused_by_name_until_one_is_named(tmp_path: Path) -> None:
    text = "Name;Price, EUR\na;1,5\nb;2,5\n"
    refused = refusal(tmp_path, text)
    assert refused.code == "ambiguous_delimiter"
    assert "comma" in refused.message
    assert "semicolon" in refused.message
    assert "delimiter" in refused.advice
    assert rows(table(tmp_path, text, delimiter="semicolon")) == {2: ["a", "1,5"], 3: ["b", "2,5"]}


@pytest.mark.parametrize("size", [10, 5000])
def test_a_file_marked_twice_as_utf8_has_no_mark_in_its_header(tmp_path: Path, size: int) -> None:
    opened = table(tmp_path, "\ufeff\ufeffid,name\n" + "1,Bob\n" * 20)
    assert opened.header == ("id", "name")
    assert rows(opened, size)[2] == ["1", "Bob"]


@pytest.mark.parametrize("size", [10, 5000])
def test_zero_bytes_cut_nothing(tmp_path: Path, size: int) -> None:
    opened = table(tmp_path, b"id,name\n" + b"1,Bob Miller and Sons\n" * 3000 + b"\x002,\x00\n3,A\x00nn\n")
    assert [rows(opened, size)[at] for at in (3002, 3003)] == [["\x002", "\x00"], ["3", "A\x00nn"]]


@pytest.mark.parametrize("mark", ["", '"'])
def test_an_endless_cell_is_refused_for_what_it_is(tmp_path: Path, mark: str) -> None:
    refused = refusal(tmp_path, f"id,name\n1,Bob\n2,{mark}{'x' * (LONGEST_CELL + 10)}{mark}\n3,Ann\n")
    assert (refused.code, "row 3" in refused.message) == ("not_a_table", True)


def test_of_two_delimiters_the_one_that_ends_every_row_is_it(tmp_path: Path) -> None:
    assert rows(table(tmp_path, "sum,term,\n2,A1^2,\n3,A2^2,\n4,A3^2,\n"))[3] == ["3", "A2^2", ""]
    assert table(tmp_path, "".join(f"{n},(A{n}^2),\n" for n in range(9))).found.delimiter == ","


def test_a_mark_that_stands_in_one_row_of_all_is_part_of_a_text(tmp_path: Path) -> None:
    opened = table(tmp_path, "This has one column\nhere a semicolon (;)\nhere a pipe (|)\nand here a tab (\t)")
    assert opened.found.delimiter is None


def test_comment_lines_between_tables_do_not_hide_the_delimiter(tmp_path: Path) -> None:
    text = '# Dump\n#\n"id","name"\n"1","Bob"\n\n#\n# NEXT\n#\n\n#\n# LAST\n#\n'
    assert table(tmp_path, text).found.delimiter == ","


def test_a_single_column_is_a_table_too(tmp_path: Path) -> None:
    opened = table(tmp_path, 'note\n"Hello, world"\nplain; text\nx\n')
    assert opened.found.delimiter is None
    assert rows(opened) == {2: ["Hello, world"], 3: ["plain; text"], 4: ["x"]}


def test_a_sep_line_names_the_delimiter_and_counts_as_a_row(tmp_path: Path) -> None:
    opened = table(tmp_path, "sep=;\r\na,b;c\r\n1;2\r\n")
    assert (opened.header, opened.found.header_row, rows(opened)) == (("a,b", "c"), 2, {3: ["1", "2"]})


def test_a_second_reading_with_what_was_found_reads_the_same(tmp_path: Path) -> None:
    opened = table(tmp_path, "sep=;\nTitle\nid;name;n\n1;Zoë;2\n".encode("cp1252"))
    again = open_table(tmp_path / "orders.csv", opened.found.hints())
    assert (again.header, rows(again)) == (opened.header, rows(opened)) == (("id", "name", "n"), {4: ["1", "Zoë", "2"]})


def test_quoted_cells_keep_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    opened = table(tmp_path, 'id,t\r\n1,"say ""hi"", you"\r\n2,"a\r\nb"\r\n')
    assert rows(opened) == {2: ["1", 'say "hi", you'], 3: ["2", "a\r\nb"]}


def test_a_blank_before_a_quote_does_not_break_the_cell(tmp_path: Path) -> None:
    opened = table(tmp_path, 'id, "when", "x"\n1, "a, b", " c"\n2, "d", e\n')
    assert opened.header == ("id", "when", "x")
    assert rows(opened) == {2: ["1", "a, b", " c"], 3: ["2", "d", "e"]}


def test_blanks_after_a_closing_quote_are_kept(tmp_path: Path) -> None:
    opened = table(tmp_path, 'id,name\n"3985734"\t,"a" \n')
    assert (rows(opened), broken(opened)) == ({2: ["3985734\t", "a "]}, [])


@pytest.mark.parametrize("size", [10, 1000])
def test_text_after_a_closing_quote_is_never_taken_for_certain(tmp_path: Path, size: int) -> None:
    opened = table(tmp_path, 'id,name,n\n1,"a" b,1\n2,c,2\n3,"5" pipe",3\n4,""d e",4\n')
    flawed = [(rejection.row, rejection.code) for block in opened.blocks(size) for rejection in block.broken]
    assert flawed == [(2, "stray_quote"), (4, "stray_quote"), (5, "stray_quote")]
    read = rows(opened, size)
    assert (read[4], read[5]) == (["3", '5" pipe', "3"], ["4", '"d e', "4"])  # each cell under its column


def test_a_mark_amid_an_unquoted_text_is_an_inch(tmp_path: Path) -> None:
    opened = table(tmp_path, 'id,name\n1,5" pipe\n2,7"x9"\n')
    assert (rows(opened), broken(opened)) == ({2: ["1", '5" pipe'], 3: ["2", '7"x9"']}, [])


@pytest.mark.parametrize("size", [10, 1000])
def test_two_lines_with_a_mark_each_do_not_hide_one_another(tmp_path: Path, size: int) -> None:
    opened = table(tmp_path, 'a,b,c\n"1,2,3,"x\n4,5,6\n"7,8,9,"y\n')
    assert {r.row for block in opened.blocks(size) for r in block.broken} == {2, 4}


def test_apostrophes_that_wrap_a_column_are_quote_marks(tmp_path: Path) -> None:
    opened = table(tmp_path, "id,name\n1,'Bob, jr'\n2,'Ann'\n3,'Zoë'\n")
    assert (opened.found.quote, rows(opened)[2]) == ("'", ["1", "Bob, jr"])
    kept = table(tmp_path, "id,name\n'00123,Men's\n'00124,'tis\n")
    assert (kept.found.quote, rows(kept)[2]) == ('"', ["'00123", "Men's"])


def test_a_backslash_in_front_of_a_quote_mark_is_found(tmp_path: Path) -> None:
    opened = table(tmp_path, 'id,name\n1,"12\\" pipe, long"\n2,"C:\\dir"\n3,"a\\\\b"\n')
    assert opened.found.escape == "\\"
    assert rows(opened) == {2: ["1", '12" pipe, long'], 3: ["2", "C:\\dir"], 4: ["3", "a\\b"]}
    assert not broken(opened)
    path = table(tmp_path, 'id,name\n1,"C:\\dir\\"\n2,"D:\\"\n')
    assert (path.found.escape, rows(path)[3]) == ("", ["2", "D:\\"])


@pytest.mark.parametrize("delimiter", ["^", "~", "#", ":", "::", ";;", "^^", "~~"])
def test_rarer_delimiters_are_found_where_they_cut_every_row_alike(tmp_path: Path, delimiter: str) -> None:
    lines = [["id", "name", "price"], ["1", "Bolt", "1.5"], ["2", "", "2.5"]]
    opened = table(tmp_path, "\n".join(delimiter.join(line) for line in lines))
    assert (opened.found.delimiter, rows(opened)[3]) == (delimiter, ["2", "", "2.5"])


def test_colons_beside_dates_cut_where_there_are_no_clocks(tmp_path: Path) -> None:
    opened = table(tmp_path, "id:day:name\n1000:01/05/2026:Zoë\n1001:01/06/2026:Bob\n")
    assert (opened.found.delimiter, rows(opened)[2]) == (":", ["1000", "01/05/2026", "Zoë"])


def test_clocks_do_not_pass_for_cells(tmp_path: Path) -> None:
    assert table(tmp_path, "start:end:x\n10:15:00\n11:30:00\n").found.delimiter is None


@pytest.mark.parametrize("delimiter", ["|", "\t"])
def test_an_inch_in_a_file_of_one_row_does_not_speak_against_its_delimiter(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "orders.csv"
    header, row = ["Order ID", "Customer, Name", "Amount"], ["1001", '"10"" pipe"', "12,50"]
    path.write_text(f"{delimiter.join(header)}\n{delimiter.join(row)}\n")
    table = open_table(path)
    assert (table.header, [list(row) for row in next(table.blocks(9)).rows.lines()]) == (
        tuple(header),
        [["1001", '10" pipe', "12,50"]],
    )


def test_commas_that_are_only_decimal_marks_leave_the_other_delimiter(tmp_path: Path) -> None:
    opened = table(tmp_path, "ann;1,5;x\nbob;2,5;y\n", header_row=1)
    assert opened.found.delimiter == ";"
    assert refusal(tmp_path, "1;2,5\n3;4,5\n").code == "ambiguous_delimiter"


def test_an_open_quote_that_swallows_the_rest_is_refused_with_its_row(tmp_path: Path) -> None:
    refused = refusal(tmp_path, 'id,name\n1,Ann\n\n2,"Bob\n3,Joe\n4,Zed\n')
    assert refused.code == "unclosed_quote"
    assert "row 4, cell 2" in refused.message


def test_an_open_quote_far_down_is_refused_while_reading(tmp_path: Path) -> None:
    lines = "".join(f"{i},name {i} of many in a long file\n" for i in range(20_000))
    opened = table(tmp_path, "id,name\n" + lines + 'x,"open\n' + lines)
    with pytest.raises(FileRefused, match=r"row 20002, cell 2") as caught:
        rows(opened)
    assert caught.value.code == "unclosed_quote"


def test_rows_that_ran_together_in_a_quote_are_named_and_the_others_go_on(tmp_path: Path) -> None:
    opened = table(tmp_path, 'id,name,n\n1,Bob,1\n2,"Ann,2\n3,Joe,3\n4,"Zed",4\n5,Eve,5\n')
    assert broken(opened) == [(3, "unclosed_quote"), (4, "unclosed_quote"), (5, "unclosed_quote")]
    read = rows(opened)
    assert read[3] == ["2", '"Ann', "2"]  # nothing of the swallowed rows is lost, each stands under its columns
    assert read[4] == ["3", "Joe", "3"]
    assert read[6] == ["5", "Eve", "5"]


def test_quote_marks_can_be_named_or_switched_off(tmp_path: Path) -> None:
    assert rows(table(tmp_path, "id,name\n1,'Bob, jr'\n", quote="'")) == {2: ["1", "Bob, jr"]}
    assert rows(table(tmp_path, 'id,name\n1,"Bob\n2,x\n', quote="none")) == {2: ["1", '"Bob'], 3: ["2", "x"]}


def test_rows_of_other_widths_are_named_and_nothing_is_lost(tmp_path: Path) -> None:
    opened = table(tmp_path, "a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,,\n\n1\n")
    assert broken(opened) == [(3, "too_few_cells"), (4, "too_many_cells"), (7, "too_few_cells")]
    (block,) = opened.blocks(100)
    assert block.overflow == {4: ("4",)}
    assert block.broken[1].message == "Row 4 has 4 cells, the header has 3. Without a column: “4”."
    assert rows(opened)[7] == ["1", "", ""]


def test_nameless_columns_at_the_end_of_the_header_may_be_left_out(tmp_path: Path) -> None:
    opened = table(tmp_path, "a,b,c,\n1,2,3,\n1,2,3\n1,2\n1,2,3,x\n")
    assert broken(opened) == [(4, "too_few_cells"), (5, "too_many_cells")]
    assert rows(opened)[5] == ["1", "2", "3", "x"]


@pytest.mark.parametrize("size", [10, 1000])
def test_a_cell_more_or_less_than_most_rows_have_is_not_taken_for_whole(tmp_path: Path, size: int) -> None:
    moved = table(tmp_path, "id,name,note\n1,a,\n,2,b,\n3,c,\n")  # the last column is empty: nothing sticks out
    assert [r.row for block in moved.blocks(size) for r in block.broken] == [3]
    ends = table(tmp_path, "id,name,note\n1,a,x,\n" + "5,e,y,\n" * 300 + "3,c,\n4,d,,,\n")
    assert [r.row for block in ends.blocks(size) for r in block.broken] == [303, 304]


def test_a_delimiter_at_the_end_of_every_row_is_none_too_many(tmp_path: Path) -> None:
    opened = table(tmp_path, "id,name\n1,a,\n2,b,\n3,c,\n")
    assert (rows(opened)[3], broken(opened)) == (["2", "b"], [])


def test_pieces_of_a_quoted_text_do_not_make_up_for_a_lost_delimiter(tmp_path: Path) -> None:
    opened = table(tmp_path, 'id,name,n\n1,"a, b",2\n3"c, 8"" d",4\n')
    assert [row for row, _ in broken(opened)] == [3]


def test_titles_above_the_header_are_counted_and_noted(tmp_path: Path) -> None:
    opened = table(tmp_path, "Orders of January\nPrinted:,2026-02-01,,\n\nid,name,qty,price\n1,Bob,2,3.5\n2,Ann,1,4\n")
    assert (opened.header, opened.found.header_row) == (("id", "name", "qty", "price"), 4)
    assert rows(opened)[5] == ["1", "Bob", "2", "3.5"]
    assert "Rows 1 to 2 are above it" in opened.found.notes[0]


@pytest.mark.parametrize("first", ["id,,qty,", "2024,2025,x,y", "a,b,c,d"])
def test_without_clear_evidence_the_first_row_is_the_header(tmp_path: Path, first: str) -> None:
    opened = table(tmp_path, f"{first}\none,two,three,four\nfive,six,seven,eight\n")
    assert opened.found.header_row == 1
    assert opened.header == tuple(first.split(","))


def test_a_row_that_groups_columns_is_above_the_header(tmp_path: Path) -> None:
    grouped = "Order,,Customer,Item,,\nid,day,name,sku,qty,price\n1,2026-01-05,Bob,A,2,3.50\n2,2026-01-06,Ann,B,1,4\n"
    opened = table(tmp_path, grouped)
    assert (opened.found.header_row, opened.header[0], list(rows(opened))) == (2, "id", [3, 4])
    worded = "id,,,note\nblue,red,green,grey\none,two,three,four\nfive,six,seven,eight\n"
    assert table(tmp_path, worded).found.header_row == 1


def test_the_header_row_can_be_named(tmp_path: Path) -> None:
    opened = table(tmp_path, "x,y\na,b\n1,2\n", header_row=2)
    assert (opened.header, rows(opened)) == (("a", "b"), {3: ["1", "2"]})
    assert refusal(tmp_path, "x,y\na,b\n1,2\n", header_row=9).code == "no_header_row"


def test_odd_characters_stay_as_they_are(tmp_path: Path) -> None:
    odd = "a\x0bb\x0cc\u2028d\x85e\u00a0f\ufdd1"
    assert rows(table(tmp_path, f"id,name\n1,{odd}\n")) == {2: ["1", odd]}


def test_cells_longer_than_excel_allows_are_kept(tmp_path: Path) -> None:
    long = "x" * 200_000
    assert rows(table(tmp_path, f'id,name\n1,"{long}"\n2,y\n'))[2] == ["1", long]


def test_repeated_and_blank_header_cells_stay(tmp_path: Path) -> None:
    assert table(tmp_path, "\ufeffa,a,, b\n1,2,3,4\n").header == ("a", "a", "", " b")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "empty_file"),
        ("\n\n \n", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        ("a,b,c\n", "no_rows"),
        ("a,b,c\n\n,,\n", "no_rows"),
        (b"a,b\n1,\x002\n", "not_a_table"),
        ('"', "unclosed_quote"),
        (",".join(f"c{i}" for i in range(MOST_COLUMNS + 1)) + "\n1\n", "too_many_columns"),
    ],
)
def test_files_without_a_table_are_refused(tmp_path: Path, content: str | bytes, code: str) -> None:
    assert refusal(tmp_path, content).code == code


@pytest.mark.parametrize("hints", [{"delimiter": '"'}, {"delimiter": "\n"}, {"quote": "''"}, {"quote": ","}])
def test_hints_that_cannot_work_are_refused(tmp_path: Path, hints: dict[str, str]) -> None:
    assert refusal(tmp_path, "a,b\n1,2\n", **hints).code == "unusable_hint"


def test_a_file_that_vanishes_between_opening_and_reading_is_unreadable(tmp_path: Path) -> None:
    opened = table(tmp_path, "a,b\n1,2\n")
    (tmp_path / "orders.csv").unlink()
    with pytest.raises(FileRefused) as caught:
        rows(opened)
    assert caught.value.code == "unreadable"


DESCRIBED = "order_id,sku,qty,price,paid\nText,Stock unit,Whole number,Money,Date\n"
ORDERS = "1001,A-1,2,3.50,2026-01-05\n1002,B-2,1,4.00,2026-01-06\n1003,C-3,1,4.00,2026-01-06\n"


def test_a_row_that_describes_the_columns_is_left_out_and_told(tmp_path: Path) -> None:
    opened = table(tmp_path, DESCRIBED + ORDERS)
    assert (opened.found.below_header, list(rows(opened))) == (1, [3, 4, 5])
    assert "Row 2 describes the columns" in " ".join(opened.found.notes)
    assert list(rows(table(tmp_path, DESCRIBED + ORDERS, below_header=0))) == [2, 3, 4, 5]
    assert list(rows(open_table(tmp_path / "orders.csv", opened.found.hints()))) == [3, 4, 5]


def test_rows_that_all_have_their_digits_amid_words_are_no_descriptions(tmp_path: Path) -> None:
    order = "order 12 of many,text 55 of lots,call 12345 of them\n"
    assert list(rows(table(tmp_path, "Order No,Item,Contact\n" + order * 5))) == [2, 3, 4, 5, 6]


def test_a_row_with_one_digit_where_the_others_have_some_is_data(tmp_path: Path) -> None:
    odd = "ORD-1,blue bolt,two,free,later\n"
    assert list(rows(table(tmp_path, "order_id,sku,qty,price,paid\n" + odd + ORDERS))) == [2, 3, 4, 5]


@pytest.mark.parametrize("size", [10, 1000])
def test_a_file_without_a_header_has_numbered_columns(tmp_path: Path, size: int) -> None:
    opened = table(tmp_path, "1001,A,2\n1002,B,1\n1003,C\n", header_row=0)
    assert (opened.header, opened.found.header_row) == (("column 1", "column 2", "column 3"), 0)
    assert list(rows(opened, size)) == [1, 2, 3]
    assert broken(opened) == [(3, "too_few_cells")]
    assert rows(open_table(tmp_path / "orders.csv", opened.found.hints()), size) == rows(opened, size)
