"""How fast an account may be called, and how long to wait after trouble. Pure: time is an argument, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.targets.contract import PaceHint, Rate

BACK_OFF_CEILING = 300.0
"""The longest wait, in seconds, that orderdrop chooses by itself."""


def back_off(tries: int) -> float:
    """Seconds before the next try after ``tries`` failed ones: 1, 2, 4, 8 … up to :data:`BACK_OFF_CEILING`."""
    return float(min(BACK_OFF_CEILING, 2.0 ** max(0, tries - 1)))


STEADY = 0.995
"""Share of the vendor's rate that is used: calls come a little earlier or later than they were sent."""

RESERVE = 0.5
"""Calls that stay in a bucket of several: the first call takes longer on its way than the next ones."""


@dataclass(slots=True)
class Bucket:
    """A leaky bucket: ``burst`` calls at once, refilled by ``per_second``; the vendor's own word goes first."""

    rate: Rate
    tokens: float
    at: float
    closed_until: float = 0.0

    @classmethod
    def full(cls, rate: Rate, now: float) -> Bucket:
        """A bucket that nobody has drawn from yet."""
        return cls(rate, _size(rate), now)

    @classmethod
    def full_at(cls, rate: Rate, when: float, now: float) -> Bucket:
        """A bucket as somebody left it who said when it will be full again; never emptier than empty."""
        missing = max(0.0, when - now) * rate.per_second * STEADY
        return cls(rate, max(0.0, _size(rate) - missing), now)

    def fills_at(self, now: float) -> float:
        """When the bucket is full again if nobody draws: all that has to be remembered of it."""
        self._refill(now)
        return now + (_size(self.rate) - self.tokens) / (self.rate.per_second * STEADY)

    def draw(self, now: float) -> float:
        """Take one call out and return how many seconds to wait before sending it."""
        self._refill(now)
        self.tokens -= 1.0
        missing = max(0.0, -self.tokens) / (self.rate.per_second * STEADY)
        return max(missing, self.closed_for(now))

    def closed_for(self, now: float) -> float:
        """Seconds that the vendor asked to wait, counted from now."""
        return max(0.0, self.closed_until - now)

    def heed(self, hint: PaceHint, now: float, age: float = 0.0) -> None:
        """Believe the vendor: fewer calls left than we thought, or none before some time.

        The vendor counts whole calls, as they were when the answer left: what lies within that, and within what came
        in since the call began ``age`` seconds ago, is no news.
        """
        if hint.remaining is not None:
            self._refill(now)
            if self.tokens >= hint.remaining + 1.0 + age * self.rate.per_second:
                self.tokens = hint.remaining
        if hint.wait is not None:
            self.closed_until = max(self.closed_until, now + hint.wait)

    def _refill(self, now: float) -> None:
        earned = max(0.0, now - self.at) * self.rate.per_second * STEADY
        self.tokens = min(_size(self.rate), self.tokens + earned)
        self.at = now


def _size(rate: Rate) -> float:
    return rate.burst - RESERVE if rate.burst >= 2.0 else rate.burst
