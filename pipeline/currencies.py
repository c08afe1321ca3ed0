"""Currencies by their codes."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1)
def currency_codes() -> frozenset[str]:
    """The three-letter codes of ISO 4217, read from a file at the first question."""
    import pycountry

    return frozenset(currency.alpha_3 for currency in pycountry.currencies)
