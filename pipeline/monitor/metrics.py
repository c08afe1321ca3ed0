"""The metrics for Prometheus: from the ledger what outlives a restart, from the events what only a process knows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from pipeline import __version__
from pipeline.events import Event
from pipeline.ledger.vital_signs import VitalSigns
from pipeline.model import DeliveryState
from pipeline.monitor.signs import Signs
from pipeline.monitor.vitals import Vitals

disable_created_metrics()  # type: ignore[no-untyped-call]  # a time of creation beside every counter says nothing here
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class Metrics(Collector):
    """A listener that counts, and a collector that asks the ledger when it is asked itself."""

    def __init__(self, vitals: Vitals, signs: Signs, accounts: tuple[str, ...], pickups: tuple[str, ...]) -> None:
        self._vitals = vitals
        self._signs = signs
        self._accounts = accounts
        self._pickups = pickups
        # In the order they are shown: the times of the last success come first.
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._calls = self._histogram("orderdrop_call_seconds", "Duration of calls to a target.", "account")
        self._passes = self._histogram("orderdrop_pass_seconds", "Duration of passes.")
        self._files = self._histogram("orderdrop_file_seconds", "Duration of reading and checking one file.")
        self._waits = self._counter("orderdrop_rate_waits", "Calls that waited for their turn.", "account")
        self._waited = self._counter("orderdrop_rate_wait_seconds", "Seconds that calls waited for turns.", "account")
        self._holds = self._counter("orderdrop_account_holds", "Times an account was left alone.", "account", "code")
        self._rounds = self._counter("orderdrop_rounds", "Looks of the watch.")
        ProcessCollector(registry=self._registry)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, registry=self._registry)

    def _histogram(self, name: str, told: str, *labels: str) -> Histogram:
        return Histogram(name, told, labels, registry=self._registry, buckets=_SECONDS)

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)

    # --- a listener --------------------------------------------------------------------------------------------

    def say(self, text: str, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """Counted; the sentence is for people."""
        del text
        self.note(event, **facts)

    def note(self, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """Counted."""
        account = facts.get("account", "")
        match event:
            case Event.CALL_ENDED:
                self._calls.labels(account).observe(facts["seconds"])
            case Event.RATE_WAITED:
                self._waits.labels(account).inc()
                self._waited.labels(account).inc(facts["seconds"])
            case Event.ACCOUNT_HELD:
                self._holds.labels(account, facts["code"]).inc()
            case Event.RUN_ENDED:
                self._passes.observe(facts["seconds"])
            case Event.FILE_TAKEN_IN:
                self._files.observe(facts["seconds"])
            case Event.ROUND:
                self._rounds.inc()
            case _:
                pass

    def advance(self) -> None:
        """Counted by the ledger."""

    # --- a collector -------------------------------------------------------------------------------------------

    def describe(self) -> list[Metric]:
        """Nothing: Prometheus' registry would ask the ledger at once for the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What the ledger says, and what the watch says of itself."""
        signs = self._signs.now() or VitalSigns()
        yield from self._last_successes(signs)
        yield from self._work(signs)
        yield from self._places(signs)
        yield _gauge("orderdrop_ledger_readable", "1: the ledger answers.", float(self._signs.readable))
        if (age := self._signs.age) is not None:
            yield _gauge("orderdrop_figures_age_seconds", "Age of the figures read from the ledger.", age)
        yield InfoMetricFamily("orderdrop", "This program.", {"version": __version__})

    def _last_successes(self, signs: VitalSigns) -> Iterator[Metric]:
        told = (
            ("file_taken", "When the last file was taken in.", signs.last_file),
            ("delivery", "When a target last said yes.", signs.last_delivery),
            ("pass", "When the watch last ended a pass (since it was started).", self._vitals.last_pass),
        )
        for name, help_text, at in told:
            if at is not None:
                yield _gauge(f"orderdrop_last_{name}_timestamp_seconds", help_text, at)

    def _work(self, signs: VitalSigns) -> Iterator[Metric]:
        names = sorted({*self._accounts, *(account for account, _ in signs.deliveries)})
        deliveries = GaugeMetricFamily("orderdrop_deliveries", "Deliveries by state.", labels=["account", "state"])
        doubts = GaugeMetricFamily("orderdrop_doubts", "Deliveries in doubt.", labels=["account"])
        oldest = GaugeMetricFamily("orderdrop_oldest_doubt_seconds", "Age of the oldest doubt.", labels=["account"])
        paused = GaugeMetricFamily("orderdrop_account_paused", "1: it waits for a person.", labels=["account"])
        for name in names:
            for state in DeliveryState:
                deliveries.add_metric([name, state], signs.deliveries.get((name, state), 0))
            number, since = signs.doubts.get(name, (0, None))
            doubts.add_metric([name], number)
            oldest.add_metric([name], max(0.0, time.time() - since) if since is not None else 0.0)
            paused.add_metric([name], float(name in signs.paused))
        yield from (deliveries, doubts, oldest, paused)

    def _places(self, signs: VitalSigns) -> Iterator[Metric]:
        files = GaugeMetricFamily("orderdrop_files", "Files by state.", labels=["state"])
        for state in ("claimed", "delivering", "closed", "refused", "duplicate"):
            files.add_metric([state], signs.files.get(state, 0))
        yield files
        yield _gauge("orderdrop_workbooks_waiting", "Workbooks in errors/ that wait for a person.", signs.workbooks)
        succeeded = GaugeMetricFamily(
            "orderdrop_pickup_last_success_timestamp_seconds", "When a pickup last ended well.", labels=["pickup"]
        )
        failing = GaugeMetricFamily("orderdrop_pickup_failing", "1: the last fetch failed.", labels=["pickup"])
        for name in self._pickups:
            if name in signs.pickups:
                at, problem = signs.pickups[name]
                succeeded.add_metric([name], at)
                failing.add_metric([name], float(problem is not None))
        yield from (succeeded, failing)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value)
