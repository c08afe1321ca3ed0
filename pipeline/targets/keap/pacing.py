"""What Keap's headers say about our speed (names documented; ``Retry-After`` never seen in a capture)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.targets.contract import Answer, PaceHint


def pace(answer: Answer) -> PaceHint:
    """A hint only when Keap says that nothing is left or asks us to wait."""
    exhausted = any(_header(answer, f"x-keap-{scope}-available") == 0 for scope in _SCOPES)
    return PaceHint(remaining=0 if exhausted else None, wait=wait_seconds(answer))


_SCOPES = ("product-throttle", "tenant-throttle", "product-quota")
_UNITS: Mapping[str, float] = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def wait_seconds(answer: Answer) -> float | None:
    """Seconds to wait: ``Retry-After`` or until an exhausted quota opens again, else ``None``."""
    asked = [wait for wait in (_retry_after(answer), _quota_wait(answer), *_throttle_waits(answer)) if wait is not None]
    return max(asked) if asked else None


def _retry_after(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    then, now = _moment(text), _moment(answer.headers.get("date", ""))
    return max(0.0, then - now) if then is not None and now is not None else None


def _quota_wait(answer: Answer) -> float | None:
    """The day's quota: its expiry is epoch milliseconds (seen 2024-08-14), counted from the answer's date."""
    expiry, now = _header(answer, "x-keap-product-quota-expiry-time"), _moment(answer.headers.get("date", ""))
    if _header(answer, "x-keap-product-quota-available") != 0 or expiry is None or now is None:
        return None
    return max(0.0, expiry / 1000 - now)


def _throttle_waits(answer: Answer) -> list[float]:
    waits = []
    for scope in ("product-throttle", "tenant-throttle"):
        if _header(answer, f"x-keap-{scope}-available") == 0:
            unit = answer.headers.get(f"x-keap-{scope}-time-unit", "minute").lower().rstrip("s")
            waits.append(_UNITS.get(unit, 60.0) * (_header(answer, f"x-keap-{scope}-interval") or 1))
    return waits


def _moment(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None


def _header(answer: Answer, name: str) -> float | None:
    text = answer.headers.get(name, "").strip()
    return float(text) if re.fullmatch(r"\d{1,15}", text) else None
