"""The yardstick: the same file read, mapped and validated with pandas written by hand, and no ledger.

    python bench/by_hand.py FILE

Arrow-backed text columns, whole-column operations only. It does what the feed in ``bench/feed.yaml`` and
``schemas/order.py`` ask for and nothing more: no sentences for people, no notation found out, no records built.
Prints the counts and the sums that the two have to agree on.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd

AMOUNTS = ("Price", "Line Discount", "Shipping", "Tax", "Order Total")
EMAIL = r"[^\s@<>()\[\],;:\\\"]+@(?:[^\W_](?:[^\W_]|-)*\.)+[^\W\d_](?:[^\W_]|-)*[^\W_]"
PHONE = r"[0-9+().\-/ ]+"
NUMBER = r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|-?[0-9]+(?:\.[0-9]+)?"
STATUS = {"SHP": "shipped", "PND": "pending", "CXL": "cancelled"}
COUNTRIES = {"US": "US", "USA": "US", "DE": "DE", "GB": "GB", "CA": "CA", "MX": "MX"}
PER_LINE = ("SKU", "Item", "Qty", "Price", "Line Discount")


def main(path: str) -> dict[str, int | str]:
    """Read, map and validate one file."""
    raw = pd.read_csv(path, dtype="str", keep_default_na=False)
    for name in raw.columns:
        raw[name] = raw[name].str.strip()
    frame, bad = mapped(raw)
    bad |= judged(raw, frame)
    groups, _ = pd.factorize(raw["Order #"])
    bad |= contradicting(raw, frame, groups)
    held = np.isin(groups, groups[bad])
    accepted = frame[~held]
    total = (accepted["Qty"] * accepted["Price"]).sum()
    return {
        "read": len(raw),
        "accepted": len(accepted),
        "rejected": int(held.sum()),
        "orders": len(np.unique(groups[~held])),
        "at_fault": int(bad.sum()),
        "worth": f"{total:.2f}",
    }


def mapped(raw: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The columns with their types, and which rows hold a cell that cannot be read."""
    frame = raw.copy(deep=False)
    bad = np.zeros(len(raw), dtype=bool)
    for name in (*AMOUNTS, "Qty"):
        fits = raw[name].str.fullmatch(NUMBER)
        numbers = pd.to_numeric(raw[name].str.replace(",", "", regex=False).where(fits), errors="coerce")
        frame[name] = numbers
        bad |= (numbers.isna() & (raw[name] != "")).to_numpy()
    bad |= (frame["Qty"] % 1 != 0).fillna(False).to_numpy() & frame["Qty"].notna().to_numpy()
    times = pd.to_datetime(raw["Order Date"], format="%m/%d/%Y", errors="coerce")
    frame["Order Date"] = times.dt.tz_localize("America/New_York", ambiguous=True, nonexistent="shift_forward")
    bad |= (times.isna() & (raw["Order Date"] != "")).to_numpy()
    for name, known in (("Status", STATUS), ("Country", COUNTRIES)):
        frame[name] = raw[name].map(known)
        bad |= (frame[name].isna() & (raw[name] != "")).to_numpy()
    for name, pattern in (("Email", EMAIL), ("Phone", PHONE)):
        bad |= (~raw[name].str.fullmatch(pattern) & (raw[name] != "")).to_numpy()
    return frame, bad


def judged(raw: pd.DataFrame, frame: pd.DataFrame) -> np.ndarray:
    """Which rows lack a required value or break a bound."""
    bad = (raw["Order #"] == "").to_numpy() | (raw["Order Date"] == "").to_numpy()
    bad |= (raw["Qty"] == "").to_numpy() | (raw["Price"] == "").to_numpy()
    bad |= (frame["Qty"] <= 0).to_numpy() | (frame["Qty"] > 1_000_000).to_numpy()
    for name in AMOUNTS:
        bad |= (frame[name].abs() > 10_000_000).to_numpy()
    for name in raw.columns:
        if name not in AMOUNTS and name not in {"Qty", "Order Date"}:
            bad |= (raw[name].str.len() > 255).to_numpy()
    return bad


def contradicting(raw: pd.DataFrame, frame: pd.DataFrame, groups: np.ndarray) -> np.ndarray:
    """Which rows say something else than the first row of their order that says anything readable."""
    bad = np.zeros(len(raw), dtype=bool)
    for name in raw.columns:
        if name in PER_LINE or name == "Order #":
            continue
        says = (frame[name].notna() & (raw[name] != "")).to_numpy()
        codes, _ = pd.factorize(raw[name])
        positions = np.flatnonzero(says)[::-1]
        first = np.full(groups.max() + 1, -1)
        first[groups[positions]] = positions
        bad |= says & (codes != codes[first[groups]])
    return bad


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
