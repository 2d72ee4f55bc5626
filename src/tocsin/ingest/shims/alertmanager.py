"""Prometheus Alertmanager's webhook (version 4 of its payload).

Format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
An alert is known by its fingerprint, an episode of it by when it began.  With ``?per=group`` a whole group is one alert.
"""

from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec

from tocsin.errors import TocsinError
from tocsin.ingest.shims.notice import (
    Destination,
    Fields,
    Incoming,
    Notice,
    Publish,
    Reading,
    Withdraw,
    alert_fields,
    choice,
    destination,
    read_json,
    severity_of,
    thread_of,
)

_LISTED_ALERTS: Final = 20
_RANK: Final = ("critical", "error", "warning", "info", "success")

Labels = dict[str, str]


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert of a payload; Grafana's have more."""

    status: str
    labels: Labels = msgspec.field(default_factory=dict)
    annotations: Labels | None = None
    starts_at: str = ""
    generator_url: str | None = msgspec.field(default=None, name="generatorURL")
    fingerprint: str = ""
    silence_url: str | None = msgspec.field(default=None, name="silenceURL")
    dashboard_url: str | None = msgspec.field(default=None, name="dashboardURL")
    panel_url: str | None = msgspec.field(default=None, name="panelURL")
    image_url: str | None = msgspec.field(default=None, name="imageURL")

    @property
    def is_firing(self) -> bool:
        """Whether it is not resolved."""
        return self.status != "resolved"

    @property
    def identity(self) -> str:
        """Its fingerprint, or its labels where an older sender gives none."""
        return self.fingerprint or thread_of(*(f"{k}={v}" for k, v in sorted(self.labels.items())))

    def said(self, *names: str) -> str | None:
        """Return the first annotation, or else label, of these names."""
        for name in names:
            for values in (self.annotations or {}, self.labels):
                if values.get(name):
                    return values[name]
        return None


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a webhook."""

    alerts: list[Alert]
    status: str = "firing"
    group_key: str = ""
    truncated_alerts: int = 0
    group_labels: Labels | None = None
    common_labels: Labels | None = None
    common_annotations: Labels | None = None
    external_url: str | None = msgspec.field(default=None, name="externalURL")


_payload = msgspec.json.Decoder(Payload)


class Alertmanager:
    """The shim; ``name`` keeps its threads apart from those of other products."""

    name: ClassVar[str] = "alertmanager"
    key_in_body: ClassVar[bool] = False
    most_bytes: ClassVar[int | None] = None

    def key(self, _incoming: Incoming) -> None:
        """Find no key: the product sends headers."""

    def read(self, incoming: Incoming) -> Reading:
        """Read a webhook: a notice for each alert, or one for the group."""
        payload = read_json(_payload, incoming.body)
        updates = choice(incoming, "resolved", "withdraw", "update") == "update"
        if choice(incoming, "per", "alert", "group") == "group":
            notices = [self._of_group(payload, updates=updates)]
        else:
            notices = [self._of_alert(alert, updates=updates) for alert in payload.alerts]
        return Reading(notices, lambda ids: msgspec.json.encode({"alerts": ids}))

    def refused(self, _status: int, _error: TocsinError) -> None:
        """Leave the problem document, whose detail the product logs."""

    def _of_alert(self, alert: Alert, *, updates: bool) -> Notice:
        thread, episode = thread_of(self.name, alert.identity), thread_of(alert.starts_at)
        if not (alert.is_firing or updates):
            return Withdraw(thread, episode)
        return Publish(_fields(alert), named_by(alert), thread, episode)

    def _of_group(self, payload: Payload, *, updates: bool) -> Notice:
        thread = thread_of(self.name, "group", payload.group_key)
        if payload.status == "resolved" and not updates:
            return Withdraw(thread)
        common = {**(payload.common_annotations or {}), **(payload.common_labels or {})}
        return Publish(_group_fields(payload), destination(common.get, "tocsin"), thread)


def named_by(alert: Alert) -> Destination:
    """Return whom an alert names, by the annotations or labels ``tocsin_users`` and ``tocsin_topics``."""
    return destination(alert.said, "tocsin")


def _fields(alert: Alert) -> Fields:
    """Return what an alert says."""
    title = alert.said("summary", "title", "alertname") or "Alert"
    return alert_fields(
        title=title if alert.is_firing else f"Resolved: {title}",
        body=alert.said("description", "message") or _pairs(alert.labels),
        severity=severity_of(alert.said("severity")) if alert.is_firing else "success",
        category=alert.labels.get("alertname"),
        url=alert.panel_url or alert.dashboard_url or alert.generator_url,
        actions=(
            ("runbook", "Runbook", alert.said("runbook_url", "runbook")),
            ("dashboard", "Dashboard", alert.dashboard_url),
            ("silence", "Silence", alert.silence_url),
        ),
        data={
            "status": alert.status,
            "starts_at": alert.starts_at,
            "labels": alert.labels,
            "image_url": alert.image_url,
        },
    )


def _group_fields(payload: Payload) -> Fields:
    """Return what a group says: how many fire, and which."""
    firing = [alert for alert in payload.alerts if alert.is_firing]
    common, by = payload.common_labels or {}, payload.group_labels or {}
    name = common.get("alertname") or _pairs(by) or "Alerts"
    count = len(firing) + payload.truncated_alerts
    shown = [f"- {alert.said('summary', 'title') or _pairs(alert.labels)}" for alert in firing]
    shown = shown[:_LISTED_ALERTS]
    if count > len(shown):
        shown.append(f"and {count - len(shown)} more")
    severities = {severity_of(alert.said("severity")) for alert in firing}
    return alert_fields(
        title=f"{name}: {count} firing" if firing else f"Resolved: {name}",
        body="\n".join(shown),
        severity=next((rank for rank in _RANK if rank in severities), "success"),
        category=common.get("alertname"),
        url=payload.external_url,
        data={"group_labels": by, "common_labels": common},
    )


def _pairs(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items() if name != "alertname")
