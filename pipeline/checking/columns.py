"""The vocabulary of ``schemas/*.py`` as columns of pandera, and the way to checks of one's own.

Every column may be absent and every cell empty (what is required is proved before, where an order is put
together); a check sees only the cells that have a value. Each gives one verdict per cell, so no row can
change another's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import pandas as pd
import pandera.pandas as pa

from pipeline.checking import vocabulary

Column = Any  # pandera ships no types that mypy can use
Check = Any
P = ParamSpec("P")
Verdict = Callable[[pd.Series], pd.Series]


def check(code: str, sentence: str, advice: str, verdict: Verdict) -> Check:
    """A check: ``'<value>' in '<column>' <sentence>.``, with what to do about it."""
    made: Check = pa.Check(verdict, name=code, error=sentence, description=advice)
    return made


def column(*checks: Check) -> Column:
    """A column that a feed may lack and a row may leave empty."""
    return pa.Column(None, list(checks), nullable=True, required=False)


def _in_pandera(own: vocabulary.Column) -> Column:
    return column(*(_check(one) for one in own.checks))


def _check(own: vocabulary.Check) -> Check:
    """A check of ours: ``judge`` asks it about each distinct cell once."""
    made = check(own.name, own.error, own.description, lambda cells: cells.map(own.passes).astype(bool))
    made.passes = own.passes
    made.surely = own.surely
    made.cell_by_cell = True
    return made


def _one(say: Callable[P, vocabulary.Column]) -> Callable[P, Column]:
    @wraps(say)
    def said(*args: P.args, **options: P.kwargs) -> Column:
        return _in_pandera(say(*args, **options))

    return said


def _several(say: Callable[P, dict[str, vocabulary.Column]]) -> Callable[P, dict[str, Column]]:
    @wraps(say)
    def said(*args: P.args, **options: P.kwargs) -> dict[str, Column]:
        return {name: _in_pandera(own) for name, own in say(*args, **options).items()}

    return said


text = _one(vocabulary.text)
number = _one(vocabulary.number)
one_of = _one(vocabulary.one_of)
shaped = _one(vocabulary.shaped)
country = _one(vocabulary.country)
currency = _one(vocabulary.currency)
person = _several(vocabulary.person)
address = _several(vocabulary.address)
