"""nchan, a module of nginx, as Debian packages both; unpacked for the bench alone, and not installed (``bench/install``)."""

import base64
import contextlib
import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.contestants.venue import CACHE, ROOM, TOKEN_S, Contestant, Secret
from bench.load.client import upgrade
from bench.load.guest import Door, Speaker, Wire
from bench.process import Process, child, free_port, wait_listening

_NGINX = CACHE / "nchan/usr/sbin/nginx"
_MODULE = CACHE / "nchan/usr/lib/nginx/modules/ngx_nchan_module.so"
_SETTINGS = Path(__file__).with_name("nchan.conf")


class _Channels:
    """The channel stands in the address, signed as nginx's secure_link wants it; who was upgraded is inside."""

    wire = Wire()

    def __init__(self, process: Process, secret: Secret) -> None:
        self.process = process
        self._secret = secret

    def door(self, client: int, room: str) -> Door:
        return Door(upgrade(f"/listen?room={room}&client={client}&{self._signed('listen', room)}"))

    def speaker(self) -> Speaker:
        return Speaker(Door(upgrade(f"/say?{self._signed('say', ROOM)}")), self.wire)

    def _signed(self, what: str, room: str) -> str:
        until = int(time.time()) + TOKEN_S
        digest = hashlib.md5(f"{until} {what} {room} {self._secret.text}".encode()).digest()
        return f"signed={base64.urlsafe_b64encode(digest).decode().rstrip('=')}&until={until}"


@contextlib.contextmanager
def _run() -> Iterator[_Channels]:
    secret, port = Secret(), free_port()
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        folder, log = Path(name), Path(name) / "log"
        settings = folder / "nginx.conf"
        settings.write_text(_settings(folder, port, secret))
        # A worker of root's nginx is nobody, who must be let into the folder.
        folder.chmod(0o755)
        with child([str(_NGINX), "-p", name, "-c", str(settings)], {}, log) as process:
            wait_listening(process, port, log)
            yield _Channels(Process(process, port), secret)


def _settings(folder: Path, port: int, secret: Secret) -> str:
    text = _SETTINGS.read_text()
    filled = {
        "folder": folder,
        "module": _MODULE,
        "port": port,
        "secret": secret.text,
        "room": ROOM,
    }
    for name, value in filled.items():
        text = text.replace(f"@{name}@", str(value))
    return text


NCHAN = Contestant(
    "nchan",
    "nginx with one worker, messages in memory, no compression, addresses signed by MD5 (secure_link) instead of a JWT; "
    "a buffer of 100 messages, not acknowledged",
    _run,
    _MODULE.exists,
)
