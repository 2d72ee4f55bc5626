"""How much is let in, how fast, and how long it is kept."""

from pydantic import Field

from tocsin.config.section import Positive, Section


class Limits(Section):
    """Bounds on what is let in; each is enforced with a problem that names it."""

    alert_bytes: Positive = Field(65_536, description="one alert with its audience, encoded")
    batch_alerts: Positive = Field(1_000, description="alerts in one batch")
    batch_bytes: Positive = Field(8_388_608, description="body of one batch")
    audience_users: Positive = Field(1_000, description="users named in one alert")
    audience_topics: Positive = Field(20, description="topics named in one alert")
    topics_per_hub: Positive = Field(10_000, description="topics that have subscribers, of one hub")
    topics_per_user: Positive = Field(
        1_000, description="topics of one user; only who subscribes themselves is held to it"
    )
    subscribers_per_request: Positive = Field(1_000, description="users subscribed at once")
    data_depth: Positive = Field(32, description="nesting of an alert's data")
    queue_alerts: Positive = Field(100_000, description="alerts that wait for processing")
    scheduled_alerts: Positive = Field(100_000, description="alerts that wait for their time")
    schedule_days: Positive = Field(90, description="how far ahead deliver_at may lie")
    open_episodes: Positive = Field(
        10_000,
        description="alerts of open episodes known beyond retention.producer_keys_days, of one hub",
    )
    broadcasts_per_hub: Positive = Field(200, description="live broadcasts of one hub")
    connections_per_user: Positive = Field(20, description="live connections to one inbox")
    devices_per_user: Positive = Field(20, description="devices of one user that get pushes")
    groups_per_connection: Positive = Field(1_000, description="groups one connection is in")
    message_bytes: Positive = Field(1_048_576, description="one WebSocket message from a client")
    outbox_bytes: Positive = Field(1_048_576, description="unsent bytes of one connection")
    replay_messages: Positive = Field(
        1_000, description="unacknowledged messages that one connection can recover"
    )
    replay_bytes: Positive = Field(
        16_777_216, description="unacknowledged bytes that one connection can recover"
    )
    detached_bytes: Positive = Field(
        67_108_864, description="buffers of dropped connections, in all"
    )
    # SDKs of Web PubSub write a request's URL once more into its token.  A bound for their paths alone would be none:
    # whoever sends a head chooses its path.
    head_bytes: Positive = Field(65_536, description="one HTTP request head")
    head_s: float = Field(10, gt=0, description="time for one HTTP request head")
    body_s: float = Field(30, gt=0, description="time for one HTTP request body")
    token_ttl_s: Positive = Field(86_400, description="longest life of a client token")
    free_disk_bytes: int = Field(268_435_456, ge=0, description="below this publishing is refused")


class Rates(Section):
    """How much one caller may ask, on average over the window and all at once; 0 is no limit."""

    key_requests: int = Field(
        100_000, ge=0, description="requests of one API key; each alert of a batch counts"
    )
    key_window_s: Positive = Field(10, description="the time in which it may ask that much")
    user_requests: int = Field(600, ge=0, description="requests of one user's client tokens")
    user_window_s: Positive = Field(60, description="the time in which they may ask that much")
    connection_messages: int = Field(
        10_000, ge=0, description="messages of one live connection, pings and fragments too"
    )
    connection_window_s: Positive = Field(10, description="the time in which it may send that many")


class Retention(Section):
    """How long things are kept."""

    read_items_days: Positive = Field(90, description="read items, then they are deleted")
    tombstones_days: Positive = Field(
        30, description="marks of deleted items and answers to repeats"
    )
    producer_keys_days: Positive = Field(7, description="ids and Idempotency-Keys of producers")
    broadcast_days: Positive = Field(30, description="broadcasts without an expiry of their own")
    audit_days: Positive = Field(365, description="the audit log")
    pushes_days: Positive = Field(7, description="what became of pushes")
