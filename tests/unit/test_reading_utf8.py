"""Whether bytes are UTF-8, however they are cut: as Python's own decoder says it."""

from __future__ import annotations

import codecs

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.reading.utf8 import Utf8

letters = st.text(st.sampled_from("aé€😀\ufeff\x00")).map(str.encode)
pieces = st.lists(st.one_of(letters, st.binary(max_size=5)), max_size=4).map(b"".join)


@given(pieces, st.integers(1, 4))
@example(b"\xed\xa0\x80", 1)
@example(b"\xed\xa0", 4)
@example(b"\xe0\x80", 1)
@example(b"\xc0\x80", 2)
@example(b"\xf4\x90", 2)
@example(b"\xff", 1)
@example(b"a\x80", 1)
def test_pieces_of_any_length_are_judged_as_by_the_standard_decoder(text: bytes, length: int) -> None:
    decoder, utf8, valid, cut = codecs.getincrementaldecoder("utf-8")(), Utf8(), True, False
    try:
        decoder.decode(text)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as problem:
        valid = cut = problem.reason == "unexpected end of data"
    for at in range(0, len(text), length):
        utf8.look(text[at : at + length])
    assert (utf8.is_valid, utf8.is_cut) == (valid, cut)
