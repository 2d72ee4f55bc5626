"""What was published in a hub, newest first."""

import sqlite3

import msgspec

from tocsin.adapters.sql import alerts
from tocsin.adapters.sqlite.queries import TOP
from tocsin.adapters.sqlite.rows import hub_named
from tocsin.adapters.sqlite.text import sql
from tocsin.ports.store import AlertListing, AlertPage, ListedAlert, page_of_alerts

_OF_HUB, _OF_KEY = sql(alerts.page_of_hub), sql(alerts.page_of_key)


def alert_page(connection: sqlite3.Connection, hub: str, listing: AlertListing) -> AlertPage:
    """Answer a page of processed alerts."""
    home = hub_named(connection, hub)
    if home is None:
        return AlertPage((), None)
    accepted_us, alert_id = listing.cursor or (TOP, "")
    found = connection.execute(
        _OF_HUB if listing.key_id is None else _OF_KEY,
        {
            "hub_no": home.hub_no,
            "key_id": listing.key_id,
            "source": listing.source,
            "category": listing.category,
            "since_us": listing.since_us,
            "accepted_us": accepted_us,
            "id": alert_id,
            "limit": listing.limit + 1,
        },
    )
    rows = [ListedAlert(r[0], r[1], r[2], r[3], r[4], r[5], r[6], msgspec.Raw(r[7])) for r in found]
    return page_of_alerts(rows, listing.limit)
