"""Webhooks of a hub: who is told of receipts, how that goes, and what was given up."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from tocsin.api.auth import Authenticator
from tocsin.api.bodies import read_json
from tocsin.api.http import Request, Response
from tocsin.api.keyring import KeyRing
from tocsin.api.paging import cursor_of, limit_of, newest_page
from tocsin.clock import to_rfc3339
from tocsin.config import KeptFact
from tocsin.errors import InvalidInputError, NotFoundError
from tocsin.events.registry import Registry
from tocsin.events.sender import BOTH_SECRETS_US, Sender
from tocsin.model.webhook import DeadBatch, Webhook
from tocsin.ports.audit import Deed
from tocsin.ports.webhooks import WebhookStore

Facts = Annotated[tuple[KeptFact, ...], Meta(max_length=20)]


class WebhookRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/admin/webhooks``."""

    url: str
    facts: Facts = ()
    key_id: str | None = None


class WebhookChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``PATCH /v1/admin/webhooks/{id}``; what is left out stays."""

    url: str | UnsetType = UNSET
    facts: Facts | UnsetType = UNSET
    key_id: str | UnsetType | None = UNSET
    enabled: bool | None = None


_request = msgspec.json.Decoder(WebhookRequest)
_change = msgspec.json.Decoder(WebhookChange)
_encode = msgspec.json.encode


class Webhooks:
    """The routes of webhooks, for administrators."""

    def __init__(
        self,
        auth: Authenticator,
        keyring: KeyRing,
        webhooks: WebhookStore,
        registry: Registry,
        sender: Sender,
    ) -> None:
        self._auth = auth
        self._keyring = keyring
        self._webhooks = webhooks
        self._registry = registry
        self._sender = sender

    async def create(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/admin/webhooks``: the only time this secret is shown."""
        hub = self._auth.admin(request).hub
        wanted = await read_json(request, _request)
        self._check_key(hub, wanted.key_id)
        webhook, secret = await self._registry.register(
            hub, wanted.url, wanted.facts, wanted.key_id, deed
        )
        return Response(201, _encode({**_describe(webhook), "secret": secret}))

    async def list(self, request: Request) -> Response:
        """``GET /v1/admin/webhooks``: those of the hub, oldest first."""
        found = await self._webhooks.webhooks(self._auth.admin(request).hub)
        return Response(200, _encode({"webhooks": [_describe(one) for one in found]}))

    async def show(self, request: Request) -> Response:
        """``GET /v1/admin/webhooks/{id}``."""
        return Response(200, _encode(_describe(await self._named(request))))

    async def change(self, request: Request, deed: Deed) -> Response:
        """``PATCH /v1/admin/webhooks/{id}``: what waits for its next try is tried at once."""
        known = await self._named(request)
        change = await read_json(request, _change)
        names = ("url", "facts", "key_id")
        given = {name: getattr(change, name) for name in names}
        wanted = replace(known, **{k: v for k, v in given.items() if v is not UNSET})
        self._check_key(known.hub, wanted.key_id)
        await self._registry.change(known, wanted, enabled=change.enabled, deed=deed)
        return Response(200, _encode(_describe(await self._named(request))))

    async def remove(self, request: Request, deed: Deed) -> Response:
        """``DELETE /v1/admin/webhooks/{id}``: with what was given up for it."""
        hub = self._auth.admin(request).hub
        if not await self._webhooks.remove_webhook(hub, request.params["id"], deed):
            raise _no_webhook(request)
        return Response(204)

    async def rotate(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/admin/webhooks/{id}/secret``: the former one signs beside the new one for a day."""
        secrets, text = await self._registry.rotate(await self._named(request), deed)
        until_us = secrets.rotated_us + BOTH_SECRETS_US
        answer = {"secret": text, "former_valid_until": to_rfc3339(until_us)}
        return Response(200, _encode(answer))

    async def test(self, request: Request) -> Response:
        """``POST /v1/admin/webhooks/{id}/test``: send a ping, and tell whether it was taken."""
        return _tried(await self._sender.ping(await self._named(request)))

    async def list_dead(self, request: Request) -> Response:
        """``GET /v1/admin/webhooks/{id}/dead``: newest first, page by page."""
        webhook, limit = await self._named(request), limit_of(request)
        found = await self._webhooks.dead_batches(
            webhook.id, limit=limit + 1, below=cursor_of(request)
        )
        places = [(one.at_us, one.id) for one in found]
        return newest_page("dead", [_describe_dead(one) for one in found], places, limit)

    async def show_dead(self, request: Request) -> Response:
        """``GET /v1/admin/webhooks/{id}/dead/{batch}``: with the events that were not taken."""
        _, batch = await self._named_dead(request)
        return Response(200, _encode({**_describe_dead(batch), "events": msgspec.Raw(batch.body)}))

    async def retry_dead(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/admin/webhooks/{id}/dead/{batch}/retry``: once and now; it is forgotten if it is taken."""
        webhook, batch = await self._named_dead(request)
        of_batch = replace(deed, detail={"batch": batch.id})
        return _tried(await self._sender.resend(webhook, batch, of_batch))

    async def drop_dead(self, request: Request, deed: Deed) -> Response:
        """``DELETE /v1/admin/webhooks/{id}/dead/{batch}``: for good."""
        webhook, batch = await self._named_dead(request)
        of_batch = replace(deed, detail={"batch": batch.id})
        await self._webhooks.drop_dead_batch(webhook.id, batch.id, of_batch)
        return Response(204)

    async def _named(self, request: Request) -> Webhook:
        hub = self._auth.admin(request).hub
        webhook = await self._webhooks.webhook(hub, request.params["id"])
        if webhook is None:
            raise _no_webhook(request)
        return webhook

    async def _named_dead(self, request: Request) -> tuple[Webhook, DeadBatch]:
        webhook = await self._named(request)
        batch = await self._webhooks.dead_batch(webhook.id, request.params["batch"])
        if batch is None:
            detail = (
                f"the webhook has no dead batch {request.params['batch'][:80]!r}; "
                "`tocsin webhook dead list` shows them"
            )
            raise NotFoundError(detail, code="dead-batch-not-found")
        return webhook, batch

    def _check_key(self, hub: str, key_id: str | None) -> None:
        if key_id is None:
            return
        key = self._keyring.find(key_id)
        if key is None or key.hub != hub:
            detail = f"the hub has no key {key_id[:40]!r}; `tocsin key list` shows their ids"
            raise InvalidInputError(detail, code="webhook-key-unknown", pointer="/key_id")


def _describe(webhook: Webhook) -> dict[str, object]:
    progress, disabled_us = webhook.progress, webhook.disabled_us
    trying = progress.attempts > 0 and disabled_us is None
    return {
        "id": webhook.id,
        "hub": webhook.hub,
        "url": webhook.url,
        "facts": webhook.facts,
        "key_id": webhook.key_id,
        "created_at": to_rfc3339(webhook.created_us),
        "enabled": disabled_us is None,
        "disabled_at": None if disabled_us is None else to_rfc3339(disabled_us),
        "disabled_reason": webhook.disabled_reason,
        "attempts": progress.attempts,
        "failure": progress.failure,
        "next_try_at": to_rfc3339(progress.due_us) if trying else None,
    }


def _describe_dead(batch: DeadBatch) -> dict[str, object]:
    return {
        "id": batch.id,
        "receipts": batch.receipts,
        "attempts": batch.attempts,
        "reason": batch.reason,
        "dead_at": to_rfc3339(batch.at_us),
    }


def _tried(trouble: str | None) -> Response:
    return Response(200, _encode({"delivered": trouble is None, "reason": trouble}))


def _no_webhook(request: Request) -> NotFoundError:
    detail = (
        f"the hub has no webhook {request.params['id'][:80]!r}; `tocsin webhook list` shows them"
    )
    return NotFoundError(detail, code="webhook-not-found")
