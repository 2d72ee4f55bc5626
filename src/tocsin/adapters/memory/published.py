"""What was published in a hub, newest first."""

from collections.abc import Iterable

import msgspec

from tocsin.adapters.memory.tables import Alert
from tocsin.ports.store import AlertListing, AlertPage, ListedAlert, page_of_alerts


class _Said(msgspec.Struct):
    """The part of a content that lists filter by."""

    source: str


_said = msgspec.json.Decoder(_Said)


def alert_page(alerts: Iterable[Alert], listing: AlertListing) -> AlertPage:
    """Answer a page of a hub's processed alerts."""
    found = sorted(
        (_listed(alert) for alert in alerts if _belongs(alert, listing)),
        key=lambda row: (row.accepted_us, row.id),
        reverse=True,
    )
    return page_of_alerts(found[: listing.limit + 1], listing.limit)


def _belongs(alert: Alert, listing: AlertListing) -> bool:
    envelope, cursor = alert.envelope, listing.cursor
    return (
        listing.key_id in (None, envelope.key_id)
        and listing.category in (None, envelope.category)
        and envelope.accepted_us >= listing.since_us
        and (cursor is None or (envelope.accepted_us, envelope.id) < cursor)
        and listing.source in (None, _said.decode(envelope.content).source)
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
