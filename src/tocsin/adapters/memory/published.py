"""What was published in a hub, newest first."""

from collections.abc import Iterable

import msgspec

from tocsin.adapters.memory.queue import MemoryQueue
from tocsin.adapters.memory.tables import Alert
from tocsin.model.alert import Envelope
from tocsin.ports.store import (
    AlertListing,
    AlertPage,
    ListedAlert,
    listed_unprocessed,
    page_of_alerts,
)


class _Said(msgspec.Struct):
    """The part of a content that lists filter by."""

    source: str


_said = msgspec.json.Decoder(_Said)


def alert_page(
    alerts: Iterable[Alert], queue: MemoryQueue, hub: str, listing: AlertListing
) -> AlertPage:
    """Answer a page of a hub's alerts in one state."""
    if listing.state == "scheduled":
        told = [(envelope, listed_unprocessed(envelope)) for envelope in queue.scheduled.values()]
    elif listing.state == "dead":
        told = [
            (letter.envelope, listed_unprocessed(letter.envelope, letter.reason))
            for letter in queue.dead.values()
        ]
    else:
        told = [(alert.envelope, _listed(alert)) for alert in alerts if alert.after is None]
    found = sorted(
        (row for envelope, row in told if envelope.hub == hub and _belongs(envelope, listing)),
        key=lambda row: (row.accepted_us, row.id),
        reverse=True,
    )
    return page_of_alerts(found[: listing.limit + 1], listing.limit)


def _belongs(envelope: Envelope, listing: AlertListing) -> bool:
    cursor, said = listing.cursor, _said.decode(envelope.content)
    return (
        listing.key_id in (None, envelope.key_id)
        and listing.category in (None, envelope.category)
        and envelope.accepted_us >= listing.since_us
        and (cursor is None or (envelope.accepted_us, envelope.id) < cursor)
        and listing.source in (None, said.source)
    )


def _listed(alert: Alert) -> ListedAlert:
    envelope = alert.envelope
    return ListedAlert(
        envelope.id,
        envelope.accepted_us,
        envelope.deliver_us,
        alert.processed_us,
        alert.withdrawn_us,
        alert.expired_us,
        alert.recipients,
        envelope.content,
    )
