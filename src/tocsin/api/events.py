"""Publishing by CloudEvents 1.0 over HTTP: structured, batched, and binary."""

from tocsin.api.alerts import TRACE_PARENT, Alerts
from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.clock import Clock
from tocsin.config import Limits
from tocsin.ingest.admission import Producer, caused_by
from tocsin.ingest.cloudevents import mode_of, split_batch
from tocsin.ingest.event_alert import admit_binary, admit_structured
from tocsin.model.alert import Envelope


class Events:
    """The route of producers that speak CloudEvents."""

    def __init__(self, auth: Authenticator, alerts: Alerts, clock: Clock, limits: Limits) -> None:
        self._auth = auth
        self._alerts = alerts
        self._clock = clock
        self._limits = limits

    async def publish(self, request: Request) -> Response:
        """``POST /v1/events``: answered as ``POST /v1/alerts``, a batch as ``POST /v1/alerts/batch``."""
        producer = self._auth.producer(request)
        mode = mode_of(request.header(b"content-type") or "")
        if mode == "batch":
            return await self._publish_batch(producer, request)
        return await self._alerts.publish_one(self._read(producer, request, mode))

    async def _read(self, producer: Producer, request: Request, mode: str) -> Envelope:
        limits = self._limits
        body = await request.body(limits.alert_bytes, "limits.alert_bytes")
        now_us = self._clock.now_us()
        if mode == "structured":
            envelope = admit_structured(body, producer, limits, now_us)
        else:
            envelope = admit_binary(request.scope["headers"], body, producer, limits, now_us)
        return caused_by(envelope, request.header(TRACE_PARENT))

    async def _publish_batch(self, producer: Producer, request: Request) -> Response:
        body = await request.body(self._limits.batch_bytes, "limits.batch_bytes")
        traceparent = request.header(TRACE_PARENT)

        def admit_one(index: int, raw: bytes) -> Envelope:
            now_us = self._clock.now_us()
            envelope = admit_structured(raw, producer, self._limits, now_us, f"/{index}")
            return caused_by(envelope, traceparent)

        return await self._alerts.publish_each(request, split_batch(body), admit_one)
