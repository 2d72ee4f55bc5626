"""Centrifugo itself, as the Go module proxy gives it away (``bench/install``), or the program that ``CENTRIFUGO`` names."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.contestants.centrifuge import Channels
from bench.contestants.venue import CACHE, Contestant, Secret
from bench.process import Process, child, free_port, wait_listening

_PROGRAM = os.environ.get("CENTRIFUGO", str(CACHE / "centrifugo"))


class _Channels(Channels):
    """Its tokens name channels in words of its own; the rest is as in its library."""

    @staticmethod
    def token(secret: Secret, client: int, room: str) -> str:
        return secret.sign({"sub": f"user-{client:06}", "channels": [room]})


@contextlib.contextmanager
def _run() -> Iterator[_Channels]:
    secret, port = Secret(), free_port()
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        settings, log = Path(name) / "config.json", Path(name) / "log"
        settings.write_text(json.dumps(_settings(port, secret)))
        command = [_PROGRAM, "--config", str(settings)]
        with child(command, {"GOMAXPROCS": "1"}, log) as process:
            wait_listening(process, port, log)
            yield _Channels(Process(process, port), secret)


def _settings(port: int, secret: Secret) -> dict[str, object]:
    return {
        "http_server": {"address": "127.0.0.1", "port": port},
        "client": {"token": {"hmac_secret_key": secret.text}},
        "channel": {"without_namespace": {"allow_publish_for_client": True}},
        "websocket": {"use_write_buffer_pool": True},
        "usage_stats": {"disabled": True},
        "log": {"level": "warn"},
    }


@functools.cache
def _version() -> str:
    """Return its version in its own words, such as ``Centrifugo v6.9.1 (Go version: go1.26.8)``."""
    return subprocess.run(
        [_PROGRAM, "version"], check=True, capture_output=True, text=True, timeout=30
    ).stdout.strip()


def _installed() -> bool:
    return shutil.which(_PROGRAM) is not None


CENTRIFUGO = Contestant(
    "Centrifugo",
    "JSON protocol, memory engine, GOMAXPROCS=1, pooled write buffers, no compression; no history, not acknowledged",
    _run,
    _installed,
    _version,
)
