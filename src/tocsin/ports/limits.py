"""The bounds of a store, in one place, so that tests can draw small ones.

Units:  times in microseconds, sizes in bytes, everything else counts rows.
"""

import msgspec

DAY_US = 86_400 * 1_000_000


class StoreLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a store keeps, and how much it does at once.

    ``change_rows`` bounds an answer of changes; ``chunk_rows`` bounds a change set that is made in chunks (mark of a
    category, withdraw).  ``tombstone_us`` is how long deleted items and answers to op-ids are remembered,
    ``key_memory_us`` how long a producer's id is (longer, as long as the alert stands, for
    at most ``kept_ids_per_hub`` of those that ask for it), ``audit_us`` how long a deed is,
    ``push_memory_us`` how long a push that has ended.  ``read_retention_us`` is the age at which read items are retired.
    ``expand_users`` bounds how many people one transaction gives an alert to topics.
    ``receipts_per_copy`` bounds what the devices of one person may say about one alert.
    ``low_water_bytes`` of free disk are left for finishing what was accepted: below it nothing more is taken in.
    """

    change_rows: int = 500
    chunk_rows: int = 500
    expand_users: int = 125
    topics_per_hub: int = 10_000
    broadcasts_per_hub: int = 200
    broadcast_ttl_us: int = 30 * DAY_US
    tombstone_us: int = 30 * DAY_US
    read_retention_us: int = 90 * DAY_US
    key_memory_us: int = 7 * DAY_US
    kept_ids_per_hub: int = 10_000
    audit_us: int = 365 * DAY_US
    push_memory_us: int = 7 * DAY_US
    queue_rows: int = 100_000
    receipts_per_copy: int = 100
    scheduled_rows: int = 100_000
    low_water_bytes: int = 256 * 1024 * 1024
