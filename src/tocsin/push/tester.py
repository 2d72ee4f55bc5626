"""A push that its owner asks for, to see whether this device is reached: at once, outside the queue, once."""

from collections.abc import Mapping
from typing import Final

from tocsin.clock import Clock, to_rfc3339
from tocsin.model.alert import Content
from tocsin.model.device import Device, Platform
from tocsin.model.ids import uuid7
from tocsin.model.push import Ending, PushEnd
from tocsin.ports.devices import DeviceStore
from tocsin.ports.push import Accepted, Gone, Misconfigured, Push, PushOutcome, PushProvider
from tocsin.push.composer import payloads
from tocsin.push.payloads import Notice
from tocsin.push.words import words_for

# A test is of use now or not at all.
TTL_S: Final = 60


class Tester:
    """Sends test pushes, and notes on the device what came of them."""

    def __init__(
        self,
        providers: Mapping[Platform, PushProvider],
        devices: DeviceStore,
        clock: Clock,
        app_url: str | None,
    ) -> None:
        self._providers = providers
        self._devices = devices
        self._clock = clock
        self._app_url = app_url

    async def send(self, device: Device) -> PushOutcome:
        """Send a test push to a device, and wait for what the provider says."""
        provider = self._providers.get(device.platform)
        if provider is None:
            return Misconfigured(f"this server sends nothing by {device.platform}")
        outcome = await provider.send(self._push(device))
        await self._devices.note_outcome(device, _ending(outcome, self._clock.now_us()))
        return outcome

    def _push(self, device: Device) -> Push:
        now_us = self._clock.now_us()
        test_id = uuid7(now_us)
        words = words_for(device.locale)
        content = Content(
            source="tocsin",
            title=words.test_title,
            severity="success",
            created_at=to_rfc3339(now_us),
            body=words.test_body,
        )
        notice = Notice(alert_id=test_id, tag="tocsin-test", content=content, app_url=self._app_url)
        payload, least = payloads(device.platform, notice)
        return Push(
            delivery_id=test_id,
            alert_id=test_id,
            channel=device.channel,
            payload=payload,
            least=least,
            ttl_s=TTL_S,
            urgency="high",
            collapse="tocsin-test",
        )


def _ending(outcome: PushOutcome, now_us: int) -> Ending:
    if isinstance(outcome, Accepted):
        return Ending("accepted", "", now_us)
    end: PushEnd = "gone" if isinstance(outcome, Gone) else "rejected"
    return Ending(end, outcome.reason, now_us)
