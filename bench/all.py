"""Every benchmark, one after another, and ``docs/performance.md`` made of their figures.

    python bench/all.py [--quick] [--only NAME] [--keep FOLDER] [--page]

``--quick`` runs the short forms and prints the page instead of writing it. Figures are kept in FOLDER (default:
``var/bench``) as one JSON file per benchmark, so that one can be run again by itself (``--only``) and the page be made
anew of all of them (``--page`` runs nothing). What FOLDER has no figures of stays on the page as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
INTRODUCTION = """# Performance

Machines are shared and noisy, so what counts is a ratio: of paired runs in one session, the median of the rounds' own
ratios, each half a whole process, correct results checked first. `make bench` runs all of it and writes this page; each
table can be had by its own command. Absolute times are of the machine below and of that hour.
"""
SAID: dict[str, str] = tomllib.loads((Path(__file__).parent / "said.toml").read_text())


def main(asked: argparse.Namespace) -> int:
    """Run what is asked for; write or print the page."""
    folder: Path = asked.keep
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in SAID if not asked.page else ():
        program = ROOT / "bench" / f"{name}.py"
        if not program.exists() or asked.only not in {None, name}:
            continue
        print(f"--- {name}", flush=True)
        command = [sys.executable, str(program), "--json", str(folder / f"{name}.json"), *["--quick"] * asked.quick]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        begun = time.monotonic()
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
            failed.append(name)
        print(f"({time.monotonic() - begun:.0f} s)", flush=True)
    if not any(folder.glob("*.json")):
        print(f"There are no figures in {folder}.", file=sys.stderr)
        return 1
    page = _page(folder, {} if asked.quick else _on_the_page())
    if asked.quick:
        print(page)
    else:
        PAGE.write_text(page)
    if failed:
        print("These did not come to their end:", ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


def _on_the_page() -> dict[str, str]:
    """The sections that are there, by the benchmark whose command stands in them."""
    told = PAGE.read_text() if PAGE.exists() else ""
    sections = re.findall(r"^## .*?(?=^## |^Measured on |\Z)", told, re.DOTALL | re.MULTILINE)
    found = {re.search(r"`python bench/(\w+)\.py", section): section for section in sections}
    return {command.group(1): f"{section.rstrip()}\n" for command, section in found.items() if command is not None}


def _page(folder: Path, there: Mapping[str, str]) -> str:
    parts = [INTRODUCTION]
    times = []
    for name, said in SAID.items():
        path = folder / f"{name}.json"
        if path.exists():
            parts.append(_section(json.loads(path.read_text()), said))
            times.append(path.stat().st_mtime)
        elif name in there:
            parts.append(there[name])
    day = datetime.fromtimestamp(max(times), UTC).date()
    parts.append(f"Measured on {day}: {_machine()}.\n")
    return "\n".join(parts)


def _section(told: dict[str, Any], said: str) -> str:
    rows = told["figures"]
    lines = [f"## {told['name']}", "", f"`{told['command']}`", ""]
    if rows:
        lines += ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
        lines += ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows]
    lines += ["", " ".join((said, *told.get("notes", ()))).strip(), ""]
    return "\n".join(lines)


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true")
    options.add_argument("--only", choices=list(SAID))
    options.add_argument("--keep", type=Path, default=ROOT / "var" / "bench")
    options.add_argument("--page", action="store_true", help="make the page of the figures that are there")
    sys.exit(main(options.parse_args()))
