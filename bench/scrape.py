"""What a scrape of the metrics costs on a ledger of millions of deliveries: seconds to read the figures, and to answer.

python bench/scrape.py --deliveries 2000000
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from pipeline.ledger.engine import open_engine
from pipeline.ledger.vital_signs import vital_signs
from pipeline.monitor.metrics import Metrics
from pipeline.monitor.signs import Signs
from pipeline.monitor.vitals import Vitals

_FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})
INSERT INTO deliveries (id, batch_id, account, operation, record_key, fingerprint, record, state, tries,
                        created_at, updated_at)
SELECT i, 1, CASE i % 3 WHEN 0 THEN 'shop' WHEN 1 THEN 'crm' ELSE 'desk' END, 'order', 'K' || i, 'f',
       '{{"fields": {{"order_id": "' || i || '", "note": "a record as long as a short order is on the average"}}}}',
       CASE WHEN i % 1000 = 0 THEN 'in_doubt' WHEN i % 100 = 0 THEN 'refused' ELSE 'delivered' END, 0, i, i FROM n
"""


def main(deliveries: int) -> None:
    """Print the medians."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'ledger.db'}")
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO batches (id, link, file_name, state, sha256, size, received_at, path, rows_read,"
                " rows_accepted, rows_rejected, rows_skipped)"
                " VALUES (1, 'x', 'x.csv', 'closed', '0', 1, 1, 'x', 0, 0, 0, 0)"
            )
            connection.exec_driver_sql(_FILL.format(number=deliveries))
            connection.exec_driver_sql(
                "INSERT INTO tallies SELECT batch_id, account, state, count(*) FROM deliveries GROUP BY 1, 2, 3"
            )
        signs = Signs(engine)
        metrics = Metrics(Vitals(), signs, ("shop", "crm", "desk"), ())
        signs.now()
        print(f"figures read:    {_median(lambda: _read(engine)):.3f} s")
        print(f"scrape answered: {_median(metrics.page):.3f} s")
        signs.close()
        engine.dispose()


def _read(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        vital_signs(connection)


def _median(what: object) -> float:
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        what()  # type: ignore[operator]
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--deliveries", type=int, default=2_000_000)
    main(options.parse_args().deliveries)
