"""What a valid payment is: one row, one amount above zero."""

import pandera.pandas as pa

from pipeline.checking.columns import number, text

schema = pa.DataFrameSchema(
    {
        "order_id": text(255),
        "amount": number(above=0, at_most=10_000_000),
        "payment_method": text(255),
        "payment_reference": text(255),
        "bank_name": text(255),
        "cheque_number": text(50),
        "note": text(10_000),
    }
)
