"""What the shop sells: asked for once, and again only for a product it was not seen to have."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial

from pipeline.targets.contract import Answer, Done, InDoubt, Outcome, Paused, Plan, Result, Step
from pipeline.targets.influencersoft.answers import Reader
from pipeline.targets.influencersoft.client import post

CLOSED_CODES = frozenset({"wrong_generation", "no_input_seen"})
"""``getgoods`` is closed for some accounts although documented (notes of a live probe, 2026-05-11)."""


class Catalogue:
    """The product keys and coupons of one account, kept for as long as the account is: one call each per run.

    Only what was seen is believed: a name that is not among them is asked for anew, so a product created at noon is
    known at noon. A shop that does not show its products is not asked again, and refuses unknown ones itself (604).
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._keys: frozenset[str] = frozenset()
        self._coupons: dict[str, str] = {}
        self._shown = True

    def check(self, keys: Sequence[str]) -> Generator[Step, Result, None]:
        """One look at the product list where a key is not known yet; it refuses the order for an unknown one."""
        if self._shown and not self._keys.issuperset(keys):
            yield Step("goods", post("getgoods"), partial(self._read_goods, keys), reads_only=True)

    def unknown(self, keys: Sequence[str]) -> Plan:
        """Which of these the shop does not sell; a shop that shows no products cannot be asked."""
        if not keys:
            return {"unknown": [], "asked": 0}
        seen = yield Step("goods", post("getgoods"), self._read_names, reads_only=True)
        if seen["goods"] is None:
            return {"unknown": [], "asked": 0}
        return {"unknown": [key for key in keys if key not in seen["goods"]], "asked": len(keys)}

    def coupon(self, code: str) -> Generator[Step, Result, str]:
        """The id of a coupon; an unknown one refuses the order."""
        if code in self._coupons:
            return self._coupons[code]
        found = yield Step("coupon", post("getcoupons"), partial(self._read_coupon, code), reads_only=True)
        return str(found.get("id") or code)

    def _read_goods(self, keys: Sequence[str], answer: Answer) -> Outcome:
        seen = self._reader.good_names(answer)
        if seen is not None:
            self._keys = seen
        outcome = self._reader.goods(keys, answer)
        if _closed(outcome):
            self._shown = False
            return Done({"goods": None})
        return outcome

    def _read_names(self, answer: Answer) -> Outcome:
        outcome = self._read_goods((), answer)
        if not isinstance(outcome, Done) or not self._shown:
            return outcome
        return Done({"goods": sorted(self._reader.good_names(answer) or ())})

    def _read_coupon(self, code: str, answer: Answer) -> Outcome:
        outcome = self._reader.coupon(code, answer)
        if isinstance(outcome, Done):
            self._coupons[code] = str(outcome.result["id"])
        return outcome


def _closed(outcome: Outcome) -> bool:
    """The list cannot be had, or not be read; a failing server is something else and is asked again."""
    if isinstance(outcome, Paused):
        return outcome.code in CLOSED_CODES
    return isinstance(outcome, InDoubt) and outcome.code == "unreadable"
