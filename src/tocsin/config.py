"""Settings: from the command line, the environment (``TOCSIN_*``), ``tocsin.toml``, then defaults.

An earlier source wins.  A section is written ``[limits]`` in the file and ``TOCSIN_LIMITS__...`` in the environment.
Nothing here is read at import; :func:`load` is the one way in.
"""

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from tocsin.errors import ConfigError

CONFIG_FILE = "tocsin.toml"
ENV_PREFIX = "TOCSIN_"
SOCKET_NAME = "tocsin.sock"  # in the data folder; commands reach the running server by it
# Read by the command line itself, to talk to a server elsewhere.
CLIENT_VARIABLES = {"TOCSIN_URL", "TOCSIN_KEY"}

ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 -- recognised, not bound
# Names that are nobody's on the internet (RFC 2606, RFC 6761, RFC 6762).
NO_DOMAINS = (".localhost", ".local", ".invalid", ".test", ".internal")
_POSTGRES = re.compile(r"postgres(ql)?://")
LOOPBACK = ("127.0.0.1", "::1", "localhost")

Positive = Annotated[int, Field(gt=0)]
OtherUrl = Annotated[str, Field(pattern=r"^https?://[^?#]+$")]
HostName = Annotated[str, Field(pattern=r"^[0-9A-Za-z_.-]*[A-Za-z][0-9A-Za-z_.-]*$")]
AllowedHost = Annotated[IPv4Network | IPv6Network | HostName, Field(union_mode="left_to_right")]


