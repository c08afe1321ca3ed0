"""What a valid customer is: one row, one e-mail address."""

import pandera.pandas as pa

from pipeline.checking.columns import address, person, text

schema = pa.DataFrameSchema(
    {
        "customer_id": text(255),
        **person(),
        **address("billing"),
        "shipping_first_name": text(255),
        "shipping_last_name": text(255),
        "shipping_company": text(255),
        "shipping_phone": text(40),
        **address("shipping"),
    }
)
