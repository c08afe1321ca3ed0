"""``mappings/<feed>.yaml`` become frozen mappings, complete or refused with everything that is wrong."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from pipeline.errors import FileRefused, SetupError, nearest
from pipeline.mapping.rules import FieldRule, FileRules, SkipRule
from pipeline.model import DeliverTo
from pipeline.reasons import refuse
from pipeline.shapes import Join, Split, Unpivot

_SUFFIXES = (".yaml", ".yml")
_SHAPES = ("unpivot", "split", "join")
"""Keys that count only where they say something: a mapping without them is the one it was before they came."""


class FeedMapping(msgspec.Struct, frozen=True, kw_only=True):
    """One feed: which files, which columns become which fields, where the records go.

    ``fields`` are rules by field name, custom fields as ``extra.<name>``. ``fill_down`` holds field names;
    ``reject`` is ``order``, ``row`` or ``file``; ``on_change`` is ``update``, ``ignore`` or ``reject``; ``when_empty``
    (``leave``, ``clear`` or ``reject``) has been given to every field it fits.
    """

    feed: str
    record: str
    key: tuple[str, ...]
    fields: Mapping[str, FieldRule]
    files: FileRules = FileRules()
    skip_rows_where: tuple[SkipRule, ...] = ()
    ignore_columns: tuple[str, ...] = ()
    strict: bool = False
    reject: str = "row"
    on_change: str = "update"
    when_empty: str = "leave"
    fill_down: tuple[str, ...] = ()
    timezone: str | None = None
    decimal: str | None = None
    deliver: tuple[DeliverTo, ...] = ()
    unpivot: Unpivot = {}
    split: Split | None = None
    join: Join | None = None

    def fingerprint(self) -> str:
        """SHA-256 of what the mapping says; comments, order of keys and the file's name do not count."""
        told = msgspec.to_builtins(self)
        del told["when_empty"]  # its fields say what came of it
        said = {name: value for name, value in told.items() if value or name not in _SHAPES}
        said["files"] = self.files.told()
        said["fields"] = {
            field: {key: value for key, value in rule.items() if value is not None or key != "when_empty"}
            for field, rule in said["fields"].items()
        }
        return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()

    def columns_of_fields(self) -> Mapping[str, tuple[str, ...]]:
        """The header texts each field may come from, first choice first."""
        return {name: rule.column for name, rule in self.fields.items() if rule.column}


def load_mappings(folder: Path) -> dict[str, FeedMapping]:
    """Every mapping of a folder by its feed's name; ``SetupError`` lists what is wrong in all of them."""
    mappings, problems = load_good_mappings(folder)
    if problems:
        raise SetupError("\n".join(problems.values()))
    return mappings


def load_good_mappings(folder: Path) -> tuple[dict[str, FeedMapping], dict[str, str]]:
    """The mappings that are right, by feed, and what is wrong with the others, by feed or else by the file's stem."""
    mappings: dict[str, FeedMapping] = {}
    problems: dict[str, str] = {}
    places: dict[str, str] = {}
    for path in _mapping_files(folder):
        try:
            mapping = load_mapping(path)
        except SetupError as problem:
            problems[_named_feed(path)] = str(problem)
            continue
        first = places.setdefault(mapping.feed.casefold(), path.name)
        if first != path.name:
            problems[mapping.feed] = f"mappings/{path.name}: feed '{mapping.feed}' is already described in {first}."
        mappings[mapping.feed] = mapping
    return {feed: mapping for feed, mapping in mappings.items() if feed not in problems}, problems


def _named_feed(path: Path) -> str:
    """The feed a wrong mapping is about, as far as that can be told."""
    from pipeline.mapping.yaml_file import read_yaml

    try:
        return str(read_yaml(path, path.name).get("feed") or path.stem)
    except SetupError:
        return path.stem


def load_mapping(path: Path) -> FeedMapping:
    """Read and prove one mapping; ``SetupError`` has one line per problem, naming the file and the key."""
    from pipeline.mapping.prove import prove
    from pipeline.mapping.yaml_file import read_yaml

    where = f"{path.parent.name}/{path.name}"
    return prove(read_yaml(path, where), where)


def match_feed(mappings: Mapping[str, FeedMapping], file_name: str, subfolder: str | None = None) -> FeedMapping:
    """The feed of a file: the one its subfolder names, else the only one whose pattern fits its name.

    Raises ``FileRefused``: ``unknown_feed_folder``, ``no_feed`` or ``two_feeds``.
    """
    if subfolder:
        return _by_folder(mappings, subfolder)
    fitting = [mapping for mapping in mappings.values() if _fits(mapping.files.pattern, file_name)]
    if len(fitting) == 1:
        return fitting[0]
    code = "two_feeds" if fitting else "no_feed"
    raise refuse(code, file=file_name, known=_listed({m.feed: m for m in fitting} if fitting else mappings))


def _by_folder(mappings: Mapping[str, FeedMapping], subfolder: str) -> FeedMapping:
    for name, mapping in mappings.items():
        if name.casefold() == subfolder.casefold():
            return mapping
    raise _unknown_folder(mappings, subfolder)


def _unknown_folder(mappings: Mapping[str, FeedMapping], subfolder: str) -> FileRefused:
    known = ", ".join(mappings) or "none yet"
    return refuse("unknown_feed_folder", folder=subfolder, nearest=nearest(subfolder, mappings), known=known)


def _listed(mappings: Mapping[str, FeedMapping]) -> str:
    """``acme (ACME_*.csv), globex (only by its folder)``."""
    patterns = {name: " or ".join(m.files.pattern) or "only by its folder" for name, m in mappings.items()}
    return ", ".join(f"{name} ({pattern})" for name, pattern in patterns.items()) or "none yet"


def _fits(patterns: tuple[str, ...], file_name: str) -> bool:
    name = _plain(file_name)
    return any(fnmatchcase(name, _plain(pattern)) for pattern in patterns)


def _plain(text: str) -> str:
    """Case, and whether an accent is part of its letter, differ between file systems."""
    return unicodedata.normalize("NFC", text).casefold()


def _mapping_files(folder: Path) -> list[Path]:
    """The mapping files of a folder, without the hidden ones editors leave; none when there is no folder.

    ``SetupError`` where something else stands in its place.
    """
    if not folder.is_dir():
        if folder.exists():
            raise SetupError(
                f"{folder.name} is a file and has to be a folder. Move it away, and put your mappings there."
            )
        return []
    return [p for p in sorted(folder.iterdir()) if p.suffix.lower() in _SUFFIXES and not p.name.startswith(".")]


def convert_deliver(raw: Any) -> DeliverTo:  # noqa: ANN401 - whatever YAML held
    """One ``deliver`` entry; ``ValueError`` in words when it is not one."""
    if not isinstance(raw, Mapping):
        raise TypeError("write each entry as {account: …, operation: …}")
    unknown = [key for key in raw if key not in {"account", "operation", "options"}]
    if unknown:
        raise ValueError(f"unknown key '{unknown[0]}'.{nearest(str(unknown[0]), ('account', 'operation', 'options'))}")
    missing = [key for key in ("account", "operation") if not isinstance(raw.get(key), str) or not raw[key]]
    if missing:
        raise ValueError(f"'{missing[0]}' is missing or not a name")
    options = raw.get("options") or {}
    if not isinstance(options, Mapping):
        raise TypeError("options must be a table, as in options: {send_emails: false}")
    return DeliverTo(raw["account"], raw["operation"], dict(options))
