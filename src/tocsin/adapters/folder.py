"""The data folder: who may open it, and how full its disk is."""

import fcntl
import os
import shutil
import stat
from pathlib import Path

from tocsin.errors import ConfigError, UnavailableError
from tocsin.ports.care import Finding

LOCK = "lock"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class DataFolder:
    """A data folder held by this process alone, until ``release``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = hold(path)

    def free_bytes(self) -> int:
        """Return how much the disk can still take."""
        return shutil.disk_usage(self.path).free

    def check_room(self, low_water_bytes: int) -> None:
        """Refuse what is new while there is room to finish what was accepted.

        Raises:
            UnavailableError: the disk has less than the low-water mark left.
        """
        free = self.free_bytes()
        if free < low_water_bytes:
            detail = (
                f"the disk of {self.path} has {free >> 20} MiB left, below the low-water mark of "
                f"{low_water_bytes >> 20} MiB; nothing was stored. Free some space"
            )
            raise UnavailableError(detail, code="disk-full")

    def release(self) -> None:
        """Let another process have the folder; doing it again does nothing."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable, as an fsync of the files does not."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hold(path: Path) -> int:
    """Make the folder and take its lock, which the system drops when this process ends, however it ends.

    Raises:
        ConfigError: The folder cannot be used, or another process holds it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        detail = f"the data folder {path} cannot be used: {error.strerror}"
        raise ConfigError(detail, code="data-folder-unusable") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        detail = (
            f"the data folder {path} is held by another Tocsin process; stop that one first, "
            "or name another folder with --data-dir"
        )
        raise ConfigError(detail, code="data-folder-locked") from error
    return lock


def modes(folder: Path) -> Finding:
    """Nobody but the owner may read any file here, but for the lock, which says nothing."""
    files = [folder, *sorted(entry for entry in folder.iterdir() if entry.name != LOCK)]
    for file in files:
        found = file.stat()
        mode = stat.S_IMODE(found.st_mode)
        if found.st_uid != os.getuid():
            remedy = "run Tocsin and its commands as that user, or change the owner"
            detail = f"{file} belongs to the user {found.st_uid}, and this is {os.getuid()}"
            return Finding("modes", "warn", detail, remedy)
        if mode & _OTHERS and file != folder:
            detail = f"{file} has mode {mode:04o}, so others may use it"
            return Finding("modes", "fail", detail, f"chmod {mode & ~_OTHERS:o} {file}")
        if mode & _OTHERS:
            detail = f"{file} has mode {mode:04o}, so others see what is in it"
            return Finding("modes", "warn", detail, f"chmod {mode & ~_OTHERS:o} {file}")
    return Finding("modes", "ok", "only the owner may read the folder and its files")
