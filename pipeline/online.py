"""What the accounts themselves say: reach, key, clock, custom fields. One harmless call each, all accounts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

from pipeline.delivery.clock import Clock
from pipeline.delivery.walk import ask, walk
from pipeline.errors import OrderdropError
from pipeline.send_out import TransportOf
from pipeline.targets.contract import Account, Answer, Done, InDoubt, Later, Outcome, Paused, Plan, Refused, Signed
from pipeline.targets.http import Transport
from pipeline.targets.sending import Meanwhile, nothing

_LISTED = 20
SKEW_LIMIT = 60.0
"""Seconds: signatures and time windows of look-ups bear that much, and an HTTP date counts whole seconds."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line about one account; ``verdict`` is ok, warning or problem."""

    what: str
    verdict: str
    message: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """The products a feed's mapping names for one account, and how to ask for them."""

    feed: str
    plan: Callable[[], Plan]


class Watched:
    """A transport that also notes how far the other side's clock stands from ours, in seconds."""

    def __init__(self, inner: Transport, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self.skew: float | None = None

    def send(self, signed: Signed, meanwhile: Meanwhile = nothing) -> Answer:
        """Send once; reads the ``Date`` header, which every web server should give (RFC 9110)."""
        before = self._clock.now()
        answer = self._inner.send(signed, meanwhile)
        told = _date(answer)
        if told is not None:
            # The date was written between our sending and our receiving: only what lies outside is skew.
            self.skew = told - min(max(told, before - 1), self._clock.now())
        return answer

    def close(self) -> None:
        """Let go of the connections."""
        self._inner.close()


def _date(answer: Answer) -> float | None:
    try:
        told = parsedate_to_datetime(answer.headers["date"])
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    except (LookupError, ValueError, TypeError, OverflowError):
        return None


def ask_accounts(
    accounts: Mapping[str, Account],
    transport_of: TransportOf,
    clock: Clock,
    *,
    create_fields: bool,
    named: Mapping[str, Sequence[Named]] = MappingProxyType({}),
) -> list[Told]:
    """The lines of all accounts, in the order of the settings; nothing is written unless ``create_fields``.

    ``named`` are the products that mappings name, by account.
    """
    if not accounts:
        return []
    with ThreadPoolExecutor(len(accounts)) as pool:
        asked = [
            pool.submit(
                _ask, account, transport_of, clock, create_fields=create_fields, named=named.get(account.name, ())
            )
            for account in accounts.values()
        ]
        return [line for one in asked for line in one.result()]


def _ask(
    account: Account, transport_of: TransportOf, clock: Clock, *, create_fields: bool, named: Sequence[Named]
) -> list[Told]:
    what = f"account {account.name} online"
    lines: list[Told] = []
    try:
        transport = Watched(transport_of(account), clock)
        try:
            lines += _lines(account, transport, what, create_fields=create_fields, named=named)
        finally:
            transport.close()
    except OrderdropError as problem:
        lines.append(Told(what, "problem", str(problem)))
    except Exception as problem:  # noqa: BLE001 - whatever one account answers, the others are told about
        said = f"Its answer could not be understood ({type(problem).__name__}). Check base_url."
        lines.append(Told(what, "problem", said, "unreadable_answer"))
    return lines


def _lines(
    account: Account, transport: Watched, what: str, *, create_fields: bool, named: Sequence[Named]
) -> Iterator[Told]:
    outcome = ask(account, transport)
    yield _reached(account, what, outcome)
    yield from _skewed(account, transport)
    if isinstance(outcome, Done) and account.fields_plan is not None:
        yield from _fields(account, transport, create_fields=create_fields)
    for one in named if isinstance(outcome, Done) else ():
        yield from _products(account, transport, one)


def _products(account: Account, transport: Watched, named: Named) -> Iterator[Told]:
    """Which products a mapping names that the account lacks; nothing where it names none, or they cannot be asked."""
    what = f"account {account.name} products"
    outcome = walk(account, transport, named.plan())
    if not isinstance(outcome, Done):
        yield _reached(account, what, outcome)
        return
    asked, unknown = int(outcome.result.get("asked") or 0), _names(outcome.result, "unknown")
    if unknown:
        listed = ", ".join(unknown[:_LISTED]) + (" …" if len(unknown) > _LISTED else "")
        said = f"not there, though feed {named.feed} names them: {listed}. Correct the mapping, or make them there."
        yield Told(what, "problem", said, "unknown_products")
    elif asked:
        yield Told(what, "ok", f"feed {named.feed}: the products it names are there ({asked})")


def _reached(account: Account, what: str, outcome: Outcome) -> Told:
    match outcome:
        case Done(result):
            note = result.get("note")
            return Told(what, "ok", str(note) if note else f"{account.base_url} answers and takes the key")
        case Paused(code, message, advice):
            return Told(what, "problem", f"{_sentence(message)} {advice}".strip(), code)
        case Refused(code, message):  # its advice speaks of a row, and here is none
            return Told(what, "problem", f"{_sentence(message)} Check base_url and the key of this account.", code)
        case Later(code, message):
            return Told(what, "problem", _sentence(message), code)
        case InDoubt(code, message):
            return Told(what, "problem", f"{_sentence(message)} Check base_url.", code)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _skewed(account: Account, transport: Watched) -> Iterator[Told]:
    skew = transport.skew
    if skew is None or abs(skew) <= SKEW_LIMIT:
        return
    where = "behind" if skew > 0 else "ahead of"
    yield Told(
        f"account {account.name} clock",
        "warning",
        f"This machine's clock is {_long(abs(skew))} {where} {account.target}'s. Look-ups go by time: set the clock "
        "(a time server keeps it right).",
        "clock_skew",
    )


def _long(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def _fields(account: Account, transport: Watched, *, create_fields: bool) -> Iterator[Told]:
    assert account.fields_plan is not None  # noqa: S101 - the caller looked
    what = f"account {account.name} custom fields"
    outcome = walk(account, transport, account.fields_plan(create_fields))
    if not isinstance(outcome, Done):
        yield _reached(account, what, outcome)
        return
    missing, created = (_names(outcome.result, name) for name in ("missing", "created"))
    if created:
        yield Told(what, "ok", f"created there: {', '.join(created)}")
    if missing:
        yield Told(
            what,
            "problem",
            f"not there: {', '.join(missing)}. Make them by hand, or let `orderdrop check --online --create-fields` "
            "do it.",
            "missing_custom_fields",
        )
    if not missing and not created:
        yield Told(what, "ok", "every field that the settings name is there")


def _names(result: Mapping[str, Any], name: str) -> list[str]:
    return [str(one) for one in result.get(name) or ()]
