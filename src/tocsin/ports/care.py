"""Looking after a store that lies in a data folder: copying it, and bringing a copy back.

Guarantee: a copy is one moment of the store, taken while a server writes on or while none runs; and a restored store is a
new life: every hub has a new epoch before anything can read it, so that no client takes it for the old one (I12).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

import msgspec

Progress = Callable[[str, float | None], None]
"""Told what is being done, and how much of it is (0 to 1; None where nobody knows)."""


class Finding(msgspec.Struct, frozen=True):
    """What one check found: ``fail`` must be mended, ``warn`` should be looked at; ``remedy`` says how."""

    check: str
    verdict: Literal["ok", "warn", "fail"]
    detail: str
    remedy: str | None = None


class FileSum(msgspec.Struct, frozen=True):
    """Size and SHA-256 (hex) of one file of a backup."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself.

    ``made_at`` is RFC 3339.  ``epochs`` are those of its hubs, by name; ``files`` are the sums by file name.
    """

    format: int
    version: str
    schema: str
    made_at: str
    epochs: Mapping[str, str]
    files: Mapping[str, FileSum]


class Restored(msgspec.Struct, frozen=True):
    """What a restore did: new epochs by hub, and how many alerts wait, are scheduled, or are dead."""

    manifest: Manifest
    epochs: Mapping[str, str]
    waiting: int
    scheduled: int
    dead: int


class StoreCare(Protocol):
    """What a running store can say of itself, and nobody else."""

    async def findings(self) -> Sequence[Finding]:
        """Tell whether what it answers is durable.

        Raises:
            UnavailableError: It takes no writes, so it cannot tell.
        """
        ...


class FolderCare(Protocol):
    """What can be done to a data folder, each call in the caller's thread and until it is done."""

    def examine(self, progress: Progress, *, low_water_bytes: int) -> Sequence[Finding]:
        """Look at the store, the folder and its disk, and change nothing; a server may be running on it.

        Never raises for what it looks at: that is a finding.
        """
        ...

    def back_up(self, archive: Path, progress: Progress, *, with_secrets: bool = True) -> Manifest:
        """Write one file, mode 0600, that a restore needs nothing else with; there was none of that name.

        ``with_secrets=False`` leaves out the key file that the sealed keys need.

        Raises:
            ConfigError: There is no store, the file exists, or it cannot be written; nothing is left of it.
        """
        ...

    def note_backup(self, archive: Path, outcome: str, *, with_secrets: bool) -> None:
        """Note in the audit log of a store that no server runs on that a backup is ``begun``, ``done``, or why not.

        Nothing is noted where there is no store, or one of another release: that is copied as it is.

        Raises:
            ConfigError: The folder is in use, or the store takes no writes.
        """
        ...

    def restore(
        self, archive: Path, progress: Progress, *, key_file: Path | None = None
    ) -> Restored:
        """Put a backup into the folder, which holds nothing yet.

        ``key_file`` is for a backup that was made without one.  The store appears last, whole, with its new epochs and the
        deed of the restore in its audit log; after a crash there is none.

        Raises:
            ConfigError: The folder is in use, or the archive is damaged, incomplete or of a newer release.
        """
        ...
