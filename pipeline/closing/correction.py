"""A corrected errors workbook on its way back in: what is ours in it, and where each row came from.

People sort, filter, delete and add rows and columns, and save as CSV; so nothing here relies on a position.
Our columns are known by their header texts, a row's origin by the reference it carries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow.compute as pc
from msgspec import Struct

from pipeline.arrow import Texts, texts
from pipeline.closing.cells import CUT_MARK, PICTURE, restored
from pipeline.closing.reference import (
    ADVICE,
    PROBLEM,
    Origin,
    OurColumns,
    folded,
    our_columns,
    read_reference,
)
from pipeline.coded import Mask
from pipeline.model import Rejection
from pipeline.rows import Rows, as_mask, filled

__all__ = ["Correction", "Origin", "is_correction", "leftovers", "own_header", "split_correction"]


class Correction(Struct, frozen=True):
    """A block of a returned workbook without our columns.

    ``header`` and ``rows`` are the file's own columns, by position again; ``origins`` tells for each
    row number of the returned file where the row came from, ``None`` for a row a person added (or whose
    reference is damaged); ``broken`` names rows that cannot be taken as they stand.
    """

    header: tuple[str, ...]
    rows: Rows
    origins: Mapping[int, Origin | None]
    broken: tuple[Rejection, ...]


def is_correction(header: Sequence[str]) -> bool:
    """Whether the header is that of an errors workbook: the column of row references is there."""
    return our_columns(header) is not None


def own_header(header: Sequence[str]) -> tuple[str, ...]:
    """The file's own header texts, without our columns; the whole header when it is no correction."""
    ours = our_columns(header)
    return tuple(text for position, text in enumerate(header) if ours is None or position not in ours.all)


def leftovers(header: Sequence[str]) -> tuple[str, ...]:
    """Our columns in a workbook whose reference column was deleted: nothing reads them."""
    texts = [text for text in header if folded(text) in (folded(PROBLEM), folded(ADVICE))]
    return tuple(texts) if len(texts) == 2 and not is_correction(header) else ()


def split_correction(header: Sequence[str], rows: Rows) -> Correction:
    """Take our columns off a block of text rows; ``ValueError`` when the header is no correction's."""
    ours = our_columns(header)
    if ours is None:
        raise ValueError("no column of this header carries row references")
    kept = [position for position in range(len(header)) if position not in ours.all]
    own = Rows([_as_it_came(rows[position]) for position in kept], rows.numbers)
    own_texts = tuple(header[position] for position in kept)
    return Correction(
        own_texts,
        own,
        dict(zip(rows.numbers.tolist(), map(read_reference, rows[ours.reference].to_pylist()), strict=True)),
        (*_extra_cells(header, rows, ours), *_still_cut(own_texts, own)),
    )


def _as_it_came(column: Texts) -> Texts:
    """Control characters were made visible for people; whoever left one in gets it judged again."""
    shown = pc.any(pc.match_substring_regex(column, PICTURE)).as_py()
    return texts([*map(restored, column.to_pylist())]) if shown else column


def _extra_cells(header: Sequence[str], rows: Rows, ours: OurColumns) -> Iterator[Rejection]:
    """Cells beyond the file's own columns that nobody moved or emptied: what they hold would be lost."""
    for position in ours.extra:
        for row, value in _told(rows, position, filled(rows[position])):
            yield Rejection(
                row=row,
                column=header[position],
                value=value,
                code="too_many_cells",
                message=f"Row {row} still has '{value[:60]}' in '{header[position]}'.",
                advice="Put each cell of the row under the header it belongs to and empty the extra ones.",
            )


def _still_cut(header: Sequence[str], rows: Rows) -> Iterator[Rejection]:
    """Cells that were too long for the workbook and still bear its mark: the rest of the text is missing."""
    for position, name in enumerate(header):
        for row, value in _told(rows, position, as_mask(pc.ends_with(rows[position], CUT_MARK))):
            yield Rejection(
                row=row,
                column=name,
                value=value[:80],
                code="too_long",
                message=f"Row {row}, column '{name}': the text was too long for a cell and is still cut off.",
                advice="Shorten the text to what should be sent and take the mark at its end away.",
            )


def _told(rows: Rows, position: int, which: Mask) -> Iterator[tuple[int, str]]:
    """Number and text of some cells of a column."""
    places = np.flatnonzero(which)
    return zip(rows.numbers[places].tolist(), (rows[position][at].as_py() for at in places.tolist()), strict=True)
