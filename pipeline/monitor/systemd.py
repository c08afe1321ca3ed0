"""Word to systemd (``Type=notify``): ready, alive, stopping. One datagram each; without systemd nothing happens."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipeline.events import Event
from pipeline.monitor.vitals import Vitals
from pipeline.settings import Supervisor


class Messenger:
    """Sends the state to the socket that systemd named."""

    def __init__(self, address: str) -> None:
        # An address that begins with @ is in the abstract name space, which the kernel spells with a null byte.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def tell(self, state: str) -> None:
        """One message; a supervisor that does not listen is no reason to stop."""
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.settimeout(1.0)
            channel.sendto(state.encode(), self._address)

    def say(self, text: str, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """Ready once it watches."""
        del text, facts
        if event is Event.WATCHING:
            self.tell("READY=1\nSTATUS=Watching")

    def note(self, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """Nothing: alive is told at intervals."""

    def advance(self) -> None:
        """Nothing."""


@contextmanager
def told(supervisor: Supervisor, vitals: Vitals, stop: threading.Event) -> Iterator[Messenger | None]:
    """While this lasts systemd hears that the watch is alive, as long as it is, and that it stops."""
    if supervisor.socket is None:
        yield None
        return
    messenger, ended = Messenger(supervisor.socket), threading.Event()
    beating = threading.Thread(
        target=_beat, args=(messenger, supervisor.watchdog_seconds, vitals, stop, ended), name="systemd", daemon=True
    )
    beating.start()
    try:
        yield messenger
    finally:
        ended.set()
        beating.join()
        messenger.tell("STOPPING=1\nSTATUS=Stopping")


def _beat(
    messenger: Messenger, watchdog: float | None, vitals: Vitals, stop: threading.Event, ended: threading.Event
) -> None:
    """Half the time the watchdog gives; a watch that is stuck is not told alive, and systemd starts it anew."""
    stopping = False
    while not ended.wait(min(watchdog / 2, 1.0) if watchdog else 1.0):
        if stop.is_set() and not stopping:
            stopping = True
            messenger.tell("STOPPING=1\nSTATUS=Ending the pass under way")
        if watchdog and not vitals.stalled:
            messenger.tell("WATCHDOG=1")
