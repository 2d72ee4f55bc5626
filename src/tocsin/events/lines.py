"""Lines between connections and their event handlers: one event of a connection at a time, in order.

A line has a task only while something waits on it.  Bounds (I6, I7): bytes that wait, per connection and per hub;
calls under way, per hub; and each event is answered within a bounded time of its arrival.  What finds no room is
answered at once, and news that find none are dropped and counted.
"""

import asyncio
from typing import Final, Literal

import structlog

from tocsin.config import EventHandlers as Settings
from tocsin.events.caller import Caller, Party
from tocsin.events.cloud_events import (
    Event,
    connect_event,
    connected_event,
    disconnected_event,
    read_connect_answer,
    read_event_answer,
    user_event,
)
from tocsin.events.rules import Rule, Rules
from tocsin.ports.event_handlers import (
    Answered,
    Client,
    Dealings,
    Line,
    Opening,
    Rejection,
    Reply,
    Trouble,
    UserEvent,
    Welcome,
)
from tocsin.ports.outbound import Answer
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics

log = structlog.get_logger()

# What an event costs beside its bytes.
_OVERHEAD_BYTES: Final = 1024
_TOO_MUCH: Final = Trouble("Too many events wait for the event handler; send slower.")
_TOO_LATE: Final = Trouble("The event handler did not answer in time.")
_BROKE: Final = Trouble("The event could not be taken to its handler; the server's log has it.")
# What a call came to, as the metrics have it.
Outcome = Literal["taken", "rejected", "failed", "late", "cancelled", "dropped"]


class Lines:
    """Makes the lines of all hubs, and has what they share."""

    def __init__(
        self,
        rules: Rules,
        caller: Caller,
        settings: Settings,
        supervisor: Supervisor,
        metrics: Metrics,
    ) -> None:
        self.rules = rules
        self.caller = caller
        self.settings = settings
        self.metrics = metrics
        self._supervisor = supervisor
        self._lanes: dict[str, Lane] = {}
        self._working: set[asyncio.Task[None]] = set()

    def line(self, client: Client, before: Dealings | None = None) -> Line | None:
        """Return a connection's line, which goes on from what was before; None if its hub has no event handlers."""
        if not self.rules.serve(client.hub):
            return None
        lane = self._lanes.get(client.hub)
        if lane is None:
            lane = self._lanes[client.hub] = Lane(self, client.hub)
        return ConnectionLine(lane, Party(client, before or Dealings()))

    async def finish(self, within_s: float) -> None:
        """Let what is under way end, for at most ``within_s`` seconds; nothing new may come meanwhile."""
        if self._working:
            await asyncio.wait(self._working, timeout=within_s)

    def work(self, line: "ConnectionLine") -> None:
        """Run a line until nothing waits on it."""
        task = self._supervisor.start("events.line", line.run())
        self._working.add(task)
        task.add_done_callback(self._working.discard)


class Lane:
    """What the lines of one hub share: calls under way, and room for what waits."""

    def __init__(self, lines: Lines, hub: str) -> None:
        self.lines = lines
        self._hub = hub
        self._slots = asyncio.Semaphore(lines.settings.calls_per_hub)
        self._waiting_bytes = 0

    def enter(self, size: int) -> bool:
        """Take room for an event; False if there is none."""
        if self._waiting_bytes + size > self.lines.settings.hub_bytes:
            return False
        self._waiting_bytes += size
        return True

    def leave(self, size: int) -> None:
        """Give room back."""
        self._waiting_bytes -= size

    async def ask(self, party: Party, waiting: "_Waiting") -> Answer | Trouble | None:
        """Take an event to its handler, within its time; None if no handler takes it."""
        event = waiting.event
        rule = self.lines.rules.find(party.client.hub, event.name, system=event.system)
        if rule is None:
            return None
        answer = await self._in_time(party, rule, waiting)
        outcome: Outcome = "cancelled" if waiting.is_cancelled else _outcome(answer)
        self.count(event, outcome)
        if outcome == "late":
            self.log(event, _TOO_LATE)
        return answer

    async def _in_time(self, party: Party, rule: Rule, waiting: "_Waiting") -> Answer | Trouble:
        due_s = waiting.due_s
        if due_s is not None and due_s <= asyncio.get_running_loop().time():
            return _TOO_LATE
        try:
            async with asyncio.timeout_at(due_s) as waiting.bound, self._slots:
                return await self.lines.caller.ask(party, rule, waiting.event)
        except TimeoutError:
            return _TOO_LATE
        finally:
            waiting.bound = None

    def log(self, event: Event, answer: Welcome | Rejection | Reply | Trouble) -> None:
        """Log what is wrong with an answer, if anything is."""
        if isinstance(answer, Trouble):
            log.warning(
                "event_handler.failed", hub=self._hub, event_name=event.name, reason=answer.reason
            )

    def count(self, event: Event, outcome: Outcome) -> None:
        """Count an event by what came of it."""
        kind = event.name if event.system else "user"
        self.lines.metrics.handler_events.labels(kind, outcome).inc()


