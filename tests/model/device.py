"""A device of a user: a core, its timers, its socket, its storage, and the user in front of it."""

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

import msgspec

from tests.model.journal import Journal
from tests.model.network import Network
from tests.model.schedule import START_MS, Schedule

Row = dict[str, Any]
_decode = msgspec.json.decode


class Core(Protocol):
    """The machine under test, in whatever language."""

    def step(self, event: Row) -> list[Row]: ...

    def view(self) -> Row: ...

    def snapshot(self) -> Row: ...


class Storage:
    """What one browser keeps: every snapshot written, so that a crash may lose the last ones."""

    def __init__(self) -> None:
        self.snapshots: list[Row] = []

    @property
    def stored(self) -> Row | None:
        return self.snapshots[-1] if self.snapshots else None

    def write(self, snapshot: Row, expected: Row | None) -> bool:
        """Write if the stored position is the expected one."""
        stored = self.stored
        if (stored["position"] if stored else None) != expected:
            return False
        self.snapshots.append(snapshot)
        return True

    def lose_last(self, count: int) -> None:
        self.snapshots = self.snapshots[: max(0, len(self.snapshots) - count)]


class Device:
    """One client.  ``serve`` is the way to the server, ``greet`` is called once the socket is open."""

    def __init__(
        self,
        name: str,
        hub: str,
        user: str,
        *,
        storage: Storage,
        new_core: Callable[[], Core],
        schedule: Schedule,
        network: Network,
        journal: Journal,
        rng: Random,
        serve: Callable[["Device", Row], tuple[int, bytes]],
        greet: Callable[["Device"], None],
        stepped: Callable[["Device"], None],
    ) -> None:
        self.name, self.hub, self.user = name, hub, user
        self.storage = storage
        self.online = False
        self.requests = 0
        self.known: dict[str, Row] = {}
        self._new_core = new_core
        self._schedule, self._network, self._journal = schedule, network, journal
        self._rng = rng
        self._serve, self._greet, self._stepped = serve, greet, stepped
        self._life = 0  # rises with every crash: what was meant for an earlier life is lost
        self._socket = 0  # rises with every connection: frames of an earlier one are lost
        self._timers: dict[str, int] = {}
        self._timer_count = 0
        self._told: set[str] = set()
        self._start()

    # What happens to it

    def connect(self) -> None:
        self.online = True
        self._socket += 1
        self.send("socket_open")
        self._greet(self)

    def disconnect(self) -> None:
        self.online = False
        self.send("socket_closed")

    def crash(self, lost_writes: int) -> None:
        """Begin anew from a stored state, perhaps an older one."""
        self.online = False
        self._life += 1
        self._timers.clear()
        self.storage.lose_last(lost_writes)
        self._start()

    def carry_frame(self, body: bytes) -> None:
        """Send a frame on its way to this socket."""
        socket, life = self._socket, self._life

        def arrive() -> None:
            if self.online and (socket, life) == (self._socket, self._life):
                self.send("frame", frame=_decode(body))

        self._network.carry(arrive)

    def send(self, kind: str, **fields: Any) -> None:
        """Give the core an event and carry out its effects."""
        now_ms = self._schedule.now_ms
        self._journal.note(now_ms, self.name, kind, fields or None)
        event = {"type": kind, "now": START_MS + now_ms, "random": self._rng.random(), **fields}
        for effect in self.core.step(event):
            self._carry_out(effect)
        self._stepped(self)

    def look(self) -> Row:
        """Draw the view, and remember what was seen in it."""
        view = self.core.view()
        self.known.update((row["id"], row) for row in view["items"])
        return view

    # What it asks for

    def _start(self) -> None:
        self.known.clear()
        self._told.clear()
        self.core = self._new_core()
        self.send("start", stored=self.storage.stored)

    def _carry_out(self, effect: Row) -> None:
        kind = effect["type"]
        if kind == "request":
            self._request(effect)
        elif kind == "timer":
            self._set_timer(effect["timer"], effect["delay_ms"])
        elif kind == "cancel":
            assert effect["timer"] in self._timers, f"{effect} is not set"
            del self._timers[effect["timer"]]
        elif kind == "persist":
            self._persist(effect)
        elif kind == "arrived":
            for row in effect["items"]:
                assert row["alert_id"] not in self._told, f"{row} was told twice"
                self._told.add(row["alert_id"])
        else:
            assert kind in {"changed", "refused"}, effect
            if kind == "refused":
                self._journal.note(self._schedule.now_ms, self.name, "REFUSED", effect)

    def _request(self, effect: Row) -> None:
        self.requests += 1
        self._journal.note(self._schedule.now_ms, self.name, "ask", effect)
        number, life = effect["request"], self._life

        def answered(status: int, body: bytes) -> None:
            if life == self._life:
                self.send("answer", request=number, status=status, body=_decode(body))

        def failed() -> None:
            if life == self._life:
                self.send("failed", request=number)

        self._network.ask(lambda: self._serve(self, effect), answered, failed)

    def _set_timer(self, timer: str, delay_ms: int) -> None:
        self._timer_count += 1
        token, life = self._timer_count, self._life
        self._timers[timer] = token

        def ring() -> None:
            if life == self._life and self._timers.get(timer) == token:
                del self._timers[timer]
                self.send("timer", timer=timer)

        self._schedule.after(delay_ms, ring)

    def _persist(self, effect: Row) -> None:
        life = self._life
        if self.storage.write(effect["snapshot"], effect["expected"]):
            return

        def conflict() -> None:
            if life == self._life:
                stored = self.storage.stored or {"position": None, "queue": []}
                self.send("conflict", stored=stored)

        self._schedule.after(0, conflict)
