"""What the store stands on: the folder, who may read it, and its disk."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from tocsin.adapters.folder import modes
from tocsin.ports.care import Finding

_MOUNTS = Path("/proc/self/mountinfo")
# Locks and shared memory do not work there as SQLite needs them (https://sqlite.org/wal.html, section 1).
_NETWORK = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
        "virtiofs",
    ]
)


def look_around(folder: Path, low_water_bytes: int) -> Iterator[Finding]:
    """Look at a folder that exists."""
    yield modes(folder)
    yield _file_system(folder)
    yield _disk(folder, low_water_bytes)


def _file_system(folder: Path) -> Finding:
    if not _MOUNTS.exists():
        return Finding(
            "file system", "ok", f"not looked at: {sys.platform} does not tell which it is"
        )
    kind = file_system_of(folder.resolve(), _MOUNTS.read_text())
    if kind in _NETWORK or kind.startswith("fuse."):
        detail = f"{kind}: locks and shared memory may not work there, and the store may be damaged"
        return Finding("file system", "fail", detail, "put the data folder on a local disk")
    if kind in ("tmpfs", "ramfs"):
        return Finding("file system", "warn", f"{kind} is gone after a power cut", "use a disk")
    return Finding("file system", "ok", kind)


def file_system_of(folder: Path, mounts: str) -> str:
    """Return the type of the file system a folder is on, from the text of ``mountinfo`` (proc(5))."""
    kinds: dict[Path, str] = {}
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        # Spaces in a path are written as \\040; a later mount on a place hides an earlier one.
        place = fields.split(" ")[4].replace("\\040", " ")
        kinds[Path(place)] = rest.split(" ")[0]
    return next((kinds[place] for place in (folder, *folder.parents) if place in kinds), "unknown")


def _disk(folder: Path, low_water_bytes: int) -> Finding:
    free = shutil.disk_usage(folder).free
    detail = f"{free >> 20} MiB are free; publishing is refused below {low_water_bytes >> 20} MiB"
    if free < low_water_bytes:
        return Finding("disk", "fail", detail, "free some space: nothing is taken in")
    used = sum(file.stat().st_size for file in folder.iterdir())
    if free < low_water_bytes + used:
        detail += f", and the store has {used >> 20} MiB"
        return Finding("disk", "warn", detail, "free some space, or move to a larger disk")
    return Finding("disk", "ok", detail)
