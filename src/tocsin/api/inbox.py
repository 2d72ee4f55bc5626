"""The inbox over HTTP: two ways to read and one to act (docs/reference/inbox-protocol.md)."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tocsin.api.auth import Authenticator
from tocsin.api.bodies import read_json
from tocsin.api.http import JSON, Request, Response
from tocsin.api.paging import cursor_of, integer, limit_of
from tocsin.api.problems import PROBLEM
from tocsin.api.receipts import device_of
from tocsin.clock import from_datetime
from tocsin.errors import InvalidInputError, NotFoundError
from tocsin.inbox.actor import Actor
from tocsin.model.alert import Severity
from tocsin.model.answers import (
    changes_answer,
    entries_answer,
    inbox_answer,
    older_answer,
    outcome_answer,
    reload_answer,
)
from tocsin.model.commands import Command, MarkUpTo, Patch, PatchItems, RestoreItem
from tocsin.model.ids import check_id
from tocsin.model.inbox import Reload
from tocsin.model.position import Position, parse_position
from tocsin.model.reading import Status
from tocsin.model.wire import entry_json
from tocsin.ports.store import InboxStore, Listing

MAX_PATCHES = 500
_PATCHES_BODY = 262_144
_STATUSES = get_args(Status)
_SEVERITIES = get_args(Severity)


class ItemPatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``PATCH /v1/inbox/items/{id}``."""

    alert_id: str
    read: bool | UnsetType = UNSET
    seen: Literal[True] | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    snoozed_until: datetime | UnsetType | None = UNSET


