"""What a valid order is. One row is one line; fields of the order are judged where they stand.

Each entry is a field of the mapping (README, "Record kinds"). Change a bound, or add a check of your own with
`column(check(code, sentence, advice, verdict))`; `orderdrop check` proves the result.
"""

import pandera.pandas as pa

from pipeline.checking.columns import address, currency, number, one_of, person, text
from pipeline.fields import LINE_TYPES

AMOUNT = {"at_least": -10_000_000, "at_most": 10_000_000}  # a refund or a credit is below zero
PAID = {"at_least": 0, "at_most": 10_000_000}

schema = pa.DataFrameSchema(
    {
        "order_id": text(255),
        "status": text(100),
        "customer_id": text(255),
        **person(),
        "ip_address": text(45),
        **address("billing"),
        "shipping_first_name": text(255),
        "shipping_last_name": text(255),
        "shipping_company": text(255),
        "shipping_phone": text(40),
        **address("shipping"),
        "shipping_method": text(255),
        "sku": text(255),
        "product_name": text(1000),
        "quantity": number(above=0, at_most=1_000_000),
        "unit_price": number(**AMOUNT),
        "line_discount": number(**AMOUNT),
        "line_tax": number(**AMOUNT),
        "line_type": one_of(LINE_TYPES),
        "subscription_status": text(100),
        "shipping_total": number(**AMOUNT),
        "tax_total": number(**AMOUNT),
        "discount_total": number(**AMOUNT),
        "order_total": number(**AMOUNT),
        "amount_paid": number(**PAID),
        "currency": currency(),
        "payment_method": text(255),
        "payment_reference": text(255),
        "coupon_code": text(255),
        "affiliate": text(255),
        "sales_manager": text(255),
        "tag": text(255),
        "note": text(10_000),
        "carrier": text(255),
        "tracking_number": text(255),
        "utm_source": text(255),
        "utm_medium": text(255),
        "utm_campaign": text(255),
        "utm_content": text(255),
        "utm_term": text(255),
    }
)
