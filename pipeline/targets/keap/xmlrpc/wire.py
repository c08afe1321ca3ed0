"""XML-RPC on the wire: calls with exact types, answers read by a hardened parser.

Keap matches the types of a call against a Java signature: a double is never written as an int, a date-time is never
a text, an empty list is sent as an empty array, nil is never sent. Answers are untrusted bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.targets.contract import Request

PATH = "/xmlrpc/v1"
PLACEHOLDER = "key-travels-in-the-header"
"""The first argument of every call: the place of the retired keys; the real key is in a header."""
EASTERN = ZoneInfo("America/New_York")
MOST_DEPTH, MOST_DIGITS = 24, 18
_CONTROLS = bytes(range(9)) + b"\x0b\x0c" + bytes(range(14, 32))
_CONTROL_REFERENCE = re.compile(
    rb"&#(?:x0*(?:[0-8bcef]|1[0-9a-f])|0*(?:[0-8]|1[1245678]|19|2[0-9]|3[01]));", re.IGNORECASE
)


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Id(str):
    """An id of Keap that is written as an int; a dry run has a stand-in here."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What Keap answers instead of a result, with HTTP status 200."""

    code: int
    text: str


class Unreadable(Exception):
    """The bytes are no XML-RPC answer: empty, cut off, hostile, or of another kind."""


def call(method: str, *arguments: Any) -> Request:  # noqa: ANN401 - whatever XML-RPC can carry
    """The call with the leading key argument; ``TypeError`` for a value XML-RPC has no exact type for."""
    params = "".join(f"<param>{_value(argument)}</param>" for argument in (PLACEHOLDER, *arguments))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<methodCall><methodName>{escape(method, quote=False)}</methodName><params>{params}</params></methodCall>"
    )
    return Request("POST", PATH, text=text, content_type="text/xml; charset=UTF-8")


def eastern(moment: datetime) -> datetime:
    """The moment on a clock in US Eastern time, without a zone: what Keap takes every time for."""
    return moment.astimezone(EASTERN).replace(tzinfo=None, microsecond=0)


def midnight(day: date) -> datetime:
    """A day as the date-time Keap stores it as."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - XML-RPC carries no zone


def _value(value: Any) -> str:  # noqa: ANN401 - whatever XML-RPC can carry
    return f"<value>{_typed(value)}</value>"


def _typed(value: Any) -> str:  # noqa: ANN401 - one line per type of the wire
    match value:
        case bool():
            return f"<boolean>{int(value)}</boolean>"
        case Id():
            return f"<int>{escape(value, quote=False)}</int>"
        case int():
            return f"<int>{value}</int>"
        case Decimal():
            return f"<double>{_double(value)}</double>"
        case datetime() if value.tzinfo is None:
            return f"<dateTime.iso8601>{value.strftime('%Y%m%dT%H:%M:%S')}</dateTime.iso8601>"
        case str():
            return f"<string>{escape(_NOT_XML.sub('', value), quote=False)}</string>"
        case Mapping():
            members = "".join(
                f"<member><name>{escape(k, quote=False)}</name>{_value(v)}</member>" for k, v in value.items()
            )
            return f"<struct>{members}</struct>"
        case list() | tuple():
            return f"<array><data>{''.join(map(_value, value))}</data></array>"
    raise TypeError(f"XML-RPC has no exact type for a {type(value).__name__}")


def _double(value: Decimal) -> str:
    """Plain digits with a point: 6.5, 40.0, -5.0."""
    text = format(value, "f")
    whole, _, digits = text.partition(".")
    return f"{whole}.{digits.rstrip('0') or '0'}"


def read(content: bytes) -> Any:  # noqa: ANN401 - whatever was answered
    """The one value of an answer, or its :class:`Fault`; :class:`Unreadable` when it is neither.

    Control characters that stored texts smuggle into answers (seen by others) are dropped, so that one odd record
    does not make a list unreadable; document types and entities are refused.
    """
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(_CONTROL_REFERENCE.sub(b"", content.translate(None, _CONTROLS)), forbid_dtd=True)
        if root.tag != "methodResponse" or len(root) != 1:
            raise Unreadable("not an XML-RPC answer")
        if root[0].tag == "fault":
            return _fault(_parsed(_only(root[0], "value"), 0))
        return _parsed(_only(_only(root[0], "param", parent="params"), "value"), 0)
    except (SyntaxError, ValueError, RecursionError, LookupError, InvalidOperation) as problem:
        raise Unreadable(type(problem).__name__) from None


def _fault(value: Any) -> Fault:  # noqa: ANN401 - whatever was answered
    if not isinstance(value, Mapping) or not isinstance(value.get("faultCode"), int):
        raise Unreadable("a fault without a code")
    return Fault(value["faultCode"], str(value.get("faultString", "")))


def _only(element: Any, tag: str, parent: str = "") -> Any:  # noqa: ANN401 - an XML element
    if (parent and element.tag != parent) or len(element) != 1 or element[0].tag != tag:
        raise Unreadable(f"no <{tag}>")
    return element[0]


def _parsed(element: Any, depth: int) -> Any:  # noqa: ANN401 - an XML element, a value
    if depth > MOST_DEPTH:
        raise Unreadable("too deep")
    if len(element) == 0:
        return element.text or ""  # a text needs no type
    if len(element) != 1:
        raise Unreadable("several types in one value")
    inner = element[0]
    match inner.tag:
        case "struct":
            return dict(_member(member, depth) for member in inner)
        case "array":
            return [_parsed(value, depth + 1) for value in _only(inner, "data")]
    return _scalar(inner.tag, inner.text or "")


def _member(member: Any, depth: int) -> tuple[str, Any]:  # noqa: ANN401 - an XML element
    if [part.tag for part in member] != ["name", "value"]:
        raise Unreadable("a member without name and value")
    return member[0].text or "", _parsed(member[1], depth + 1)


def _scalar(tag: str, text: str) -> Any:  # noqa: ANN401 - one of the simple types
    match tag:
        case "string":
            return text
        case "i4" | "int" | "i8":
            return int(text)
        case "double":
            number = Decimal(text.strip())
            if not number.is_finite() or number.adjusted() > MOST_DIGITS:
                raise Unreadable("no number Keap can mean")
            return number
        case "boolean" if text.strip() in {"0", "1"}:
            return text.strip() == "1"
        case "dateTime.iso8601":
            return datetime.strptime(text.strip()[:17], "%Y%m%dT%H:%M:%S")  # noqa: DTZ007 - it carries no zone
        case "nil":
            return None
    raise Unreadable(f"unknown type {tag[:20]}")
