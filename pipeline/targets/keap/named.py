"""``check --online``: which of the products a mapping names this tenant lacks, by one harmless search each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.targets.contract import Plan, Step

Named = Mapping[str, Sequence[str]]
"""By record field, the words a mapping itself writes into it."""


def unknown_products(skus: Iterable[str], search: Callable[[str], Step]) -> Plan:
    """The SKUs for which ``search`` shows no product; its result tells ``known``."""
    wanted = list(dict.fromkeys(skus))
    known: dict[str, bool] = {}
    for sku in wanted:
        known[sku] = bool((yield search(sku))["known"])
    return {"unknown": [sku for sku in wanted if not known[sku]], "asked": len(wanted)}
