"""HTML taken apart into tags and texts, piece by piece and in time that grows only with its length.

The standard library's parser needs hours for a megabyte of ``<a `` (Python 3.11); here each letter is looked at a
bounded number of times, and nothing is ever loaded or run.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST_TAG = 1 << 20
LONGEST_STYLE = 1 << 20
_TAG = re.compile(
    r"""<(/?)([A-Za-z][^\s/>]*)((?>=\s*"[^"]*"|=\s*'[^']*'|=(?!\s*["']|\s*\Z)|[^>=])*+)>""",
)
_ATTRIBUTE = re.compile(r"""([^\s=/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'][^\s]*)))?""")
_MAY_BE_TAG = re.compile(r"</?[A-Za-z]|</?\Z|<!|<\?")
_RAW = frozenset({"script", "style"})
_UNTIL = {end: re.compile(end, re.IGNORECASE) for end in ("-->", ">", "</script", "</style")}


class CutShort(ValueError):
    """The text ends within a tag, a comment or a script."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag with its name in small letters; ``written`` is what stands behind the name."""

    name: str
    is_end: bool
    written: str = ""

    def attributes(self) -> dict[str, str]:
        """Its attributes, names in small letters; the first of equals counts."""
        said: dict[str, str] = {}
        for name, *values in _ATTRIBUTE.findall(self.written):
            said.setdefault(name.lower(), html.unescape("".join(values)))
        return said


@dataclass(frozen=True, slots=True)
class Style:
    """What stands between ``<style>`` and ``</style>``, its first million letters."""

    text: str


def tokens(chunks: Iterable[str]) -> Iterator[str | Tag | Style]:
    """Tags, styles and the texts between them (character references as written) in their order."""
    tape = _Tape()
    for chunk in chunks:
        tape.rest += chunk
        yield from tape.taken(final=False)
    yield from tape.taken(final=True)


class _Tape:
    """The part of a text that is not yet told; ``_until`` is the end that is looked for, with what it closes."""

    def __init__(self) -> None:
        self.rest = ""
        self._until = ""
        self._style: list[str] | None = None
        self._style_length = 0

    def taken(self, *, final: bool) -> Iterator[str | Tag | Style]:
        text, at = self.rest, 0
        while at < len(text):
            if self._until:
                at = self._skipped(text, at)
                if self._until:
                    break
                yield from self._styled()
                continue
            start = text.find("<", at)
            if start < 0:
                yield text[at:]
                at = len(text)
                break
            if start > at:
                yield text[at:start]
                at = start
            if text.startswith(("<!", "<?"), at) and (final or len(text) - at >= 4):
                self._until = "-->" if text.startswith("<!--", at) else ">"
                at += 4 if self._until == "-->" else 2
                continue
            found = _TAG.match(text, at)
            if found is None and _MAY_BE_TAG.match(text, at):
                break
            if found is None:
                yield "<"
                at += 1
                continue
            at = found.end()
            yield from self._told(Tag(found[2].lower(), bool(found[1]), found[3]))
        self._keep(text[at:], final=final)

    def _told(self, tag: Tag) -> Iterator[Tag]:
        if tag.name in _RAW and not tag.is_end:
            self._until = f"</{tag.name}"
            self._style, self._style_length = ([], 0) if tag.name == "style" else (None, 0)
        else:
            yield tag

    def _skipped(self, text: str, at: int) -> int:
        """Where the reading goes on: behind what was looked for, or near the end when it is still to come."""
        seen = _UNTIL[self._until].search(text, at)
        found = seen.start() if seen else -1
        until = found if found >= 0 else max(at, len(text) - len(self._until) + 1)
        if self._style is not None and self._style_length < LONGEST_STYLE:
            self._style.append(text[at:until])
            self._style_length += until - at
        if found < 0:
            return until
        # The end of a script is a tag of its own, told next.
        found += 0 if self._until.startswith("</") else len(self._until)
        self._until = ""
        return found

    def _styled(self) -> Iterator[Style]:
        if self._style is not None:
            yield Style("".join(self._style))
        self._style = None

    def _keep(self, rest: str, *, final: bool) -> None:
        if final and (rest or self._until) and (self._until or len(rest) > 1):
            raise CutShort("the end of its last tag is missing")
        if len(rest) > LONGEST_TAG:
            raise ValueError("an endless tag")
        self.rest = rest
