"""From a push that is due, and what the inbox says, to what a provider sends.

Units:   times in microseconds, ``ttl_s`` in seconds.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from tocsin.clock import US_PER_S
from tocsin.model.alert import Content, Severity
from tocsin.model.device import Platform
from tocsin.model.push import PushJob, Standing
from tocsin.ports.push import Push, Urgency
from tocsin.push.payloads import Notice, fcm_payload, fcm_withdrawal, web_push_payload
from tocsin.push.summary import summary_of

# Apple refuses a TTL of 0, and a minute late is still of use.
SHORTEST_TTL_S: Final = 60
_URGENCY: Final[dict[Severity, Urgency]] = {
    "critical": "high",
    "error": "high",
    "warning": "normal",
    "success": "normal",
    "info": "normal",
}

_content = msgspec.json.Decoder(Content)


def until_us(job: PushJob, standing: Standing | None, ttl_s: int) -> int:
    """Return when nobody wants a push any more: its alert's end, and at the latest ``ttl_s`` after it was made."""
    latest_us = job.made_us + ttl_s * US_PER_S
    expires_us = None if standing is None else standing.expires_us
    return latest_us if expires_us is None else min(latest_us, expires_us)


def compose(
    job: PushJob, standings: Sequence[Standing], end_us: int, now_us: int, app_url: str | None
) -> Push:
    """Return the message that shows an alert as it is now, or a summary of several.

    What is undelivered of the same item is replaced: an alert that takes the place of another keeps the item's id.  A
    summary has a name of its own, so that it is not shown in silence in the place of an older one.
    """
    newest, *others = sorted(standings, key=lambda one: one.entry.sort, reverse=True)
    contents = [_content.decode(one.entry.content) for one in (newest, *others)]
    content = summary_of(contents, job.device.locale) if others else contents[0]
    tag = job.summary_tag if others else newest.entry.id
    notice = Notice(
        alert_id=newest.entry.alert_id,
        tag=tag,
        content=content,
        badge=newest.unread,
        app_url=app_url,
        summary=len(contents) if others else None,
    )
    payload, least = payloads(job.device.platform, notice)
    return Push(
        delivery_id=job.delivery_id,
        alert_id=notice.alert_id,
        channel=job.device.channel,
        payload=payload,
        least=least,
        ttl_s=max(SHORTEST_TTL_S, (end_us - now_us) // US_PER_S),
        urgency=_URGENCY[content.severity],
        collapse=tag,
        collapses=newest.collapses and not others,
    )


def compose_withdrawal(job: PushJob, standing: Standing | None, end_us: int, now_us: int) -> Push:
    """Return the message that takes back what a device shows; only for platforms of ``WITHDRAWING``."""
    tag = job.tag or (job.alert_id if standing is None else standing.entry.id)
    badge = None if standing is None else standing.unread
    return Push(
        delivery_id=job.delivery_id,
        alert_id=job.alert_id,
        channel=job.device.channel,
        payload=fcm_withdrawal(job.alert_id, tag, badge),
        ttl_s=max(SHORTEST_TTL_S, (end_us - now_us) // US_PER_S),
        collapse=tag,
        collapses=job.tag is None and standing is not None and standing.collapses,
        withdraws=True,
    )


def payloads(platform: Platform, notice: Notice) -> tuple[bytes, bytes | None]:
    """Return what a platform's devices get, and the least that does where the service may find it too large."""
    if platform == "fcm":
        return fcm_payload(notice), None
    said = web_push_payload(notice)
    return said.full, said.least
