"""Numbers from text, exactly: integers, decimals and money, and what a column tells about its decimal mark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from pipeline.currencies import currency_codes
from pipeline.mapping.cells import EXPONENT, Reading
from pipeline.reasons import Trouble

_BLANKS = " \u00a0\u202f\u2009\u2007"
_SIGN = "[-+\u2212]"
_SYMBOLS = "$€£¥₹₽₩₪₫₴₦₱฿₺₸₡₲₵￥＄￡￠円元원"
_EASTERN = frozenset("¥￥円元원₩")
"""Signs of countries where a comma is never a decimal mark."""
_WORDS = r"Fr\.?|kr\.?|Rs\.?|Rp\.?|RM|TL|zł|Kč|Ft|lei|руб\.?|р\.?|лв\.?"
_CURRENCY = rf"(?:[A-Za-z]{{0,3}}[{_SYMBOLS}]|(?:{_WORDS})(?![A-Za-z])|[A-Za-z]{{3}}(?![A-Za-z]))"
_NUMBER = re.compile(
    rf"(?P<currency0>{_CURRENCY})?\s*(?P<open>\()?\s*(?P<sign1>{_SIGN})?\s*(?P<currency1>{_CURRENCY})?\s*(?P<sign2>{_SIGN})?\s*"
    rf"(?P<core>[0-9.,](?:[0-9.,'’{_BLANKS}]*[0-9.,])?)"
    rf"\s*(?P<sign3>[-\u2212])?\s*(?P<currency2>{_CURRENCY})?\s*(?P<sign4>[-\u2212])?\s*(?P<close>\))?"
    rf"\s*(?P<currency3>{_CURRENCY})?"
)
_PLAIN = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,2})?")
_NO_CENTS = re.compile(r"(?<=[0-9])([.,])\s?[-\u2013\u2014\u2212]{1,2}(?=\s*(?:\D*)$)")  # 12,- and CHF 12.–: no cents
_CODE = re.compile(r"[A-Za-z]{3}")
_OTHER = {".": ",", ",": "."}


def _forms(mark: str) -> re.Pattern[str]:
    """Digits with one decimal mark: plain, in groups of three, or in the Indian way (1,23,456.00)."""
    point, group = re.escape(mark), re.escape(_OTHER[mark])
    fraction = rf"(?:{point}[0-9]*)?"
    plain = rf"[0-9]+{fraction}|{point}[0-9]+"
    grouped = rf"[1-9][0-9]{{0,2}}(?P<by>[{group}'’{_BLANKS}])[0-9]{{3}}(?:(?P=by)[0-9]{{3}})*{fraction}"
    indian = rf"[1-9][0-9]?(?:{group}[0-9]{{2}})+{group}[0-9]{{3}}{fraction}"
    return re.compile(f"{plain}|{grouped}|{indian}")


_FORMS = {mark: _forms(mark) for mark in _OTHER}


def read_integers(texts: Sequence[str], reading: Reading) -> list[Any]:
    """Whole numbers as ``Decimal``; ``12.0`` is 12, ``12.5`` is refused."""
    return [_whole(_read(text, reading.decimal, money=False)) for text in texts]


def read_decimals(texts: Sequence[str], reading: Reading) -> list[Any]:
    """Exact decimals."""
    return [_read(text, reading.decimal, money=False) for text in texts]


def read_money(texts: Sequence[str], reading: Reading) -> list[Any]:
    """Exact decimals; a currency sign or ISO 4217 code may stand on either side."""
    return [_read(text, reading.decimal, money=True) for text in texts]


def marks_in(texts: Iterable[str]) -> frozenset[str]:
    """The decimal marks that the texts show beyond doubt: of ``1.234``, ``1,5`` and ``7`` only ``1,5`` shows one."""
    seen: set[str] = set()
    for text in texts:
        found = _NUMBER.fullmatch(text)
        if found and ("." in text or "," in text):
            marks = (".",) if _is_eastern(_currencies(found)) else tuple(_OTHER)
            fitting = [mark for mark in marks if _FORMS[mark].fullmatch(found["core"])]
            if len(fitting) == 1:
                seen.update(fitting)
    return frozenset(seen)


def _read(text: str, mark: str | None, *, money: bool) -> Decimal | Trouble:
    if mark != "," and _PLAIN.fullmatch(text):  # nearly every cell, and four times as quick
        return Decimal(text)
    if EXPONENT.fullmatch(text):
        return Trouble("excel_damaged_number")
    found = _NUMBER.fullmatch(_NO_CENTS.sub(r"\g<1>00", text) if money else text)
    if found is None or (not money and _NO_CENTS.search(text)):
        return _bad(mark)
    currencies = _currencies(found)
    if not money and any(currencies):
        return _bad(mark, ": a currency stands with it, and this column is not money")
    if not all(map(_is_currency, currencies)) or (currencies[0] and currencies[1]):
        return _bad(mark)
    negative = _negative(found)
    if negative is None:
        return _bad(mark, ": its signs or brackets do not fit together")
    size = _size(found["core"], mark or ("." if _is_eastern(currencies) else None))
    return size.copy_negate() if negative and isinstance(size, Decimal) and size else size


def _currencies(found: re.Match[str]) -> list[str | None]:
    return [found[f"currency{place}"] for place in range(4)]


def _is_eastern(currencies: Iterable[str | None]) -> bool:
    return any(text is not None and not _EASTERN.isdisjoint(text) for text in currencies)


def _negative(found: re.Match[str]) -> bool | None:
    """Whether the number is below zero; ``None`` when brackets or signs contradict each other."""
    signs = [found[name] for name in ("sign1", "sign2", "sign3", "sign4") if found[name]]
    if (found["open"] is None) != (found["close"] is None) or len(signs) + (found["open"] is not None) > 1:
        return None
    return found["open"] is not None or (bool(signs) and signs[0] != "+")


def _size(core: str, mark: str | None) -> Decimal | Trouble:
    """The number without its sign, by the mark that is known, or by the only one that fits."""
    readings = {m: _digits(core, m) for m in ((mark,) if mark else _OTHER) if _FORMS[m].fullmatch(core)}
    values = set(readings.values())
    if not values:
        return _bad(mark, f" with the decimal mark '{mark}'" if mark else "")
    if len(values) > 1:
        return Trouble("ambiguous_number", {"one": _certain(readings["."]), "other": _certain(readings[","])})
    value = readings[mark] if mark else next(iter(readings.values()))
    whole, _, fraction = format(value, "f").partition(".")
    return Trouble("number_too_long") if len(whole) > 18 or len(fraction) > 12 else value


def _certain(value: Decimal) -> str:
    """The number in a spelling that has one reading only: 1.234 as 1.2340, 1.000 as 1."""
    return format(int(value), "d") if value == int(value) else format(value, "f") + "0"


def _digits(core: str, mark: str) -> Decimal:
    whole, _, fraction = core.rpartition(mark) if mark in core else (core, "", "")
    digits = re.sub("[^0-9]", "", whole) or "0"
    return Decimal(f"{digits}.{fraction}" if fraction else digits)


def _whole(value: Decimal | Trouble) -> Decimal | Trouble:
    if isinstance(value, Trouble):
        return value
    return Decimal(int(value)) if value == value.to_integral_value() else Trouble("not_whole")


def _bad(mark: str | None, because: str = "") -> Trouble:
    advice = f"the decimal mark here is '{mark}'" if mark else "for instance 1234.50"
    return Trouble("bad_number", {"because": because, "mark_advice": advice})


def _is_currency(text: str | None) -> bool:
    return text is None or not _CODE.fullmatch(text) or text in {"lei"} or text.upper() in currency_codes()
