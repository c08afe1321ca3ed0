"""The pace of an account: what the vendor allows is used, never more, and a restart does not burst."""

from __future__ import annotations

import random

import pytest

from pipeline.delivery.pacing import Bucket
from pipeline.targets.contract import PaceHint, Rate

ORDER_DESK = Rate(20, 3)
KEAP = Rate(1, 4)


class Vendor:
    """The documented bucket; tells how many whole calls are left."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.tokens, self.at, self.refused = rate.burst, 0.0, 0

    def call(self, now: float) -> PaceHint:
        self.tokens = min(self.rate.burst, self.tokens + (now - self.at) * self.rate.per_second)
        self.at = now
        if self.tokens < 1:
            self.refused += 1
            return PaceHint(0, 1)
        self.tokens -= 1
        return PaceHint(int(self.tokens), None)


@pytest.mark.parametrize("latency", [0.001, 0.1, 0.3])
def test_a_bucket_is_used_up_and_never_overdrawn(latency: float) -> None:
    chance, vendor, bucket = random.Random(7), Vendor(ORDER_DESK), Bucket.full(ORDER_DESK, 0.0)
    now, calls = 0.0, 0
    while now < 120:
        now += bucket.draw(now)
        way = latency * chance.uniform(0.5, 1)  # the first half of the time an answer takes, not always the same
        hint = vendor.call(now + way * (2 if calls == 0 else 1) / 2)
        now += way
        bucket.heed(hint, now, way)
        calls += 1
    assert vendor.refused == 0
    assert calls >= 0.98 * (20 + 3 * 120)


def test_what_others_take_from_the_bucket_is_heeded() -> None:
    bucket = Bucket.full(ORDER_DESK, 0.0)
    bucket.draw(0.0)
    bucket.heed(PaceHint(2, None), 0.1, 0.1)
    assert [bucket.draw(0.1) for _ in range(2)] == [0.0, 0.0]
    assert bucket.draw(0.1) > 0.3


def test_a_vendor_that_asks_to_wait_is_waited_for() -> None:
    bucket = Bucket.full(ORDER_DESK, 0.0)
    bucket.heed(PaceHint(0, 5), 1.0)
    assert bucket.draw(1.0) == 5.0


@pytest.mark.parametrize("rate", [ORDER_DESK, KEAP])
def test_a_bucket_that_was_left_is_taken_up_where_it_stood(rate: Rate) -> None:
    before = Bucket.full(rate, 0.0)
    for _ in range(int(rate.burst)):
        before.draw(0.0)
    after = Bucket.full_at(rate, before.fills_at(0.0), 0.1)
    assert after.tokens == pytest.approx(max(0.0, before.tokens + 0.1 * rate.per_second * 0.995))
    assert Bucket.full_at(rate, before.fills_at(0.0), 1e6).tokens == Bucket.full(rate, 1e6).tokens


def test_a_bucket_that_was_in_use_when_its_process_died_is_empty() -> None:
    assert Bucket.full_at(ORDER_DESK, 4e12, 100.0).tokens == 0.0
