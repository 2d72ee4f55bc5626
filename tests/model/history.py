"""One random history: drawn from a seed, run on a store and a core, brought to quiet, and judged."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import msgspec

from tests.model.device import Device, Row, Storage
from tests.model.journal import Journal
from tests.model.ledger import Home, Ledger
from tests.model.network import Faults, Network
from tests.model.schedule import START_MS, Schedule
from tests.model.server import ALL, Kit, ModelServer, Work, envelope
from tocsin.clock import to_rfc3339
from tocsin.model import acting, wire
from tocsin.model.alert import Audience, Envelope
from tocsin.model.commands import MarkUpTo, Patch, PatchItems
from tocsin.model.inbox import Entry
from tocsin.model.position import Position
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import Listing

HUBS = ("h1", "h2")
USERS = ("ann", "bob", "cy")
TOPICS = ("t", "u")
DAY_MS = 86_400_000
QUIET_EVENTS = 4000
_USUAL = {
    "deliver": 2.0,
    "deliver_own": 2.0,
    "broadcast": 2.0,
    "patch": 6.0,
    "mark": 2.0,
    "connect": 2.0,
    "load_older": 2.0,
    "burst": 2.0,
    "redeliver": 0.3,
    "backup": 0.3,
    "restore": 0.2,
    "crash": 0.5,
}
QUIET_REQUESTS = 150


class BrokenPromiseError(AssertionError):
    """A history that broke a promise: says which seed, what, and all that happened."""


def run_history(seed: int, kit: Kit, *, focus: Collection[str] = ()) -> None:
    """Run the history of ``seed``; what is in ``focus`` happens most often.

    Raises:
        BrokenPromiseError: A promise of the contract did not hold.
    """
    history = History(seed, kit)
    try:
        with history.limits():
            history.run(focus)
    except Exception as error:
        what = f"seed {seed}: {type(error).__name__}: {error}"
        msg = f"{what}\n{history.journal.text()}\n{what}"
        raise BrokenPromiseError(msg) from error
    finally:
        kit.close(history.store)


class History:
    """The world of one seed: limits, network, server, devices, and a dice for what happens next."""

    def __init__(self, seed: int, kit: Kit) -> None:
        self.rng = rng = Random(seed)
        self.kit = kit
        self.journal = Journal()
        self.schedule = Schedule()
        self.ledger = Ledger()
        faults = Faults.drawn(rng)
        # Answers to op-ids outlive the queue and the slowest request, or a repeat would be new.
        self.tombstone_ms = max(rng.choice([3_000, 60_000, 30 * DAY_MS]), 2 * faults.delay_ms)
        self._store_limits = self._drawn_store_limits()
        self.store = kit.new_store(self.schedule, self._store_limits)
        self.core_options = self._drawn_core_options()
        self._frame_rows = rng.choice([1, 2, 4, 50])
        self._share_to_all = rng.choice([0.1, 0.3, 0.8])
        self._share_collapsing = rng.choice([0.1, 0.3, 0.9])
        self._pauses_ms = rng.choice([(0, 0, 5), (0, 5, 50), (0, 0, 5, 50, 500)])
        self.network = Network(rng, self.schedule, faults)
        self.server = ModelServer(
            self.store,
            kit,
            schedule=self.schedule,
            rng=rng,
            journal=self.journal,
            ledger=self.ledger,
            lose_announcement=rng.choice([0.0, 0.0, 0.1, 0.5]),
        )
        self._envelopes: list[Envelope] = []
        self._ops = 0
        self._backups: list[Any] = []
        self.server.devices = self._devices()

    def run(self, focus: Collection[str]) -> None:
        rng = self.rng
        happenings = self._happenings()
        names = list(happenings)
        weights = [
            15.0 if name in focus else _USUAL.get(name, 1.0) * rng.choice([0, 1, 1, 4])
            for name in names
        ]
        for _ in range(rng.choice([0, 2, 6])):  # so that there is something to page through
            self._deliver(to_all=False)
        for device in self.server.devices:
            if rng.random() < 0.8:
                device.connect()
        for _ in range(rng.randint(10, 150)):
            happenings[rng.choices(names, weights)[0]]()
            self.schedule.pass_time(rng.choice(self._pauses_ms))
        self.come_to_rest()
        for device in self.server.devices:
            self.check_equal(device)
            if rng.random() < 0.3:
                self.page_down(device)

    @contextmanager
    def limits(self) -> Iterator[None]:
        """Make frames as small as this history wants them."""
        before = wire.MAX_FRAME_ROWS, acting.MAX_STORED_ROWS
        wire.MAX_FRAME_ROWS = acting.MAX_STORED_ROWS = self._frame_rows
        try:
            yield
        finally:
            wire.MAX_FRAME_ROWS, acting.MAX_STORED_ROWS = before

    # Drawing the world

    def _drawn_store_limits(self) -> StoreLimits:
        rng = self.rng
        return StoreLimits(
            change_rows=rng.choice([1, 10, 500, 500]),
            chunk_rows=rng.choice([1, 2, 5, 500]),
            expand_users=rng.choice([1, 2, 1_000]),
            broadcasts_per_hub=rng.choice([1, 2, 5, 200]),
            broadcast_ttl_us=rng.choice([5_000, 60_000, 30 * DAY_MS]) * 1000,
            tombstone_us=self.tombstone_ms * 1000,
            read_retention_us=rng.choice([2_000, 30_000, 90 * DAY_MS]) * 1000,
        )

    def _drawn_core_options(self) -> dict[str, int]:
        rng = self.rng
        return {
            "page_limit": rng.choice([1, 2, 3, 5, 50]),
            "keep_limit": rng.choice([1, 2, 5, 500]),
            "queue_max_age_ms": self.tombstone_ms // 3,
        }

    def _devices(self) -> list[Device]:
        rng = self.rng
        first = (rng.choice(HUBS), rng.choice(USERS))
        homes = [first, first]
        homes += [first if rng.random() < 0.4 else _any_home(rng) for _ in range(2)]
        shared = Storage()
        sharing = rng.random() < 0.2
        return [
            Device(
                f"client{number}",
                *home,
                storage=shared if sharing and number < 2 else Storage(),
                new_core=lambda: self.kit.new_core(self.core_options),
                schedule=self.schedule,
                network=self.network,
                journal=self.journal,
                rng=rng,
                serve=self.server.serve,
                greet=self.server.greet,
                stepped=self._stepped,
            )
            for number, home in enumerate(homes)
        ]

    def _happenings(self) -> dict[str, Callable[[], None]]:
        happenings: dict[str, Callable[[], None]] = {
            "deliver": self._deliver,
            "deliver_own": lambda: self._deliver(to_all=False),
            "broadcast": lambda: self._deliver(to_all=True),
            "redeliver": self._redeliver,
            "subscribe": self._subscribe,
            "withdraw": self._withdraw,
            "sweep": lambda: self.server.sweep(self.rng.choice([1, 3, 500])),
            "wait": lambda: self.schedule.pass_time(self.rng.choice([1_000, 4_000, 40_000])),
            "head": self._head,
            "connect": lambda: self._with_device(
                lambda device: None if device.online else device.connect()
            ),
            "disconnect": lambda: self._with_device(
                lambda device: device.disconnect() if device.online else None
            ),
            "crash": lambda: self._with_device(
                lambda device: device.crash(self.rng.choice([0, 0, 1, 5]))
            ),
            "patch": lambda: self._with_device(self._patch),
            "restore_item": lambda: self._with_device(self._restore_item),
            "mark": lambda: self._with_device(self._mark),
            "load_older": lambda: self._with_device(self._load_older),
            "burst": self._burst,
        }
        if self.kit.backup is not None:
            happenings["backup"] = self._backup
            happenings["restore"] = self._restore
        return happenings

    # What may happen

    def _with_device(self, happen: Callable[[Device], None]) -> None:
        happen(self.rng.choice(self.server.devices))

    def _envelope(self, *, to_all: bool | None = None, hub: str | None = None) -> Envelope:
        rng = self.rng
        if to_all is None:
            to_all = rng.random() < self._share_to_all
        audience = (
            Audience(all=True)
            if to_all
            else Audience(
                users=tuple(rng.sample(USERS, rng.randint(1, 3))),
                topics=rng.choice([(), (), TOPICS]),
            )
        )
        now_us = self.schedule.now_us()
        expires = rng.choice([None, None, None, 1_000, 20_000])
        fresh = envelope(
            f"a{len(self._envelopes) + 1:03}",
            hub or rng.choice([self.server.devices[0].hub, rng.choice(HUBS)]),
            audience,
            now_us,
            category=rng.choice([None, "x", "y"]),
            collapse_key="c" if rng.random() < self._share_collapsing else None,
            expires_us=None if expires is None else now_us + expires * 1000,
        )
        self._envelopes.append(fresh)
        return fresh

    def _deliver(self, *, to_all: bool | None = None) -> None:
        count = self.rng.choice([1, 1, 2, 4])
        self.server.deliver([self._envelope(to_all=to_all) for _ in range(count)])

    def _subscribe(self) -> None:
        """Let somebody come to a topic, or leave it."""
        self.server.subscribe(
            _any_home(self.rng), self.rng.choice(TOPICS), comes=self.rng.random() < 0.7
        )

    def _redeliver(self) -> None:
        """Deliver again, as a queue may while the store still remembers its alerts, or to the next of a topic."""
        since_us = self.schedule.now_us() - self._store_limits.read_retention_us
        recent = [envelope for envelope in self._envelopes if envelope.accepted_us > since_us]
        if recent:
            self.server.deliver(self.rng.choices(recent, k=2))

    def _withdraw(self) -> None:
        if self._envelopes:
            alert = self.rng.choice(self._envelopes[-self.rng.choice([2, 6]) :])
            self.server.withdraw(alert.hub, alert.id)

    def _head(self) -> None:
        device = self.rng.choice(self.server.devices)
        if device.online:
            self.server.greet(device, self.rng.choice([None, 0, 2_000]))

    def _backup(self) -> None:
        self._backups.append(self.server.backup())

    def _restore(self) -> None:
        if not self._backups:
            return
        self.server.restore(self.rng.choice(self._backups[-3:]))
        if self.rng.random() < 0.5:
            for device in self.server.devices:
                if device.online:
                    device.disconnect()

    def _burst(self) -> None:
        """Several writers at once: deliveries, operations of devices nobody models, a sweep."""
        home = (self.server.devices[0].hub, self.server.devices[0].user)
        store, entries = self.server.store, self.server.entries(home)
        position = self.server.position(home)
        works: list[tuple[str, Work]] = [
            (home[0], store.deliver([self._envelope(hub=home[0])]))
            for _ in range(self.rng.randint(1, 2))
        ]
        newest = entries[:3]  # the news of these may still be under way
        some = self.rng.choice([newest, newest, entries])
        works += [
            (home[0], store.act(*home, self._raw_patch(entry), self._op_id()))
            for entry in self.rng.sample(some, min(len(some), 2))
        ]
        if entries and self.rng.random() < 0.3:
            works.append((home[0], store.withdraw(home[0], entries[0].alert_id)))
        mark = MarkUpTo("read", position.epoch, entries[0].sort if entries else 0, position.brev)
        if self.rng.random() < 0.3:
            works.append((home[0], store.act(*home, mark, self._op_id())))
        works.append((home[0], store.sweep(limit=3)))
        self.rng.shuffle(works)
        self.server.burst(works)

    def _load_older(self, device: Device) -> None:
        """Page down, and perhaps meet a change to that very page, made elsewhere."""
        end = device.core.snapshot()["end"]
        device.send("load_older")
        if end is not None and self.rng.random() < 0.5:
            delay_ms = self.rng.randint(0, 2 * self.network.faults.delay_ms)
            home = (device.hub, device.user)
            self.schedule.after(delay_ms, lambda: self._act_below(home, end))

    def _act_below(self, home: Home, end: int) -> None:
        below = [entry for entry in self.server.entries(home) if entry.sort < end][:3]
        if below:
            patch = self._raw_patch(self.rng.choice(below))
            self.server.burst([(home[0], self.server.store.act(*home, patch, self._op_id()))])

    def _raw_patch(self, entry: Entry) -> PatchItems:
        field: dict[str, Any] = self.rng.choice(
            [{"read": True}, {"read": False}, {"archived": True}, {"deleted": True}]
        )
        return PatchItems((Patch(entry.id, entry.alert_id, **field),))

    def _op_id(self) -> str:
        self._ops += 1
        return f"op{self._ops}"

    # What users do

    def _act(self, device: Device, action: Row) -> None:
        op_id = self._op_id()
        position = device.core.snapshot()["position"]
        self.ledger.acted_at[op_id] = None if position is None else Position(**position)
        device.send("act", op_id=op_id, action=action)

    def _patch(self, device: Device) -> None:
        rng = self.rng
        device.look()
        if not device.known:
            return
        rows = rng.sample(
            list(device.known.values()), min(len(device.known), rng.choice([1, 1, 3]))
        )
        until = START_MS + self.schedule.now_ms + rng.choice([500, 3_000, 50_000])
        fields: list[Row] = [
            {"read": True},
            {"read": True},
            {"read": False},
            {"read": False},
            {"seen": True},
            {"archived": True},
            {"archived": False},
            {"deleted": True},
            {"snoozed_until": to_rfc3339(until * 1000)},
            {"snoozed_until": None},
        ]
        patches = [{"id": r["id"], "alert_id": r["alert_id"], **rng.choice(fields)} for r in rows]
        self._act(device, {"type": "patch", "patches": patches})

    def _restore_item(self, device: Device) -> None:
        shown = {row["id"] for row in device.look()["items"]}
        gone = [row for row in device.known.values() if row["id"] not in shown]
        if gone:
            row = self.rng.choice(gone)
            self._act(device, {"type": "restore", "id": row["id"], "alert_id": row["alert_id"]})

    def _mark(self, device: Device) -> None:
        if device.core.view()["position"] is None and self.rng.random() < 0.9:
            return
        action: Row = {"type": "mark", "action": self.rng.choice(["seen", "read"])}
        category = self.rng.choice([None, None, "x"])
        if category is not None:
            action["category"] = category
        rows = device.look()["items"]
        if rows and self.rng.choice([True, False]):
            action["from"] = self.rng.choice(rows)["sort"]
        self._act(device, action)

    # Judging

    def _stepped(self, device: Device) -> None:
        self.ledger.check_client((device.hub, device.user), device.core.snapshot())

    def come_to_rest(self) -> None:
        """Mend the network, connect everybody, tell each where the server stands, and wait."""
        self.server.note("quiet")
        self.network.faults = Faults()
        self.server.lose_announcement = 0.0
        for device in self.server.devices:
            device.requests = 0
            if not device.online:
                device.connect()
        assert self.schedule.run_dry(QUIET_EVENTS), "something never ends"
        for device in self.server.devices:
            self.server.greet(device)
        assert self.schedule.run_dry(QUIET_EVENTS), "something never ends"

    def check_equal(self, device: Device) -> None:
        """The client holds what a fresh fetch gives."""
        home = (device.hub, device.user)
        view, position = device.core.view(), self.server.position(home)
        who = f"{device.name} ({home[0]} {home[1]})"
        assert device.requests <= QUIET_REQUESTS, f"{who} asked {device.requests} times"
        assert view["synced"], f"{who} is not synced: {view}"
        assert view["pending"] == 0, f"{who} has actions left"
        assert device.core.snapshot()["queue"] == []
        mine = view["position"]
        assert (mine["epoch"], mine["rev"], mine["brev"]) == (
            position.epoch,
            position.rev,
            position.brev,
        ), f"{who} stands at {mine}, the server at {position}"
        expected = self._expected(home, view["end"])
        shown = [_shape(row) for row in view["items"]]
        assert shown == expected[0], f"{who} shows\n{shown}\nand not\n{expected[0]}"
        assert view["counts"] == expected[1], f"{who} counts {view['counts']}, not {expected[1]}"

    def page_down(self, device: Device) -> None:
        for _ in range(len(self._envelopes) + 2):
            if device.core.view()["complete"]:
                break
            device.send("load_older")
            assert self.schedule.run_dry(QUIET_EVENTS), "paging never ends"
        assert device.core.view()["complete"], f"{device.name} does not get to the bottom"
        device.requests = 0
        self.check_equal(device)

    def _expected(self, home: Home, end: int | None) -> tuple[list[Row], Row]:
        page = self.server.run(self.server.store.entries(*home, Listing(limit=ALL)))
        rows = [_entry_shape(entry) for entry in page.entries if end is None or entry.sort >= end]
        return rows, {"unseen": page.totals.unseen, "unread": page.totals.unread}


_MARKS = ("seen_at", "read_at", "unread_at")


def _shape(row: Row) -> Row:
    names = ("id", "alert_id", "sort", "seen", "read", *_MARKS)
    return {**{name: row.get(name) for name in names}, "title": row["alert"]["title"]}


def _entry_shape(entry: Entry) -> Row:
    content = msgspec.json.decode(entry.content)
    times = {name: getattr(entry.marks, name) for name in _MARKS}
    shape = {"id": entry.id, "alert_id": entry.alert_id, "sort": entry.sort}
    shape |= {"seen": entry.seen, "read": entry.read, "title": content["title"]}
    return shape | {name: None if us is None else to_rfc3339(us) for name, us in times.items()}


def _any_home(rng: Random) -> Home:
    return rng.choice(HUBS), rng.choice(USERS)
