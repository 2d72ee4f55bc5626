"""Everything that can be set, and the order of its sources."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from tocsin.config.hub import Hub
from tocsin.config.limits import Limits, Rates, Retention
from tocsin.config.outbound import EventHandlers, Outbound, Webhooks
from tocsin.config.push import Push
from tocsin.config.roles import ROLES, Roles
from tocsin.config.sources import Source
from tocsin.config.traces import Traces
from tocsin.errors import ConfigError

CONFIG_FILE = "tocsin.toml"
ENV_PREFIX = "TOCSIN_"
SOCKET_NAME = "tocsin.sock"  # in the data folder; commands reach the running server by it

MonitorUrl = Annotated[str, Field(pattern=r"^https?://[^/?#@]+/?$")]
# The environment gives texts, which a literal number would not take.
Replicas = Annotated[
    Literal[1, 3, 5],
    BeforeValidator(lambda said: int(said) if isinstance(said, str) and said.isdecimal() else said),
]
OtherUrl = Annotated[str, Field(pattern=r"^https?://[^?#]+$")]


def _in_lower_case(hubs: dict[str, Hub]) -> dict[str, Hub]:
    """Name hubs as they are known everywhere else.

    Raises:
        ConfigError: Two names are those of one hub.
    """
    named: dict[str, str] = {}
    for name in hubs:
        other = named.setdefault(name.lower(), name)
        if other != name:
            detail = f"hubs.{other} and hubs.{name} are one hub, whatever the case of its letters: join them"
            raise ConfigError(detail)
    return {name.lower(): hub for name, hub in hubs.items()}


Hubs = Annotated[dict[str, Hub], AfterValidator(_in_lower_case)]


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
    queue: Literal["store"] | SecretStr = Field(
        "store", description="where accepted alerts wait: store, or a NATS URL"
    )
    queue_monitors: tuple[MonitorUrl, ...] = Field(
        (), description="monitoring addresses of the queue's NATS servers, one each"
    )
    queue_replicas: Replicas = Field(
        1, description="NATS servers that each keep what is on the queue"
    )
    queue_may_lose: bool = Field(
        False, description="start even if a power cut at NATS may lose what was accepted"
    )
    fanout: Literal["memory"] | SecretStr = Field(
        "memory", description="what announces between nodes: memory for one, or a NATS URL"
    )
    roles: Roles = Field(
        ROLES,
        description="what this process does of api, gateway, processor, dispatcher and sources",
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
    drain_notice_s: float = Field(
        0, ge=0, description="time in which a shutdown only says by /readyz that it comes"
    )
    drain_s: float = Field(5, ge=0, description="time over which a shutdown spreads its closes")
    drain_comeback_s: float = Field(
        2, ge=0, le=3_600, description="how long a shutdown tells clients to stay away, at most"
    )
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
    traces: Traces = Traces()
    hubs: Hubs = Field(default_factory=dict)
    sources: dict[str, Source] = Field(
        default_factory=dict, description="queues of brokers whose messages become alerts"
    )

    @property
    def has_peers(self) -> bool:
        """Whether other processes may work on the same store: those that hear each other's announcements do."""
        return self.fanout != "memory"

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
