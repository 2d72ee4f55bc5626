"""Runs Microsoft's asynchronous client: ``python_aio.py URL PROTOCOL``.

It tells what it experiences, one JSON object per line; any line on standard input stops it.
"""

import asyncio
import json
import sys

from azure.messaging.webpubsubclient.aio import WebPubSubClient
from azure.messaging.webpubsubclient.models import (
    CallbackType,
    OnConnectedArgs,
    OnDisconnectedArgs,
    OnServerDataMessageArgs,
    WebPubSubProtocolType,
)


def tell(event: str, **more: object) -> None:
    """Print one event."""
    print(json.dumps({"event": event, **more}), flush=True)


async def connected(event: OnConnectedArgs) -> None:
    """Tell of a new connection."""
    tell("connected", id=event.connection_id)


async def disconnected(event: OnDisconnectedArgs) -> None:
    """Tell of a connection that is given up."""
    tell("disconnected", id=event.connection_id)


async def message(event: OnServerDataMessageArgs) -> None:
    """Tell of a message."""
    tell("message", data=event.data, sequence=event.sequence_id)


async def main() -> None:
    """Connect and stay so; by itself the client would give up after three tries to connect anew."""
    client = WebPubSubClient(
        sys.argv[1],
        protocol_type=WebPubSubProtocolType(sys.argv[2]),
        reconnect_retry_total=60,
        reconnect_retry_backoff_max=1,
    )
    await client.subscribe(CallbackType.CONNECTED, connected)
    await client.subscribe(CallbackType.DISCONNECTED, disconnected)
    await client.subscribe(CallbackType.SERVER_MESSAGE, message)
    await client.open()
    await asyncio.to_thread(sys.stdin.readline)
    await client.close()


asyncio.run(main())
