"""What a message of a broker says: a CloudEvent, an alert as ``POST /v1/alerts`` takes it, or what a mapping makes of it.

Whatever it is goes through the admission of every alert.  An alert is told from another by an id, so that a message that
comes again is a repeat: the event's own, the alert's own, or the message's.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from tocsin.config import Limits, Source
from tocsin.errors import InvalidInputError, TooLargeError
from tocsin.ingest.admission import Producer, admit, caused_by, decode_alert
from tocsin.ingest.cloudevents import mode_of
from tocsin.ingest.event_alert import admit_attributes, admit_binary, admit_structured
from tocsin.ingest.sources.mapping import MessageMapping
from tocsin.model.alert import Envelope
from tocsin.model.ids import canonical_hub, check_id
from tocsin.ports.source import Header, Message

# The CloudEvents bindings of AMQP (values as they are), and of HTTP, NATS and others (values percent-encoded).
_NATIVE: Final = ("cloudEvents_", "cloudEvents:")
_ENCODED: Final = "ce-"


class Reading:
    """How the messages of one source are read; whoever sends them is one producer (I10).

    Raises:
        ConfigError: The mapping cannot be read.
        InvalidInputError: The name of the source or of its hub cannot be one.
    """

    def __init__(self, name: str, source: Source, limits: Limits) -> None:
        check_id(name, "the name of a source")
        self.producer = Producer(f"source:{name}", canonical_hub(source.hub), name)
        self._mapping = None if source.mapping is None else MessageMapping(source.mapping)
        self._by_digest = source.missing_id == "digest"
        self._limits = limits

    def read(self, message: Message, now_us: int) -> Envelope:
        """Read one message.

        Raises:
            InvalidInputError: It cannot be an alert, and never will.
            ExpiredError: Nobody should get it any more.
        """
        # Under this name the libraries of senders say in which trace they sent it.
        return caused_by(self._read(message, now_us), message.headers.get("traceparent"))

    def _read(self, message: Message, now_us: int) -> Envelope:
        if self._mapping is not None:
            return self._mapped(self._mapping, message, now_us)
        self._check_size(message, self._limits.alert_bytes, "limits.alert_bytes")
        if mode_of(message.content_type) == "structured":
            return admit_structured(message.body, self.producer, self._limits, now_us)
        if mode_of(message.content_type) == "batch":
            detail = "a message is one event; send each of a batch as a message of its own"
            raise InvalidInputError(detail, code="invalid-event")
        if any(name.startswith((*_NATIVE, _ENCODED)) for name in message.headers):
            return self._event(message, now_us)
        request = decode_alert(message.body, self._limits)
        key = None if request.id is not None else self._message_key(message)
        return admit(request, self.producer, self._limits, now_us, idempotency_key=key)

    def _event(self, message: Message, now_us: int) -> Envelope:
        """Read an event whose attributes are headers."""
        native = _attributes(message.headers)
        if native:
            if message.content_type:
                native["datacontenttype"] = message.content_type
            return admit_attributes(native, message.body, self.producer, self._limits, now_us)
        headers = [
            (name.lower().encode(), str(value).encode()) for name, value in message.headers.items()
        ]
        headers.append((b"content-type", message.content_type.encode()))
        return admit_binary(headers, message.body, self.producer, self._limits, now_us)

    def _mapped(self, mapping: MessageMapping, message: Message, now_us: int) -> Envelope:
        self._check_size(message, self._limits.batch_bytes, "limits.batch_bytes")
        fields = mapping.alert(message)
        request = decode_alert(msgspec.json.encode(fields), self._limits)
        key = None if request.id is not None else self._message_key(message)
        envelope = admit(request, self.producer, self._limits, now_us, idempotency_key=key)
        # The message decides what is a repeat, not what the mapping of the day makes of it.
        return replace(envelope, fingerprint=_digest(message))

    def _message_key(self, message: Message) -> str:
        if message.id:
            return message.id
        if self._by_digest:
            return _digest(message).hex()
        detail = (
            "neither the message nor what it says has an id, so that it could come twice; have its sender set a "
            'message id, map `id`, or set missing_id = "digest"'
        )
        raise InvalidInputError(detail, code="invalid-id")

    @staticmethod
    def _check_size(message: Message, limit: int, name: str) -> None:
        if len(message.body) > limit:
            detail = f"the message has {len(message.body)} bytes; at most {limit} are read ({name})"
            raise TooLargeError(detail, code="alert-too-large")


def _attributes(headers: Mapping[str, Header]) -> dict[str, Header]:
    """Return the attributes of a CloudEvent that came by AMQP."""
    return {
        name.removeprefix(prefix): value
        for name, value in headers.items()
        for prefix in _NATIVE
        if name.startswith(prefix)
    }


def _digest(message: Message) -> bytes:
    """Return a digest of what a message says; headers that begin with x- are added on its way, so they do not count."""
    headers = sorted(each for each in message.headers.items() if not each[0].startswith("x-"))
    said = msgspec.json.encode((headers, message.content_type))
    return hashlib.blake2b(said + message.body, digest_size=16).digest()
