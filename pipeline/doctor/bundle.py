"""The support bundle: one zip that helps whoever helps, with nobody's data and no secret in it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.doctor import redact
from pipeline.doctor.books import figures
from pipeline.doctor.examine import ledger_of
from pipeline.doctor.machine import versions
from pipeline.errors import SetupError
from pipeline.settings import Secret, load_settings
from pipeline.trail import Scrub

_LINES = 3000


def write_bundle(folder: Path, told: Mapping[str, Any], target: Path) -> list[str]:
    """Write the bundle of what was ``told``; returns what is in it. ``SetupError`` when it cannot be written."""
    scrub = Scrub(_secrets(folder))
    parts = dict(_parts(folder.resolve(), told))
    try:
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as bundle:
            for name, held in parts.items():
                clean = scrub(None, "", {"held": held})["held"]
                text = clean if isinstance(clean, str) else json.dumps(clean, ensure_ascii=False, indent=1, default=str)
                bundle.writestr(name, text.replace(str(folder.resolve()), "PROJECT"))
    except FileExistsError:
        raise SetupError(f"{target} is there already; name another file.") from None
    except OSError as problem:
        raise SetupError(f"{target} cannot be written: {problem.strerror}.") from None
    return list(parts)


def _secrets(folder: Path) -> tuple[Secret, ...]:
    try:
        return load_settings(folder).secrets
    except SetupError:
        return ()


def _parts(folder: Path, told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "doctor.json", {"lines": redact.lines(told["lines"]), "exit_code": told["exit_code"]}
    yield "versions.json", versions()
    yield "settings.json", redact.settings(folder)
    yield "ledger.json", figures(ledger_of(folder))
    yield "log.json", list(redact.log(folder, _LINES))
    for path in sorted((folder / "mappings").glob("*.y*ml")):
        yield f"mappings/{path.stem}.json", redact.mapping(path)
