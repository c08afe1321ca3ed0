"""A dropped archive: each file in it is taken as if it had been dropped itself.

Safe against a crash at any point: the files are unpacked beside the claimed archive, whole or not at all, and then
given folders of their own under ``var/work``. Their links follow from the archive's, so that unpacking again finds
what is known already. The archive itself is put away when all of them have their folders.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import FileRefused
from pipeline.inbox import Left
from pipeline.intake.archives import archive_kind, unpack
from pipeline.intake.claim import COPYING, Claim, claim_unpacked, link_below
from pipeline.intake.folder import Dropped
from pipeline.ledger import batches as files
from pipeline.ledger.batches import Batch
from pipeline.pairs import partner_of, waits
from pipeline.project import Project

_STAGING = f"{COPYING}unpacked"
_NAMED = 20


def opened(project: Project, found: Claim, left: Left) -> list[Claim]:
    """The claim itself, and behind an archive the claims of what is in it; none where the disk has no room for them."""
    kind = archive_kind(found.path)
    if kind is None:
        return [found]
    from pipeline.take_in import begin

    batch = begin(project, found)
    if batch.state != "claimed":
        return [found]
    staging = found.path.parent / _STAGING
    shutil.rmtree(staging, ignore_errors=True)
    try:
        members = unpack(found.path, kind, staging)
    except FileRefused as refusal:
        shutil.rmtree(staging, ignore_errors=True)
        told = {"reason_code": refusal.code, "reason": refusal.message, "advice": refusal.advice}
        project.writer.write(lambda c: files.refuse(c, batch, told))
        return [found]
    except OSError as problem:
        shutil.rmtree(staging, ignore_errors=True)
        left.stuck = True
        left.remarks.append(
            f"{found.file_name} cannot be unpacked here now: {problem.strerror}. The next run tries again."
        )
        return []
    names = [member.name for member in members]
    claims = _claimed(project, found, members)
    shutil.rmtree(staging, ignore_errors=True)
    _write_down(project, batch, names)
    return [found, *claims]


def _claimed(project: Project, found: Claim, members: Sequence[Path]) -> list[Claim]:
    """Those of the members that the ledger does not know yet, each in a folder of its own."""
    links = [link_below(found.link, number) for number in range(len(members))]
    with project.engine.connect() as connection:
        known = files.by_link(connection, links)
    dropped = [Dropped(member, found.subfolder) for member in members]
    plan, work = project.plan, project.plan.settings.var / "work"
    waiting = {one.path: waits(plan, one, dropped) for one in dropped}
    claims = []
    for link, one in zip(links, dropped, strict=True):
        held = waiting[one.path]
        if link in known or (held is not None and not held.remark):  # its partner takes it along
            continue
        taken = claim_unpacked(one.path, link, found.subfolder, work, partner_of(plan, one))
        if taken is not None:
            claims.append(taken)
    return claims


def _write_down(project: Project, batch: Batch, names: Sequence[str]) -> None:
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    note = f"Unpacked: {listed}."
    project.writer.write(lambda c: files.change(c, batch.id, state="delivering", notes=[note]))
