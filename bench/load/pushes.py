"""Our Web Push provider at work: encrypted, signed, and taken to the service by the guarded way out."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence

from bench.load.browsers import Subscription, payload, point, text_of
from cryptography.hazmat.primitives.asymmetric import ec

from tocsin.adapters.outbound.client import OutboundClient
from tocsin.adapters.webpush.provider import WebPush
from tocsin.clock import SystemClock
from tocsin.config import Outbound
from tocsin.model.device import WebPushChannel
from tocsin.model.push_host import push_host
from tocsin.ports.push import Accepted, Push, VapidKey
from tocsin.serving import calm_collector
from tocsin.telemetry import Metrics

IN_FLIGHT = 64
_KEY_ID = "bench"


class OneKey:
    """The only key pair."""

    def __init__(self) -> None:
        pair = ec.generate_private_key(ec.SECP256R1())
        number = pair.private_numbers().private_value
        self._key = VapidKey(_KEY_ID, number.to_bytes(32), text_of(point(pair)))

    def vapid_key(self, key_id: str) -> VapidKey | None:
        """Return it."""
        return self._key if key_id == _KEY_ID else None


class Pushes:
    """Sends as fast as answers come, 64 at once.  Run it in a process of its own (``bench.child``)."""

    async def aim(self, subscriptions: Sequence[Subscription]) -> None:
        """Say to whom to send."""
        hosts = {push_host(one.endpoint) or "" for one in subscriptions}
        self._outbound = OutboundClient(
            Outbound(allow=("127.0.0.1",), connections_per_host=IN_FLIGHT), Metrics()
        )
        self._provider = WebPush(
            self._outbound,
            OneKey(),
            SystemClock(),
            subject="mailto:bench@example.org",
            topic_secret=b"bench",
            hosts=tuple(hosts),
        )
        self._pushes = [_push(one) for one in subscriptions]
        calm_collector()  # as the server does

    async def send(self, count: int) -> None:
        """Send ``count`` pushes, to the subscriptions in turn.

        Raises:
            RuntimeError: One was not accepted.
        """
        await in_flight(self._one, count)

    async def close(self) -> None:
        """Close the connections."""
        await self._outbound.close()

    async def _one(self, number: int) -> None:
        outcome = await self._provider.send(self._pushes[number % len(self._pushes)])
        if outcome != Accepted():
            msg = f"not accepted: {outcome}"
            raise RuntimeError(msg)


async def in_flight(send: Callable[[int], Awaitable[None]], count: int) -> None:
    """Call ``send`` with 0 to ``count``, ``IN_FLIGHT`` at once."""
    numbers = itertools.chain(range(count))

    async def work() -> None:
        for number in numbers:
            await send(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(work())


def _push(to: Subscription) -> Push:
    channel = WebPushChannel(to.endpoint, to.p256dh, to.auth, _KEY_ID)
    return Push(
        delivery_id="d", alert_id="a", channel=channel, payload=payload(), ttl_s=3_600, collapse="c"
    )
