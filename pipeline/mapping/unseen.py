"""Characters that nobody sees, and letters that were lost or garbled before the file came."""

from __future__ import annotations

import re
import unicodedata

from pipeline.reasons import Trouble

LOST = "\ufffd"
"""What a program writes where it could not read a letter."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_LINES = re.compile("\r\n|[\x85\u2028\u2029]")
_ANY_SPACE = re.compile("[^\\S\n\r\t\x85\u2028\u2029]")
# Marks of direction, joints without width, hyphens that only show at the end of a line. Emoji and some scripts need
# U+200C and U+200D, so those stay in a text.
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_JOINTS = re.compile("[\u200c\u200d]")
_SOFT_HYPHEN = "\u00ad"
_FIRST = "[\u00c2-\u00f4]"
_BEHIND = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
GARBLED = f"{_FIRST}{_BEHIND}"
"""Two letters as UTF-8 leaves them when it is read as an older encoding: ``Ã¼``."""
_GARBLED = re.compile(GARBLED)


def without_unseen(text: str, *, identifies: bool) -> str | Trouble:
    """The text as a person sees it, or what is wrong with it; for texts that are not all printable ASCII.

    Identifiers that differ only in what nobody sees (blanks of another kind, letters made of two characters) are the
    same. A soft hyphen in it may have been meant as a hyphen, so nobody knows.
    """
    if found := _CONTROL.search(text):
        return Trouble("control_character", {"character": f"U+{ord(found[0]):04X}"})
    if LOST in text:
        return Trouble("lost_letter")
    if _GARBLED.search(text) and (likely := _ungarbled(text)) is not None:
        return Trouble("garbled_text", {"likely": likely})
    if identifies:
        if _SOFT_HYPHEN in text:
            return Trouble("control_character", {"character": "U+00AD, a soft hyphen"})
        text = unicodedata.normalize("NFC", _ANY_SPACE.sub(" ", _JOINTS.sub("", text)))
    return _UNSEEN.sub("", _LINES.sub("\n", text))


def _ungarbled(text: str) -> str | None:
    """The text whose bytes were read in the wrong encoding, ``None`` where these are no such bytes."""
    try:
        meant = b"".join(map(_byte, text)).decode("utf-8")
    except UnicodeError:
        return None
    return meant if all(map(_is_usual, meant)) else None


def _byte(char: str) -> bytes:
    """The byte that cp1252 reads as the character; the five it does not know are passed on by most programs."""
    return char.encode("latin-1") if char < "\u00a0" else char.encode("cp1252")


def _is_usual(char: str) -> bool:
    """Whether the character may stand in a text that was garbled; ``Spaß“`` gives one that may not."""
    if char.isascii() or char >= "\u0800":
        return True
    return unicodedata.name(char, "?").startswith(("LATIN", "CYRILLIC", "GREEK")) or "\u00a0" <= char < "\u0180"
