"""The whole proof, part by part, each by its own program: ``python bench/proof/table.py [--short]``.

Ends with 0 when nothing was lost or doubled anywhere and every check went red without its safeguard.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SYSTEM = "tests/properties/test_system.py"
LEFT_OUT = 3
"""Exit code of a part that this machine cannot run, and says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the proof: what it shows, and the command that shows it."""

    title: str
    command: tuple[str, ...]


def _program(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(HERE / name), *arguments)


def _parts(*, short: bool) -> list[Part]:
    kill = _program("crash.py", "--orders", "1" if short else "2", "--lose", "0.1", "--targets")
    many = ("20000", "2000", "100") if short else ("1000000", "100000", "1000")
    system = ("-m", "pytest", "-q", "--no-header", "-m", "not slow" if short else "slow", SYSTEM)
    decide = _program("keeping.py", "--every", "5" if short else "1")
    return [
        Part("Bad weather at every write of every target", _program("weather.py")),
        Part("kill -9 at every boundary: Order Desk", (*kill, "orderdesk")),
        Part("kill -9 at every boundary: Keap", (*kill, "keap")),
        Part("kill -9 at every boundary: the two without a full look-up", (*kill, "kapture,influencersoft")),
        Part("kill -9 again in the recovery: Order Desk and Keap", (*kill, "orderdesk,keap", "--recovery")),
        Part("kill -9 while a person decides, purges, restores a backup", decide),
        Part("Random moves of people, weather, kills, clocks and full disks", system),
        Part("Volume", _program("volume.py", "--orders", many[0], "--lost", many[1], "--kills", many[2])),
        Part("Each safeguard taken away (a power cut among the checks)", _program("mutations.py")),
        Part("The same on what people would use instead", (str(ROOT / "bench" / "alternatives.py"),)),
    ]  # fmt: skip


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="small figures, a few minutes")
    verdicts: list[tuple[str, int]] = []
    for number, part in enumerate(_parts(short=parser.parse_args().short), 1):
        begun = time.monotonic()
        print(f"\n{number}. {part.title}\n", flush=True)
        code = subprocess.run([sys.executable, *part.command], cwd=ROOT, check=False).returncode
        verdicts.append((f"{number}. {part.title} ({time.monotonic() - begun:.0f} s)", code))
    print("\nVerdict")
    for title, code in verdicts:
        print(f"  {'holds   ' if code == 0 else 'left out' if code == LEFT_OUT else 'BROKEN  '}  {title}")
    return 1 if any(code not in {0, LEFT_OUT} for _, code in verdicts) else 0


if __name__ == "__main__":
    sys.exit(_main())
