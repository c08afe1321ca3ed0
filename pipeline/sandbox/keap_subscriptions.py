"""The subscriptions of one simulated Keap tenant; nothing is ever billed here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pipeline.sandbox.keap_rules import BadRequest, Filters, Json
from pipeline.sandbox.keap_tenant import Tenant


class SubscriptionBook:
    """Subscriptions by id, in the order of creation; ``now`` tells which day is past."""

    def __init__(self, tenant: Tenant, now: Callable[[], datetime]) -> None:
        self._tenant = tenant
        self._clock = now
        self.subscriptions: dict[str, Json] = {}

    def create(self, body: Json) -> Json:
        """A subscription; one contact has one of a plan unless a duplicate is asked for."""
        if body["contact_id"] not in self._tenant.contacts:
            raise BadRequest("contact_id is invalid")
        same = [known for known in self.subscriptions.values() if _of_plan(known) == _of_plan(body)]
        if same and not body.get("allow_duplicate"):
            raise BadRequest("The contact has this subscription already")
        today = self._clock().date().isoformat()
        if body.get("start_date", today) < today:
            raise BadRequest("start_date must not be in the past")
        made: Json = {"id": str(901 + len(self.subscriptions)), "active": True, "auto_charge": True, "quantity": 1}
        made |= {name: value for name, value in body.items() if name != "allow_duplicate"}
        self.subscriptions[str(made["id"])] = made
        return made

    def change(self, subscription_id: str, body: Json, mask: list[str]) -> Json:
        """A PATCH; without a mask every property that was sent counts."""
        if subscription_id not in self.subscriptions:
            raise BadRequest("Subscription not found", 404)
        found = self.subscriptions[subscription_id]
        found.update({name: value for name, value in body.items() if not mask or name in mask})
        return found

    def listed(self, filter_text: str) -> list[Json]:
        """The subscriptions a filter lets through."""
        known = {name: _reads(name) for name in ("id", "contact_id", "subscription_plan_id")}
        return Filters(known).picked(filter_text, self.subscriptions.values())


def _reads(name: str) -> Any:  # noqa: ANN401 - a reader of one property
    return lambda thing: thing.get(name)


def _of_plan(subscription: Json) -> tuple[str, str]:
    return subscription["contact_id"], subscription["subscription_plan_id"]
