"""Order-line files for the benchmarks: 25 columns, a share of rows spoilt in eight ways, the same for the same numbers.

python bench/order_lines.py 100000 1 /tmp/orders.csv
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HEADER = (
    "Order #", "Order Date", "Status", "Email", "First", "Last", "Company", "Phone", "Address 1", "Address 2", "City",
    "State", "ZIP", "Country", "SKU", "Item", "Qty", "Price", "Line Discount", "Shipping", "Tax", "Order Total",
    "Payment", "Tracking #", "Note",
)  # fmt: skip
_AT = {name: position for position, name in enumerate(HEADER)}
_FIRST = ("Ada", "Ben", "Chloé", "Dmitri", "Eva", "Finn", "Grace", "Hugo", "Ines", "Jörg")
_LAST = ("Abbott", "Brandt", "Castro", "Dvořák", "Eklund", "Fischer", "García", "Hughes", "Ivanov", "Jensen")
_CITIES = (("Phoenix", "AZ"), ("Austin", "TX"), ("Denver", "CO"), ("Boston", "MA"), ("Portland", "OR"))

SPOILT: dict[str, Callable[[int], tuple[str, str]]] = {
    "bad_number": lambda n: ("Qty", f"{n % 7} boxes"),
    "bad_money": lambda n: ("Price", f"1,2{n % 10}.5,0"),
    "bad_date": lambda n: ("Order Date", f"13/{n % 28 + 32}/2026"),
    "bad_email": lambda n: ("Email", f"buyer{n} at example.com"),
    "unknown_choice": lambda _: ("Status", "LOST"),
    "bad_country": lambda n: ("Country", f"Atlantis {n % 9}"),
    "missing_value": lambda _: ("Price", ""),
    "below_minimum": lambda n: ("Qty", f"-{n % 5 + 1}"),
}
"""What can be wrong, by reason: the spoilt cell's column and text."""


def rows(count: int, percent_bad: float) -> Iterator[list[str]]:
    """So many rows, two to three to an order; ``percent_bad`` of them spoilt, each in one of the eight ways."""
    chance = random.Random(20261125)
    kinds = list(SPOILT.values())
    number, lines, order = 0, 0, []
    for n in range(count):
        if lines == 0:
            number, lines = number + 1, chance.choice((2, 3))
            order = _order(number, chance)
        lines -= 1
        row = _line(order, n, chance)
        if chance.random() * 100 < percent_bad:
            column, text = kinds[n % len(kinds)](n)
            row[_AT[column]] = text
        yield row


def _order(number: int, chance: random.Random) -> list[str]:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    city, state = chance.choice(_CITIES)
    return [
        f"A-{number:07d}", f"{chance.randint(1, 12):02d}/{chance.randint(1, 28):02d}/2026",
        chance.choice(("SHP", "PND", "CXL")), f"{first[:1].lower()}.buyer{number}@example.com", first, last,
        "" if number % 3 else f"{last} & Co", f"+1 602 555 {number % 10000:04d}", f"{number % 997 + 1} Oak Street",
        "" if number % 4 else f"Suite {number % 50}", city, state, f"{number % 90000 + 10000:05d}", "US",
        "", "", "", "", "", "7.95", f"{number % 900 / 100:.2f}", f"{number % 90000 / 100 + 20:.2f}",
        chance.choice(("visa", "paypal", "cheque")), f"1Z{number:012d}", f"Leave at door {number % 200}",
    ]  # fmt: skip


def _line(order: list[str], n: int, chance: random.Random) -> list[str]:
    row, item = list(order), n * 7919 % 5000
    row[14:19] = [
        f"SKU-{item:05d}", f"Part no. {item}, boxed", str(chance.randint(1, 9)), f"{item / 50 + 1:,.2f}", "0.00",
    ]  # fmt: skip
    return row


def write(path: Path, count: int, percent_bad: float) -> None:
    """The file at ``path``, UTF-8 with commas."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        writer.writerows(rows(count, percent_bad))


if __name__ == "__main__":
    write(Path(sys.argv[3]), int(sys.argv[1]), float(sys.argv[2]))
