"""What a valid shipment is: one row, one tracking number."""

import pandera.pandas as pa

from pipeline.checking.columns import number, shaped, text

schema = pa.DataFrameSchema(
    {
        "order_id": text(255),
        "tracking_number": text(255),
        "carrier": text(255),
        "shipping_method": text(255),
        "weight": number(at_least=0, at_most=1_000_000),
        "cost": number(at_least=0, at_most=1_000_000),
        "tracking_url": shaped(
            r"https?://[^\s]{1,2000}",
            "bad_web_address",
            "is not a web address",
            "Write it in full, from https:// on.",
        ),
    }
)
