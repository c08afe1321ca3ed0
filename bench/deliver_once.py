"""One half of a round of ``delivery.py``, in a process of its own: orders to a loopback vendor.

    python bench/deliver_once.py orderdrop URL FOLDER ORDERS CONCURRENCY [PREFIX]
    python bench/deliver_once.py bare URL FOLDER ORDERS CONCURRENCY

``orderdrop`` drains an account whose orders lie in the ledger in FOLDER, which may hold others already; PREFIX begins
their numbers. ``bare`` sends the same bodies with one
httpx client and as many threads, and keeps no book at all.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from queue import Empty, SimpleQueue

sys.path.insert(0, str(Path(__file__).resolve().parent / "proof"))

OPTIONS = {"store_id": "90001", "api_key": "sandbox-key"}


def orderdrop(url: str, folder: Path, number: int, concurrency: int, prefix: str) -> None:
    """The real drain over the real ledger; what is measured is between the first and the last call at the vendor."""
    from desk import Desk, order, sealed_account

    from pipeline.delivery.clock import RealClock

    account = sealed_account("orderdesk", url, concurrency=concurrency, look_first=False)
    desk = Desk(folder, account, RealClock())  # type: ignore[arg-type]
    before = desk.told()
    desk.take_in("order", [order(f"{prefix}{n}") for n in range(number)])
    desk.drain()
    after = desk.told()
    desk.close()
    assert after - before == {"delivered": number}, after


def bare(url: str, number: int, concurrency: int) -> None:
    """The bodies orderdrop sends, made beforehand."""
    import httpx
    from desk import order

    from pipeline.targets.orderdesk.payload import order_payload
    from pipeline.targets.orderdesk.settings import OrderOptions

    waiting: SimpleQueue[object] = SimpleQueue()
    for n in range(number):
        waiting.put(order_payload(order(f"o{n}"), OrderOptions()))
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    headers = {"ORDERDESK-STORE-ID": "90001", "ORDERDESK-API-KEY": "sandbox-key"}
    with httpx.Client(limits=limits, headers=headers, trust_env=False, timeout=60) as client:

        def work() -> None:
            while True:
                try:
                    body = waiting.get_nowait()
                except Empty:
                    return
                answer = client.post(f"{url}/orders", json=body)
                answer.raise_for_status()
                assert answer.json()["status"] == "success"

        workers = [threading.Thread(target=work) for _ in range(concurrency)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


if __name__ == "__main__":
    who, url, folder, number, concurrency, *rest = sys.argv[1:]
    if who == "orderdrop":
        orderdrop(url, Path(folder), int(number), int(concurrency), rest[0] if rest else "o")
    else:
        bare(url, int(number), int(concurrency))