class Section(BaseModel):
    """A part of the settings; an unknown name in it is an error, not a wish unheard."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    head_bytes: Positive = Field(16_384, description="one HTTP request head")
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
        10_000, ge=0, description="messages of one live connection, pings too"
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


class Outbound(Section):
    """Calls to other servers (I13)."""

    allow: tuple[AllowedHost, ...] = Field(
        (), description="names, addresses and networks called although not public, also by http"
    )
    ca_file: Path | None = Field(
        None, description="certificates (PEM) trusted besides the machine's"
    )
    connect_s: float = Field(5, gt=0, description="time to connect")
    total_s: float = Field(15, gt=0, description="time for a whole call")
    answer_bytes: Positive = Field(65_536, description="body of one answer")
    connections: Positive = Field(256, description="connections to all servers")
    connections_per_host: Positive = Field(16, description="connections to one server")


class DefaultAudience(Section):
    """Who hears what a shim takes in, where neither the payload nor the URL names anybody."""

    users: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    all: bool = False


KeptFact = Literal["written", "received", "shown", "seen", "read", "acted", "pushed", "push_failed"]


TopicPattern = Annotated[str, Field(pattern=r"^[^*\x00-\x1f]*\*?$", min_length=1, max_length=256)]


class Webhooks(Section):
    """How receivers of receipts are told, and for how long it is tried."""

    per_hub: Positive = Field(20, description="webhooks of one hub")
    batch_receipts: int = Field(100, gt=0, le=500, description="receipts in one message")
    first_retry_s: float = Field(5, gt=0, description="about the wait before the second try")
    longest_retry_s: float = Field(3_600, gt=0, description="longest wait before another try")
    attempts: Positive = Field(20, description="tries before a message is given up")
    give_up_s: float = Field(86_400, gt=0, description="age at which a message is given up")


class EventHandlers(Section):
    """How event handlers are asked, and what may wait for them."""

    timeout_s: float = Field(
        10,
        gt=0,
        le=60,
        description="time in which an event must be answered, whatever it waits for",
    )
    answer_bytes: Positive = Field(1_048_576, description="body of one answer")
    calls_per_hub: Positive = Field(256, description="calls under way for one hub")
    connection_bytes: Positive = Field(2_097_152, description="events of one connection that wait")
    hub_bytes: Positive = Field(67_108_864, description="events of one hub that wait")
    per_hub: Positive = Field(20, description="event handlers of one hub, beside those of the file")


PushHost = Annotated[
    str, Field(pattern=r"^(\*\.)?[0-9a-z_.-]+(:[1-9][0-9]{0,4})?$", max_length=253)
]


class Push(Section):
    """Pushes to devices of people who are not looking."""

    subject: str | None = Field(
        None,
        pattern=r"^(mailto:[^@\s<>]+@[^@\s<>]+|https://[^\s<>]+)$",
        description="contact that push services are told: mailto:... or https://...",
    )
    app_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s<>]+$",
        max_length=512,
        description="where your app lives: opened by a click where an alert has no url of its own",
    )
    hosts: tuple[PushHost, ...] = Field(
        (), description="push services that Web Push calls besides those of the browsers"
    )
    fcm_service_account: Path | None = Field(
        None, description="key file (JSON) of Firebase's service account; without it no FCM"
    )
    fcm_url: str = Field(
        "https://fcm.googleapis.com",
        pattern=r"^https?://[^/?#]+$",
        description="where Firebase's API lies",
    )
    grace_critical_s: float = Field(2, ge=0, description="wait for a critical alert to be shown")
    grace_error_s: float = Field(3, ge=0, description="wait for an error to be shown")
    grace_warning_s: float = Field(5, ge=0, description="wait for a warning to be shown")
    grace_s: float = Field(10, ge=0, description="wait for any other alert to be shown")
    ttl_s: int = Field(
        86_400, ge=60, le=2_419_200, description="age at which a push is of no use any more"
    )
    retry_after_s: float = Field(
        900, gt=0, description="longest wait that a push service may ask for (Retry-After)"
    )
    summary_over: Positive = Field(
        3,
        description="pushes held for one device that still go one by one; more become one summary",
    )
    storm_pushes: Positive = Field(
        20, description="pushes to one device in `push.storm_s`; more wait, but for critical ones"
    )
    storm_s: float = Field(600, gt=0, description="the time in which they are counted")
    calls_per_host: Positive = Field(32, description="calls under way to one push service")
    lingering_per_host: Positive = Field(
        224, description="calls to one push service that take over a second, besides"
    )

    def grace_of(self, severity: str) -> float:
        """Return how many seconds a push waits for an alert to be shown to whoever is looking."""
        special = {
            "critical": self.grace_critical_s,
            "error": self.grace_error_s,
            "warning": self.grace_warning_s,
        }
        return special.get(severity, self.grace_s)


class WantedHandler(Section):
    """An event handler, as the file or an administrator describes it."""

    url: str
    user_events: str = ""
    system_events: tuple[Literal["connect", "connected", "disconnected"], ...] = ()
    authorization: str | None = None


class Issuer(Section):
    """Whose tokens a hub takes besides its own, and what they say; a claim that is not named here says nothing."""

    jwks_url: Annotated[str, Field(pattern=r"^https?://", max_length=2048)] = Field(
        description="where the issuer's public keys are"
    )
    issuer: Annotated[str, Field(min_length=1, max_length=2048)] = Field(
        description="what `iss` must be"
    )
    audience: Annotated[str, Field(min_length=1, max_length=2048)] = Field(
        description="what must be in `aud`"
    )
    algorithms: frozenset[Literal["RS256", "ES256"]] = Field(
        frozenset(("RS256", "ES256")), min_length=1, description="which keys of the set count"
    )
    user_claim: str = Field("sub", min_length=1, description="which claim is the user")
    inbox_claim: str = Field("scope", min_length=1, description="which claim may open the inbox")
    inbox_value: str | None = Field(
        None, min_length=1, description="the word in it that does; without one no token opens it"
    )
    role_claim: str | None = Field(None, description="which claim lists Web PubSub roles")
    group_claim: str | None = Field(None, description="which claim lists groups to be in")


class Hub(Section):
    """What differs per hub."""

    event_handlers: tuple[WantedHandler, ...] = Field(
        (), description="applications that decide about connections and take their events"
    )

    receipts: frozenset[KeptFact] = Field(
        frozenset(get_args(KeptFact)), description="which facts about alerts are kept"
    )

    allowed_origins: tuple[str, ...] = Field(
        (), description="browser origins of other sites that may use this hub's API and socket"
    )
    open_topics: tuple[TopicPattern, ...] = Field(
        (), description="topics that users may choose themselves; news-* means all that begin so"
    )

    def opens(self, topic: str) -> bool:
        """Tell whether users may subscribe themselves to a topic."""
        return any(
            topic.startswith(pattern[:-1]) if pattern.endswith("*") else topic == pattern
            for pattern in self.open_topics
        )

    issuer: Issuer | None = Field(None, description="who else issues tokens for this hub")
    cut_at_expiry: bool = Field(
        False, description="whether a live connection ends when its token does"
    )
    audiences: dict[str, DefaultAudience] = Field(
        default_factory=dict, description="default audiences of shims, by the name of the API key"
    )


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        toml_file=CONFIG_FILE,
        extra="forbid",
        frozen=True,
    )

    data_dir: Path = Field(Path("tocsin-data"), description="where everything is kept")
    store: SecretStr | None = Field(
        None, description="a PostgreSQL database to keep alerts and inboxes in, as a URL"
    )
    store_may_lose: bool = Field(
        False, description="start even if a crash of PostgreSQL may lose what was accepted"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65_535, description="port to listen on; 0 takes a free one")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#]+$",
        description="how clients reach this server, e.g. behind a proxy",
    )
    other_urls: tuple[OtherUrl, ...] = Field(
        (), description="further addresses that clients and backends reach this server by"
    )
    tls_cert: Path | None = Field(None, description="certificate chain (PEM)")
    tls_key: Path | None = Field(None, description="private key (PEM)")
    trusted_proxies: tuple[str, ...] = Field(
        (), description="addresses whose X-Forwarded-* headers count"
    )
    demo: bool = Field(False, description="serve the demo page at /; for loopback only")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="console on a terminal, else JSON lines"
    )
    drain_s: float = Field(5, ge=0, description="time over which a shutdown spreads its closes")
    anti_entropy_s: float = Field(
        30, gt=0, description="how often live clients are compared with the store"
    )
    recovery_window_s: float = Field(
        30, ge=0, description="how long a dropped connection can be recovered"
    )
    permessage_deflate: bool = Field(
        False, description="compress WebSocket messages with clients that offer it"
    )
    limits: Limits = Limits()
    rates: Rates = Rates()
    retention: Retention = Retention()
    outbound: Outbound = Outbound()
    webhooks: Webhooks = Webhooks()
    event_handlers: EventHandlers = EventHandlers()
    push: Push = Push()
    hubs: dict[str, Hub] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(overrides: Mapping[str, Any]) -> Settings:
    """Read the settings; ``overrides`` are those of the command line (None means: not given).

    Raises:
        ConfigError: A value cannot work, or a name is unknown; the detail names it and the remedy.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    _refuse_unknown_variables()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error
    except ValueError as error:  # the file is no TOML
        detail = f"{CONFIG_FILE} cannot be read: {error}"
        raise ConfigError(detail) from error
    _check_store(settings)
    _check_tls(settings)
    _check_issuers(settings)
    return settings


