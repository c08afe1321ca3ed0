"""Countries and regions as Keap wants them: ISO 3166-1 alpha-3 and ISO 3166-2, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any


def country_code(alpha2: str) -> str | None:
    """The alpha-3 code (``US`` → ``USA``), ``None`` for a text that is no ISO country."""
    import pycountry

    found = pycountry.countries.get(alpha_2=alpha2.upper()) if len(alpha2) == 2 else None
    return str(found.alpha_3) if found else None


def region_code(alpha2: str, state: str) -> str | None:
    """The ISO 3166-2 code of a state given by code or by its exact name, ``None`` when that is not certain.

    A wrong region makes Keap refuse the whole contact ("Region is invalid"), so a doubtful one is left out.
    """
    wanted = state.strip().casefold()
    if not wanted or len(alpha2) != 2:
        return None
    return _regions(alpha2.upper()).get(wanted)


@cache
def _regions(alpha2: str) -> Mapping[str, str]:
    """Codes by code, by short code and by name; a name that two regions of a country share is left out."""
    import pycountry

    subdivisions: Any = pycountry.subdivisions
    regions: dict[str, str] = {}
    twice: set[str] = set()
    for subdivision in subdivisions.get(country_code=alpha2) or ():
        code = str(subdivision.code)
        name = str(subdivision.name).casefold()
        if regions.setdefault(name, code) != code:
            twice.add(name)
    named = {name: code for name, code in regions.items() if name not in twice}
    codes = {code.casefold(): code for code in regions.values()}
    short = {code.partition("-")[2].casefold(): code for code in regions.values()}
    return named | short | codes
