"""Telling the encodings from before UTF-8 apart: by which reading gives words rather than noise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from msgspec import Struct

from pipeline.reading.latin import LATIN, SIGNS, likeliest_pages

# Order is preference: the first of equals wins.
SINGLE_BYTE = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1254",
    "cp1253",
    "koi8_r",
    "cp866",
    "mac_roman",
    "cp850",
    "cp1255",
    "cp1256",
)
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{2,}")
_LONE_IN_WORD = re.compile(r"(?<=[A-Za-z])[^\x00-\x7f](?=[A-Za-z])")
_NEIGHBOURS = re.compile(r"(?=(.)([^\x00-\x7f])(.))", re.DOTALL)

_WESTERN = "àáâãäåæçèéêëìíîïðñþýòóôõöøùúûüœß"
_CENTRAL = "áâăäąçćčďđéëęěíîĺľłńňóôőöŕřśşšťţúůűüýźżžß"
_TURKISH = "çğıöşüâîûİ"
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґў"
_GREEK = "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋ"
_HEBREW = "אבגדהוזחטיךכלםמןנסעףפץצקרשת"
_ARABIC = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"
_COMMON_LETTERS = {
    "cp1252": _WESTERN, "cp1250": _CENTRAL, "cp1251": _CYRILLIC, "cp1254": _TURKISH, "cp1253": _GREEK,
    "koi8_r": _CYRILLIC, "cp866": _CYRILLIC, "mac_roman": _WESTERN, "cp850": _WESTERN, "cp1255": _HEBREW,
    "cp1256": _ARABIC,
}  # fmt: skip
# The letters text in these scripts is mostly made of: they tell scripts of equal byte ranges apart.
_FREQUENT = {
    "cp1251": "оеаинтсрвлк", "koi8_r": "оеаинтсрвлк", "cp866": "оеаинтсрвлк", "cp1253": "αοιετσνηυρς",
    "cp1255": "יולהמרםאבתש", "cp1256": "الينمرتوبهعد",
}  # fmt: skip
# What is rarer must read clearly better than what is common.
_HANDICAP = {"cp1252": 0.0, "cp1254": 0.03, "cp1250": 0.04, "mac_roman": 0.12, "cp850": 0.12}


_UNDEFINED = 100.0
_NOISE, _WORDS = 0.2, 0.3
_ENOUGH = 8
"""Letters from which on it can be said that they make no words."""


class Guess(Struct, frozen=True):
    """A codec, and its rivals; ``is_noise``: not even this one gives words."""

    name: str
    rivals: tuple[str, ...] = ()
    is_noise: bool = False


def is_single_byte(name: str) -> bool:
    """Whether the encoding gives one letter per byte (and so reads any bytes as some letters)."""
    return name in SINGLE_BYTE or name in LATIN


def guess(sample: bytes) -> Guess:
    """The most likely codec, and those that are equally likely and give other letters."""
    for name, is_common in _EAST_ASIAN:
        if _looks_east_asian(sample, name, is_common):
            return Guess(name)
    costs = {name: _cost(sample, name) for name in SINGLE_BYTE}
    best = min(SINGLE_BYTE, key=lambda name: costs[name])
    tells = len(_HIGH.findall(sample)) >= _ENOUGH
    if best in LATIN:
        pages, score = likeliest_pages(sample)
        return Guess(pages[0], tuple(pages[1:]), tells and score < _WORDS)
    is_known = costs[best] < _UNDEFINED
    return Guess(best if is_known else "latin_1", is_noise=tells and costs[best] > _NOISE)


def _cost(sample: bytes, name: str) -> float:
    """How odd the text looks, 0 (clean) to about 3 per letter; ``_UNDEFINED`` when bytes are."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return _UNDEFINED
    odd = [_oddness(*found.groups(), common=_COMMON_LETTERS[name]) for found in _NEIGHBOURS.finditer(f" {text} ")]
    return _HANDICAP.get(name, 0.0) + _rareness(text, name) + sum(odd) / max(1, len(odd))


def _rareness(text: str, name: str) -> float:
    """0 when all letters are the script's frequent ones, 0.2 when none is; 0 where no list is kept."""
    letters = [char for char in text.lower() if ord(char) > 0x7F and char.isalpha()]
    if name not in _FREQUENT or not letters:
        return 0.0
    return 0.2 * (1 - sum(1 for char in letters if char in _FREQUENT[name]) / len(letters))


