"""What a valid stock item is. Stock may be below zero: more was sold than is there."""

import pandera.pandas as pa

from pipeline.checking.columns import number, text

MOST = 10_000_000

schema = pa.DataFrameSchema(
    {
        "sku": text(255),
        "name": text(1000),
        "price": number(at_least=0, at_most=MOST),
        "cost": number(at_least=0, at_most=MOST),
        "weight": number(at_least=0, at_most=MOST),
        "stock": number(at_least=-MOST, at_most=MOST),
        "location": text(255),
        "manufacturer_sku": text(255),
    }
)
