"""Limits of a machine, made for real: small disks, read-only folders, busy files. Only root can make them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _mount(*arguments: str | Path) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A disk of its own at ``folder``, as small as ``options`` of tmpfs say (``size=2m``, ``nr_inodes=100``)."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", options, "none", folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder cannot be written for as long as this lasts, not even by root."""
    _mount("--bind", folder, folder)
    subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def busy(file: Path) -> Iterator[None]:
    """The file can neither be moved nor removed: the kernel answers EBUSY, as another program's hold would."""
    _mount("--bind", file, file)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", file], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk to the last byte; returns the file to remove."""
    filler = folder / ".filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    return filler


def use_up_inodes(folder: Path) -> Path:
    """Make files until none can be made; returns the folder to remove."""
    many = folder / ".many"
    many.mkdir()
    try:
        for number in range(1_000_000):
            (many / str(number)).touch()
    except OSError:
        pass
    return many
