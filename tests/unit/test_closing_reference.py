"""A row reference survives what people do to it, or is seen to be damaged."""

import pytest

from pipeline.closing.reference import Origin, our_columns, our_headers, read_reference, write_reference

OURS = ("Problem", "What to do", "Row reference (leave as it is)")


def test_a_reference_leads_back_to_batch_and_row() -> None:
    assert read_reference(write_reference("k3x9q2ab", 17)) == Origin("k3x9q2ab", 17)


def test_links_may_hold_dashes_and_digits_that_look_like_rows() -> None:
    assert read_reference(f" {write_reference('a-1-2_b', 3)}\n") == Origin("a-1-2_b", 3)


@pytest.mark.parametrize("position", range(len(write_reference("k3x9q2ab", 1204))))
@pytest.mark.parametrize("slip", ["", "7", "q"])
def test_a_slip_of_the_hand_is_seen(position: int, slip: str) -> None:
    reference = write_reference("k3x9q2ab", 1204)
    damaged = reference[:position] + slip + reference[position + 1 :]
    assert read_reference(damaged) is None or damaged == reference


@pytest.mark.parametrize("text", ["", "17", "OD1-", "OD1-x-99999999999-aaaa", "=OD1-k3x9q2ab-17-aaaa", "\x00"])
def test_nonsense_is_no_reference(text: str) -> None:
    assert read_reference(text) is None


def test_every_row_of_a_long_file_has_a_reference_of_its_own() -> None:
    assert len({write_reference("k3x9q2ab", row) for row in range(2, 5000)}) == 4998


@pytest.mark.parametrize("link", ["", "a b", "ä", "x" * 65])
def test_a_link_that_could_not_be_read_back_is_not_written(link: str) -> None:
    with pytest.raises(ValueError, match="batch link"):
        write_reference(link, 2)


def test_our_headers_stand_plain_where_nothing_clashes() -> None:
    assert our_headers(("Order #", "Qty")) == OURS


@pytest.mark.parametrize(
    ("own", "number"),
    [
        (("problem ",), 2),
        (("What  to do",), 2),
        (("Problem [2]",), 3),
        (OURS, 2),
        (("Problem", OURS[2] + " [7]"), 8),
    ],
)
def test_ours_are_told_apart_from_the_files_own(own: tuple[str, ...], number: int) -> None:
    ours = our_headers(own)
    assert ours == tuple(f"{text} [{number}]" for text in OURS)
    found = our_columns((*own, *ours))
    assert found is not None
    assert found.all == {len(own), len(own) + 1, len(own) + 2}


def test_extra_cells_have_headers_of_their_own() -> None:
    header = ("A", *our_headers(("A",), extra_cells=2))
    assert header == ("A", "Extra cell 1", "Extra cell 2", *OURS)
    found = our_columns(header)
    assert found is not None
    assert (found.extra, found.words, found.reference) == ((1, 2), (3, 4), 5)


def test_a_header_with_an_absurd_number_is_just_a_header() -> None:
    assert our_columns((f"Row reference (leave as it is) [{'9' * 5000}]",)) is None
