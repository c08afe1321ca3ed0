"""What a target must give, and the closed set of outcomes.

A target never touches the network. An operation is a *plan*: a generator that yields :class:`Step` values and
receives the :data:`Result` of each. The journal decides whether a step is sent, reused, looked up or left in doubt,
so the rule "never sent again blindly" lives in one place and a plan reads like the story of an order::

    def plan(record, prior):
        contact = yield Step("contact", request=..., read=..., find=...)
        order = yield Step("order", request=order_payload(record, contact["id"]), read=..., find=...)
        return order

A look-up (``find``) is a generator too: it yields read-only :class:`Request` values, receives an :class:`Answer` for
each, and returns :class:`Found`, :class:`Absent` or :class:`Unclear`. Plans and look-ups are pure: no network, no
clock, no randomness; run again with the same results they yield the same steps with the same names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from pipeline.model import Record

Result = Mapping[str, Any]
"""What a step gave: plain JSON values; ``id`` is the remote id where there is one."""


class Request(Struct, frozen=True):
    """A call before it is signed: no secret is in it, so it may be shown and stored.

    ``path`` stands below the account's ``base_url`` and begins with ``/``. At most one of ``json`` (any JSON value)
    and ``form`` (pairs in sending order) and ``text`` (with ``content_type``) is the body. ``key`` names which of
    the account's keys signs the call, where a target has one per call.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    json: Any = None
    form: tuple[tuple[str, str], ...] | None = None
    text: str | None = None
    content_type: str | None = None
    key: str = ""


class Signed(Struct, frozen=True):
    """A call as it goes over the wire, secrets included: never logged, stored or shown."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""


class Answer(Struct, frozen=True):
    """What came back: any HTTP status; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def text(self, limit: int = 500) -> str:
        """The body as text, at most ``limit`` characters, undecodable bytes replaced."""
        return self.content[: limit * 4].decode("utf-8", "replace")[:limit]

    def json(self) -> Any:  # noqa: ANN401 - whatever the vendor sent
        """The body as JSON, or ``None`` when it is empty or not JSON."""
        try:
            return msgspec.json.decode(self.content)
        except (ValueError, RecursionError):  # stricter than the standard library, and quicker
            pass
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):  # a hostile answer nests deeper than the parser goes
            return None


# --- outcomes of one sent step -----------------------------------------------------------------------------------


class Done(Struct, frozen=True):
    """The step happened. ``already_there``: the target says the thing existed before this call."""

    result: Result
    already_there: bool = False


class Refused(Struct, frozen=True):
    """The target will not take this record: the row's fault. Goes into the errors workbook.

    ``column_hint`` is the record field (``email``, ``sku`` …) whose cell to mark, where the answer tells.
    """

    code: str
    message: str
    advice: str
    field: str | None = None


class Later(Struct, frozen=True):
    """Not done, nobody's fault: send the same step again after ``seconds`` (``None``: the journal's own back-off).

    Only for answers that prove the work was not done (429, 503 before the application, a refused connection).
    The whole account waits with it.
    """

    code: str
    message: str
    seconds: float | None = None


class InDoubt(Struct, frozen=True):
    """The call may or may not have happened (5xx, empty or unreadable answer): look it up, never send again blindly."""

    code: str
    message: str


class Paused(Struct, frozen=True):
    """The account cannot work until a person acts (bad or expired key, API switched off): the step did not happen.

    No other account is touched; no row is blamed.
    """

    code: str
    message: str
    advice: str


class PlanRefused(Exception):
    """Raised by a plan that sees, between two steps, that its record cannot be delivered."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused


Outcome = Done | Refused | Later | InDoubt | Paused


# --- what a look-up can see --------------------------------------------------------------------------------------


class Found(Struct, frozen=True):
    """It is there, exactly once as far as the target tells."""

    result: Result


class Absent(Struct, frozen=True):
    """The target's own list, read with success, does not have it."""


class Unclear(Struct, frozen=True):
    """The look-up could not tell (several candidates, an unreadable answer): try again, then ask a person.

    ``trouble``: the look-up itself met a throttle, a bad key or a fault of the account, which is no row's fault.
    """

    message: str
    trouble: Later | Paused | None = None


Finding = Found | Absent | Unclear
LookUp = Callable[[], Generator[Request, Answer, Finding]]


class Step(Struct, frozen=True):
    """One call of a plan.

    ``name`` is unique within the plan and stable between runs (it is the key of the journal).

    - ``reads_only``: a look at the target; never journaled, may be repeated at will.
    - ``find``: how to see whether the step happened; ``None`` means only a person can tell.
    - ``look_first``: look before the first send; found means *already there* and nothing is sent.
    - ``repeatable``: sending it twice leaves the same state as once (a PUT of the whole item); an unanswered
      send is then simply sent again.
    - ``preview``: the result a dry run goes on with (default ``{"id": "<id of NAME>"}``).
    - ``shares``: names what the step makes for more than one record (``product:MUG-BL``, ``contact:a@example.com``);
      while one such step of the account is unanswered, no other of that name is sent.
    - ``search_hint``: what a person types into the vendor's own search to see whether it is there.
    """

    name: str
    request: Request
    read: Callable[[Answer], Outcome]
    find: LookUp | None = None
    look_first: bool = False
    repeatable: bool = False
    reads_only: bool = False
    search_hint: str = ""
    shares: str = ""
    preview: Result | None = None


Plan = Generator[Step, Result, Result]
"""Yields steps, receives their results, returns the final result (``id`` is the remote id of the record)."""


class Prior(Struct, frozen=True):
    """What the ledger knows of earlier deliveries of the same record key: the newest final result, and what was told.

    ``record`` is the newest content over all before it: a field that a later file left empty is in it as an earlier
    one told it, so ``new.over(prior.record)`` against ``prior.record`` is what a file means to change.
    """

    result: Result
    record: Record


