"""The one door to Apprise: mail, Slack, Teams and a hundred more by one address. Loaded when something is to be sent.

Its logging is kept in: addresses hold keys. A channel that hangs costs its time-out and no more; the thread that hangs
goes with the process, and the channel is not used again before it has ended.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from pipeline.alerts.rules import Rules
from pipeline.alerts.words import Message
from pipeline.errors import SetupError
from pipeline.settings import SETTINGS_FILE

_TICK = 0.2
_HIDDEN_FROM = 4
"""Letters from which on a part of an address counts as something to hide."""
_under_way: dict[str, threading.Thread] = {}


def prove(rules: Rules) -> str:
    """What kind of channel an address is, such as ``E-Mail``; ``SetupError`` when Apprise cannot make sense of it."""
    plugin = _plugin(rules)
    takes = "takes workbooks along" if rules.attach and plugin.attachment_support else "takes no workbooks along"
    return f"{plugin.service_name}, {takes}"


def send_all(messages: Mapping[str, tuple[Rules, Message]], stop: threading.Event) -> dict[str, str | None]:
    """Send to every channel at once; by name ``None`` for told, or why not. Ends within the longest time-out.

    ``stop`` ends the waiting early; what was not answered until then is not in the result.
    """
    started = {name: _Sending(rules, message) for name, (rules, message) in messages.items()}
    return {name: ended for name, sending in started.items() if (ended := sending.wait(stop)) != _UNKNOWN}


_UNKNOWN = "?"


@dataclass(slots=True)
class _Sending:
    rules: Rules
    message: Message
    _until: float = 0.0
    _ended: list[str | None] = field(default_factory=list)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        before = _under_way.get(self.rules.name)
        if before is not None and before.is_alive():
            self._ended.append("the sending before it still hangs")
            return
        self._until = time.monotonic() + self.rules.timeout
        self._thread = threading.Thread(target=self._work, name=f"alerts {self.rules.name}", daemon=True)
        _under_way[self.rules.name] = self._thread
        self._thread.start()

    def _work(self) -> None:
        try:
            self._ended.append(_send(self.rules, self.message))
        except SetupError as problem:
            self._ended.append(str(problem))
        except Exception as problem:  # noqa: BLE001 - whatever a channel does, delivery goes on
            self._ended.append(f"it failed ({type(problem).__name__})")

    def wait(self, stop: threading.Event) -> str | None:
        while self._thread is not None and self._thread.is_alive() and not self._ended:
            left = self._until - time.monotonic()
            if left <= 0:
                return f"no answer within {self.rules.timeout:.0f} seconds"
            if stop.is_set():
                return _UNKNOWN
            self._thread.join(min(left, _TICK))
        return self._ended[0]


def _send(rules: Rules, message: Message) -> str | None:
    from apprise import AppriseAttachment, NotifyType
    from apprise.attachment.file import AttachFile

    plugin = _plugin(rules)
    along: Any = None
    if message.attachments and rules.attach and plugin.attachment_support:
        # As files, not as addresses: a "?" in a name would begin a query.
        found = [AttachFile(str(path), name=path.name, asset=plugin.asset) for path in message.attachments]
        along = AppriseAttachment(found, asset=plugin.asset)
    with _heard() as heard:
        sent = plugin.notify(
            body=message.body, title=message.title, body_format="text", notify_type=NotifyType.WARNING, attach=along
        )
    return None if sent else _why(rules, heard.lines)


def _plugin(rules: Rules) -> Any:  # noqa: ANN401 - Apprise's plugins share no public type of use here
    from apprise import Apprise, AppriseAsset

    _keep_in(logging.getLogger("apprise"))
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # its debug lines show addresses whole
    asset = AppriseAsset(
        app_id="orderdrop", app_desc="orderdrop", async_mode=False, interpret_escapes=False, interpret_emojis=False,
        http_redirects=False, storage_mode="memory", pgp_autogen=False, pem_autogen=False,
    )  # fmt: skip
    with _heard() as heard:
        plugin = Apprise.instantiate(rules.url.reveal(), asset=asset)
    if plugin is None:
        raise SetupError(
            f"{SETTINGS_FILE} [alerts.channels.{rules.name}] url ({rules.url.source}) is not an address that Apprise "
            f"can use: {_why(rules, heard.lines)}. Its pages list the address of every kind of channel."
        )
    return plugin


def _keep_in(logger: logging.Logger) -> None:
    logger.propagate = False
    logger.setLevel(logging.WARNING)  # below that it logs addresses whole
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # without any, the last resort prints to standard error


class _heard(logging.Handler):  # noqa: N801 - used as a context
    """Keeps what Apprise logs on this thread, and lets none of it out."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if threading.get_ident() == self._thread:
            self.lines.append(record.getMessage())

    def __enter__(self) -> _heard:
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)


def _why(rules: Rules, lines: Sequence[str]) -> str:
    """What Apprise said, without anything that stands in the address."""
    said = lines[0] if lines else "it was not accepted"
    url = rules.url.reveal()
    parts = {part for spelt in (url, unquote(url)) for part in re.split(r"[:/@?&=#,;\s]+", spelt)}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _HIDDEN_FROM:
            said = said.replace(part, "***")
    return " ".join(rules.url.hidden_in(said).split()).rstrip(".")[:300]
