"""Calls to other servers: where to, how long, and how often they are tried."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tocsin.config.section import Positive, Section

HostName = Annotated[str, Field(pattern=r"^[0-9A-Za-z_.-]*[A-Za-z][0-9A-Za-z_.-]*$")]
AllowedHost = Annotated[IPv4Network | IPv6Network | HostName, Field(union_mode="left_to_right")]


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
