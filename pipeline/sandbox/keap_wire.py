"""XML-RPC as the simulated tenant reads and writes it: exact types in, the server's own habits out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring

JAVA = {
    str: "java.lang.String",
    int: "java.lang.Integer",
    float: "java.lang.Double",
    bool: "java.lang.Boolean",
    datetime: "java.util.Date",
    list: "[Ljava.lang.Object;",
    dict: "java.util.Map",
}
_COMPACT = re.compile(r"\d{8}T\d\d:\d\d:\d\d")


class WireFault(Exception):
    """The call is answered with this fault, HTTP status 200."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def parse_call(body: bytes) -> tuple[str, list[Any]]:
    """Method and arguments; what is no call is fault 0."""
    try:
        root = fromstring(body, forbid_dtd=True)
        name, params = root  # two children, or it is no call
        return name.text or "", [_value(param[0]) for param in params]
    except (SyntaxError, ValueError, LookupError) as problem:
        raise WireFault(0, f"Failed to parse XML-RPC request: {problem}") from None


def _value(element: Any) -> Any:  # noqa: ANN401 - an XML element, a value
    if element.tag != "value" or len(element) > 1:
        raise ValueError("no value")
    if len(element) == 0:
        return element.text or ""
    inner = element[0]
    text = inner.text or ""
    match inner.tag:
        case "string":
            return text
        case "int" | "i4":
            return _integer(text)
        case "boolean" if text in {"0", "1"}:
            return text == "1"
        case "double":
            return float(text)
        case "dateTime.iso8601" if _COMPACT.fullmatch(text):
            return datetime.strptime(text, "%Y%m%dT%H:%M:%S")  # noqa: DTZ007 - it carries no zone
        case "array":
            return [_value(value) for value in inner[0]]
        case "struct":
            return {member[0].text or "": _value(member[1]) for member in inner}
    raise ValueError(f"bad {inner.tag}")


def _integer(text: str) -> int:
    number = int(text)
    if not -(2**31) <= number < 2**31:
        raise ValueError("int out of range")
    return number


def answer(value: Any) -> bytes:  # noqa: ANN401 - what a method gave
    """A result: integers as ``i4``, texts without a type, members without a value left out."""
    return _document(f"<params><param>{_written(value)}</param></params>")


def fault(problem: WireFault) -> bytes:
    """A fault."""
    return _document(f"<fault>{_written({'faultCode': problem.code, 'faultString': problem.text})}</fault>")


def _document(inner: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><methodResponse>{inner}</methodResponse>'.encode()


def _written(value: Any) -> str:  # noqa: ANN401 - what a method gave
    match value:
        case bool():
            return f"<value><boolean>{int(value)}</boolean></value>"
        case int():
            return f"<value><i4>{value}</i4></value>"
        case float():
            return f"<value><double>{value}</double></value>"
        case datetime():
            return f"<value><dateTime.iso8601>{value:%Y%m%dT%H:%M:%S}</dateTime.iso8601></value>"
        case Mapping():
            members = (f"<member><name>{k}</name>{_written(v)}</member>" for k, v in value.items() if v is not None)
            return f"<value><struct>{''.join(members)}</struct></value>"
        case list():
            return f"<value><array><data>{''.join(map(_written, value))}</data></array></value>"
    return f"<value>{escape(str(value))}</value>" if value else "<value/>"


def no_match(arguments: list[Any]) -> WireFault:
    """What the server says when types or number of arguments do not fit."""
    shown = ", ".join(JAVA.get(type(argument), "?") for argument in arguments)
    return WireFault(0, f"No method matching arguments: {shown}")
