"""A new project folder, from the same mappings and schemas that this repository runs with."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.errors import SetupError

_PACKAGED = Path(__file__).parent / "starter_files"
_REPOSITORY = Path(__file__).parent.parent
_FOLDERS = ("inbox", "errors", "var")
_PARTS = ("pipeline.toml", "mappings", "schemas")


def starter_part(name: str) -> Path:
    """Where a part of the starter lies: inside an installed package, or at the top of a checkout."""
    packaged = _PACKAGED / name
    return packaged if packaged.exists() else _REPOSITORY / name


def make_project(folder: Path) -> list[str]:
    """Fill ``folder`` with settings, mappings, schemas and the folders; refuses to touch an existing project."""
    if (folder / "pipeline.toml").exists():
        raise SetupError(f"{folder} already holds a project; nothing was changed.")
    made = []
    try:
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for part in _PARTS:
            made += _copy(starter_part(part), folder / part, folder)
    except OSError as problem:
        raise SetupError(f"{folder} cannot be made: {problem}.") from None
    return made


def _copy(source: Path, target: Path, folder: Path) -> list[str]:
    """Copy a file, or the files of a folder, never over one that is there."""
    pairs = [(source, target)]
    if source.is_dir():
        target.mkdir(exist_ok=True)
        pairs = [(p, target / p.name) for p in sorted(source.iterdir()) if p.suffix in {".yaml", ".py"}]
    made = []
    for origin, place in pairs:
        if not place.exists():
            shutil.copyfile(origin, place)
            made.append(place.relative_to(folder).as_posix())
    return made
