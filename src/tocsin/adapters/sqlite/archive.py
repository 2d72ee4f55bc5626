"""A backup is one tar file, not compressed: its manifest first, then the database and the key file.

Everything in it is checked by the manifest before it is used; nothing in it names a path.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import msgspec

from tocsin.errors import ConfigError
from tocsin.ports.care import FileSum, Manifest, Progress

FORMAT = 1
_MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_SMALL = 1 << 16  # bytes of a manifest or a key file, at most


def sum_of(file: Path) -> FileSum:
    """Measure a file."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return FileSum(file.stat().st_size, digest)


def write_archive(archive: Path, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write an archive of mode 0600, down to the disk."""
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w") as tar:
            text = msgspec.json.format(msgspec.json.encode(manifest))
            tar.addfile(_member(_MANIFEST, len(text)), io.BytesIO(text))
            for name, file in files.items():
                with file.open("rb") as opened:
                    tar.addfile(_member(name, manifest.files[name].bytes), opened)
        raw.flush()
        os.fsync(raw.fileno())


class Archive:
    """An archive opened for reading; it has been looked through, and its manifest is understood."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {member.name: member for member in tar.getmembers() if member.isfile()}
        self.manifest = msgspec.json.decode(self._small(_MANIFEST), type=Manifest)
        if self.manifest.format != FORMAT:
            msg = f"its format is {self.manifest.format}, this release reads {FORMAT}"
            raise ValueError(msg)

    def read(self, name: str) -> bytes | None:
        """Return a small file, None if the archive has none of that name."""
        return self._checked(name, self._small(name)) if name in self.manifest.files else None

    def extract(self, name: str, target: Path, progress: Progress) -> None:
        """Write a file of mode 0600, down to the disk, and check it on the way."""
        wanted, digest, done = self.manifest.files[name], hashlib.sha256(), 0
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out, self._open(name) as opened:
            while chunk := opened.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
                done += len(chunk)
                progress("copying", done / max(1, wanted.bytes))
            out.flush()
            os.fsync(out.fileno())
        _compare(name, wanted, FileSum(done, digest.hexdigest()))

    def _small(self, name: str) -> bytes:
        with self._open(name) as opened:
            return opened.read(_SMALL)

    def _checked(self, name: str, content: bytes) -> bytes:
        found = FileSum(len(content), hashlib.sha256(content).hexdigest())
        _compare(name, self.manifest.files[name], found)
        return content

    def _open(self, name: str) -> IO[bytes]:
        opened = self._tar.extractfile(self._members[name]) if name in self._members else None
        if opened is None:
            msg = f"{name} is missing"
            raise ValueError(msg)
        return opened


def _compare(name: str, wanted: FileSum, found: FileSum) -> None:
    if wanted != found:
        msg = f"{name} has {found.bytes} bytes and SHA-256 {found.sha256[:12]}..., the manifest says {wanted.bytes} and {wanted.sha256[:12]}..."
        raise ValueError(msg)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def damaged(archive: Path, reason: object) -> ConfigError:
    """Return the error for an archive that cannot be used."""
    detail = f"{archive} is no backup that can be restored: {reason}; use another one"
    return ConfigError(detail, code="backup-damaged")
