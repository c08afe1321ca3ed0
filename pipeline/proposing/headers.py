"""What a header says: which fields it may mean, how surely, and why."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pipeline.fields import RECORD_KINDS
from pipeline.proposing.layouts import NOTHING, Layout
from pipeline.proposing.phrases import LOOSE, OF_KIND, PLAIN, SURE, SURE_OF_KIND
from pipeline.proposing.places import fields_of, place_of
from pipeline.proposing.polish import POLISH
from pipeline.proposing.words import NOISE, UNITS, glued, words

SPLIT = {"shipping_name": ("shipping_first_name", "shipping_last_name")}
"""A whole name that feeds two fields."""

_SURE, _LAYOUT, _NEARLY, _PLAIN, _LOOSE, _SPELT, _WITHIN = 0.96, 0.99, 0.84, 0.7, 0.58, 0.66, 0.3
_CLOTHED = 0.95


@dataclass(frozen=True, slots=True)
class Hint:
    """One field a header may mean; ``sure`` from 0 to 1."""

    sure: float
    why: str


def hints(header: str, kind: str, layout: Layout | None) -> dict[str, Hint]:
    """Every field of the kind a header may mean, with the best reason for each; nothing for a header without words."""
    if not words(header):
        return {}
    if layout is not None and (told := _by_layout(header, kind, layout)) is not None:
        return told
    best: dict[str, Hint] = {}
    for field, hint in (*_by_phrase(header, kind), *_by_place(header, kind)):
        if field not in best or best[field].sure < hint.sure:
            best[field] = hint
    return best or _without_units(header, kind) or dict(_by_spelling(header, kind))


def _without_units(header: str, kind: str) -> dict[str, Hint]:
    """What a header of amounts says without a currency or "gross" at its end: ``Preis CHF``, ``Prix unitaire TTC``."""
    told = list(words(header))
    while len(told) > 1 and told[-1] in UNITS:
        told.pop()
    if len(told) == len(words(header)):
        return {}
    found = _by_phrase(" ".join(told), kind)
    specs = RECORD_KINDS[kind]
    return {
        field: Hint(round(hint.sure * _CLOTHED, 2), hint.why)
        for field, hint in found
        if field in specs and specs[field].type == "decimal"
    }


def known_fields(kind: str) -> frozenset[str]:
    """The fields of a kind a column may be matched to, whole names that are split among them."""
    fields = frozenset(name for name in RECORD_KINDS[kind] if name != "extra")
    return fields | {whole for whole, parts in SPLIT.items() if set(parts) <= fields}


def _by_layout(header: str, kind: str, layout: Layout) -> dict[str, Hint] | None:
    for text, field in layout.means.items():
        if glued(text) == glued(header):
            fits = field != NOTHING and field in known_fields(kind)
            return {field: Hint(_LAYOUT, f"so named in exports of the layout {layout.name}")} if fits else {}
    return None


def _by_phrase(header: str, kind: str) -> Iterator[tuple[str, Hint]]:
    told, core = glued(header), _core(header)
    for field, phrases in _phrases(kind).items():
        if told in phrases.sure:
            yield field, Hint(_SURE, f"the header says {field.replace('_', ' ')}")
        elif told in phrases.plain:
            yield field, Hint(_PLAIN, f"the header says {field.replace('_', ' ')} in a word")
        elif told in phrases.loose:
            yield field, Hint(_LOOSE, f"the header can mean {field.replace('_', ' ')}")
        elif core and core in phrases.cores:
            yield field, Hint(_NEARLY, f"the header says {field.replace('_', ' ')} with other words around it")


def _by_place(header: str, kind: str) -> Iterator[tuple[str, Hint]]:
    place = place_of(header)
    if place is None:
        return
    known = known_fields(kind)
    for field, sure in fields_of(*place):
        if field in known:
            said = "the header names it" if place[0] else "the header does not say whose address it is"
            yield field, Hint(sure, said)


def _by_spelling(header: str, kind: str) -> Iterator[tuple[str, Hint]]:
    """Slips of the pen, and headers that hold a phrase among words of their own."""
    told, mine = glued(header), frozenset(words(header))
    for field, phrases in _phrases(kind).items():
        if _slip(told, phrases.sure):
            yield field, Hint(_SPELT, f"the header is spelt nearly like {field.replace('_', ' ')}")
        elif any(len(core) > 1 and core < mine for core in phrases.cores):
            yield field, Hint(_WITHIN, f"the header speaks of {field.replace('_', ' ')} among other things")


def _slip(told: str, phrases: frozenset[str]) -> bool:
    """Whether a phrase differs by a letter or two; numbers must be the same, for ``line item 3`` is another column."""
    if len(told) < 6:
        return False
    close = difflib.get_close_matches(told, phrases, n=1, cutoff=0.88)
    return (
        bool(close)
        and abs(len(close[0]) - len(told)) <= 2
        and re.findall(r"[0-9]+", close[0]) == re.findall(r"[0-9]+", told)
    )


def _core(header: str) -> frozenset[str]:
    """The words that carry the meaning; at least two of them, for one alone has too many meanings."""
    kept = frozenset(word for word in words(header) if word not in NOISE)
    return kept if len(kept) > 1 else frozenset()


@dataclass(frozen=True, slots=True)
class _Phrases:
    sure: frozenset[str]
    plain: frozenset[str]
    loose: frozenset[str]
    cores: frozenset[frozenset[str]]


@lru_cache(maxsize=8)
def _phrases(kind: str) -> Mapping[str, _Phrases]:
    known = known_fields(kind)
    own = SURE_OF_KIND.get(kind, {})
    alike = OF_KIND.get(kind, {})
    found = {}
    for field in sorted(known):
        source = alike.get(field, field)
        sure = [*_split(SURE.get(source, "")), *_split(POLISH.get(source, "")), *_split(own.get(field, ""))]
        loose = _split(LOOSE.get(source, "") if field not in own or field in SURE else "")
        cores = frozenset(core for phrase in sure if (core := _core(phrase)))
        found[field] = _Phrases(_glued(sure), _glued(_split(PLAIN.get(source, ""))), _glued(loose), cores)
    return found


def _glued(phrases: Iterable[str]) -> frozenset[str]:
    return frozenset(map(glued, phrases))


def _split(phrases: str) -> list[str]:
    return [phrase for phrase in phrases.split("|") if phrase]
