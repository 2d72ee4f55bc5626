"""Every path this server answers, in one list."""

from collections.abc import Collection

import msgspec

from tocsin.api.access_keys import AccessKeyRoutes
from tocsin.api.admin import Admin
from tocsin.api.alerts import Alerts
from tocsin.api.audit import Audit
from tocsin.api.client_tokens import ClientTokens
from tocsin.api.dead_letters import DeadLetters
from tocsin.api.dead_pushes import DeadPushes
from tocsin.api.demo import Demo
from tocsin.api.devices import Devices
from tocsin.api.doctor import Doctor
from tocsin.api.dry_run import DryRun, never
from tocsin.api.event_handlers import EventHandlers
from tocsin.api.events import Events
from tocsin.api.http import Request, Response
from tocsin.api.inbox import Inbox
from tocsin.api.operations import Operations
from tocsin.api.own_topics import OwnTopics
from tocsin.api.people import People
from tocsin.api.preferences import PreferenceRoutes
from tocsin.api.published import Published
from tocsin.api.receipts import Receipts
from tocsin.api.routing import Router
from tocsin.api.shims import Shims
from tocsin.api.stream import InboxStream
from tocsin.api.topics import Topics
from tocsin.api.vapid_keys import VapidKeyRoutes
from tocsin.api.web_files import WebFiles
from tocsin.api.webhooks import Webhooks
from tocsin.api.webpubsub.answers import unmatched
from tocsin.api.webpubsub.routes import DataPlane
from tocsin.config import ROLES, Role
from tocsin.errors import InvalidInputError


class Resources(msgspec.Struct, frozen=True):
    """What stands behind the routes; ``demo`` only when the demo page is served."""

    alerts: Alerts
    dry_run: DryRun
    published: Published
    events: Events
    topics: Topics
    own_topics: OwnTopics
    shims: Shims
    tokens: ClientTokens
    inbox: Inbox
    receipts: Receipts
    stream: InboxStream
    admin: Admin
    access_keys: AccessKeyRoutes
    dead: DeadLetters
    dead_pushes: DeadPushes
    devices: Devices
    vapid_keys: VapidKeyRoutes
    people: People
    preferences: PreferenceRoutes
    doctor: Doctor
    webhooks: Webhooks
    event_handlers: EventHandlers
    audit: Audit
    operations: Operations
    data_plane: DataPlane
    web: WebFiles
    demo: Demo | None


async def not_upgraded(_request: Request) -> Response:
    """``GET /client/hubs/{hub}`` without an upgrade; with one it goes to the gateway and never comes here.

    Raises:
        InvalidInputError: Always.
    """
    raise InvalidInputError("this is a WebSocket; connect with an upgrade", code="upgrade-needed")


def build_router(resources: Resources, roles: Collection[Role] = ROLES) -> Router:
    """Lay out the paths that a process of these roles answers."""
    router = Router()
    operations = resources.operations
    router.add("GET", "/healthz", operations.healthz)
    router.add("GET", "/readyz", operations.readyz)
    router.add("GET", "/metrics", operations.metrics)
    if "api" in roles:
        _add_api(router, resources)
    if "gateway" in roles:
        _add_gateway(router, resources)
    return router


def _add_gateway(router: Router, resources: Resources) -> None:
    """Add what is about live connections, which only the process has that holds them."""
    router.add("GET", "/v1/inbox/stream", resources.stream.open)
    router.add("GET", "/client/hubs/{hub}", not_upgraded)
    for method, path, handler in resources.data_plane.routes():
        router.add(method, path, handler)
    router.refuse_under("/api/", unmatched)


