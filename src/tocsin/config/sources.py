"""Queues of other brokers whose messages become alerts."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from tocsin.config.section import Positive, Section

Template = Annotated[str, Field(min_length=1, max_length=4_096)]
Templates = Template | tuple[Template, ...]
# What would be read as another subject is none.
_NATS_NAME = r"^[^\s.*>/\\]+$"
Severity = Literal["info", "success", "warning", "error", "critical"]


class Mapping(Section):
    """How a message of any shape is read as an alert: templates with places like {order.number} or {header:level}."""

    title: Template = Field(description="the alert's title")
    id: Template | None = Field(
        None, description="what makes it one alert however often it comes; else the message's id"
    )
    users: Templates = Field((), description="who gets it: users")
    topics: Templates = Field((), description="who gets it: subscribers of topics")
    all: bool = Field(False, description="who gets it: everybody of the hub")
    body: Template | None = Field(None, description="the alert's body")
    severity: Template | None = Field(None, description="the alert's severity")
    severities: dict[str, Severity] = Field(
        default_factory=dict, description="what the messages' own words for severities mean"
    )
    category: Template | None = Field(None, description="the alert's category")
    url: Template | None = Field(None, description="where a click leads")
    icon: Template | None = Field(None, description="a picture")
    collapse_key: Template | None = Field(None, description="what it replaces")
    deliver_at: Template | None = Field(None, description="when it arrives (RFC 3339)")
    expires_at: Template | None = Field(None, description="when it is over (RFC 3339)")
    data: Template | None = Field(
        None, description="one place, whose JSON is the alert's data; {} is the whole message"
    )


class Source(Section):
    """One queue of one broker."""

    url: SecretStr = Field(
        description="the broker: amqp(s):// for RabbitMQ, Endpoint=sb://... for Service Bus, nats:// or tls://"
    )
    queue: str | None = Field(None, min_length=1, description="the queue, which must exist")
    topic: str | None = Field(None, min_length=1, description="a topic of Service Bus")
    subscription: str | None = Field(
        None, min_length=1, description="the subscription of that topic"
    )
    stream: str | None = Field(
        None, pattern=_NATS_NAME, description="a stream of NATS, which must exist"
    )
    consumer: str | None = Field(
        None, pattern=_NATS_NAME, description="its durable consumer, made if there is none"
    )
    subject: str | None = Field(
        None, pattern=r"^[^\s]+$", description="which subjects of the stream; all if not set"
    )
    hub: str = Field("default", description="the hub whose alerts they become")
    mapping: Mapping | None = Field(
        None, description="how messages are read that are no CloudEvents and no alerts"
    )
    missing_id: Literal["refuse", "digest"] = Field(
        "refuse",
        description="messages without an id: unreadable, or told apart by what they say",
    )
    held: Annotated[int, Field(gt=0, le=2_000)] = Field(
        200, description="messages received and not yet acknowledged"
    )
    dead_letters: Literal["broker", "tocsin"] | None = Field(
        None, description="where unreadable messages go; Service Bus: broker, else: tocsin"
    )
    max_deliveries: Positive = Field(
        8, description="how often a message may come without an end before it is given up"
    )
