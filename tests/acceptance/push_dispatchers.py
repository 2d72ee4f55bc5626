"""Dispatchers to be killed: ``python -m tests.acceptance.push_dispatchers FOLDER ORIGIN USERS``.

For each number on standard input a child is forked that takes the data folder, delivers all alerts up to that number to
every user (those that were delivered are dropped), and pushes until it is killed.  Its process id is written first.
"""

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from tocsin.adapters.outbound.client import OutboundClient
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.adapters.webpush.provider import WebPush
from tocsin.api.seal import open_seal
from tocsin.clock import SystemClock
from tocsin.config import Outbound, Push
from tocsin.inbox.recorder import Recorder
from tocsin.model.alert import Audience, Envelope
from tocsin.push.dispatcher import Dispatcher
from tocsin.push.gate import Gate
from tocsin.push.storm import StormGuard
from tocsin.push.vapid import VapidRing
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics, configure_logging

_CONTENT = msgspec.Raw(b'{"source":"s","title":"Fire","severity":"info","created_at":""}')


async def push(folder: Path, host: str, users: list[str], last: int) -> None:
    """Deliver and push until killed."""
    clock, metrics, supervisor = SystemClock(), Metrics(), Supervisor()
    store = await SqliteStore.open(folder, clock)
    vapid = VapidRing(store.vapid_keys, store.devices, open_seal(folder), clock)
    await vapid.load()
    allowed = Outbound.model_validate({"allow": ["127.0.0.1"]})
    provider = WebPush(
        OutboundClient(allowed, metrics),
        vapid,
        clock,
        subject="mailto:ops@example.org",
        topic_secret=b"secret",
        hosts=[host],
    )
    dispatcher = Dispatcher(
        pushes=store.pushes,
        providers={"webpush": provider},
        gate=Gate(lambda _hub, _user: False, store.preferences, StormGuard(1_000_000, 1)),
        recorder=Recorder(store.receipts, {}, frozenset({"pushed"}), store.pushes, metrics),
        clock=clock,
        supervisor=supervisor,
        metrics=metrics,
        settings=Push(),
    )
    for number in range(last + 1):
        told = Envelope(f"a{number}", "default", "k", Audience(tuple(users)), _CONTENT, number)
        await store.deliver([told])
    await dispatcher.run()


def main(folder: Path, host: str, users: list[str]) -> None:
    """Fork a child for each line; only one lives at a time."""
    configure_logging("json")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(push(folder, host, users, int(line)))
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3].split(","))
