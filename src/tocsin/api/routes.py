"""Every path this server answers, in one list."""

import msgspec

from tocsin.api.admin import Admin
from tocsin.api.alerts import Alerts
from tocsin.api.client_tokens import ClientTokens
from tocsin.api.dead_letters import DeadLetters
from tocsin.api.demo import Demo
from tocsin.api.doctor import Doctor
from tocsin.api.dry_run import DryRun
from tocsin.api.events import Events
from tocsin.api.http import Request, Response
from tocsin.api.inbox import Inbox
from tocsin.api.operations import Operations
from tocsin.api.own_topics import OwnTopics
from tocsin.api.people import People
from tocsin.api.published import Published
from tocsin.api.receipts import Receipts
from tocsin.api.routing import Router
from tocsin.api.shims import Shims
from tocsin.api.stream import InboxStream
from tocsin.api.topics import Topics
from tocsin.api.web_files import WebFiles
from tocsin.api.webhooks import Webhooks
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
    dead: DeadLetters
    people: People
    doctor: Doctor
    webhooks: Webhooks
    operations: Operations
    web: WebFiles
    demo: Demo | None


async def not_upgraded(_request: Request) -> Response:
    """``GET /client/hubs/{hub}`` without an upgrade; with one it goes to the gateway and never comes here.

    Raises:
        InvalidInputError: Always.
    """
    raise InvalidInputError("this is a WebSocket; connect with an upgrade", code="upgrade-needed")


def build_router(resources: Resources) -> Router:
    """Lay out the paths."""
    alerts, inbox, admin = resources.alerts, resources.inbox, resources.admin
    topics = resources.topics
    shims = resources.shims
    webhooks = resources.webhooks
    router = Router()
    for method, path, handler in (
        ("POST", "/v1/alerts", resources.dry_run.publish),
        ("GET", "/v1/alerts", resources.published.alerts),
        ("POST", "/v1/alerts/batch", alerts.publish_batch),
        ("GET", "/v1/alerts/{id}", alerts.status),
        ("DELETE", "/v1/alerts/{id}", alerts.withdraw),
        ("GET", "/v1/alerts/{id}/trace", resources.receipts.trace),
        ("POST", "/v1/events", resources.events.publish),
        ("GET", "/v1/topics", topics.list),
        ("GET", "/v1/topics/{topic}/subscribers", topics.subscribers),
        ("POST", "/v1/topics/{topic}/subscribers", topics.subscribe_many),
        ("PUT", "/v1/topics/{topic}/subscribers/{user}", topics.subscribe),
        ("DELETE", "/v1/topics/{topic}/subscribers/{user}", topics.unsubscribe),
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
        ("GET", "/v1/inbox/stream", resources.stream.open),
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
        ("POST", "/v1/users/{user}/revoke-tokens", resources.people.revoke_tokens),
        ("POST", "/v1/admin/keys", admin.create_key),
        ("GET", "/v1/admin/keys", admin.list_keys),
        ("DELETE", "/v1/admin/keys/{id}", admin.revoke_key),
        ("GET", "/v1/admin/dead", resources.dead.list),
        ("GET", "/v1/admin/dead/{id}", resources.dead.show),
        ("POST", "/v1/admin/dead/{id}/retry", resources.dead.retry),
        ("DELETE", "/v1/admin/dead/{id}", resources.dead.drop),
        ("GET", "/v1/admin/doctor", resources.doctor.examine),
        ("POST", "/v1/admin/webhooks", webhooks.create),
        ("GET", "/v1/admin/webhooks", webhooks.list),
        ("GET", "/v1/admin/webhooks/{id}", webhooks.show),
        ("PATCH", "/v1/admin/webhooks/{id}", webhooks.change),
        ("DELETE", "/v1/admin/webhooks/{id}", webhooks.remove),
        ("POST", "/v1/admin/webhooks/{id}/secret", webhooks.rotate),
        ("POST", "/v1/admin/webhooks/{id}/test", webhooks.test),
        ("GET", "/v1/admin/webhooks/{id}/dead", webhooks.list_dead),
        ("GET", "/v1/admin/webhooks/{id}/dead/{batch}", webhooks.show_dead),
        ("POST", "/v1/admin/webhooks/{id}/dead/{batch}/retry", webhooks.retry_dead),
        ("DELETE", "/v1/admin/webhooks/{id}/dead/{batch}", webhooks.drop_dead),
        ("GET", "/v1/admin/connection-string", admin.connection_string),
        ("GET", "/healthz", resources.operations.healthz),
        ("GET", "/readyz", resources.operations.readyz),
        ("GET", "/metrics", resources.operations.metrics),
        ("GET", "/client/hubs/{hub}", not_upgraded),
    ):
        router.add(method, path, handler)
    for path in resources.web.paths(demo=resources.demo is not None):
        router.add("GET", path, resources.web.file)
    if resources.demo is not None:
        router.add("POST", "/demo/session", resources.demo.session)
        router.add("POST", "/demo/alerts", resources.demo.publish)
        router.add("GET", "/demo/alerts/{id}", resources.demo.status)
    return router
