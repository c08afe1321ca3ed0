"""How well files are read, measured with the field's own tests: ``make reading``.

    python bench/reading/scores.py [--collections DIR] [--source FILE] [--details]

``DIR`` (or ORDERDROP_COLLECTIONS) holds copies of public repositories under their own names: ``Pollock``
(HPI-Information-Systems), ``CSVsniffer`` (ws-garcia), ``csv-spectrum`` (max-mapper). ``FILE`` (or
ORDERDROP_EXPORTS/benchmark_source/…) is Pollock's source file. What is absent is said to be absent. Ends with 1 when a
measured score misses its target.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import mean

import displayed
from dialects import SETS, judged
from feeding import Feed
from keep import kept
from measures import points
from pollution import Polluted, polluted_files

_READ_AS_WRITTEN = "file_quotation_char_0x27.csv"
"""Its quote marks are apostrophes, but marks inside are doubled double ones: `48""` is what the cell says."""
_CONTRADICTS_ITSELF = "location_coordinates.csv"
"""Its records have another telephone number than its rows."""
ROOT = Path(__file__).resolve().parents[2]
TARGETS = {
    "Pollock, simple": 9.961, "Pollock, weighted": 9.599, "Pollock's real files": 9.015, "Dialects, all sets": 0.97,
    **dict.fromkeys(SETS, 0.97),
    "csv-spectrum": 1.0, "Excel, displayed text": 1.0,
}  # fmt: skip


class Board:
    """Scores as they come in, and whether each reached its target."""

    def __init__(self, *, details: bool) -> None:
        self.details = details
        self.missed: list[str] = []

    def score(self, name: str, value: float, note: str) -> None:
        """Print one score; one below its target is remembered."""
        target = TARGETS.get(name)
        below = target is not None and value < target
        wanted = f" (target {target:g})" if target is not None else ""
        print(f"{name:28} {value:8.4f}{wanted}{'  MISSED' if below else ''}  {note}")
        if below:
            self.missed.append(name)

    def exactly(self, name: str, found: int, wanted: int, note: str) -> None:
        """Print a count that has to be exactly so."""
        print(f"{name:28} {found:8}{'' if found == wanted else '  MISSED'}  {note}")
        if found != wanted:
            self.missed.append(name)

    def absent(self, name: str, what: str) -> None:
        """Say what could not be measured."""
        print(f"{name:28}   absent  {what}")

    def detail(self, lines: Iterable[str]) -> None:
        """Print what lies behind a score, when asked to."""
        if self.details:
            print(*(f"    {line}" for line in lines), sep="\n")


def main() -> int:
    """Measure what is there; the exit code tells whether every measured target was reached."""
    options = _options()
    board = Board(details=options.details)
    _pollock(board, options.source, options.collections / "Pollock")
    _real_files(board, options.collections / "Pollock/survey_sample")
    _dialects(board, options.collections / "CSVsniffer")
    _spectrum(board, options.collections / "csv-spectrum")
    displayed.measure(board)
    return 1 if board.missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Reading, measured with the field's own tests")
    exports = Path(os.environ.get("ORDERDROP_EXPORTS", ROOT / "../shared/data/exports"))
    source = exports / "benchmark_source/HPI-Information-Systems__pollock_source.csv"
    parser.add_argument("--source", type=Path, default=source)
    parser.add_argument(
        "--collections", type=Path, default=Path(os.environ.get("ORDERDROP_COLLECTIONS", "collections"))
    )
    parser.add_argument("--details", action="store_true", help="also list what lies behind each score")
    return parser.parse_args()


# --- Pollock ---------------------------------------------------------------------------------------------------------


def _pollock(board: Board, source: Path, published: Path) -> None:
    if not source.is_file():
        board.absent("Pollock", f"its source file, looked for at {source.name}; --source names it")
        return
    scored: list[tuple[Polluted, float]] = []
    with tempfile.TemporaryDirectory() as folder, Feed() as feed:
        for polluted in polluted_files(source):
            path = Path(folder) / polluted.name
            path.write_bytes(polluted.content)
            scored.append((polluted, points(polluted.clean, kept(path))))
            if polluted.name != _READ_AS_WRITTEN:
                feed.take(path, polluted)
            path.unlink()
    whole = sum(polluted.weight for polluted, _ in scored)
    told = f"{len(scored)} files{_compared((polluted for polluted, _ in scored), published)}"
    board.score("Pollock, simple", mean(value for _, value in scored), told)
    board.score("Pollock, weighted", sum(p.weight * value for p, value in scored) / whole, "weights of its survey")
    fed = feed.fed
    told = f"of {fed.accepted:,} rows a stock feed accepted from them; {fed.refused} files were refused"
    board.exactly("Broken rows that went out", fed.wrong, 0, told)
    board.detail(fed.examples)
    board.detail(_groups(scored))


def _compared(made: Iterable[Polluted], published: Path) -> str:
    """How many of the files made here are, line ends aside, the published ones."""
    folder = published / "polluted_files/csv"
    if not folder.is_dir():
        return "; the published files are absent"
    same = sum(1 for one in made if (folder / one.name).is_file() and _same(one.content, folder / one.name))
    return f", {same} of them byte for byte the published ones (line ends aside)"


def _same(content: bytes, path: Path) -> bool:
    return content.replace(b"\r\n", b"\n") == path.read_bytes().replace(b"\r\n", b"\n")


def _groups(scored: Iterable[tuple[Polluted, float]]) -> Iterator[str]:
    groups: dict[str, list[float]] = defaultdict(list)
    for polluted, value in scored:
        single = polluted.name.startswith("file") or polluted.name == "source.csv"
        groups[polluted.name if single else polluted.name.rstrip("0123456789x_.csvolrw")[:17]].append(value)
    return (f"{mean(values):7.4f}  {name} ({len(values)})" for name, values in groups.items() if mean(values) < 9.9995)


def _real_files(board: Board, sample: Path) -> None:
    """The hundred real files of Pollock's survey that were cleaned by hand."""
    if not (sample / "csv").is_dir():
        board.absent("Pollock's real files", "survey_sample of HPI-Information-Systems/Pollock")
        return
    csv.field_size_limit(1 << 30)
    scored = []
    for path in sorted((sample / "csv").iterdir()):
        clean = sample / "clean" / path.name
        if clean.is_file():
            with clean.open(encoding="utf-8-sig", newline="") as stream:
                scored.append((points(list(csv.reader(stream)), kept(path)), path.name))
    board.score("Pollock's real files", mean(value for value, _ in scored), f"{len(scored)} of 100 are present")
    board.detail(f"{value:7.4f}  {name}" for value, name in sorted(scored) if value < 9)


