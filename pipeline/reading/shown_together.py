"""Many stored numbers of one number format made into the texts a person sees, all at once where it is certain how.

Certain are numbers written shortly (at most 14 characters, no power, no zero at the end) that the format shows with all
their digits, and days. Every other distinct number is shown by itself, as ``number_text`` shows it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reading.shown import LAST_SERIAL, NumberFormat, parse_format
from pipeline.reading.xlsx_said import each_changed, with_changed

_LONGEST = 14
"""With that many characters no number is below 1e-12 or has more digits than Excel keeps."""
_SHORT = r"^(?:0|-?[1-9][0-9]*|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])\z"
_SAFE_FROM = 61  # Excel takes 1900 for a leap year; days before March of it are shown one by one
_EPOCH = np.datetime64("1899-12-30", "us")
_DAY = 86_400_000_000


def number_texts(
    stored: pa.LargeStringArray, code: str, one: Callable[[str], str], *, date1904: bool = False
) -> pa.LargeStringArray:
    """The texts a person sees; ``one`` shows a single stored number."""
    form = parse_format(code)
    certain = pc.and_(pc.match_substring_regex(stored, _SHORT), pc.less_equal(pc.binary_length(stored), _LONGEST))
    if form.kind == "general":
        shown = stored
    elif form.kind == "number" and form.least_integers <= 1:
        shown, certain = _with_decimals(stored, certain, form)
    elif form.kind == "time" and form.has_date and not form.elapsed and not form.partial:
        shown, certain = _moments(stored, certain, form, date1904=date1904)
    else:
        return each_changed(stored, one)
    return _others_by_one(stored, shown, certain, one)


def _others_by_one(
    stored: pa.LargeStringArray, shown: pa.LargeStringArray, certain: pa.BooleanArray, one: Callable[[str], str]
) -> pa.LargeStringArray:
    if certain.true_count == len(certain):
        return shown
    others = pc.invert(certain)
    return (
        with_changed(stored, others, one)
        if shown is stored
        else pc.if_else(certain, shown, with_changed(stored, others, one))
    )


def _with_decimals(
    stored: pa.LargeStringArray, certain: pa.BooleanArray, form: NumberFormat
) -> tuple[pa.LargeStringArray, pa.BooleanArray]:
    """Zeros put behind numbers that have fewer decimals than are shown; those with more are not certain."""
    point = pc.find_substring(stored, ".").to_numpy(zero_copy_only=False)
    lengths = pc.binary_length(stored).to_numpy(zero_copy_only=False)
    decimals = np.where(point < 0, 0, lengths - point - 1)
    certain = pc.and_(certain, pa.array(decimals <= form.most_decimals))
    missing = np.maximum(form.least_decimals - decimals, 0)
    if not missing.any():
        return stored, certain
    endings = [*("0" * count for count in range(form.least_decimals + 1)), "." + "0" * form.least_decimals]
    ending = pa.array(endings, type=pa.large_string()).take(pa.array(np.where(point < 0, len(endings) - 1, missing)))
    return pc.binary_join_element_wise(stored, ending, pa.scalar("", pa.large_string())), certain


def _moments(
    stored: pa.LargeStringArray, certain: pa.BooleanArray, form: NumberFormat, *, date1904: bool
) -> tuple[pa.LargeStringArray, pa.BooleanArray]:
    """Dates and times of days from March 1900 on, rounded as ``number_text`` rounds each."""
    each = stored.dictionary_encode()
    text = pc.if_else(pc.match_substring_regex(each.dictionary, _SHORT), each.dictionary, "0")
    days = text.cast(pa.float64()).to_numpy(zero_copy_only=False) + (1462 if date1904 else 0)
    inside = (days >= _SAFE_FROM) & (days < LAST_SERIAL - 1)
    shown = pa.array(_moment_texts(np.where(inside, days, _SAFE_FROM), form), type=pa.large_string())
    return shown.take(each.indices), pc.and_(certain, pa.array(inside).take(each.indices))


def _moment_texts(days: npt.NDArray[np.float64], form: NumberFormat) -> npt.NDArray[np.str_]:
    unit = 10 ** (6 - form.fraction_digits)
    moments = _EPOCH + (np.rint(days * _DAY / unit).astype(np.int64) * unit).astype("timedelta64[us]")
    if not form.has_time:
        days_shown: npt.NDArray[np.str_] = np.datetime_as_string(moments, unit="D")
        return days_shown
    length = 19 + form.fraction_digits + (form.fraction_digits > 0)
    texts: npt.NDArray[np.str_] = np.char.replace(np.datetime_as_string(moments, unit="us"), "T", " ")
    return texts.astype(f"U{length}")
