"""The same file read and validated row by row with pydantic: the quickest of the usual ways to validate rows.

    python bench/by_pydantic.py FILE

The rules are those of ``bench/by_hand.py``: a model with one validated field per column, then the rows of an order that
contradict its first. Prints the same counts, without a ledger.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from by_hand import COUNTRIES, EMAIL, NUMBER, PER_LINE, PHONE, STATUS
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError

_NUMBER = re.compile(NUMBER)


def _number(text: Any) -> Any:  # noqa: ANN401 - what pydantic hands over
    if text == "":
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError("no number")
    return text.replace(",", "")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%m/%d/%Y")  # noqa: DTZ007 - only whether it is one counts here


Text = Annotated[str, StringConstraints(max_length=255, strip_whitespace=True)]
Amount = Annotated[Decimal | None, BeforeValidator(_number), Field(ge=-10_000_000, le=10_000_000)]
Empty = Literal[""]


class Row(BaseModel):
    """One line of the file."""

    order_id: Annotated[Text, Field(min_length=1, alias="Order #")]
    ordered_at: Annotated[datetime, BeforeValidator(_moment), Field(alias="Order Date")]
    status: Annotated[Literal[tuple(STATUS)] | Empty, Field(alias="Status")]  # type: ignore[valid-type]
    email: Annotated[Annotated[Text, Field(pattern=f"^(?:{EMAIL})$")] | Empty, Field(alias="Email")]
    first: Annotated[Text, Field(alias="First")]
    last: Annotated[Text, Field(alias="Last")]
    company: Annotated[Text, Field(alias="Company")]
    phone: Annotated[Annotated[Text, Field(pattern=f"^(?:{PHONE})$")] | Empty, Field(alias="Phone")]
    address1: Annotated[Text, Field(alias="Address 1")]
    address2: Annotated[Text, Field(alias="Address 2")]
    city: Annotated[Text, Field(alias="City")]
    state: Annotated[Text, Field(alias="State")]
    postal_code: Annotated[Text, Field(alias="ZIP")]
    country: Annotated[Literal[tuple(COUNTRIES)] | Empty, Field(alias="Country")]  # type: ignore[valid-type]
    sku: Annotated[Text, Field(alias="SKU")]
    item: Annotated[Text, Field(alias="Item")]
    quantity: Annotated[Decimal, BeforeValidator(_number), Field(gt=0, le=1_000_000, multiple_of=1, alias="Qty")]
    price: Annotated[Decimal, BeforeValidator(_number), Field(ge=-10_000_000, le=10_000_000, alias="Price")]
    line_discount: Annotated[Amount, Field(alias="Line Discount")]
    shipping: Annotated[Amount, Field(alias="Shipping")]
    tax: Annotated[Amount, Field(alias="Tax")]
    total: Annotated[Amount, Field(alias="Order Total")]
    payment: Annotated[Text, Field(alias="Payment")]
    tracking: Annotated[Text, Field(alias="Tracking #")]
    note: Annotated[Text, Field(alias="Note")]


_ALIASES = [str(field.alias) for field in Row.model_fields.values()]
_SHARED = [alias for alias in _ALIASES if alias not in PER_LINE and alias != "Order #"]


def main(path: str) -> dict[str, int]:
    """Read and validate one file."""
    check = TypeAdapter(Row).validate_python
    first: dict[str, dict[str, str]] = {}
    rows: dict[str, int] = {}
    bad: set[str] = set()
    read = 0
    for line in _lines(path):
        read += 1
        order = line["Order #"]
        rows[order] = rows.get(order, 0) + 1
        try:
            check(line)
        except ValidationError:
            bad.add(order)
            continue
        known = first.setdefault(order, line)
        if known is not line and any(line[name] != known[name] for name in _SHARED):
            bad.add(order)
    rejected = sum(rows[order] for order in bad)
    return {"read": read, "accepted": read - rejected, "rejected": rejected}


def _lines(path: str) -> Iterator[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as stream:
        yield from csv.DictReader(stream)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
