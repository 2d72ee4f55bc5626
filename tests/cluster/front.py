"""What stands in front of a cluster, as an ingress does: one address, from which paths lead to the nodes that serve them."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Final

from tests.acceptance.tcp_proxy import Dial, Streams

_HEAD_END: Final = b"\r\n\r\n"
# What gateways serve (docs/operations.md); all else is for the nodes with the API.
_LIVE: Final = (b"/client/", b"/v1/inbox/stream", b"/api/")


def front_of(api: Sequence[int], gateways: Sequence[int]) -> Dial:
    """Lead each connection to the next port that takes it, by the path of its first request.

    Only that one request goes there: its sender is told to open another connection for the next.
    """
    live, asked = itertools.count(), itertools.count()

    async def dial(client: asyncio.StreamReader) -> Streams:
        try:
            head = await client.readuntil(_HEAD_END)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the client left") from error
        is_live = head.split(b" ", 2)[1].startswith(_LIVE)
        ports, turns = (gateways, live) if is_live else (api, asked)
        reader, writer = await _first_that_answers(ports, next(turns))
        writer.write(head if b"\r\nupgrade: " in head.lower() else _alone(head))
        return reader, writer

    return dial


def _alone(head: bytes) -> bytes:
    """Ask the server to close the connection after its answer."""
    request, *fields = head.removesuffix(_HEAD_END).split(b"\r\n")
    kept = [field for field in fields if not field.lower().startswith(b"connection:")]
    return b"\r\n".join([request, *kept, b"connection: close"]) + _HEAD_END


async def _first_that_answers(ports: Sequence[int], turn: int) -> Streams:
    for step in range(len(ports) - 1):
        try:
            return await asyncio.open_connection("127.0.0.1", ports[(turn + step) % len(ports)])
        except OSError:
            continue
    return await asyncio.open_connection("127.0.0.1", ports[(turn - 1) % len(ports)])