class _Waiting:
    """An event on a line.  ``due_s`` is the loop's time by which it is answered; None lets its turn begin it."""

    __slots__ = ("answered", "bound", "due_s", "event", "is_cancelled", "size")

    def __init__(
        self, event: Event, due_s: float | None = None, answered: Answered | None = None
    ) -> None:
        self.event = event
        self.due_s = due_s
        self.answered = answered
        self.bound: asyncio.Timeout | None = None
        self.is_cancelled = False
        self.size = _OVERHEAD_BYTES + len(event.body)

    def cancel(self) -> None:
        """Forget it, and end the call if it is under way."""
        self.is_cancelled = True
        if self.bound is not None:
            self.bound.reschedule(asyncio.get_running_loop().time())


class ConnectionLine:
    """One connection's line."""

    __slots__ = ("_bytes", "_lane", "_party", "_queue")

    def __init__(self, lane: Lane, party: Party) -> None:
        self._lane = lane
        self._party = party
        self._queue: list[_Waiting] = []
        self._bytes = 0

    async def connect(self, opening: Opening) -> Welcome | Rejection | Trouble:
        """Ask whether the client may connect; without a handler for it everybody may."""
        waiting = _Waiting(connect_event(opening), self._due_s())
        if not self._lane.enter(waiting.size):
            self._lane.count(waiting.event, "dropped")
            return _TOO_MUCH
        try:
            answer = await self._lane.ask(self._party, waiting)
        finally:
            self._lane.leave(waiting.size)
        if answer is None:
            return Welcome()
        if isinstance(answer, Trouble):
            return answer
        decision = read_connect_answer(answer)
        self._lane.log(waiting.event, decision)
        return decision

    def connected(self, client: Client) -> None:
        """Tell that it is connected, as ``client`` from now on."""
        self._party.client = client
        self._tell(connected_event())

    def raise_event(self, event: UserEvent, answered: Answered) -> _Waiting:
        """Tell what the client says; ``answered`` is called later, never from within."""
        waiting = _Waiting(user_event(event), self._due_s(), answered)
        room = self._lane.lines.settings.connection_bytes
        if (self._bytes and self._bytes + waiting.size > room) or not self._enqueue(waiting):
            asyncio.get_running_loop().call_soon(answered, _TOO_MUCH)
        return waiting

    def dealings(self) -> Dealings | None:
        """Return what it came to so far; None while anything is under way, or waits."""
        return None if self._queue else self._party.dealings()

    def disconnected(self, reason: str) -> None:
        """Tell that the connection has ended for good; nothing follows."""
        self._tell(disconnected_event(reason))

    async def run(self) -> None:
        """Work off what waits."""
        while self._queue:
            waiting = self._queue[0]
            try:
                answer = await self._answer(waiting)
            finally:
                del self._queue[0]
                self._bytes -= waiting.size
                self._lane.leave(waiting.size)
            if waiting.answered is not None and not waiting.is_cancelled:
                waiting.answered(answer)

    def _tell(self, event: Event) -> None:
        rules, hub = self._lane.lines.rules, self._party.client.hub
        if rules.find(hub, event.name, system=True) is not None:
            self._enqueue(_Waiting(event))

    def _enqueue(self, waiting: _Waiting) -> bool:
        """Let an event wait for its turn; False if the hub has no room for it."""
        if not self._lane.enter(waiting.size):
            self._lane.count(waiting.event, "dropped")
            return False
        self._bytes += waiting.size
        self._queue.append(waiting)
        if len(self._queue) == 1:
            self._lane.lines.work(self)
        return True

    async def _answer(self, waiting: _Waiting) -> Reply | Trouble:
        if waiting.is_cancelled:
            return _TOO_LATE
        if waiting.due_s is None:
            waiting.due_s = self._due_s()
        try:
            answer = await self._lane.ask(self._party, waiting)
        except Exception:  # the line goes on, whatever happens to one event
            log.exception("event_handler.broke", hub=self._party.client.hub)
            return _BROKE
        if answer is None:
            return Trouble(f"There is no handler for event '{waiting.event.name}'.")
        if isinstance(answer, Trouble):
            return answer
        reply = read_event_answer(answer)
        if waiting.answered is not None:
            self._lane.log(waiting.event, reply)
        return reply

    def _due_s(self) -> float:
        return asyncio.get_running_loop().time() + self._lane.lines.settings.timeout_s


def _outcome(answer: Answer | Trouble) -> Outcome:
    if isinstance(answer, Trouble):
        return "late" if answer is _TOO_LATE else "failed"
    match answer.status // 100:
        case 2:
            return "taken"
        case 4:
            return "rejected"
        case _:
            return "failed"
