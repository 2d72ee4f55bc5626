"""What the tests of push providers share: a way out to the stand-ins, keys, and pushes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tests.push_services.receiving import CURVE, encode, point_of
from tocsin.adapters.outbound.client import OutboundClient
from tocsin.config import Outbound as Settings
from tocsin.model.alert import Content
from tocsin.model.device import Channel
from tocsin.ports.push import Push, VapidKey
from tocsin.push.payloads import Notice, web_push_payload
from tocsin.telemetry import Metrics

ALERT, ITEM = "01994ea4-0000-7000-8000-000000000001", "01994ea4-0000-7000-8000-000000000002"
TITLE = "Invoice 7 was paid"


def vapid_key(key_id: str, private: ec.EllipticCurvePrivateKey | None = None) -> VapidKey:
    """Make a key pair."""
    pair = private or ec.generate_private_key(CURVE)
    number = pair.private_numbers().private_value
    return VapidKey(key_id, number.to_bytes(32), encode(point_of(pair)))


class Keys:
    """The valid key pairs."""

    def __init__(self, *ids: str) -> None:
        self.valid = {one: vapid_key(one) for one in ids}

    def vapid_key(self, key_id: str) -> VapidKey | None:
        return self.valid.get(key_id)


@asynccontextmanager
async def way_out(**settings: Any) -> AsyncIterator[OutboundClient]:
    """Open the guarded client; the stand-ins may be called, the rest of this machine not."""
    given = Settings.model_validate({"allow": ("127.0.0.1",), "total_s": 10, **settings})
    outbound = OutboundClient(given, Metrics())
    try:
        yield outbound
    finally:
        await outbound.close()


def notice(**changes: Any) -> Notice:
    said = {"source": "billing", "title": TITLE, "severity": "info", "created_at": ""}
    return Notice(alert_id=ALERT, tag=ITEM, content=Content(**(said | changes)), badge=3)


def push_to(channel: Channel, **changes: Any) -> Push:
    """Make a push of a small alert."""
    given = {
        "delivery_id": "d1",
        "alert_id": ALERT,
        "channel": channel,
        "payload": web_push_payload(notice()).full,
        "ttl_s": 3_600,
    }
    return Push(**(given | changes))
