"""``orderdrop sandbox``: the simulated targets for people to try against."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence

from pipeline.errors import SetupError
from pipeline.sandbox import KEYS_TO_TRY, all_targets
from pipeline.sandbox.faults import read_faults
from pipeline.sandbox.server import SandboxServer


def serve(port: int, faults: Sequence[str], stop: threading.Event, say: Callable[[str], None]) -> int:
    """Serve until ``stop`` is set; ``faults`` are JSON texts."""
    try:
        wanted = [fault for text in faults for fault in read_faults(json.loads(text))]
    except (ValueError, TypeError) as problem:
        raise SetupError(f"--fault: {problem}") from None
    with SandboxServer(all_targets(), port, wanted) as sandbox:
        say(f"The sandbox listens on {sandbox.url}. Put these into pipeline.toml:")
        for name, url in sandbox.base_urls().items():
            say(f'  {name:15} base_url = "{url}"')
        keys = ", ".join(f"{key} ({where})" for key, where in KEYS_TO_TRY.items())
        say(f"Keys: sandbox-key, at Kapture sandbox-push-key and so on; to see a refusal: {keys}")
        say(f"What exists there: {sandbox.url}/_sandbox/truth   Calls: /_sandbox/calls   Bad weather: /_sandbox/faults")
        stop.wait()
    return 0
