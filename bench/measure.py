"""What every benchmark here shares: paired rounds, medians of ratios, and figures kept for ``docs/performance.md``."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def arguments(description: str | None, *, rounds: int = 5) -> argparse.ArgumentParser:
    """The options of every benchmark: ``--json FILE``, ``--quick``, ``--rounds N``."""
    parser = argparse.ArgumentParser(
        description=(description or "").partition("\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures there, for docs/performance.md")
    parser.add_argument("--quick", action="store_true", help="a short form: small sizes, few rounds")
    parser.add_argument("--rounds", type=int, default=rounds, help="paired rounds of every figure")
    return parser


def keep(asked: argparse.Namespace, name: str, figures: Sequence[dict[str, Any]], notes: Sequence[str] = ()) -> None:
    """Write the figures (rows of one table, the keys are its columns) where ``--json`` asks for it."""
    if asked.json is None:
        return
    command = " ".join(["python", Path(sys.argv[0]).resolve().relative_to(ROOT).as_posix(), *_told(sys.argv[1:])])
    told = {"name": name, "command": command, "figures": list(figures), "notes": list(notes)}
    asked.json.write_text(json.dumps(told, indent=1) + "\n")


def _told(arguments: Sequence[str]) -> list[str]:
    """The arguments without ``--json FILE``."""
    kept, skip = [], False
    for one in arguments:
        if not skip and one != "--json" and not one.startswith("--json="):
            kept.append(one)
        skip = one == "--json"
    return kept


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' own ratios: a busy machine slows both halves of a round alike."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def spread(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Smallest and largest ratio."""
    ratios = sorted(one / other for one, other in zip(ours, theirs, strict=True))
    return f"{ratios[0]:.2f}–{ratios[-1]:.2f}"


def print_table(figures: Sequence[dict[str, Any]]) -> None:
    """The figures as a Markdown table."""
    if figures:
        print("| " + " | ".join(figures[0]) + " |\n|" + "---|" * len(figures[0]))
        for row in figures:
            print("| " + " | ".join(str(value) for value in row.values()) + " |")


def environment() -> dict[str, str]:
    """This environment, made so that the programs of the project are found and no proxy is in the way.

    Byte code is kept after the first round, as an installed package has it.
    """
    known = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**known, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
