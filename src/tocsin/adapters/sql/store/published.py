"""What was published in a hub, newest first: processed, waiting for its time, or given up."""

import msgspec

from tocsin.adapters.sql import alerts, unprocessed
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.queries import TOP
from tocsin.adapters.sql.store.queue import decode_envelope
from tocsin.adapters.sql.store.rows import Row, hub_named
from tocsin.adapters.sql.store.text import sql
from tocsin.ports.store import (
    AlertListing,
    AlertPage,
    ListedAlert,
    listed_unprocessed,
    page_of_alerts,
)

_PROCESSED = (sql(alerts.page_of_hub), sql(alerts.page_of_key))
# Each of a whole hub, and of one key.
_UNPROCESSED = {
    "scheduled": (sql(unprocessed.scheduled_of_hub), sql(unprocessed.scheduled_of_key)),
    "dead": (sql(unprocessed.dead_of_hub), sql(unprocessed.dead_of_key)),
}


def alert_page(connection: Connection, hub: str, listing: AlertListing) -> AlertPage:
    """Answer a page of alerts in one state."""
    accepted_us, alert_id = listing.cursor or (TOP, "")
    asked = {
        "hub": hub,
        "key_id": listing.key_id,
        "source": listing.source,
        "category": listing.category,
        "since_us": listing.since_us,
        "accepted_us": accepted_us,
        "id": alert_id,
        "limit": listing.limit + 1,
    }
    of_one_key = listing.key_id is not None
    if listing.state == "processed":
        home = hub_named(connection, hub)
        if home is None:
            return AlertPage((), None)
        found = connection.execute(_PROCESSED[of_one_key], {**asked, "hub_no": home.hub_no})
        rows = [_processed(row) for row in found]
    else:
        found = connection.execute(_UNPROCESSED[listing.state][of_one_key], asked)
        rows = [listed_unprocessed(decode_envelope(row[0]), row[1]) for row in found]
    return page_of_alerts(rows, listing.limit)


def _processed(row: Row) -> ListedAlert:
    return ListedAlert(row[0], row[1], row[2], row[3], row[4], row[5], row[6], msgspec.Raw(row[7]))
