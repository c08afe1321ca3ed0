"""The vocabulary of ``schemas/*.py``: columns with checks that have a stable code, a sentence and advice.

Every column may be absent and every cell empty (what is required is proved before, where an order is put
together); a check sees only the cells that have a value. Each gives one verdict per cell, so no row can
change another's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow.compute as pc

from pipeline.coded import Coded, Mask

Column = Any  # pandera ships no types that mypy can use
Check = Any
Verdict = Callable[[pd.Series], pd.Series]
_OFF = 1e-12
_CURRENCY_ADVICE = "Write the three-letter code of ISO 4217, such as USD or EUR."


def check(code: str, sentence: str, advice: str, verdict: Verdict) -> Check:
    """A check: ``'<value>' in '<column>' <sentence>.``, with what to do about it."""
    made: Check = pa.Check(verdict, name=code, error=sentence, description=advice)
    made.verdict = verdict
    made.surely = _not_told
    return made


def column(*checks: Check) -> Column:
    """A column that a feed may lack and a row may leave empty."""
    return pa.Column(None, list(checks), nullable=True, required=False)


def _own(*checks: Check) -> Column:
    """A column with checks of ours: a verdict hangs on the cell alone, so cells that are the same are judged once."""
    for made in checks:
        made.cell_by_cell = True
    return column(*checks)


def _not_told(_cells: Coded) -> None:
    """In bulk nothing is told; each value has its verdict."""


def text(longest: int = 255) -> Column:
    """A text of at most so many characters."""
    made = check(
        "text_too_long", f"has more than {longest} characters", f"Use at most {longest} characters.",
        lambda cells: cells.map(len) <= longest,
    )  # fmt: skip
    made.surely = partial(_is_short, longest=longest)
    return _own(made)


def number(*, above: float | None = None, at_least: float | None = None, at_most: float | None = None) -> Column:
    """A number within bounds."""
    checks = []
    if above is not None:
        low = Decimal(str(above))
        made = check("below_minimum", f"must be above {low:,}", "Correct the number.", lambda cells: cells > low)
        checks.append((made, partial(_is_within, low=above)))
    if at_least is not None:
        least = Decimal(str(at_least))
        made = check("below_minimum", f"must be {least:,} or more", "Correct the number.", lambda cells: cells >= least)
        checks.append((made, partial(_is_within, low=at_least)))
    if at_most is not None:
        most = Decimal(str(at_most))
        made = check("above_maximum", f"must be {most:,} or less", "Correct the number.", lambda cells: cells <= most)
        checks.append((made, partial(_is_within, high=at_most)))
    for made, surely in checks:
        made.surely = surely
    return _own(*(made for made, _ in checks))


def _is_short(cells: Coded, longest: int) -> Mask | None:
    """Which texts are short enough even if each of their bytes is a character."""
    if not cells.is_text:
        return None
    return _mask(pc.less_equal(pc.binary_length(cells.notation), longest))


def _is_within(cells: Coded, low: float = -math.inf, high: float = math.inf) -> Mask | None:
    """Which numbers lie between the bounds beyond what a floating-point number may be off."""
    if not cells.is_amount:
        return None
    numbers = pc.cast(cells.notation, "float64").to_numpy(zero_copy_only=False)
    inside: Mask = (numbers > low + _off(low)) & (numbers < high - _off(high))
    return inside


def _off(bound: float) -> float:
    return _OFF * (1 + abs(bound)) if math.isfinite(bound) else 0.0


def _mask(found: Any) -> Mask:  # noqa: ANN401 - an Arrow array of booleans
    mask: Mask = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return mask


def one_of(words: Collection[str]) -> Column:
    """One of a few words, as they are written."""
    listed = ", ".join(words)
    return _own(
        check(
            "unknown_word", f"is not one of {listed}", "Write one of these words.",
            lambda cells: cells.isin(words),
        )
    )  # fmt: skip


def shaped(pattern: str, code: str, sentence: str, advice: str) -> Column:
    """A text that fits a regular expression as a whole."""
    form = re.compile(pattern)
    return _own(check(code, sentence, advice, lambda cells: cells.map(lambda cell: bool(form.fullmatch(cell)))))


def country() -> Column:
    """An ISO 3166-1 alpha-2 code."""
    return shaped("[A-Z]{2}", "bad_country", "is not a two-letter country code", "Write the code, such as US or DE.")


def currency() -> Column:
    """An ISO 4217 code in capital or small letters."""
    return _own(
        check(
            "bad_currency", "is not a currency code", _CURRENCY_ADVICE,
            lambda cells: cells.str.upper().isin(_currencies()),
        )
    )  # fmt: skip


def person() -> dict[str, Column]:
    """Who ordered."""
    names = {name: text(255) for name in ("first_name", "middle_name", "last_name", "full_name", "company")}
    return {"email": text(254), **names, "phone": text(40)}


def address(prefix: str) -> dict[str, Column]:
    """A postal address, ``billing`` or ``shipping``."""
    parts = {name: text(255) for name in ("address1", "address2", "city", "state")}
    return {f"{prefix}_{name}": part for name, part in {**parts, "postal_code": text(20), "country": country()}.items()}


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    import pycountry

    return frozenset(currency.alpha_3 for currency in pycountry.currencies)
