"""Sample files as partners send them, mistakes included; people, firms and numbers in them are invented."""

from __future__ import annotations

from pathlib import Path

from pipeline.samples.stock_count import write_stock_count

_FILES = Path(__file__).parent / "files"
STOCK_COUNT = "stock_count_2026-01-05.xlsx"


def write_samples(inbox: Path) -> list[Path]:
    """Put one sample file for each starter mapping into a folder; gives their paths, sorted."""
    written = [inbox / STOCK_COUNT]
    write_stock_count(written[0])
    for source in _FILES.iterdir():
        if source.suffix in {".csv", ".tsv"}:
            written.append(inbox / source.name)
            written[-1].write_bytes(source.read_bytes())
    return sorted(written)
