"""What a run that was killed half way through a long file has written of it: nobody sees it, and it is taken away."""

from __future__ import annotations

from pipeline.ledger import batches as files
from pipeline.ledger.batches import Batch
from pipeline.project import Project


def clear_unfinished(project: Project) -> None:
    """After a start: files that were not taken in as a whole have nothing in the ledger but their claim."""
    with project.engine.connect() as connection:
        claimed = files.listed(connection, "claimed")
    for batch in claimed:
        clear_staged(project, batch)


def clear_staged(project: Project, batch: Batch) -> None:
    """Take away what was written of a file, a little at a time."""
    while True:
        with project.engine.connect() as connection:
            if not files.has_staged(connection, batch.id):
                return
        project.writer.write(lambda c: files.unstage(c, batch.id))
