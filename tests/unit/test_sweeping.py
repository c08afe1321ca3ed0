"""While a module is loaded nothing is swept, and afterwards everything is as before."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc, sys
from pipeline.sweeping import loading, seldom_swept

with seldom_swept():
    with loading("colorsys"):
        assert not gc.isenabled()
        import colorsys
    assert gc.isenabled()
    frozen = gc.get_freeze_count()
    assert frozen
    with loading("colorsys"):
        assert gc.isenabled()
    assert gc.get_freeze_count() == frozen
    try:
        with loading("no_such_module"):
            import no_such_module
    except ImportError:
        assert gc.isenabled()
    gc.disable()
    with loading("wave"):
        import wave
    assert not gc.isenabled()
"""


def test_nothing_is_swept_while_a_module_is_loaded_and_all_is_as_before_afterwards() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 0, told.stderr
