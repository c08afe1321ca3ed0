"""A small helping of the fuzzing of ``bench/reading``: damaged files, and texts made up by hypothesis."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "bench" / "reading"))

from fuzz import Outcome, fuzz, own_seeds, read_twice

PIECES = st.sampled_from(
    [
        '"',
        '""',
        "'",
        ",",
        ";",
        "\t",
        "|",
        "||",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\\",
        "a",
        "1,5",
        "é",
        "id",
        "Total",
        "\ufeff",
        "\x0b",
    ]
)


def test_damaged_files_are_read_twice_alike_or_refused_in_words() -> None:
    outcome = fuzz(150, 7, own_seeds(), told=lambda _: None)
    assert outcome.failures == []
    assert outcome.codes["read"] > 20
    assert len(outcome.codes) > 4


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made-up") / "x.csv"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=60))
def test_made_up_texts_are_read_twice_alike_or_refused_in_words(place: Path, pieces: list[str]) -> None:
    place.write_bytes("".join(pieces).encode())
    read_twice(place, Outcome())
