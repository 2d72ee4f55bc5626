"""The server's side of a history: the Store port behind the answers and announcements of the real API."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from tests.model.device import Device, Row
from tests.model.journal import Journal
from tests.model.ledger import Home, Ledger
from tests.model.schedule import Schedule
from tocsin.clock import from_datetime
from tocsin.model.alert import Audience, Envelope
from tocsin.model.answers import (
    changes_answer,
    inbox_answer,
    older_answer,
    outcome_answer,
    reload_answer,
)
from tocsin.model.commands import Command, Done, MarkUpTo, Outcome, Patch, PatchItems, RestoreItem
from tocsin.model.inbox import BroadcastEntry, ChangeSet, Entry, InboxPage, MergedPage, Reload
from tocsin.model.position import Position, parse_position
from tocsin.model.wire import head_frame
from tocsin.ports.fanout import Announcement, announce_broadcasts, announce_changes
from tocsin.ports.store import Delivered, Listing, Swept
from tocsin.ports.topics import TopicStore

ALL = 1_000_000
Work = Coroutine[Any, Any, Any]


def drive(work: Work) -> Any:
    """Run a coroutine that never waits, without an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    msg = "the memory store waited for something"
    raise AssertionError(msg)


@dataclass
class Kit:
    """What a history is run with; mutations and other stores and cores are put in here."""

    new_store: Callable[..., Any]
    new_core: Callable[[dict[str, int]], Any]
    drive: Callable[[Work], Any] = drive
    drive_all: Callable[[Sequence[Work]], list[Any]] = lambda works: [drive(w) for w in works]
    backup: Callable[[Any], Any] | None = None
    restore: Callable[[Any, Any], Any] | None = None
    announce: Callable[[str, Sequence[ChangeSet]], list[Announcement]] = announce_changes
    close: Callable[[Any], None] = lambda _store: None


