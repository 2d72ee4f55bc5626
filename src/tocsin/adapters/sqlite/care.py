"""Looking after a data folder from outside, beside a running server or without one."""

from collections.abc import Sequence
from pathlib import Path

from tocsin.adapters.sqlite.audit import audit_store
from tocsin.adapters.sqlite.backup import back_up, note_at_rest
from tocsin.adapters.sqlite.folder import FILE
from tocsin.adapters.sqlite.restore import restore
from tocsin.adapters.sqlite.surroundings import look_around
from tocsin.clock import Clock, to_rfc3339
from tocsin.ports.audit import backup_deed
from tocsin.ports.care import Finding, Manifest, Progress, Restored


class SqliteCare:
    """One data folder; ``key_name`` is the file in it without which the sealed keys are lost."""

    def __init__(self, folder: Path, key_name: str, clock: Clock) -> None:
        self._folder = folder
        self._key_name = key_name
        self._clock = clock

    def examine(self, progress: Progress, *, low_water_bytes: int) -> Sequence[Finding]:
        """Look at the store, the folder and its disk, and change nothing."""
        findings = list(audit_store(self._folder / FILE, self._clock.now_us(), progress))
        if self._folder.is_dir():
            findings += look_around(self._folder, low_water_bytes)
        return findings

    def back_up(self, archive: Path, progress: Progress, *, with_secrets: bool = True) -> Manifest:
        """Write one file, mode 0600, that a restore needs nothing else with."""
        secrets = [self._folder / self._key_name] if with_secrets else []
        made_at = to_rfc3339(self._clock.now_us())
        return back_up(self._folder, archive, secrets, made_at, progress)

    def note_backup(self, archive: Path, outcome: str, *, with_secrets: bool) -> None:
        """Note a backup in the log of a store that no server runs on."""
        target = str(archive.absolute())
        now_us = self._clock.now_us()
        deed = backup_deed(target, outcome, with_key=with_secrets, now_us=now_us)
        note_at_rest(self._folder, deed)

    def restore(
        self, archive: Path, progress: Progress, *, key_file: Path | None = None
    ) -> Restored:
        """Put a backup into the folder, which holds nothing yet."""
        now_us = self._clock.now_us()
        return restore(self._folder, archive, self._key_name, key_file, now_us, progress)
