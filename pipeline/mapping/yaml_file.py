"""YAML read twice: as its author typed it (texts), and with YAML's own types where targets read options.

In YAML ``country: NO`` is false, ``1.10`` is a float and ``010`` is eight. Mappings are about what stands in
cells, so everything but the options of ``deliver`` is taken as the text that was typed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from pipeline.errors import SetupError

_MERGE = "tag:yaml.org,2002:merge"


class _Unique(Composer, SafeConstructor, Resolver):
    """A safe loader that refuses a key standing twice: one of the two would be without effect.

    It is told what a parser found in a text, which is what takes long, so that one parser does for two loaders.
    """

    def __init__(self, events: Iterable[yaml.Event]) -> None:
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)
        self._events = deque(events)

    def check_event(self, *kinds: type[yaml.Event]) -> bool:
        return bool(self._events) and isinstance(self._events[0], kinds or yaml.Event)

    def peek_event(self) -> yaml.Event | None:
        return self._events[0] if self._events else None

    def get_event(self) -> yaml.Event | None:
        return self._events.popleft() if self._events else None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                if key.value in seen:
                    problem = f"the key '{key.value}' stands twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Texts(_Unique):
    """The same, with every plain scalar a text; only null and ``<<`` keep their meaning."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        letter: [pair for pair in resolvers if pair[0] in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_yaml(path: Path, where: str) -> dict[str, Any]:
    """The top level of a mapping file; ``deliver`` has YAML's types, everything else texts."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        events = list(yaml.parse(text, yaml.SafeLoader))
        typed, texts = _Unique(events).get_single_data(), _Texts(events).get_single_data()
    except (OSError, UnicodeDecodeError) as problem:
        raise SetupError(f"{where}: cannot be read: {problem}.") from None
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        raise SetupError(f"{where}: {_plainly(problem)}.") from None
    if not isinstance(texts, dict) or not all(isinstance(key, str) for key in texts):
        raise SetupError(f"{where}: expected named settings, beginning with `feed: <name>`.")
    return {**texts, **{key: typed[key] for key in ("deliver",) if key in typed}}


def _plainly(problem: Exception) -> str:
    mark = getattr(problem, "problem_mark", None)
    said = getattr(problem, "problem", None) or str(problem).splitlines()[0]
    return f"line {mark.line + 1}: {said}" if mark else f"not valid YAML: {said}"
