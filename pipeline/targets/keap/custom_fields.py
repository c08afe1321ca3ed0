"""``check --online --create-fields``: which configured order custom fields a tenant lacks, and making them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from pipeline.targets.contract import Answer, Done, Outcome, Plan, Request, Result, Step
from pipeline.targets.keap.people import Json
from pipeline.targets.keap.readings import Readings, matching

MODEL = "/rest/v2/orders/model"


def fields_plan(read: Readings, *, create: bool) -> Plan:
    """``missing``: texts of ``custom_fields`` no order custom field answers to; ``created``: those made now, with the
    name Keap gave. A field that got another name than configured stays in ``missing``."""
    missing = yield from _missing(read, "model")
    created = []
    for label in missing if create else ():
        made = yield Step(
            f"create_field:{label}",
            Request("POST", f"{MODEL}/customFields", json=field_payload(label)),
            partial(_made, read),
            search_hint=f"order custom field {label}",
        )
        created.append(f"{label} (as {made.get('field_name') or made.get('id', '')})")
    if created:
        missing = yield from _missing(read, "model_after")
    return {"missing": missing, "created": created}


def field_payload(label: str) -> Json:
    """A text field: it takes whatever a record holds. ``_ExternalOrderId`` becomes the label *External Order Id*,
    from which Keap makes the name; how exactly is not documented."""
    return {"label": readable(label), "field_type": "TEXT"}


def readable(name: str) -> str:
    """``_ExternalOrderId`` → ``External Order Id``; a text that is no field name stays as it is."""
    text = name.strip()
    if not text.startswith("_"):
        return text
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text[1:])


def _missing(read: Readings, name: str) -> Any:  # noqa: ANN401 - a part of a plan
    seen: Result = yield Step(
        name, Request("GET", MODEL), partial(_known, read), reads_only=True, preview={"missing": []}
    )
    return list(seen["missing"])


def _known(read: Readings, answer: Answer) -> Outcome:
    known = read.fields(answer)
    if not isinstance(known, list):
        return known
    return Done({"missing": [label for label in read.custom_fields.values() if not matching(known, label)]})


def _made(read: Readings, answer: Answer) -> Outcome:
    outcome = read.order(answer)
    body = answer.json()
    if isinstance(outcome, Done) and isinstance(body, Mapping):
        return Done({**outcome.result, "field_name": str(body.get("field_name") or "")})
    return outcome
