"""XML read as a stream by a parser that refuses document types, and what it complains about in words."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING
from xml.sax import ContentHandler, SAXException
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

from pipeline.errors import FileRefused
from pipeline.reading.blocks import TooLarge
from pipeline.reading.formats import BROKEN_ZIP
from pipeline.reading.refusals import damaged, readable, too_large_inside, unsafe

CHUNK = 1 << 16
LONGEST_TAG = 1 << 23
LONGEST_TEXT = 1 << 24
_DEEPEST = 100

if TYPE_CHECKING:
    Attributes = AttributesImpl[str]


class Part(ContentHandler):
    """Calls ``opened`` and ``closed`` with local names; text is gathered between ``listen`` and ``heard``."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self._gathered: list[str] | None = None
        self._length = 0

    def startElement(self, name: str, attrs: Attributes) -> None:  # noqa: N802 - the name xml.sax calls
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError("elements in elements without end")
        self.opened(name.rpartition(":")[2], {key.rpartition(":")[2]: value for key, value in attrs.items()})

    def endElement(self, name: str) -> None:  # noqa: N802 - the name xml.sax calls
        self.closed(name.rpartition(":")[2])
        self.depth -= 1

    def characters(self, content: str) -> None:
        if self._gathered is not None:
            self._gathered.append(content)
            self._length += len(content)
            if self._length > LONGEST_TEXT:
                raise ValueError("a text longer than any cell holds")

    def listen(self) -> None:
        self._gathered, self._length = [], 0

    def heard(self) -> str:
        text = "".join(self._gathered or ())
        self._gathered = None
        return text

    def opened(self, name: str, attrs: dict[str, str]) -> None:
        """An element begins; its attributes have local names too."""

    def closed(self, name: str) -> None:
        """An element ends."""


def fed(stream: IO[bytes], into: ContentHandler) -> Iterator[None]:
    """Parse XML piece by piece, giving way after each; blank lines before its first mark are passed over."""
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(into)
    unended, first = 0, True
    while chunk := stream.read(CHUNK):
        unended = unended + len(chunk) if b">" not in chunk else len(chunk) - chunk.rindex(b">")
        if unended > LONGEST_TAG:
            raise ValueError("an endless tag")
        parser.feed(chunk.lstrip() if first else chunk)
        first = False
        yield
    parser.close()
    yield


@contextmanager
def sound(path: Path) -> Iterator[None]:
    """Say in words what the ZIP and XML layers complain about."""
    try:
        with readable(path):
            yield
    except FileRefused:
        raise
    except DefusedXmlException:
        raise unsafe(path, "its XML declares a document type or entities, which no workbook needs") from None
    except SAXException as problem:
        raise damaged(path, f"its XML is broken ({_place(problem)})") from None
    except TooLarge:
        raise too_large_inside(path) from None
    except (*BROKEN_ZIP, IndexError, OverflowError, struct.error) as problem:
        detail = str(problem) if isinstance(problem, ValueError) else ""
        raise damaged(path, f"its parts do not fit together{f' ({detail})' if detail else ''}") from None


def _place(problem: SAXException) -> str:
    line = getattr(problem, "getLineNumber", lambda: None)()
    return f"line {line}: {problem.getMessage()}" if line else problem.getMessage()