LookMany = Callable[[Sequence[Record]], Generator[Request, Answer, Mapping[str, Mapping[str, Any]] | Unclear]]
"""Reads what the target has of several records, by record key; what is not there, or not clearly one, is left out."""


class Together(Struct, frozen=True):
    """Changes of several records in one call that tells nothing of the single one: each is looked at before and after.

    - ``most``: records in one call; ``fits``: whether a record may go so. What is not settled takes its own ``plan``.
    - ``look``: what is there; ``change``: the record's part of the call, ``None`` where nothing there differs from it.
      Sent twice, a part leaves the same as once.
    - ``request``: the one call from its parts; ``read``: what its answer means for all of them.
    - ``result``: the final result of a record that is there.
    """

    most: int
    fits: Callable[[Record], bool]
    look: LookMany
    change: Callable[[Record, Mapping[str, Any]], Mapping[str, Any] | None]
    request: Callable[[Sequence[Mapping[str, Any]]], Request]
    read: Callable[[Answer], Outcome]
    result: Callable[[Mapping[str, Any]], Result]


class Operation(Struct, frozen=True):
    """One operation of one account, its options already bound.

    ``problems`` is called before anything is sent (also by ``preview``) and names everything that would make the
    target refuse the record; ``plan`` is only called when it returned nothing. ``can_update`` says whether ``plan``
    accepts a ``prior`` (same key, different content), ``clears`` whether an update can empty a field
    (``when_empty: clear``; custom fields as ``extra.<name>``). ``together`` is a quicker way for many changes at once.
    ``named_products`` asks which of the products that a mapping itself names (by record field), or the options do, the
    target lacks: ``{"unknown": [...], "asked": count}``; ``None`` where an order needs no product the target knows.
    """

    name: str
    kinds: frozenset[str]
    plan: Callable[[Record, Prior | None], Plan]
    problems: Callable[[Record], Sequence[Refused]] = lambda _record: ()
    can_update: bool = False
    clears: Callable[[str], bool] = lambda _field: False
    together: Together | None = None
    named_products: Callable[[Mapping[str, Sequence[str]]], Plan] | None = None

    def begin(self, record: Record, prior: Prior | None) -> Plan:
        """The plan for a record; what an update cannot empty is left as it is, as if the file said nothing of it."""
        cleared = tuple(name for name in record.cleared if self.clears(name))
        return self.plan(replace(record, cleared=cleared) if cleared != record.cleared else record, prior)


# --- what a target's own list tells ------------------------------------------------------------------------------


class Listed(Struct, frozen=True):
    """One entry of a target's own list, as far as the target tells it.

    ``kind`` is the record kind (``order``, ``inventory_item`` …); ``key`` our own key, or "" where the target does not
    keep it: the fields of ``pipeline.fields.DEFAULT_KEYS``, joined by "/" (order_id, sku, order_id/tracking_number);
    ``remote_id`` the target's own id. ``facts`` are named as the fields of a record (``order_total``,
    ``status``, ``stock`` …) and written as a record's text would be: a plain decimal, a date as ``YYYY-MM-DD``. Only
    what can be compared with the record belongs there; what the target does not tell is left out.
    """

    kind: str
    key: str
    remote_id: str
    facts: Mapping[str, str] = {}


ListRead = Generator[Request, Answer, tuple[Listed, ...] | Unclear]
Listing = Callable[[str, datetime, datetime], ListRead | None]
"""``listing(operation, since, until)``: everything the target lists as made or changed in that time (zone-aware, both
ends included), by read-only requests. ``Unclear`` when the list cannot be read whole: half a list proves nothing.
``None`` instead of a generator where the target has no list for that operation."""


class Rate(Struct, frozen=True):
    """A leaky bucket: ``burst`` calls at once, refilled by ``per_second``."""

    burst: float
    per_second: float


class PaceHint(Struct, frozen=True):
    """What the vendor's own headers say about our speed after an answer.

    ``remaining``: calls left in the bucket right now; ``wait``: seconds until the next call may go.
    """

    remaining: float | None = None
    wait: float | None = None


class Account(Struct, frozen=True):
    """One account of one target, ready to be driven. Built by ``registry`` from ``pipeline.toml``.

    ``timeout`` is the longest wait for an answer, ``settle_seconds`` how long after an unanswered send an absence
    is not believed yet, both in seconds. ``operation(name, options)`` raises ``SetupError`` for an unknown name or
    option. ``sign`` adds address and secrets; ``show`` gives the same call with every secret replaced, for people.
    ``probe`` is one harmless read that proves address and key (``check --online``). ``listing`` reads the target's own
    list for ``reconcile``; ``None`` where the target has none. ``fields_plan(create)`` looks for the custom fields the
    settings name and, when asked, creates them; its result is ``{"missing": [...], "created": [...]}``.
    ``key_ends`` are the days on which keys end, by the name of the key, where the settings tell them.
    """

    name: str
    target: str
    base_url: str
    rate: Rate
    sign: Callable[[Request], Signed]
    show: Callable[[Request], Signed]
    operation: Callable[[str, Mapping[str, Any]], Operation]
    operation_names: tuple[str, ...]
    probe: Callable[[], Plan]
    pace: Callable[[Answer], PaceHint] = lambda _answer: PaceHint()
    concurrency: int = 1
    timeout: float = 30.0
    settle_seconds: float = 30.0
    warnings: tuple[str, ...] = ()
    listing: Listing | None = None
    fields_plan: Callable[[bool], Plan] | None = None
    key_ends: Mapping[str, date] = {}
