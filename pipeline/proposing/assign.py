"""The best total assignment of columns to fields: each field at most one column, each column at most one field."""

from __future__ import annotations

from collections.abc import Mapping

_SHARPNESS = 3  # one sure match counts more than two doubtful ones


def best_assignment(scores: Mapping[tuple[int, str], float]) -> dict[int, str]:
    """Field by column for scores between 0 and 1 by (column, field); pairs that are not there are never made."""
    columns = sorted({column for column, _ in scores})
    fields = sorted({field for _, field in scores})
    if not columns:
        return {}
    # Every column may also stay alone: one empty place per column at no gain.
    gains = [[scores.get((c, f), 0.0) ** _SHARPNESS for f in fields] + [0.0] * len(columns) for c in columns]
    chosen = _hungarian([[-gain for gain in row] for row in gains])
    pairs = {columns[row]: fields[at] for row, at in enumerate(chosen) if at < len(fields)}
    return {column: field for column, field in pairs.items() if (column, field) in scores}


def _hungarian(costs: list[list[float]]) -> list[int]:
    """The column of each row with the least total cost (Kuhn-Munkres with potentials, rows <= columns)."""
    width = len(costs[0])
    row_of = [-1] * (width + 1)  # place ``width`` is where the row under way starts
    row_potential, potential = [0.0] * len(costs), [0.0] * (width + 1)
    for row in range(len(costs)):
        row_of[width] = row
        _augment(costs, row_of, row_potential, potential)
    chosen = [0] * len(costs)
    for at in range(width):
        if row_of[at] >= 0:
            chosen[row_of[at]] = at
    return chosen


def _augment(costs: list[list[float]], row_of: list[int], rows: list[float], columns: list[float]) -> None:
    """Give one more row its place, moving others along the cheapest path."""
    width = len(costs[0])
    slack, came, seen = [float("inf")] * width, [width] * width, [False] * (width + 1)
    at = width
    while row_of[at] >= 0:
        seen[at] = True
        row = row_of[at]
        for other in range(width):
            reduced = costs[row][other] - rows[row] - columns[other]
            if not seen[other] and reduced < slack[other]:
                slack[other], came[other] = reduced, at
        nearest = min((o for o in range(width) if not seen[o]), key=slack.__getitem__)
        _shift(slack[nearest], seen, slack, row_of, rows, columns)
        at = nearest
    while at != width:
        row_of[at], at = row_of[came[at]], came[at]


def _shift(
    delta: float, seen: list[bool], slack: list[float], row_of: list[int], rows: list[float], columns: list[float]
) -> None:
    for at, visited in enumerate(seen):
        if visited:
            rows[row_of[at]] += delta
            columns[at] -= delta
        elif at < len(slack):
            slack[at] -= delta
