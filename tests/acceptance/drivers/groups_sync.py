"""Microsoft's synchronous client in groups: ``groups_sync.py URL``; prints what came of each call, as one JSON object."""

import json
import sys
from collections.abc import Callable
from typing import Any

from azure.messaging.webpubsubclient import WebPubSubClient, WebPubSubClientCredential
from azure.messaging.webpubsubclient.models import (
    CallbackType,
    OnGroupDataMessageArgs,
    OpenClientError,
    SendMessageError,
    WebPubSubDataType,
)


def main() -> None:
    """Join, send, leave, and try what is not allowed."""
    heard: list[tuple[int, Any]] = []
    url = sys.argv[1]
    client = WebPubSubClient(WebPubSubClientCredential(lambda: url), message_retry_total=0)

    def took(event: OnGroupDataMessageArgs) -> None:
        data = event.data
        shown = list(bytes(data)) if isinstance(data, memoryview | bytes | bytearray) else data
        heard.append((event.sequence_id or 0, [event.group, str(event.data_type), shown]))

    def name(call: Callable[[], None]) -> str:
        try:
            call()
        except SendMessageError as error:
            return str(error.error_detail.name if error.error_detail else error)
        except OpenClientError:
            return "not opened"
        return "done"

    client.subscribe(CallbackType.GROUP_MESSAGE, took)
    connected = [client.is_connected()]
    client.open()
    connected.append(client.is_connected())
    client.join_group("ops")
    client.send_to_group("ops", "text", WebPubSubDataType.TEXT)
    client.send_to_group("ops", {"a": [1, None]}, WebPubSubDataType.JSON)
    client.send_to_group("ops", memoryview(b"\0\xff"), WebPubSubDataType.BINARY)
    client.send_to_group("ops", "unheard", WebPubSubDataType.TEXT, no_echo=True)
    client.send_to_group("ops", "last", WebPubSubDataType.TEXT, ack=False)
    client.send_to_group("ops", "again", WebPubSubDataType.TEXT, ack_id=1000)
    client.send_to_group("ops", "again", WebPubSubDataType.TEXT, ack_id=1000)
    client.unsubscribe(CallbackType.GROUP_MESSAGE, took)
    client.send_to_group("ops", "not listened to", WebPubSubDataType.TEXT)
    client.send_event("tocsin.token", url.partition("access_token=")[2], WebPubSubDataType.TEXT)
    client.leave_group("ops")
    client.send_to_group("ops", "after", WebPubSubDataType.TEXT)
    refused = {
        "open": name(WebPubSubClient(f"{url}x").open),
        "join": name(lambda: client.join_group("other")),
        "leave": name(lambda: client.leave_group("other")),
        "send": name(lambda: client.send_to_group("other", "x", WebPubSubDataType.TEXT)),
        "event": name(lambda: client.send_event("order", "x", WebPubSubDataType.TEXT)),
    }
    client.close()
    connected.append(client.is_connected())
    # It starts a thread for each message, so the order it tells them in means nothing.
    said = {"heard": [said for _, said in sorted(heard)], "connected": connected}
    print(json.dumps(said | {"refused": refused}))


main()
