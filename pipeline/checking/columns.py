"""The vocabulary of ``schemas/*.py``: columns with checks that have a stable code, a sentence and advice.

Every column may be absent and every cell empty (what is required is proved before, where an order is put
together); a check sees only the cells that have a value. Each gives one verdict per cell, so no row can
change another's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pandas as pd
import pandera.pandas as pa

Column = Any  # pandera ships no types that mypy can use
Check = Any
Verdict = Callable[[pd.Series], pd.Series]
_CURRENCY_ADVICE = "Write the three-letter code of ISO 4217, such as USD or EUR."


def check(code: str, sentence: str, advice: str, verdict: Verdict) -> Check:
    """A check: ``'<value>' in '<column>' <sentence>.``, with what to do about it."""
    made: Check = pa.Check(verdict, name=code, error=sentence, description=advice)
    made.verdict = verdict
    return made


def column(*checks: Check) -> Column:
    """A column that a feed may lack and a row may leave empty."""
    return pa.Column(None, list(checks), nullable=True, required=False)


def _own(*checks: Check) -> Column:
    """A column with checks of ours: a verdict hangs on the cell alone, so cells that are the same are judged once."""
    for made in checks:
        made.cell_by_cell = True
    return column(*checks)


def text(longest: int = 255) -> Column:
    """A text of at most so many characters."""
    return _own(
        check(
            "text_too_long", f"has more than {longest} characters", f"Use at most {longest} characters.",
            lambda cells: cells.map(len) <= longest,
        )
    )  # fmt: skip


def number(*, above: float | None = None, at_least: float | None = None, at_most: float | None = None) -> Column:
    """A number within bounds."""
    checks = []
    if above is not None:
        low = Decimal(str(above))
        checks.append(
            check("below_minimum", f"must be above {low:,}", "Correct the number.", lambda cells: cells > low)
        )
    if at_least is not None:
        least = Decimal(str(at_least))
        checks.append(
            check(
                "below_minimum",
                f"must be {least:,} or more",
                "Correct the number.",
                lambda cells: cells >= least,
            )
        )
    if at_most is not None:
        most = Decimal(str(at_most))
        checks.append(
            check(
                "above_maximum",
                f"must be {most:,} or less",
                "Correct the number.",
                lambda cells: cells <= most,
            )
        )
    return _own(*checks)


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