# --- dialects, csv-spectrum ------------------------------------------------------------------------------------------


def _dialects(board: Board, collection: Path) -> None:
    if not (collection / "python/ground truth").is_dir():
        board.absent("Dialects", "ws-garcia/CSVsniffer, with the annotated files of CleverCSV and W3C CSVW")
        return
    verdicts = {title: list(judged(collection, title)) for title in SETS}
    for title, found in verdicts.items():
        right = sum(1 for verdict in found if verdict.outcome == "right")
        refused = sum(1 for verdict in found if verdict.outcome not in {"right", "wrong"})
        board.score(title, right / len(found), f"{len(found)} files, {refused} refused rather than guessed")
        board.detail(f"{one.outcome}: {one.name} {one.detail}" for one in found if one.outcome != "right")
    every = [verdict for found in verdicts.values() for verdict in found]
    right = sum(1 for verdict in every if verdict.outcome == "right")
    board.score("Dialects, all sets", right / len(every), f"{len(every)} files")


def _spectrum(board: Board, collection: Path) -> None:
    """Max Ogden's cases: each file with the records it holds, as JSON."""
    cases = sorted(path for path in (collection / "csvs").glob("*.csv") if path.name != _CONTRADICTS_ITSELF)
    if not cases:
        board.absent("csv-spectrum", "max-mapper/csv-spectrum")
        return
    wrong = [path.name for path in cases if not _spectrum_right(path, collection / f"json/{path.stem}.json")]
    board.score("csv-spectrum", 1 - len(wrong) / len(cases), f"{len(cases)} cases")
    board.detail(wrong)


def _spectrum_right(path: Path, truth: Path) -> bool:
    header, *rows = kept(path) or [[]]
    # A checkout may have changed the line ends of the files, and those inside their cells with them.
    read = [{name: cell.replace("\r\n", "\n") for name, cell in zip(header, row, strict=True)} for row in rows]
    return read == json.loads(truth.read_text("utf-8").replace("\\r\\n", "\\n"))


if __name__ == "__main__":
    sys.exit(main())