def advice(settings: Settings) -> list[str]:
    """Say what works and is still probably not meant, each with its remedy."""
    lines = []
    if settings.host in ANYWHERE and settings.public_url is None:
        lines.append(
            f"host {settings.host} is every interface, but client URLs will name 127.0.0.1: "
            "set public_url to the address that clients use"
        )
    if settings.tls_cert is None and (settings.public_url or "").startswith("https:"):
        lines.append(
            "public_url is https and there is no tls_cert: something in front must end TLS; "
            "name it in trusted_proxies so that its forwarded headers count"
        )
    lines += _advice_on_contact(settings)
    if settings.demo and settings.host not in LOOPBACK:
        lines.append(
            "demo is on and host is not loopback: the demo answers this machine only; turn it off in production"
        )
    return lines


def _advice_on_contact(settings: Settings) -> list[str]:
    """Say what push services will think of the contact; without https there is no Web Push."""
    subject, remedy = settings.push.subject, "set it to mailto:YOU@YOUR.DOMAIN or an https page"
    if subject is not None:
        domain = re.split(r"[/?#]", subject.removeprefix("https://"))[0].rpartition("@")[2]
        host = domain.partition(":")[0].rstrip(".").lower()
        if "." in host and not host.endswith(NO_DOMAINS):
            return []
        return [f"push.subject names {host}, and Apple refuses contacts it cannot reach; {remedy}"]
    by_https = settings.tls_cert is not None or (settings.public_url or "").startswith("https:")
    if not by_https:
        return []
    return [
        "push.subject is not set: the push services of Apple and Mozilla refuse pushes without a contact; "
        + remedy
    ]


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            lines.append(f"{name}: there is no such setting; see `tocsin check-config --help`")
        else:
            lines.append(f"{name} = {fault['input']!r}: {fault['msg']}")
    return "\n".join(lines)


def _refuse_unknown_variables() -> None:
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields} | CLIENT_VARIABLES
    for variable in sorted(os.environ):
        if variable.startswith(ENV_PREFIX) and variable.split("__")[0] not in known:
            detail = f"{variable}: there is no such setting; remove it from the environment"
            raise ConfigError(detail)


def _check_store(settings: Settings) -> None:
    """See that the store is one that there is; its URL may have a password, so it is in no message."""
    if settings.store is not None and not _POSTGRES.match(settings.store.get_secret_value()):
        detail = (
            "store is no URL of a PostgreSQL database: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
            "or leave it out to keep everything in data_dir"
        )
        raise ConfigError(detail)


def _check_issuers(settings: Settings) -> None:
    """See that a token of an issuer is for one hub."""
    known: dict[tuple[str, str], str] = {}
    for name, hub in settings.hubs.items():
        if hub.issuer is not None:
            other = known.setdefault((hub.issuer.issuer, hub.issuer.audience), name)
            if other != name:
                detail = (
                    f"hubs.{other}.issuer and hubs.{name}.issuer have the same issuer and audience, so their "
                    "tokens could not be told apart: give each hub an audience of its own"
                )
                raise ConfigError(detail)


def _check_tls(settings: Settings) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        msg = "tls_cert and tls_key go together: give both, or none"
        raise ConfigError(msg)
    for path in (settings.tls_cert, settings.tls_key):
        if path is not None and not path.is_file():
            detail = f"{path}: there is no such file; tls_cert and tls_key name PEM files"
            raise ConfigError(detail)
