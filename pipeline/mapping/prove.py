"""A mapping proved before a single row is read: every problem of the file, each with its key."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from pipeline.errors import SetupError, nearest
from pipeline.fields import DEFAULT_KEYS, RECORD_KINDS
from pipeline.mapping.dates import zone_named
from pipeline.mapping.emptiness import LEAVE, POLICIES, policy_of
from pipeline.mapping.prove_fields import completed, flat_fields, rule_problems, spec_of
from pipeline.mapping.prove_shapes import (
    SPLIT_LISTS,
    join_problems,
    split_problems,
    unpivot_of,
    unpivot_problems,
    unused_problems,
)
from pipeline.mapping.rules import FILE_POLICIES, FieldRule, FileRules, SkipRule
from pipeline.mapping.spec import FeedMapping, convert_deliver
from pipeline.mapping.texts import fold
from pipeline.model import DeliverTo
from pipeline.settings import read_table
from pipeline.shapes import Join, Split, Unpivot

T = TypeVar("T", bound=msgspec.Struct)
_KNOWN = FeedMapping.__struct_fields__
_SAFE_NAME = re.compile(r"[a-z0-9_-]{1,64}", re.IGNORECASE)
_WORDS: Mapping[str, tuple[str, ...]] = {
    "reject": ("order", "row", "file"),
    "on_change": ("update", "ignore", "reject"),
    "when_empty": POLICIES,
    "decimal": (".", ","),
    "strict": ("true", "false", "yes", "no"),
}


def prove(raw: Mapping[str, Any], where: str) -> FeedMapping:
    """The mapping a YAML file describes; ``SetupError`` has one line for everything that is wrong with it."""
    proof = _Proof(raw, where)
    mapping = proof.mapping()
    if proof.problems or mapping is None:
        raise SetupError("\n".join(proof.problems))
    return mapping


class _Proof:
    """One mapping file under proof; problems are gathered so that its author sees all of them at once."""

    def __init__(self, raw: Mapping[str, Any], where: str) -> None:
        self.raw = raw
        self.where = where
        self.problems: list[str] = []

    def say(self, key: str, problem: str) -> None:
        """Note one problem of one key."""
        self.problems.append(f"{self.where}: {key}: {problem}" + ("" if problem.endswith(("?", ".")) else "."))

    def mapping(self) -> FeedMapping | None:
        """The mapping, as far as it can be made out."""
        for name in self.raw:
            if name not in _KNOWN:
                self.say(name, f"unknown key.{nearest(name, _KNOWN)}")
        feed, kind = self._feed(), self._kind()
        for name, known in _WORDS.items():
            if self.raw.get(name) is not None and self.raw[name] not in known:
                self.say(name, f"'{self.raw[name]}' is not one of {', '.join(known)}")
        if kind is None:
            return None
        fields = self._fields(kind)
        key = self._key(kind, fields)
        filled = self._fill_down(key, fields)
        fields = self._when_empty(kind, fields, {*key, *filled})
        mapping = FeedMapping(
            feed=feed,
            record=kind,
            key=key,
            fields=fields,
            files=self._files(),
            skip_rows_where=self._skip_rules(),
            ignore_columns=self._texts("ignore_columns"),
            strict=self.raw.get("strict") in ("true", "yes"),
            reject=self.raw.get("reject") or ("order" if kind == "order" else "row"),
            on_change=self.raw.get("on_change") or "update",
            when_empty=self.raw.get("when_empty") or "leave",
            fill_down=filled,
            timezone=self._timezone(),
            decimal=self.raw.get("decimal"),
            deliver=self._deliver(),
            unpivot=self._unpivot(),
            split=self._split(),
            join=self._join(),
        )
        self._check_blanks(mapping)
        self._check_shapes(mapping)
        return mapping

    def _feed(self) -> str:
        feed = self.raw.get("feed")
        if not isinstance(feed, str) or not _SAFE_NAME.fullmatch(feed):
            self.say("feed", "give the feed a name of letters, digits, - and _ (it also names a folder)")
            return ""
        return feed

    def _kind(self) -> str | None:
        kind = self.raw.get("record")
        if isinstance(kind, str) and kind in RECORD_KINDS:
            return kind
        self.say(
            "record",
            f"'{kind}' is not a record kind.{nearest(str(kind), RECORD_KINDS)} {_one_of(RECORD_KINDS)}",
        )
        return None

    # --- fields ---

    def _fields(self, kind: str) -> dict[str, FieldRule]:
        raw = self.raw.get("fields")
        if not isinstance(raw, Mapping) or not raw:
            self.say("fields", 'expected a table such as `order_id: {column: "Order #"}`')
            return {}
        rules = {}
        for name, entry in flat_fields(raw):
            rule = self._rule(kind, name, entry)
            if rule is not None:
                rules[name] = rule
        for missing in (s.name for s in RECORD_KINDS[kind].values() if s.required and s.name not in rules):
            if missing not in raw:
                self.say("fields", f"'{missing}' is missing, and a record of kind {kind} needs it")
        return completed(rules)

    def _rule(self, kind: str, name: str, entry: object) -> FieldRule | None:
        spec = spec_of(kind, name)
        if spec is None:
            known = [field for field in RECORD_KINDS[kind] if field != "extra"]
            self.say(f"fields.{name}", f"a record of kind {kind} has no such field.{nearest(name, known)}")
            return None
        rule = self._table(FieldRule, _listed(entry, ("column", "format", "true", "false")), f"fields.{name}")
        for problem in rule_problems(rule, spec, self.raw.get("decimal")) if rule else ():
            self.say(f"fields.{name}", problem)
        return rule

    def _key(self, kind: str, fields: Mapping[str, FieldRule]) -> tuple[str, ...]:
        key = self._texts("key")
        if self.raw.get("key") is None:
            key = tuple(name for name in DEFAULT_KEYS[kind] if name in fields) or DEFAULT_KEYS[kind]
        for name in key:
            spec = spec_of(kind, name)
            if spec is None or name not in fields:
                if spec is None or not spec.required:  # a missing required field has been told
                    self.say("key", f"'{name}' is not among the fields of this mapping.{nearest(name, fields)}")
            elif spec.level != "record":
                self.say("key", f"'{name}' differs between the lines of one order, so it cannot be part of the key")
            elif fields[name].default is not None:
                self.say("key", f"'{name}' needs a value of its own in every row, so it can have no default")
        if not key or len(set(key)) < len(key):
            self.say("key", "name at least one field, each only once")
        return key

    def _when_empty(
        self, kind: str, fields: Mapping[str, FieldRule], never_cleared: Collection[str]
    ) -> dict[str, FieldRule]:
        """The rules with the policy of their empty cells; the key, and what is filled from above, is never cleared."""
        for name, rule in fields.items():
            if rule.when_empty == "clear" and name in never_cleared:
                self.say(f"fields.{name}", "its value is needed (key, or fill_down), so it cannot be cleared")
        wanted = str(self.raw.get("when_empty") or LEAVE)
        return {
            name: msgspec.structs.replace(rule, when_empty=policy_of(rule, spec, wanted, name in never_cleared))
            for name, rule in fields.items()
            if (spec := spec_of(kind, name)) is not None
        }

    def _fill_down(self, key: Sequence[str], fields: Mapping[str, FieldRule]) -> tuple[str, ...]:
        """Field names. ``true`` means the key: within an order its other fields find their value anyway."""
        said = self._texts("fill_down")
        if said in {(), ("false",), ("no",)}:
            return ()
        if said in {("true",), ("yes",)}:
            names = [name for name in key if name in fields]
        else:
            names = [name for text in said for name in self._fields_of(text, fields)]
        for name in names:
            if fields[name].default is not None or fields[name].constant is not None:
                self.say("fill_down", f"'{name}' has a default or constant, so it is never empty")
        return tuple(dict.fromkeys(names))

    def _fields_of(self, text: str, fields: Mapping[str, FieldRule]) -> list[str]:
        if text in fields:
            return [text]
        found = [name for name, rule in fields.items() if fold(text) in map(fold, rule.column)]
        if not found:
            known = [*fields, *(column for rule in fields.values() for column in rule.column)]
            self.say(
                "fill_down",
                f"'{text}' is neither a field nor a column of this mapping.{nearest(text, known)}",
            )
        return found

    # --- the other sections ---

    def _files(self) -> FileRules:
        rules = self._table(FileRules, _listed(self.raw.get("files") or {}, ("pattern",)), "files") or FileRules()
        for pattern in rules.pattern:
            if not pattern.strip() or "/" in pattern or "\\" in pattern:
                self.say("files.pattern", f"'{pattern}' must be a pattern for file names, without folders")
        if rules.header_row is not None and rules.header_row < 0:
            self.say("files.header_row", "rows are counted from 1; 0 says that the file has no header")
        if rules.header_rows is not None and rules.header_rows not in (1, 2):
            self.say("files.header_rows", "a header has 1 row, or 2: groups over names")
        if rules.footer_rows < 0:
            self.say("files.footer_rows", "how many rows at the end are no records: 0, 1, 2 …")
        if rules.below_header is not None and rules.below_header < 0:
            self.say("files.below_header", "how many rows under the header describe it: 0, 1, 2 …")
        for name, allowed in FILE_POLICIES.items():
            said = getattr(rules, name)
            if said not in allowed:
                self.say(f"files.{name}", f"'{said}' is none of: {', '.join(allowed)}.{nearest(said, allowed)}")
        return rules

    def _skip_rules(self) -> tuple[SkipRule, ...]:
        said = self.raw.get("skip_rows_where") or []
        entries = said if isinstance(said, list) else [said]
        tables = (_listed(entry, ("column", "is")) for entry in entries)
        rules = [self._table(SkipRule, table, "skip_rows_where") for table in tables]
        return tuple(rule for rule in rules if rule is not None)

    def _check_blanks(self, mapping: FeedMapping) -> None:
        """Rows that wait to be filled from above must not be skipped for being empty."""
        filled = {fold(column) for name in mapping.fill_down for column in mapping.fields[name].column}
        for rule in mapping.skip_rows_where:
            if "" in rule.values and filled & set(map(fold, rule.column)):
                self.say(
                    "skip_rows_where",
                    f"rows with an empty '{rule.column[0]}' cannot be both skipped and filled down",
                )

    def _unpivot(self) -> Unpivot:
        if self.raw.get("unpivot") is None:
            return {}
        try:
            return unpivot_of(self.raw["unpivot"])
        except ValueError as problem:
            self.say("unpivot", str(problem))
            return {}

    def _split(self) -> Split | None:
        raw = self.raw.get("split")
        if raw is None:
            return None
        table = _listed(raw, SPLIT_LISTS)
        if isinstance(table, Mapping) and isinstance(table.get("pairs"), Mapping):
            table = {**table, "pairs": _listed(table["pairs"], ("into",))}
        return self._table(Split, table, "split")

    def _join(self) -> Join | None:
        raw = self.raw.get("join")
        return None if raw is None else self._table(Join, raw, "join")

    def _check_shapes(self, mapping: FeedMapping) -> None:
        for problem in join_problems(mapping.join, mapping.files) if mapping.join else ():
            self.say("join", problem)
        for problem in unpivot_problems(mapping.unpivot):
            self.say("unpivot", problem)
        wrong = list(split_problems(mapping.split, mapping.unpivot)) if mapping.split else []
        for problem in wrong:
            self.say("split", problem)
        if not wrong:
            for key, problem in unused_problems(mapping.fields, mapping.unpivot, mapping.split):
                self.say(key, problem)

    def _timezone(self) -> str | None:
        name = self.raw.get("timezone")
        if name is not None:
            try:
                zone_named(str(name))
            except ValueError as problem:
                self.say("timezone", str(problem))
        return name

    def _deliver(self) -> tuple[DeliverTo, ...]:
        said = self.raw.get("deliver")
        if not isinstance(said, list):
            self.say("deliver", "say where the records go, as in `- {account: shop, operation: order}`")
            return ()
        entries = []
        for place, raw in enumerate(said, 1):
            try:
                entries.append(convert_deliver(raw))
            except (ValueError, TypeError) as problem:
                self.say(f"deliver, entry {place}", str(problem))
        twice = {(e.account, e.operation) for i, e in enumerate(entries) if _same_place(e, entries[:i])}
        for account, operation in sorted(twice):
            self.say("deliver", f"{account} {operation} stands twice, and a record goes to one operation once")
        return tuple(entries)

    # --- reading raw values ---

    def _table(self, into: type[T], raw: object, key: str) -> T | None:
        try:
            return read_table(into, raw, f"{self.where}: {key}")
        except SetupError as problem:
            self.problems.append(str(problem))
            return None

    def _texts(self, key: str) -> tuple[str, ...]:
        texts = self._as_texts(self.raw.get(key))
        if texts is None:
            self.say(key, "expected a text or a list of texts")
        return texts or ()

    @staticmethod
    def _as_texts(said: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - whatever YAML held
        if said is None:
            return ()
        texts = said if isinstance(said, list) else [said]
        return tuple(texts) if all(isinstance(text, str) for text in texts) else None


def _listed(raw: Any, keys: Sequence[str]) -> Any:  # noqa: ANN401 - whatever YAML held
    """The table with one text turned into a list of one, and keys without a value left out."""
    if not isinstance(raw, Mapping):
        return raw
    given = {key: value for key, value in raw.items() if value is not None}
    return {
        key: [value] if key in keys and isinstance(value, str) else _typed(key, value) for key, value in given.items()
    }


_COUNTS = frozenset({"header_row", "header_rows", "footer_rows", "below_header"})


def _typed(key: object, value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
    """The few values of a mapping that are not texts."""
    if key == "optional" and value in ("true", "yes", "on", "false", "no", "off"):
        return value in ("true", "yes", "on")
    return int(value) if key in _COUNTS and isinstance(value, str) and value.isdecimal() else value


def _same_place(entry: DeliverTo, others: Sequence[DeliverTo]) -> bool:
    return any((entry.account, entry.operation) == (other.account, other.operation) for other in others)


def _one_of(names: Any) -> str:  # noqa: ANN401 - any iterable of names
    return f"Known: {', '.join(names)}."
