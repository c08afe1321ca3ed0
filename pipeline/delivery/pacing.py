"""How fast an account may be called, and how long to wait after trouble. Pure: time is an argument, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.targets.contract import PaceHint, Rate

BACK_OFF_CEILING = 300.0
"""The longest wait, in seconds, that orderdrop chooses by itself."""


def back_off(tries: int) -> float:
    """Seconds before the next try after ``tries`` failed ones: 1, 2, 4, 8 … up to :data:`BACK_OFF_CEILING`."""
    return float(min(BACK_OFF_CEILING, 2.0 ** max(0, tries - 1)))


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
        return cls(rate, rate.burst, now)

    def draw(self, now: float) -> float:
        """Take one call out and return how many seconds to wait before sending it."""
        self._refill(now)
        self.tokens -= 1.0
        missing = max(0.0, -self.tokens) / self.rate.per_second
        return max(missing, self.closed_until - now, 0.0)

    def heed(self, hint: PaceHint, now: float) -> None:
        """Believe the vendor: fewer calls left than we thought, or none before some time."""
        if hint.remaining is not None:
            self._refill(now)
            self.tokens = min(self.tokens, hint.remaining)
        if hint.wait is not None:
            self.closed_until = max(self.closed_until, now + hint.wait)

    def _refill(self, now: float) -> None:
        self.tokens = min(self.rate.burst, self.tokens + max(0.0, now - self.at) * self.rate.per_second)
        self.at = now