def _oddness(before: str, char: str, after: str, *, common: str) -> float:
    kind = unicodedata.category(char)
    if kind == "Cc":
        return 3.0
    if char in SIGNS:
        return 1.0 if (before.isalpha() and after.isalpha() and char not in "’‘\u00ad–") else 0.0
    return _letter_oddness(before, char, after, common) if kind[0] == "L" else 1.0


def _letter_oddness(before: str, char: str, after: str, common: str) -> float:
    odd = 0.0 if char in common or char.lower() in common else 0.7
    if char.isupper() and (before.islower() or (before.isalpha() and after.islower())):
        odd += 1.0  # a capital inside a word of small letters
    neighbours = [near for near in (before, after) if near.isalpha()]
    if _script(char) == "LATIN" and len(neighbours) == 2 and not any(near.isascii() for near in neighbours):
        odd += 0.7  # three accented letters in a row: another script in disguise
    if any(_script(near) != _script(char) for near in neighbours):
        odd += 1.0
    return odd


def _script(char: str) -> str:
    return "LATIN" if char.isascii() else unicodedata.name(char, "?").split(" ")[0]


def _is_hangul(char: str) -> bool:
    return _within(char, "euc_kr", 0xB0, 0xC8)


def _is_kana_or_common_kanji(char: str) -> bool:
    return "\u3041" <= char <= "\u30fe" or _within(char, "shift_jis", 0x88, 0x98) or _is_wide_sign(char)


def _is_common_traditional(char: str) -> bool:
    return _within(char, "big5", 0xA4, 0xC6) or _is_wide_sign(char)


def _is_common_simplified(char: str) -> bool:
    return _within(char, "gb2312", 0xB0, 0xD7) or _is_wide_sign(char)


def _is_wide_sign(char: str) -> bool:
    return "\u3000" <= char <= "\u3020" or "\uff01" <= char <= "\uff5e" or char in "“”‘’—…·¥￥×○●◎△▲□■※→"


def _within(char: str, codec: str, low: int, high: int) -> bool:
    """Whether the character lies in the part of the character set that holds the frequent ones."""
    try:
        encoded = char.encode(codec)
    except UnicodeEncodeError:
        return False
    return len(encoded) == 2 and low <= encoded[0] <= high


_Common = Callable[[str], bool]
# Korean first: its bytes read as Chinese give frequent characters too, but not the other way round.
_EAST_ASIAN: tuple[tuple[str, _Common], ...] = (
    ("cp949", _is_hangul),
    ("euc_jp", _is_kana_or_common_kanji),
    ("gb18030", _is_common_simplified),
    ("cp932", _is_kana_or_common_kanji),
    ("big5", _is_common_traditional),
)
_NEEDED = {"cp949": 0.95, "cp932": 0.9, "euc_jp": 0.9, "gb18030": 0.85, "big5": 0.85}
_BROKEN = 0.1
_KANA_NEEDED = {"euc_jp": 0.15}


def _looks_east_asian(sample: bytes, name: str, is_common: _Common) -> bool:
    """Two bytes a character, nearly all of them frequent ones; Japanese also has its syllable signs.

    A few may be broken: the file is refused where they stand, rather than read as letters of one byte each.
    """
    text = sample.decode(name, "replace")
    broken = text.count("\ufffd")
    wide = [char for char in text if "\x7f" < char != "\ufffd"]
    if len(wide) < 2 or broken > _BROKEN * len(wide) or len(_LONE_IN_WORD.findall(text)) > 0.3 * len(wide):
        return False
    if _mostly_lone(sample) or (name != "cp932" and _is_one_alphabet(sample)):
        return False
    kana = sum(1 for char in wide if "\u3041" <= char <= "\u30fe")
    share = sum(1 for char in wide if is_common(char)) / len(wide)
    return share >= _NEEDED[name] and kana >= _KANA_NEEDED.get(name, 0.0) * len(wide)


def _is_one_alphabet(sample: bytes) -> bool:
    """Whether the bytes keep to where alphabets have their letters, as East Asian second bytes do not."""
    high = _HIGH.findall(sample)
    return sum(1 for byte in high if byte < b"\xc0") < 0.12 * len(high)


def _mostly_lone(sample: bytes) -> bool:
    """Whether most bytes beyond ASCII stand alone, as accented letters in Western words do."""
    together = sum(len(run) for run in _HIGH_RUN.findall(sample))
    return together < 0.5 * len(_HIGH.findall(sample))
