"""Is the watch ready to do its work? If not, why not."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from pathlib import Path

from pipeline.errors import LedgerError
from pipeline.ledger.vital_signs import prove_writable
from pipeline.ledger.writer import GroupWriter
from pipeline.monitor.vitals import Vitals

ROOM = 32 * 1024 * 1024
"""Bytes that must be free where the ledger lies."""
_PATIENCE = 5.0


class Readiness:
    """Asks the ledger for a write that changes nothing, looks at the disk, and whether the watch turns."""

    def __init__(self, writer: GroupWriter, folder: Path, vitals: Vitals) -> None:
        self._writer = writer
        self._folder = folder
        self._vitals = vitals
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ready")
        self._asked: Future[None] | None = None

    def problems(self) -> list[str]:
        """One sentence each; none: ready."""
        return [*self._ledger(), *self._disk(), *self._watch()]

    def close(self) -> None:
        """Ask no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _ledger(self) -> list[str]:
        if self._asked is None:
            self._asked = self._pool.submit(self._writer.write, prove_writable)
        try:
            self._asked.result(_PATIENCE)
        except TookTooLong:
            return [f"The ledger takes no write within {_PATIENCE:.0f} seconds."]
        except LedgerError as problem:
            self._asked = None
            return [str(problem)]
        self._asked = None
        return []

    def _disk(self) -> list[str]:
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as problem:
            return [f"{self._folder} cannot be looked at: {problem.strerror}."]
        return [f"The disk is full: {free} bytes are free in {self._folder}."] if free < ROOM else []

    def _watch(self) -> list[str]:
        told = []
        if self._vitals.stalled:
            told.append(f"The watch has not moved for {self._vitals.silence:.0f} seconds.")
        if self._vitals.settings_wrong is not None:
            told.append(self._vitals.settings_wrong)
        return told
