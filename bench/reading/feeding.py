"""What an order feed makes of the polluted files: which rows would have reached a target, and were they right?

The source's stock columns are mapped as any feed maps them (text, whole number, money, date), and every polluted file
is taken through the product's own reading, mapping and checking. A row is wrong when it was accepted and is none of
the rows the clean file holds.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pollution import Polluted

from pipeline.errors import FileRefused
from pipeline.judging import judge
from pipeline.project import load_plan
from pipeline.recognise import recognise

ROOT = Path(__file__).resolve().parents[2]
_SETTINGS = """
[project]
timezone = "UTC"
[accounts.shop]
target = "orderdesk"
store_id = "1"
api_key = { env = "ORDERDESK_API_KEY" }
"""
_MAPPING = """
feed: stock
files: {pattern: "*"}
record: inventory_item
key: [sku]
strict: true
fields:
  sku:   {column: "PRODUCTID"}
  name:  {column: "ProductType"}
  stock: {column: "Qty", parse: integer}
  price: {column: "Price", parse: money}
  extra.seen_on: {column: "DATE", parse: date, format: "%d/%m/%Y"}
  extra.text: {column: "ProductDescription"}
  extra.page: {column: "URL"}
ignore_columns: ["TIME", "Comments"]
deliver: [{account: shop, operation: inventory_item}]
"""
_COLUMNS = (3, 5, 2, 4, 0, 6, 7)


@dataclass(slots=True)
class Fed:
    """Counts over all files: rows accepted rightly and wrongly, files refused as a whole."""

    accepted: int = 0
    wrong: int = 0
    refused: int = 0
    examples: list[str] = field(default_factory=list)


class Feed:
    """A project folder with the one feed, for as long as the ``with`` block lasts."""

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp())
        (self._folder / "pipeline.toml").write_text(_SETTINGS)
        (self._folder / "mappings").mkdir()
        (self._folder / "mappings/stock.yaml").write_text(_MAPPING)
        shutil.copytree(ROOT / "schemas", self._folder / "schemas")
        self._plan = load_plan(self._folder, secrets=False)
        self.fed = Fed()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder)

    def take(self, path: Path, polluted: Polluted) -> None:
        """Take one file through and count."""
        try:
            checked = judge(self._plan, recognise(None, path, None, self._plan)).checked
        except FileRefused:
            self.fed.refused += 1
            return
        wanted = Counter(_wanted(polluted.clean))
        for record in checked.records:
            fields = record.fields
            extra = fields.get("extra")
            more = dict(extra) if isinstance(extra, dict) else {}
            got = (
                str(fields["sku"]), str(fields["name"]), str(fields["stock"]), str(fields["price"]),
                more.get("seen_on", ""), more.get("text", ""), more.get("page", ""),
            )  # fmt: skip
            self.fed.accepted += 1
            if got not in wanted:
                self.fed.wrong += 1
                self.fed.examples.append(f"{polluted.name} row {record.rows}: {got}"[:300])


def _wanted(clean: Iterable[tuple[str, ...]]) -> Iterable[tuple[str, ...]]:
    for row in clean:
        if len(row) >= 8 and row[4].startswith("$"):
            sku, name, stock, price, day, text, page = (row[column] for column in _COLUMNS)
            yield sku, name, stock, price.strip("$"), "-".join(reversed(day.split("/"))), text, page
