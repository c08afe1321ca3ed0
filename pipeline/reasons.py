"""The catalogue of reasons: why a cell, a row or a file could not go further, and what to do about it.

One code, one sentence, one piece of advice; ``docs/operating.md`` has a line for each. In the texts
``{column}`` is the file's own header text and ``{value}`` the cell as it stands, both shortened for reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct, field

from pipeline.errors import FileRefused
from pipeline.model import Rejection

PART_CODES = frozenset({"bad_part", "too_many_parts", "no_joined_row"})
"""What several cells were to come from cannot be had: that they are empty is not worth a sentence."""

_SHOWN = 120  # characters of a cell that a sentence quotes; the rejection itself keeps the whole cell


class Reason(Struct, frozen=True):
    """One entry of the catalogue; both texts are templates for ``str.format``."""

    message: str
    advice: str


class Trouble(Struct, frozen=True):
    """Why one cell cannot be read, before it is known in which rows it stands."""

    code: str
    details: Mapping[str, str] = field(default_factory=dict)


REASONS: Mapping[str, Reason] = {
    # --- a cell that cannot be read ---
    "excel_error_cell": Reason(
        "'{column}' holds '{value}', an error of the spreadsheet instead of a value.",
        "Correct the formula, or type the value itself.",
    ),
    "control_character": Reason(
        "'{column}' holds an invisible control character ({character}).",
        "Retype the cell; text pasted from another program often carries such characters.",
    ),
    "lost_letter": Reason(
        "'{column}' holds '{value}': where � stands a letter was lost; its bytes were read in the wrong encoding.",
        "Type the letter from the source; if many rows are like that, export the file anew as UTF-8.",
    ),
    "garbled_text": Reason(
        "'{column}' holds '{value}': a text in UTF-8 that some program read in an older encoding. It was probably "
        "{likely}.",
        "Write {likely}; if many rows are like that, export the file anew as UTF-8.",
    ),
    "too_long": Reason(
        "The text in '{column}' has {length} characters; {limit} is the most that can be taken.",
        "Shorten the text.",
    ),
    "excel_damaged_number": Reason(
        "'{column}' holds '{value}': a spreadsheet has rounded the number, and digits are lost.",
        "Type the number in full from the source, in a cell formatted as Text.",
    ),
    "excel_cut_number": Reason(
        "'{column}' holds '{value}': like all long numbers of the column it has zeros behind the fifteenth digit, "
        "where a spreadsheet forgets what stood there.",
        'Type the number in full from the source, in a cell formatted as Text; if it really ends so, as ="{value}".',
    ),
    "lost_leading_zero": Reason(
        "'{value}' in '{column}' is no postal code of {country}, where it has {digits} digits: a spreadsheet has "
        "dropped the zero in front. It was probably {full}.",
        "Write {full}, in a cell formatted as Text, or correct the country.",
    ),
    "excel_damaged_date": Reason(
        "'{column}' holds '{value}': a spreadsheet has turned a code into a date.",
        "Type the code again from the source, in a cell formatted as Text.",
    ),
    "floated_code": Reason(
        "'{column}' holds '{value}': a program has turned the code into a number, and zeros in front may be lost.",
        "Export the column as text, or type the code as the source has it.",
    ),
    "several_codes": Reason(
        "'{column}' holds '{value}': several items in one cell, where one code is expected.",
        "Give each item a row of its own; or have the mapping's `split` take such cells apart.",
    ),
    "bad_number": Reason(
        "'{value}' in '{column}' is not a number{because}.",
        "Write digits, with at most one decimal mark; {mark_advice}.",
    ),
    "number_too_long": Reason(
        "'{value}' in '{column}' has more digits than any amount or quantity needs.",
        "Check the number; at most 18 digits before the decimal mark and 12 after it are taken.",
    ),
    "not_whole": Reason("'{value}' in '{column}' is not a whole number.", "Write a whole number without decimals."),
    "ambiguous_number": Reason(
        "'{value}' in '{column}' can be read in two ways: as {one} or as {other}.",
        'Write it as {one} or {other}; or have the mapping declare `decimal: "."` or `decimal: ","`.',
    ),
    "bad_date": Reason(
        "'{value}' in '{column}' is not a date {expected}.",
        "Write it like {example}; or have the mapping name the `format` of this column.",
    ),
    "ambiguous_date": Reason(
        "'{value}' in '{column}' can be read in two ways: as {one} or as {other}.",
        "Write it as year-month-day, like {one}; or have the mapping name the `format` of this column.",
    ),
    "date_out_of_range": Reason(
        "'{value}' in '{column}' lies outside the years 1900 to 2100.",
        "Check the year and write it with four digits.",
    ),
    "no_such_time": Reason(
        "'{value}' in '{column}' does not exist in the zone {zone}: the clocks were put forward over it.",
        "Correct the time, or write its offset from UTC behind it, as in 2026-03-08 02:30:00 -0500.",
    ),
    "bad_email": Reason(
        "'{value}' in '{column}' is not an e-mail address.",
        "Write one address such as name@example.com, without a name or brackets around it.",
    ),
    "bad_phone": Reason(
        "'{value}' in '{column}' is not a phone number{because}.",
        "Write digits, with + and the country code in front for numbers from abroad.",
    ),
    "bad_country": Reason(
        "'{value}' in '{column}' is not a country.{nearest}",
        "Write the two-letter code, such as US or DE, or the country's English name.",
    ),
    "unknown_choice": Reason(
        "'{value}' in '{column}' is not among the known values: {known}.{nearest}",
        "Write one of the known values; or have the mapping add this one under `choices`.",
    ),
    "bad_boolean": Reason("'{value}' in '{column}' is neither yes nor no.", "Write {true} or {false}."),
    "bad_part": Reason(
        "'{value}' in '{column}' cannot be taken apart: {because}.",
        "Write the cell in the form of the others; or have the mapping's `split` say how it is written.",
    ),
    "too_many_parts": Reason(
        "'{column}' holds {count} items; {limit} is the most that one row may have.",
        "Divide the row into several with the same key.",
    ),
    "no_joined_row": Reason(
        "'{value}' in '{column}' leads to no row that could be joined: {because}.",
        "Correct the key, or fill in the columns of the other table in this row.",
    ),
    # --- a row that cannot go further ---
    "missing_value": Reason("'{column}' is empty, and every {kind} needs it.", "Fill in the cell."),
    "empty_cell": Reason(
        "'{column}' is empty, and the mapping says that it must not be (when_empty: reject).",
        "Fill in the cell.",
    ),
    "row_above_unreadable": Reason(
        "'{column}' is empty and would take its value from row {other}, which cannot be read itself.",
        "Correct row {other}; or write the value into this row too.",
    ),
    "lines_disagree": Reason(
        "Row {row} says '{value}' in '{column}', row {other} of the same order {key} says '{first}'.",
        "The rows of one order must agree here: correct one, or leave the cell empty in all rows but one.",
    ),
    "repeated_key": Reason(
        "Row {row} has the same {fields} as row {other}: {key}.",
        "Keep the row that is right and delete the other one.",
    ),
    "order_held_back": Reason(
        "This row belongs to order {key}, which waits for row {other}.",
        "Nothing to correct here: correct row {other}, and the order goes out as a whole.",
    ),
    "file_held_back": Reason(
        "The whole file waits: {count} of its rows must be corrected first, beginning with row {other}.",
        "Nothing to correct here: correct the rows at fault, and the whole file goes out.",
    ),
    # --- a value that was read and judged wrong (schemas/*.py) ---
    "failed_check": Reason("'{value}' in '{column}' {sentence}.", "Correct the value."),
    # --- a file that cannot be taken in ---
    "no_feed": Reason(
        "No mapping fits the file name '{file}'. Known: {known}.",
        "Rename the file to fit a pattern, or put it into inbox/<feed>/.",
    ),
    "two_feeds": Reason(
        "Several mappings fit the file name '{file}': {known}.",
        "Put the file into inbox/<feed>/ of the feed that is meant, or make the patterns narrower.",
    ),
    "unknown_feed_folder": Reason(
        "The folder '{folder}' is not the name of a feed.{nearest} Known: {known}.",
        "Put the file into a folder named like a feed, or into inbox/ itself.",
    ),
    "missing_column": Reason(
        "The file lacks {columns}.",
        "Add the missing columns; or, if they were renamed, have the mapping of feed {feed} say so.",
    ),
    "repeated_column": Reason(
        "The file has {columns} more than once, and nothing says which one counts.",
        "Rename or delete the repeated columns.",
    ),
    "too_many_groups": Reason(
        "The file has {count} numbered groups of columns; {limit} is the most that one row may have.",
        "Check that the right columns are meant by `unpivot`, or divide the file.",
    ),
    "columns_go_on": Reason(
        "The file has {columns}, which go on where the columns listed under unpivot end; their items would be lost.",
        "Name them under `unpivot` of feed {feed} (or write a pattern with {{n}}); or name them in ignore_columns.",
    ),
    "made_column_clashes": Reason(
        "The file has columns of its own that are named like ones the mapping makes: {columns}.",
        "Give the column that `unpivot` or `split` makes another name in the mapping, and in its field.",
    ),
    "orders_without_lines": Reason(
        "{other} has rows that no line asks for, and they would be lost: {orders}.",
        "Add their lines; or have feed {feed} leave such rows out: `without_lines: ignore` under `join`.",
    ),
    "partner_missing": Reason(
        "'{file}' only holds the lines of its orders, and its partner '{partner}' is not there.",
        "Drop both files together.",
    ),
    "unmapped_columns": Reason(
        "The file has columns that feed {feed} does not know: {columns}. Its mapping is strict.",
        "Remove the columns; or have the mapping map them, or list them under ignore_columns.",
    ),
}
"""Message and advice by stable code. Checks of ``schemas/*.py`` bring codes of their own, worded like
``failed_check``.
"""


_TELLING_ROW = frozenset(code for code, reason in REASONS.items() if "{row}" in reason.message + reason.advice)


def reject(
    row: int,
    column: str | None,
    value: str | None,
    code: str,
    *,
    field: str | None = None,
    label: str | None = None,
    **details: object,
) -> Rejection:
    """The rejection of one row for one reason of the catalogue; ``details`` fill the templates.

    ``label`` names the place in the sentence where the column's header alone would not say which part of it is meant.
    """
    place, told = label or column or field or "the row", tuple(details.items())
    message, advice = _sentences(code, place, value or "", (("row", row), *told) if code in _TELLING_ROW else told)
    return Rejection(row, column, value, code, message, advice, field)


@lru_cache(maxsize=1024)  # the same thing is wrong in many rows, as a rule
def _sentences(code: str, place: str, value: str, details: tuple[tuple[str, object], ...]) -> tuple[str, str]:
    reason = REASONS[code]
    words = {name: _visible(word) if isinstance(word, str) else word for name, word in details}
    words = {"column": shown(place), "value": shown(value), **words}
    return reason.message.format(**words), reason.advice.format(**words)


def refuse(code: str, **details: str) -> FileRefused:
    """The refusal of a whole file for one reason of the catalogue."""
    reason = REASONS[code]
    return FileRefused(code, reason.message.format(**details), reason.advice.format(**details))


def shown(text: str, limit: int = _SHOWN) -> str:
    """The text on one line, invisible characters made visible, cut to ``limit`` characters."""
    visible = _visible(" ".join(text[: 4 * limit].split()))
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"


def _visible(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
