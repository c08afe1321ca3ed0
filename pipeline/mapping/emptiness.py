"""What an empty cell means: nothing (``leave``), a blank at the target (``clear``), or a fault (``reject``).

A mapping declares it for all its fields, and for single ones; a field for which the general word makes no sense keeps
``leave``. A zero is a value, never an empty cell.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import nearest
from pipeline.fields import FieldSpec
from pipeline.mapping.rules import FieldRule

LEAVE, CLEAR, REJECT = "leave", "clear", "reject"
POLICIES = (LEAVE, CLEAR, REJECT)


def empty_problems(rule: FieldRule, spec: FieldSpec) -> Iterator[str]:
    """What is wrong with the ``when_empty`` of one rule, in words."""
    policy = rule.when_empty
    if policy is None:
        return
    if policy not in POLICIES:
        yield f"when_empty: '{policy}' is not one of {', '.join(POLICIES)}.{nearest(policy, POLICIES)}"
    elif spec.required and policy != REJECT:
        yield f"it is required, so its empty cells are rejected and when_empty: {policy} has no meaning"
    elif (why := _no_meaning(rule)) is not None:
        yield f"{why}, so when_empty has no meaning"
    elif policy == CLEAR and spec.level == "line":
        yield "it belongs to the lines of an order, which always go as the file has them; it cannot be cleared"


def policy_of(rule: FieldRule, spec: FieldSpec, general: str, is_needed: bool) -> str | None:
    """The policy of one field, ``None`` for ``leave``; ``general`` is for fields that say nothing and that it fits."""
    if rule.when_empty is not None:
        return None if rule.when_empty == LEAVE else rule.when_empty
    unfit = spec.required or _no_meaning(rule) is not None
    unfit = unfit or (general == CLEAR and (spec.level == "line" or is_needed))
    return None if unfit or general == LEAVE else general


def _no_meaning(rule: FieldRule) -> str | None:
    """Why no cell of the field is ever empty by itself."""
    if rule.constant is not None:
        return "a constant is never empty"
    if rule.default is not None:
        return "its default takes the place of an empty cell"
    if rule.parse == "split_name":
        return "a full cell can lack a part of a name"
    return None