def _add_api(router: Router, resources: Resources) -> None:
    alerts, inbox, admin = resources.alerts, resources.inbox, resources.admin
    topics = resources.topics
    shims = resources.shims
    webhooks, handlers = resources.webhooks, resources.event_handlers
    people, devices = resources.people, resources.devices
    vapid_keys = resources.vapid_keys
    for method, path, handler in (
        ("POST", "/v1/alerts", resources.dry_run.publish),
        ("GET", "/v1/alerts", resources.published.alerts),
        ("POST", "/v1/alerts/batch", never(alerts.publish_batch)),
        ("GET", "/v1/alerts/{id}", alerts.status),
        ("GET", "/v1/alerts/{id}/trace", resources.receipts.trace),
        ("POST", "/v1/events", never(resources.events.publish)),
        ("GET", "/v1/topics", topics.list),
        ("GET", "/v1/topics/{topic}/subscribers", topics.subscribers),
        ("GET", "/v1/users/{user}/topics", topics.topics_of),
        ("POST", "/shims/alertmanager", shims.alertmanager),
        ("POST", "/shims/grafana", shims.grafana),
        ("POST", "/shims/pagerduty/v2/enqueue", shims.pagerduty),
        ("POST", "/shims/gotify/message", shims.gotify),
        ("POST", "/shims/ntfy/", shims.ntfy),
        ("POST", "/shims/ntfy/{topic}", shims.ntfy),
        ("PUT", "/shims/ntfy/{topic}", shims.ntfy),
        ("POST", "/v1/client-tokens", resources.tokens.create),
        ("GET", "/v1/inbox", inbox.read),
        ("GET", "/v1/inbox/changes", inbox.changes),
        ("GET", "/v1/inbox/items", inbox.entries),
        ("PATCH", "/v1/inbox/items", inbox.patch_many),
        ("GET", "/v1/inbox/items/{id}", inbox.entry),
        ("PATCH", "/v1/inbox/items/{id}", inbox.patch),
        ("DELETE", "/v1/inbox/items/{id}", inbox.delete),
        ("POST", "/v1/inbox/items/{id}/restore", inbox.restore),
        ("POST", "/v1/inbox/mark", inbox.mark),
        ("GET", "/v1/inbox/topics", resources.own_topics.list),
        ("PUT", "/v1/inbox/topics/{topic}", resources.own_topics.subscribe),
        ("DELETE", "/v1/inbox/topics/{topic}", resources.own_topics.unsubscribe),
        ("POST", "/v1/inbox/receipts", resources.receipts.report),
        ("GET", "/v1/preferences", resources.preferences.read),
        ("PUT", "/v1/preferences", resources.preferences.replace),
        ("GET", "/v1/admin/preferences", resources.preferences.read_hub),
        ("GET", "/v1/push/config", devices.config),
        ("GET", "/v1/devices", devices.list),
        ("GET", "/v1/devices/{id}", devices.show),
        ("PUT", "/v1/devices/{id}", devices.put),
        ("PATCH", "/v1/devices/{id}", devices.change),
        ("DELETE", "/v1/devices/{id}", devices.remove),
        ("POST", "/v1/devices/{id}/test", devices.test),
        ("GET", "/v1/admin/keys", admin.list_keys),
        ("GET", "/v1/admin/access-keys", resources.access_keys.list),
        ("GET", "/v1/admin/erasures", people.erasures),
        ("GET", "/v1/admin/audit", resources.audit.list),
        ("POST", "/v1/admin/backups", resources.audit.backup),
        ("GET", "/v1/admin/dead", resources.dead.list),
        ("GET", "/v1/admin/dead/{id}", resources.dead.show),
        ("GET", "/v1/admin/dead-pushes", resources.dead_pushes.list),
        ("GET", "/v1/admin/doctor", resources.doctor.examine),
        ("GET", "/v1/admin/webhooks", webhooks.list),
        ("GET", "/v1/admin/webhooks/{id}", webhooks.show),
        ("GET", "/v1/admin/webhooks/{id}/dead", webhooks.list_dead),
        ("GET", "/v1/admin/webhooks/{id}/dead/{batch}", webhooks.show_dead),
        ("GET", "/v1/admin/event-handlers", handlers.list),
        ("GET", "/v1/admin/vapid-keys", vapid_keys.list),
    ):
        router.add(method, path, handler)
    # What an operator or a backend changes of others' rights or data leaves a deed in the same transaction.
    for method, path, action, changing in (
        ("DELETE", "/v1/alerts/{id}", "alert.withdraw", alerts.withdraw),
        ("POST", "/v1/topics/{topic}/subscribers", "topic.subscribe", topics.subscribe_many),
        ("PUT", "/v1/topics/{topic}/subscribers/{user}", "topic.subscribe", topics.subscribe),
        (
            "DELETE",
            "/v1/topics/{topic}/subscribers/{user}",
            "topic.unsubscribe",
            topics.unsubscribe,
        ),
        ("POST", "/v1/users/{user}/revoke-tokens", "user.revoke-tokens", people.revoke_tokens),
        ("DELETE", "/v1/users/{user}", "user.erase", people.erase),
        ("POST", "/v1/admin/vapid-keys", "vapid.rotate", vapid_keys.rotate),
        ("DELETE", "/v1/admin/vapid-keys/{id}", "vapid.retire", vapid_keys.retire),
        ("POST", "/v1/admin/keys", "key.create", admin.create_key),
        ("DELETE", "/v1/admin/keys/{id}", "key.revoke", admin.revoke_key),
        (
            "PUT",
            "/v1/admin/preferences",
            "preferences.change",
            resources.preferences.replace_hub,
        ),
        ("POST", "/v1/admin/dead/{id}/retry", "dead.retry", resources.dead.retry),
        ("DELETE", "/v1/admin/dead/{id}", "dead.drop", resources.dead.drop),
        ("POST", "/v1/admin/dead-pushes/retry", "push.retry", resources.dead_pushes.retry_page),
        ("POST", "/v1/admin/dead-pushes/{id}/retry", "push.retry", resources.dead_pushes.retry),
        ("POST", "/v1/admin/webhooks", "webhook.create", webhooks.create),
        ("PATCH", "/v1/admin/webhooks/{id}", "webhook.change", webhooks.change),
        ("DELETE", "/v1/admin/webhooks/{id}", "webhook.remove", webhooks.remove),
        ("POST", "/v1/admin/webhooks/{id}/secret", "webhook.rotate", webhooks.rotate),
        (
            "POST",
            "/v1/admin/webhooks/{id}/dead/{batch}/retry",
            "webhook.retry",
            webhooks.retry_dead,
        ),
        ("DELETE", "/v1/admin/webhooks/{id}/dead/{batch}", "webhook.drop", webhooks.drop_dead),
        ("POST", "/v1/admin/event-handlers", "event-handler.create", handlers.create),
        ("DELETE", "/v1/admin/event-handlers/{id}", "event-handler.remove", handlers.remove),
        (
            "POST",
            "/v1/admin/access-keys/{which}/regenerate",
            "access-key.regenerate",
            resources.access_keys.regenerate,
        ),
    ):
        router.add(method, path, resources.audit.kept(action, changing))
    # What shows a secret, or all of a person, or calls a stranger, is noted before its answer.
    for method, path, action, handler in (
        ("GET", "/v1/users/{user}/export", "user.export", people.export),
        ("POST", "/v1/admin/webhooks/{id}/test", "webhook.test", webhooks.test),
        ("POST", "/v1/admin/event-handlers/{id}/test", "event-handler.test", handlers.test),
        (
            "GET",
            "/v1/admin/connection-string",
            "connection-string.show",
            resources.access_keys.connection_string,
        ),
    ):
        router.add(method, path, resources.audit.noted(action, handler))
    for path in resources.web.paths(demo=resources.demo is not None):
        router.add("GET", path, resources.web.file)
    if resources.demo is not None:
        router.add("POST", "/demo/session", resources.demo.session)
        router.add("POST", "/demo/alerts", never(resources.demo.publish))
        router.add("GET", "/demo/alerts/{id}", resources.demo.status)
        router.add("GET", "/demo/alerts/{id}/trace", resources.demo.trace)
