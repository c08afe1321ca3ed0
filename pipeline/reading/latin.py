"""Telling the code pages of Latin letters apart: by the letters that stand beside the accented ones.

The same bytes are ``Gdańsk`` in one page and ``Gdañsk`` in another; ``ń`` stands before ``s``, ``ñ`` never does.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping

from pipeline.reading.neighbours import Company, languages_of

_RARER = {
    "cp1252": 0.0, "cp1250": 0.05, "cp1254": 0.1, "cp1257": 0.15, "iso8859_2": 0.15, "mac_roman": 0.25, "cp850": 0.25,
    "cp852": 0.25, "cp857": 0.3,
}  # fmt: skip
"""What a page is worth less, because fewer files are in it."""
LATIN = tuple(_RARER)
_EQUAL = 0.09
"""Pages whose scores, at most 1, are no further apart are equally likely."""
SIGNS = "€£¥¢$§°·–—‘’‚“”„«»‹›…•™®©²³½¼¾×ªºµ¡¿№\u00a0\u00ad"
"""Of prices, measures and typesetting, met in texts of any language."""
_OPENING = "‘“‚„«‹¡¿"
_AMID = "’‘\u00ad–-"
_WORDS = "àáéèíóòúöåøæ"
"""Letters that are words by themselves; ``Ł`` is none, but in another page a pound sign."""
_WRONG = -0.5
_OFTEN = 0.05

_Context = tuple[str, str, str]


def likeliest_pages(sample: bytes) -> tuple[list[str], float]:
    """The likeliest page and its score, at most 1; pages that follow are equally likely and give other letters."""
    scores = {page: score for page in LATIN if (score := _score(sample, page)) is not None}
    ranked = sorted(scores, key=lambda page: -scores[page])
    best = ranked[0]
    read = sample.decode(best)
    near = (page for page in ranked[1:] if scores[page] >= scores[best] - _EQUAL)
    return [best, *(page for page in near if sample.decode(page) != read)], scores[best]


def _score(sample: bytes, page: str) -> float | None:
    """How well the letters keep company in the language they fit best; ``None`` where bytes are undefined."""
    try:
        text = sample.decode(page)
    except UnicodeDecodeError:
        return None
    padded = f" {text} "
    contexts = Counter((padded[at - 1], char, padded[at + 1]) for at, char in enumerate(padded) if not char.isascii())
    return max(_fit(contexts, language) for language in languages_of(page)) - _RARER[page]


def _fit(contexts: Mapping[_Context, int], language: Mapping[str, Company]) -> float:
    """The mean over the different places; one that comes often counts no more than another."""
    return sum(_worth(*context, language) for context in contexts) / max(1, len(contexts))


def _worth(before: str, char: str, after: str, language: Mapping[str, Company]) -> float:
    if char in _OPENING and before.isalpha():
        return _WRONG
    if char in SIGNS:
        return 0.0 if before.isalpha() and after.isalpha() and char not in _AMID else 1.0
    if char == "İ":  # a small i with a dot is no letter of its own
        return 1.0 if "ı" in language and not before.isalpha() else _WRONG
    known = language.get(char.lower())
    if known is None:
        return _WRONG
    if not before.isalpha() and not after.isalpha() and char.lower() not in _WORDS:
        return 0.0
    beside = (_plain(before) in known.before) + (_plain(after) in known.after)
    return beside / 2 + _OFTEN * (math.log10(known.share) + 1)


def _plain(char: str) -> str:
    """The letter without its accent, in small; ``0`` for a digit, ``-`` for all else."""
    if char.isalpha():
        return unicodedata.normalize("NFD", char.lower())[0]
    return "0" if char.isdigit() else "-"
