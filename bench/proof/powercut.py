"""A power cut: what the ledger was not told to sync is gone.

A small library, compiled on the spot and loaded before all others, keeps a copy of a ledger file each time it is
synced. After a kill the copies take the place of the files: a disk that kept exactly what was synced and nothing else.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void keep(int fd) {
    char link[64], path[3800], kept[4096], half[4100], piece[65536];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    if (strstr(path, "ledger.db") == NULL) return;
    snprintf(kept, sizeof kept, "%s.synced", path);
    snprintf(half, sizeof half, "%s.new", kept);
    int out = open(half, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0) return;
    off_t at = 0;
    ssize_t got;
    while ((got = pread(fd, piece, sizeof piece, at)) > 0) {
        if (write(out, piece, got) != got) break;
        at += got;
    }
    close(out);
    rename(half, kept);
}

int fsync(int fd) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, "fsync");
    int result = real(fd);
    keep(fd);
    return result;
}

int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
    int result = real(fd);
    keep(fd);
    return result;
}
"""


def build(folder: Path) -> Path | None:
    """The library to preload, or ``None`` where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    source, library = folder / "keep_synced.c", folder / "keep_synced.so"
    source.write_text(SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    return library


def cut(var: Path) -> None:
    """Put the ledger below ``var`` back to what was synced; what never was, is gone."""
    for name in ("ledger.db", "ledger.db-wal"):
        path, kept = var / name, var / f"{name}.synced"
        if path.exists():
            shutil.copyfile(kept, path) if kept.exists() else path.unlink()
    (var / "ledger.db-shm").unlink(missing_ok=True)