class ModelServer:
    """Answers requests, changes inboxes, and announces what changed."""

    def __init__(
        self,
        store: Any,
        kit: Kit,
        *,
        schedule: Schedule,
        rng: Random,
        journal: Journal,
        ledger: Ledger,
        lose_announcement: float,
    ) -> None:
        self.store: Any = store
        self.devices: list[Device] = []
        self.lose_announcement = lose_announcement
        self._kit, self._schedule, self._rng = kit, schedule, rng
        self._journal, self._ledger = journal, ledger

    # Reading

    def run(self, work: Work) -> Any:
        return self._kit.drive(work)

    def position(self, home: Home) -> Position:
        position: Position = self.run(self.store.head(*home))[1]
        return position

    def entries(self, home: Home) -> tuple[Entry, ...]:
        page: MergedPage = self.run(self.store.entries(*home, Listing(limit=ALL)))
        return page.entries

    def page(self, home: Home) -> InboxPage:
        page = self.run(self.store.inbox(*home, limit=ALL))
        assert isinstance(page, InboxPage), page
        return page

    # The API

    def serve(self, device: Device, request: Row) -> tuple[int, bytes]:
        """Answer a request as the HTTP API does."""
        home = (device.hub, device.user)
        url = urlsplit(request["path"])
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if request["method"] == "GET":
            status, body = 200, self._read(home, url.path, query)
        else:
            command = _command(request, url.path, query)
            status, body = outcome_answer(self.act(home, command, request["key"]))
        name = device.name
        self._journal.note(self._schedule.now_ms, "server", f"to {name} {status}", body)
        return status, body

    def _read(self, home: Home, path: str, query: dict[str, str]) -> bytes:
        if path == "/v1/inbox/changes":
            since = parse_position(query["since"])
            changes = self.run(self.store.changes(*home, since))
            return (
                reload_answer(changes) if isinstance(changes, Reload) else changes_answer(changes)
            )
        assert path == "/v1/inbox", path
        limit = int(query["limit"])
        if "before" not in query:
            page = self.run(self.store.inbox(*home, limit=limit))
            return inbox_answer(page)
        older = self.run(
            self.store.older(
                *home,
                limit=limit,
                before=int(query["before"]),
                position=parse_position(query["position"]),
            )
        )
        return reload_answer(older) if isinstance(older, Reload) else older_answer(older)

    # Changing

    def act(self, home: Home, command: Command, op_id: str) -> Outcome:
        before = self.position(home), self.entries(home)
        outcome: Outcome = self.run(self.store.act(*home, command, op_id))
        after = self.position(home), self.entries(home)
        repeated = op_id in self._ledger.inbox(home).answers
        self._ledger.check_act(home, op_id, command, outcome, before, after)
        if isinstance(outcome, Done):
            for change in () if repeated else outcome.changes:
                self._ledger.note_change(home[0], change)
            self._announce(self._kit.announce(home[0], outcome.changes))
        self._recount([home])
        return outcome

    def subscribe(self, home: Home, topic: str, *, comes: bool) -> None:
        hub, user = home
        self.note("subscribe" if comes else "unsubscribe", (home, topic))
        topics: TopicStore = self.store.topics
        change = topics.subscribe if comes else topics.unsubscribe
        self.run(change(hub, topic, [user]))

    def deliver(self, envelopes: Sequence[Envelope]) -> None:
        self.note("deliver", [(e.hub, e.id, e.audience, e.collapse_key) for e in envelopes])
        self._take([self.run(self.store.deliver(envelopes))])

    def withdraw(self, hub: str, alert_id: str) -> None:
        self.note("withdraw", alert_id)
        self._take([self.run(self.store.withdraw(hub, alert_id))])

    def sweep(self, limit: int) -> None:
        self.note("sweep", limit)
        self._take([self.run(self.store.sweep(limit=limit))], swept=True)

    def burst(self, works: Sequence[tuple[str, Work]]) -> None:
        """Let several writers run at once; each is announced when all are done, in any order."""
        self.note("burst", [hub for hub, _ in works])
        results = self._kit.drive_all([work for _, work in works])
        self._take(
            [
                Delivered(changes=result.changes) if isinstance(result, Done) else result
                for (hub, _), result in zip(works, results, strict=True)
            ],
            hubs=[hub for hub, _ in works],
        )

    def restore(self, backup: Any) -> None:
        """Put an older state back, under new epochs; what the connections are told comes later."""
        assert self._kit.restore is not None
        stored, known = backup
        self.note("restore")
        self.store = self._kit.restore(self.store, stored)
        self._ledger.restore(known)

    def backup(self) -> Any:
        assert self._kit.backup is not None
        self.note("backup")
        return self._kit.backup(self.store), self._ledger.backup()

    def _take(
        self, results: Iterable[Any], *, swept: bool = False, hubs: Sequence[str] = ()
    ) -> None:
        changes: list[tuple[str, ChangeSet]] = []
        broadcasts: list[BroadcastEntry] = []
        for number, result in enumerate(results):
            if isinstance(result, Swept):
                changes += result.changes
                broadcasts += result.broadcasts
            elif isinstance(result, Delivered):
                changes += [(hubs[number], change) for change in result.changes]
            elif isinstance(result, dict):
                for hub, delivered in result.items():
                    changes += [(hub, change) for change in delivered.changes]
                    broadcasts += delivered.broadcasts
        changes.sort(key=lambda pair: (pair[0], pair[1].user, pair[1].rev))
        broadcasts.sort(key=lambda entry: (entry.hub, entry.brev))
        for hub, change in changes:
            self._ledger.note_change(hub, change, swept=swept and not change.removed)
            self._announce(self._kit.announce(hub, [change]))
        for entry in broadcasts:
            self._ledger.note_broadcast(entry)
        self._announce(announce_broadcasts(broadcasts))
        self._recount(dict.fromkeys((hub, change.user) for hub, change in changes))

    def _recount(self, homes: Iterable[Home]) -> None:
        for home in homes:
            self._ledger.check_counts(self.page(home))

    # Announcing

    def _announce(self, announcements: Sequence[Announcement]) -> None:
        for announcement in announcements:
            self.note("announce", announcement.body)
            if self._rng.random() < self.lose_announcement:
                continue  # a crash between commit and announcement
            for device in self.devices:
                listens = device.online and device.hub == announcement.hub
                if listens and announcement.user in (None, device.user):
                    device.carry_frame(announcement.body)

    def greet(self, device: Device, spread_ms: int | None = None) -> None:
        """Tell a connection where the server stands."""
        position = self.position((device.hub, device.user))
        device.carry_frame(head_frame(position, spread_ms))

    def note(self, what: str, thing: Any = None) -> None:
        self._journal.note(self._schedule.now_ms, "server", what, thing)


def _command(request: Row, path: str, query: dict[str, str]) -> Command:
    body = request.get("body")
    if path == "/v1/inbox/items":
        assert body is not None
        return PatchItems(tuple(_patch(patch) for patch in body["patches"]))
    if path == "/v1/inbox/mark":
        assert body is not None
        up_to = body["up_to"]
        return MarkUpTo(
            body["action"], up_to["epoch"], up_to["sort"], up_to["brev"], body.get("category")
        )
    item_id = path.removeprefix("/v1/inbox/items/").removesuffix("/restore")
    return RestoreItem(unquote(item_id), query["alert_id"])


def _patch(patch: Row) -> Patch:
    until = patch.get("snoozed_until")
    if until is not None:
        patch = {**patch, "snoozed_until": from_datetime(datetime.fromisoformat(until))}
    return Patch(**patch)


def envelope(
    alert_id: str,
    hub: str,
    audience: Audience,
    now_us: int,
    *,
    category: str | None,
    collapse_key: str | None,
    expires_us: int | None,
) -> Envelope:
    content = {"source": "s", "title": alert_id, "severity": "info", "created_at": "-"}
    if category is not None:
        content["category"] = category
    return Envelope(
        id=alert_id,
        hub=hub,
        key_id="k",
        audience=audience,
        content=msgspec.Raw(msgspec.json.encode(content)),
        accepted_us=now_us,
        category=category,
        collapse_key=collapse_key,
        expires_us=expires_us,
    )
