"""Microsoft's asynchronous client in groups: ``groups_aio.py URL``; prints what came of each call, as one JSON object."""

import asyncio
import json
import sys
from collections.abc import Awaitable
from typing import Any

from azure.messaging.webpubsubclient.aio import WebPubSubClient, WebPubSubClientCredential
from azure.messaging.webpubsubclient.models import (
    CallbackType,
    OnGroupDataMessageArgs,
    OpenClientError,
    SendMessageError,
    WebPubSubDataType,
)


async def name(call: Awaitable[None]) -> str:
    """Return what came of a call."""
    try:
        await call
    except SendMessageError as error:
        return str(error.error_detail.name if error.error_detail else error)
    except OpenClientError:
        return "not opened"
    return "done"


async def main() -> None:
    """Join, send, leave, and try what is not allowed."""
    heard: list[tuple[int, Any]] = []
    url = sys.argv[1]

    async def fetch_url() -> str:
        return url

    client = WebPubSubClient(WebPubSubClientCredential(fetch_url), message_retry_total=0)

    async def took(event: OnGroupDataMessageArgs) -> None:
        data = event.data
        shown = list(bytes(data)) if isinstance(data, memoryview | bytes | bytearray) else data
        heard.append((event.sequence_id or 0, [event.group, str(event.data_type), shown]))

    await client.subscribe(CallbackType.GROUP_MESSAGE, took)
    connected = [client.is_connected()]
    await client.open()
    connected.append(client.is_connected())
    await client.join_group("ops")
    await client.send_to_group("ops", "text", WebPubSubDataType.TEXT)
    await client.send_to_group("ops", {"a": [1, None]}, WebPubSubDataType.JSON)
    await client.send_to_group("ops", memoryview(b"\0\xff"), WebPubSubDataType.BINARY)
    await client.send_to_group("ops", "unheard", WebPubSubDataType.TEXT, no_echo=True)
    await client.send_to_group("ops", "last", WebPubSubDataType.TEXT, ack=False)
    await client.send_to_group("ops", "again", WebPubSubDataType.TEXT, ack_id=1000)
    await client.send_to_group("ops", "again", WebPubSubDataType.TEXT, ack_id=1000)
    await client.unsubscribe(CallbackType.GROUP_MESSAGE, took)
    await client.send_to_group("ops", "not listened to", WebPubSubDataType.TEXT)
    token = url.partition("access_token=")[2]
    await client.send_event("tocsin.token", token, WebPubSubDataType.TEXT)
    await client.leave_group("ops")
    await client.send_to_group("ops", "after", WebPubSubDataType.TEXT)
    refused = {
        "open": await name(WebPubSubClient(f"{url}x").open()),
        "join": await name(client.join_group("other")),
        "leave": await name(client.leave_group("other")),
        "send": await name(client.send_to_group("other", "x", WebPubSubDataType.TEXT)),
        "event": await name(client.send_event("order", "x", WebPubSubDataType.TEXT)),
    }
    await client.close()
    connected.append(client.is_connected())
    said = {"heard": [said for _, said in sorted(heard)], "connected": connected}
    print(json.dumps(said | {"refused": refused}))


asyncio.run(main())
