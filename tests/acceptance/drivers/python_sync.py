"""Runs Microsoft's synchronous client: ``python_sync.py URL PROTOCOL``.

It tells what it experiences, one JSON object per line; any line on standard input stops it.
"""

import json
import sys

from azure.messaging.webpubsubclient import WebPubSubClient
from azure.messaging.webpubsubclient.models import (
    CallbackType,
    OnServerDataMessageArgs,
    WebPubSubProtocolType,
)


def tell(event: str, **more: object) -> None:
    """Print one event, in one write: the client calls from many threads."""
    sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
    sys.stdout.flush()


def message(event: OnServerDataMessageArgs) -> None:
    """Tell of a message."""
    tell("message", data=event.data, sequence=event.sequence_id)


def main() -> None:
    """Connect and stay so; by itself the client would give up after three tries to connect anew."""
    client = WebPubSubClient(
        sys.argv[1],
        protocol_type=WebPubSubProtocolType(sys.argv[2]),
        reconnect_retry_total=60,
        reconnect_retry_backoff_max=1,
    )
    client.subscribe(CallbackType.CONNECTED, lambda e: tell("connected", id=e.connection_id))
    client.subscribe(CallbackType.DISCONNECTED, lambda e: tell("disconnected", id=e.connection_id))
    client.subscribe(CallbackType.SERVER_MESSAGE, message)
    client.open()
    sys.stdin.readline()
    client.close()


main()