class NamedPatch(ItemPatch, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One element of ``PATCH /v1/inbox/items``; ``deleted`` deletes."""

    id: str
    deleted: Literal[True] | UnsetType = UNSET


class PatchList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``PATCH /v1/inbox/items``: all of it takes effect, or nothing."""

    patches: Annotated[tuple[NamedPatch, ...], Meta(min_length=1, max_length=MAX_PATCHES)]


class UpTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the user had when acting."""

    epoch: str
    sort: Annotated[int, Meta(ge=0)]
    brev: Annotated[int, Meta(ge=0)]


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/inbox/mark``."""

    action: Literal["seen", "read"]
    up_to: UpTo
    category: str | None = None


_item_patch = msgspec.json.Decoder(ItemPatch)
_patch_list = msgspec.json.Decoder(PatchList)
_mark = msgspec.json.Decoder(Mark)


class Inbox:
    """The routes of people: a client token, or a server key with ``?user=``."""

    def __init__(self, auth: Authenticator, store: InboxStore, actor: Actor) -> None:
        self._auth = auth
        self._store = store
        self._actor = actor

    async def read(self, request: Request) -> Response:
        """``GET /v1/inbox``: the newest page, or with ``before`` an older one."""
        hub, user = await self._auth.inbox(request)
        limit, before = limit_of(request), request.query("before")
        position = _position(request, "position")
        if before is not None:
            end = integer(before, "before")
            older = await self._store.older(hub, user, limit=limit, before=end, position=position)
            return _ok(reload_answer(older) if isinstance(older, Reload) else older_answer(older))
        page = await self._store.inbox(hub, user, limit=limit, position=position)
        return _ok(reload_answer(page) if isinstance(page, Reload) else inbox_answer(page))

    async def changes(self, request: Request) -> Response:
        """``GET /v1/inbox/changes?since=POSITION``: everything after it, in one piece."""
        hub, user = await self._auth.inbox(request)
        since = _position(request, "since")
        if since is None:
            raise InvalidInputError("add ?since=EPOCH:REV:BREV", code="invalid-position")
        found = await self._store.changes(hub, user, since)
        return _ok(reload_answer(found) if isinstance(found, Reload) else changes_answer(found))

    async def entries(self, request: Request) -> Response:
        """``GET /v1/inbox/items``: own items and broadcasts merged, newest first."""
        hub, user = await self._auth.inbox(request)
        listing = Listing(
            status=_one_of(request, "status", _STATUSES) or "all",  # type: ignore[arg-type]  # one of them
            category=request.query("category"),
            severity=_one_of(request, "severity", _SEVERITIES),
            limit=limit_of(request),
            cursor=cursor_of(request),
        )
        return _ok(entries_answer(await self._store.entries(hub, user, listing)))

    async def entry(self, request: Request) -> Response:
        """``GET /v1/inbox/items/{id}``: one item, archived and snoozed ones too."""
        hub, user = await self._auth.inbox(request)
        found = await self._store.entry(hub, user, request.params["id"])
        if found is None:
            detail = f"there is no item {request.params['id'][:80]!r} in this inbox"
            raise NotFoundError(detail, code="item-not-found")
        return _ok(entry_json(found))

    async def patch(self, request: Request) -> Response:
        """``PATCH /v1/inbox/items/{id}``."""
        hub, user = await self._auth.inbox(request)
        wanted = await read_json(request, _item_patch)
        command = PatchItems((_to_patch(request.params["id"], wanted),))
        return await self._act(request, hub, user, command)

    async def patch_many(self, request: Request) -> Response:
        """``PATCH /v1/inbox/items``: up to 500 at once, all or none."""
        hub, user = await self._auth.inbox(request)
        wanted = await read_json(request, _patch_list, _PATCHES_BODY)
        patches = (_to_patch(one.id, one, deleted=one.deleted) for one in wanted.patches)
        return await self._act(request, hub, user, PatchItems(tuple(patches)))

    async def delete(self, request: Request) -> Response:
        """``DELETE /v1/inbox/items/{id}?alert_id=``."""
        hub, user = await self._auth.inbox(request)
        patch = Patch(request.params["id"], _alert_id(request), deleted=True)
        return await self._act(request, hub, user, PatchItems((patch,)))

    async def restore(self, request: Request) -> Response:
        """``POST /v1/inbox/items/{id}/restore?alert_id=``: undo a deletion."""
        hub, user = await self._auth.inbox(request)
        command = RestoreItem(request.params["id"], _alert_id(request))
        return await self._act(request, hub, user, command)

    async def mark(self, request: Request) -> Response:
        """``POST /v1/inbox/mark``: everything up to a place is seen or read."""
        hub, user = await self._auth.inbox(request)
        wanted = await read_json(request, _mark)
        up_to = wanted.up_to
        command = MarkUpTo(wanted.action, up_to.epoch, up_to.sort, up_to.brev, wanted.category)
        return await self._act(request, hub, user, command)

    async def _act(self, request: Request, hub: str, user: str, command: Command) -> Response:
        op_id = request.header(b"idempotency-key")
        if op_id is not None:
            check_id(op_id, "Idempotency-Key")
        outcome = await self._actor.act(hub, user, command, op_id, device_of(request))
        status, body = outcome_answer(outcome)
        return Response(status, body, JSON if status == HTTPStatus.OK else PROBLEM)


def _ok(body: bytes) -> Response:
    return Response(200, body)


def _to_patch(
    item_id: str, wanted: ItemPatch, *, deleted: Literal[True] | UnsetType = UNSET
) -> Patch:
    until = wanted.snoozed_until
    if isinstance(until, datetime):
        try:
            snoozed: int | UnsetType | None = from_datetime(until)
        except ValueError as error:
            raise InvalidInputError(str(error), code="invalid-time") from error
    else:
        snoozed = until
    return Patch(
        item_id,
        wanted.alert_id,
        read=wanted.read,
        seen=wanted.seen,
        archived=wanted.archived,
        deleted=deleted,
        snoozed_until=snoozed,
    )


def _alert_id(request: Request) -> str:
    alert_id = request.query("alert_id")
    if alert_id is None:
        detail = "add ?alert_id=: it names what the item says now, so that nothing newer is deleted"
        raise InvalidInputError(detail, code="alert-id-missing")
    return alert_id


def _one_of(request: Request, name: str, known: Sequence[str]) -> str | None:
    text = request.query(name)
    if text is not None and text not in known:
        detail = f"{name} {text[:40]!r} is none of {', '.join(known)}"
        raise InvalidInputError(detail, code="invalid-query")
    return text


def _position(request: Request, name: str) -> Position | None:
    text = request.query(name)
    return None if text is None else parse_position(text)
