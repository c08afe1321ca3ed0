"""Order Desk's fields that no field of an order record names: filled from wherever the mapping says.

``also_send`` leads a record field, or ``extra.<name>``, to one of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import Refused
from pipeline.targets.orderdesk.amounts import is_exact, number
from pipeline.targets.orderdesk.settings import METADATA_LIMIT, NUMBERS, PATTERNS, OrderOptions

Json = dict[str, Any]
_in_json = json.JSONEncoder(ensure_ascii=False).encode
_MOST_OF_A_LETTER = len("\\u0000")
_AROUND_A_PAIR = len('"": "", ')


def is_longer(value: Mapping[str, str], limit: int) -> bool:
    """Whether a map has more characters than that as JSON, the way Order Desk counts its limits."""
    most = 2 + sum(_MOST_OF_A_LETTER * (len(name) + len(text)) + _AROUND_A_PAIR for name, text in value.items())
    return most > limit and json_length(value) > limit


def json_length(value: Mapping[str, str]) -> int:
    """Characters of a map as JSON."""
    return len(_in_json(value))


def source_text(record: Record, source: str) -> str:
    """A record field, or ``extra.<name>``, as text; times in UTC."""
    if source.startswith("extra."):
        return str(record.extra().get(source.removeprefix("extra."), "")).strip()
    value = record.fields.get(source)
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value).strip()


def consumed(options: OrderOptions) -> frozenset[str]:
    """Names of custom fields that are sent as a field of their own, and so not shown a second time."""
    return frozenset(source.removeprefix("extra.") for source in options.also_send if source.startswith("extra."))


def add_more(payload: Json, record: Record, options: OrderOptions) -> Json:
    """The payload with what ``also_send`` leads into it; an empty source adds nothing."""
    for source, target in options.also_send.items():
        text = source_text(record, source)
        if text:
            _put(payload, tuple(target.split(".", 1)), number(Decimal(text)) if target in NUMBERS else text)
    return payload


def more_problems(record: Record, options: OrderOptions) -> Iterator[Refused]:
    """What Order Desk would refuse, or misunderstand, in these fields."""
    for source, target in options.also_send.items():
        text = source_text(record, source)
        wrong = _wrong(target, text) if text else ""
        if wrong:
            message = f"'{text}' cannot be Order Desk's {target}: {wrong}."
            yield Refused("not_this_field", message, f"Correct {source}.", source.partition(".")[0])
    hidden = order_metadata(record, options)
    if is_longer(hidden, METADATA_LIMIT):
        message = f"The hidden fields of this order take more than the {METADATA_LIMIT} characters Order Desk keeps."
        yield Refused("metadata_too_long", message, "Send fewer fields into order_metadata, or shorten them.", "extra")


def order_metadata(record: Record, options: OrderOptions) -> dict[str, str]:
    """The hidden map: the record key, and what the mapping puts there."""
    added = {
        target.removeprefix("order_metadata."): source_text(record, source)
        for source, target in options.also_send.items()
        if target.startswith("order_metadata.")
    }
    return {"load_key": record.key, **{name: text for name, text in added.items() if text}}


def _put(payload: Json, path: tuple[str, ...], value: Any) -> None:  # noqa: ANN401 - a text or a number
    *parents, last = path
    holder = payload.setdefault(parents[0], {}) if parents else payload
    holder[last] = value


def _wrong(target: str, text: str) -> str:
    """Why a text does not fit a field, empty when it does."""
    if target in NUMBERS:
        return "" if _is_amount(text) else "it is no plain number of at most 15 digits"
    pattern, wanted = PATTERNS.get(target, ("", ""))
    return wanted if pattern and not re.fullmatch(pattern, text) else ""


def _is_amount(text: str) -> bool:
    try:
        return is_exact(Decimal(text))
    except InvalidOperation:
        return False
