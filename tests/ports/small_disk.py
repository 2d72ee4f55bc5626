"""A disk of some megabytes that can be really full: a file system in memory, which one process has mounted for itself.

Others reach it through ``/proc``.  Root needs nothing else for it, and a user name spaces of users, which most systems have.
"""

import errno
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK = bytes(65_536)
_MOUNT = 'mount -t tmpfs -o "$0" tocsin-small-disk "$1" && shift && exec "$@"'
# Answers when the disk is there, and keeps it until its own standard input ends.
_HOLD = ("sh", "-c", "echo made; exec cat")


class SmallDisk:
    """One such disk; ``folder`` is where it is, for every process of ``owner`` and of root."""

    def __init__(self, holder: int, place: Path, owner: pwd.struct_passwd) -> None:
        self.folder = Path(f"/proc/{holder}/root{place}")
        self._ballast = self.folder / "ballast"
        self._holder = holder
        self._owner = owner

    @property
    def inside(self) -> tuple[str, ...]:
        """The command in front of a program that would not find it otherwise: SQLite takes links in paths apart by itself."""
        into = ("nsenter", "--mount", f"--target={self._holder}")
        return into if os.geteuid() == 0 else (*into, "--user", "--preserve-credentials")

    def make(self, name: str) -> Path:
        """Make a folder of the owner's on it."""
        made = self.folder / name
        made.mkdir(mode=0o700)
        os.chown(made, self._owner.pw_uid, self._owner.pw_gid)
        return made

    @contextmanager
    def filled(self) -> Iterator[None]:
        """Leave no room for a single page, for a while."""
        self._fill()
        try:
            yield
        finally:
            self._ballast.unlink()

    def _fill(self) -> None:
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(_CHUNK)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


@contextmanager
def small_disk(megabytes: int, owner: str = "") -> Iterator[SmallDisk | None]:
    """Mount one for this user, or for another one if this is root; None where neither may mount anything, as in many containers."""
    if shutil.which("unshare") is None:  # not Linux
        yield None
        return
    user = pwd.getpwnam(owner) if owner else pwd.getpwuid(os.geteuid())
    place = Path(tempfile.mkdtemp(prefix="tocsin-disk-"))
    try:
        with subprocess.Popen(  # its end closes what the holder waits for
            _holding(place, megabytes, user),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as holder:
            assert holder.stdout is not None
            is_made = holder.stdout.readline() == b"made\n"
            yield SmallDisk(holder.pid, place, user) if is_made else None
    finally:
        place.rmdir()


def _holding(place: Path, megabytes: int, user: pwd.struct_passwd) -> tuple[str, ...]:
    options = f"size={megabytes}m,mode=700"
    if os.geteuid() != 0:
        apart = ("unshare", "--user", "--map-root-user", "--mount")
        return (*apart, "sh", "-c", _MOUNT, options, str(place), *_HOLD)
    options += f",uid={user.pw_uid},gid={user.pw_gid}"
    # Only through a process of one's own may one look at what it has mounted.
    lent = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    return ("unshare", "--mount", "sh", "-c", _MOUNT, options, str(place), *lent, *_HOLD)
