"""Metrics and logs.  Every metric is in this one list; log events are named ``area.fact`` and carry fields.

Never logged: tokens, keys, alert texts, query strings.
"""

import logging
import sys
from typing import Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The metrics of one node, in a registry of their own (so that tests may run several nodes)."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.published = Counter(
            "tocsin_published_total",
            "Alerts by what became of their publish.",
            ["outcome"],
            registry=registry,
        )
        self.delivered = Counter(
            "tocsin_delivered_items_total", "Inbox items and broadcasts written.", registry=registry
        )
        self.retried = Counter(
            "tocsin_process_retries_total", "Alerts put back for a later try.", registry=registry
        )
        self.dead = Counter(
            "tocsin_dead_total", "Alerts given up as dead letters.", registry=registry
        )
        self.process_s = Histogram(
            "tocsin_process_seconds",
            "Time from acceptance, or the time set, to the inbox.",
            registry=registry,
            buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300),
        )
        self.receipts_lost = Counter(
            "tocsin_receipts_lost_total",
            "Receipts of the gateway dropped because too many waited.",
            registry=registry,
        )
        self.waiting = Gauge(
            "tocsin_queue_alerts", "Alerts waiting on the queue.", registry=registry
        )
        self.scheduled = Gauge(
            "tocsin_scheduled_alerts", "Alerts waiting for their time.", registry=registry
        )
        self.oldest_s = Gauge(
            "tocsin_queue_oldest_seconds", "Age of the oldest waiting alert.", registry=registry
        )
        self.connections = Gauge(
            "tocsin_connections", "Live client connections.", registry=registry
        )
        self.detached = Gauge(
            "tocsin_detached_connections", "Dropped ones that may recover.", registry=registry
        )
        self.detached_bytes = Gauge(
            "tocsin_detached_bytes", "What dropped connections hold.", registry=registry
        )
        self.live_hubs = Gauge(
            "tocsin_live_hubs", "Hubs with anybody connected.", registry=registry
        )
        self.opened = Counter(
            "tocsin_connections_opened_total", "New client connections.", registry=registry
        )
        self.recovered = Counter(
            "tocsin_recoveries_total", "Dropped connections taken up again.", registry=registry
        )
        self.not_recovered = Counter(
            "tocsin_recoveries_refused_total", "Recoveries that were impossible.", registry=registry
        )
        self.slow_consumers = Counter(
            "tocsin_slow_consumers_total", "Connections closed for slow reading.", registry=registry
        )
        self.messages = Counter(
            "tocsin_messages_sent_total", "Messages to clients, per connection.", registry=registry
        )
        self.heads = Counter(
            "tocsin_heads_sent_total", "Heads sent to inbox connections.", registry=registry
        )
        self.requests = Counter(
            "tocsin_http_requests_total",
            "HTTP requests by route and status.",
            ["route", "status"],
            registry=registry,
        )
        self.outbound = Counter(
            "tocsin_outbound_calls_total",
            "Calls to other servers by what came of them.",
            ["purpose", "outcome"],
            registry=registry,
        )
        self.outbound_s = Histogram(
            "tocsin_outbound_seconds",
            "Time of calls to other servers.",
            ["purpose"],
            registry=registry,
            buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15),
        )
        self.webhook_batches = Counter(
            "tocsin_webhook_batches_total",
            "Tries to send a batch of receipts to a webhook.",
            ["outcome"],
            registry=registry,
        )
        self.webhook_receipts = Counter(
            "tocsin_webhook_receipts_total", "Receipts that webhooks took.", registry=registry
        )
        self.pushes = Counter(
            "tocsin_pushes_total",
            "Pushes to devices by what came of them, tries that are repeated as later.",
            ["platform", "outcome"],
            registry=registry,
        )
        self.push_s = Histogram(
            "tocsin_push_seconds",
            "Time from the inbox to what push services accepted, grace included.",
            registry=registry,
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 300, 3600),
        )
        self.push_late_s = Gauge(
            "tocsin_push_late_seconds",
            "For how long the longest due push has been due.",
            registry=registry,
        )
        self.push_paused = Gauge(
            "tocsin_push_paused_hosts",
            "Push services that are sent nothing because our settings are at fault.",
            registry=registry,
        )
        self.push_refusing = Gauge(
            "tocsin_push_refusing_hosts",
            "Push services that refused our credentials and have accepted nothing since.",
            registry=registry,
        )
        self.pushes_cancelled = Counter(
            "tocsin_pushes_cancelled_total",
            "Pushes that were not sent, by why there was no reason any more.",
            ["reason"],
            registry=registry,
        )
        self.source_messages = Counter(
            "tocsin_source_messages_total",
            "Messages of brokers by what became of them.",
            ["source", "outcome"],
            registry=registry,
        )
        self.source_held = Gauge(
            "tocsin_source_held",
            "Messages of brokers received and not yet acknowledged.",
            ["source"],
            registry=registry,
        )
        self.source_connected = Gauge(
            "tocsin_source_connected",
            "Whether a source has its broker (1) or not (0).",
            ["source"],
            registry=registry,
        )
        self.source_waiting = Gauge(
            "tocsin_source_waiting",
            "Messages that wait on the broker, where it tells.",
            ["source"],
            registry=registry,
        )
        self.source_oldest_s = Gauge(
            "tocsin_source_oldest_seconds",
            "Age of the oldest message that waits on the broker, where it tells.",
            ["source"],
            registry=registry,
        )
        self.handler_events = Counter(
            "tocsin_event_handler_events_total",
            "Events for event handlers by what came of them.",
            ["event", "outcome"],
            registry=registry,
        )


def configure_logging(form: Literal["auto", "json", "console"]) -> None:
    """Send structured logs to standard error: for people on a terminal, as JSON lines elsewhere."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if not console else _keep,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _keep(
    _logger: structlog.types.WrappedLogger, _name: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    return event
