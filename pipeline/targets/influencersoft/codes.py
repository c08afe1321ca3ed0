"""The vendor's codes → what each means for the order or the account.

Those of new orders and of the account are from help article 360050392312, code 8 from the Russian list.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.targets.contract import InDoubt, Later, Paused, Refused

QUOTA_PAUSE_SECONDS = 3600.0
"""After code 8: the quota's window is not published, and pressing on is said to end in a block."""

ASK_SUPPORT = "Ask InfluencerSoft support to enable the API for this account, then run again."
CHECK_KEY = "Check api_key (and login) of this account in pipeline.toml, then run again."

UNKNOWN_PRODUCT = Refused(
    "unknown_product",
    "InfluencerSoft does not know a product of the order.",
    "Use the product's short name from the InfluencerSoft product list, or create the product there.",
    "sku",
)

CODES: Mapping[int, Refused | Later | InDoubt | Paused] = {
    1: Paused(
        "wrong_generation",
        "InfluencerSoft wants an API 1.0 signature for this call.",
        "The method name may reach the wrong generation: check base_url and method_name of this account.",
    ),
    2: Paused(
        "no_input_seen",
        "InfluencerSoft saw no parameters, or the method is closed for this account.",
        "Check base_url, and whether your plan includes API 2.0.",
    ),
    3: Refused("bad_parameter", "InfluencerSoft calls a value of the order wrong.", "Correct the order's values."),
    4: Paused("bad_key", "InfluencerSoft does not accept the key.", CHECK_KEY),
    5: Paused("bad_login", "InfluencerSoft does not know this login.", "Check login and base_url of this account."),
    6: Paused(
        "address_not_allowed",
        "InfluencerSoft does not take calls from this machine's address.",
        "Add this machine's address to the API's address list at InfluencerSoft, then run again.",
    ),
    7: Paused("account_disabled", "InfluencerSoft says the account is disabled.", ASK_SUPPORT),
    8: Later("quota", "InfluencerSoft's request quota is used up, or its API is off.", QUOTA_PAUSE_SECONDS),
    600: Refused("wrong_email", "InfluencerSoft does not accept the e-mail address.", "Correct it.", "email"),
    602: InDoubt("creating_failed", "InfluencerSoft failed while creating the order."),
    603: Refused("no_products", "InfluencerSoft saw no product in the order.", "Give it at least one.", "sku"),
    604: UNKNOWN_PRODUCT,
    605: Refused(
        "no_delivery_address",
        "InfluencerSoft wants a name and an address for goods that are shipped.",
        "Fill in the customer's name and the shipping address.",
        "shipping_address1",
    ),
}
"""Code → outcome, without 0 and 601. Any other code refuses the order with the vendor's own words."""

ACCOUNT_CODES = frozenset({4, 5, 6, 7, 8})
"""Codes that speak of the account, whatever was asked. 1 and 2 may mean one method that is closed."""

_NOT_THERE = Refused(
    "order_not_found",
    "InfluencerSoft does not find the order whose status was to change.",
    "Look whether it was deleted there; change it by hand.",
    "order_id",
)
_WRONG_STATUS = Refused(
    "wrong_status",
    "InfluencerSoft does not take this status for the order.",
    "Look at the order there; change it by hand.",
    "status",
)
_NOT_PAID = Refused(
    "not_paid", "InfluencerSoft sends out paid orders only.", "Give the day of payment first.", "paid_at"
)
STATUS_CODES: Mapping[int, Refused] = {
    200: _NOT_THERE, 203: _NOT_THERE, 302: _NOT_THERE, 400: _NOT_THERE,
    201: _WRONG_STATUS, 303: _WRONG_STATUS, 202: _NOT_PAID,
}  # fmt: skip
"""Codes of ``UpdateOrderStatus`` → outcome, besides ``CODES``."""
