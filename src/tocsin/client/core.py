"""The client of an inbox as a pure machine: events in, effects out (docs/reference/client-core.md).

It follows section 4 of the sync contract: no clock, no random numbers, no I/O.  The TypeScript core is the same machine.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from tocsin.client import wire
from tocsin.client.actions import ActionQueue, is_refusal
from tocsin.client.arrivals import Arrivals
from tocsin.client.overlay import layered
from tocsin.client.rules import Row
from tocsin.client.state import InboxState
from tocsin.client.view import drawn_items, shown_counts

HEALING = ("own_hole", "broadcast_hole", "retry")
_OK = 200


class Options(msgspec.Struct, frozen=True):
    """Limits of the machine; times in milliseconds."""

    page_limit: int = 50
    keep_limit: int = 500
    hole_wait_ms: int = 200
    spread_ms: int = 2000
    read_deadline_ms: int = 10_000
    backoff_base_ms: int = 500
    backoff_max_ms: int = 30_000
    queue_max_age_ms: int = 30 * 86_400_000


class InboxCore:
    """One client of one inbox.  The caller passes events to ``step`` and carries out the effects it returns."""

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self._options = msgspec.convert(options or {}, Options)
        self._state = InboxState()
        self._queue = ActionQueue([])
        self._arrivals = Arrivals()
        self._connected = False
        self._healed = False  # a read was answered since the socket opened
        self._kept: dict[tuple[str, str, int, int], Row] = {}
        self._target_rev = self._target_brev = 0
        self._forced = False
        self._goal: int | None = None
        self._requests = 0
        self._read: tuple[int, str] | None = None  # request number and kind
        self._attempts = 0
        self._action: tuple[int, str] | None = None  # request number and op-id
        self._action_attempts = 0
        self._timers: dict[str, None] = {}  # those set, in order
        self._expected: Row | None = None
        self._as_of: int | None = None
        self._now, self._random = 0, 0.0
        self._effects: list[Row] = []
        self._changed = self._unsaved = False

    def step(self, event: Row) -> list[Row]:
        """Take one event in; return what is to be done, in order."""
        self._now, self._random = event["now"], event["random"]
        self._effects, self._changed, self._unsaved = [], False, False
        getattr(self, "_on_" + event["type"])(event)
        self._settle()
        if self._changed or self._unsaved:
            self._effects.append({"type": "changed"})
        if self._unsaved:
            self._emit("persist", snapshot=self.snapshot(), expected=self._expected)
            self._expected = self._state.position
        return self._effects

    def view(self) -> Row:
        """Return what is to be drawn, with the own actions laid over it."""
        state, queue = self._state, self._queue.entries
        layer = layered(state, queue) if queue else state
        return {
            "items": drawn_items(layer),
            "counts": shown_counts(layer),
            "position": state.position,
            "end": state.end,
            "complete": state.position is not None and state.end is None,
            "synced": self._connected and self._read is None and self._next_read() is None,
            "pending": len(queue),
            "as_of": self._as_of,
        }

    def snapshot(self) -> Row:
        """Return all that survives a restart, as plain JSON."""
        return {**self._state.snapshot(), "queue": self._queue.entries}

    # Events

    def _on_start(self, event: Row) -> None:
        self._changed = True
        stored = event["stored"]
        if stored is not None:
            self._state = InboxState.restored(stored)
            self._queue = ActionQueue(stored["queue"])
            self._arrivals.note(stored["items"])
            self._expected = stored["position"]

    def _on_socket_open(self, _event: Row) -> None:
        self._connected, self._healed, self._forced = True, False, True
        self._begin_read()

    def _on_socket_closed(self, _event: Row) -> None:
        self._connected, self._changed = False, True
        self._read = self._action = None
        self._kept.clear()
        self._cancel(*list(self._timers))

    def _on_frame(self, event: Row) -> None:
        frame = event["frame"]
        if not self._connected or not _is_frame(frame):
            return
        self._as_of, self._changed = self._now, True
        self._tell(self._arrivals.in_frame(frame, self._state))
        self._take(frame)

    def _on_answer(self, event: Row) -> None:
        if self._read is not None and event["request"] == self._read[0]:
            self._on_read_answer(event["status"], event["body"])
        elif self._action is not None and event["request"] == self._action[0]:
            self._on_action_answer(event["status"], event["body"])

    def _on_failed(self, event: Row) -> None:
        if self._read is not None and event["request"] == self._read[0]:
            self._fail_read()
        elif self._action is not None and event["request"] == self._action[0]:
            self._fail_action()

    def _on_timer(self, event: Row) -> None:
        timer = event["timer"]
        if timer not in self._timers:
            return
        del self._timers[timer]
        if timer in HEALING:
            self._begin_read()
        elif timer == "deadline":
            self._fail_read()
        elif timer == "action_deadline":
            self._fail_action()

    def _on_act(self, event: Row) -> None:
        action = event["action"]
        if action["type"] == "mark":
            if self._state.position is None:
                self._emit("refused", op_id=event["op_id"], status=0, problem=None)
                return
            action = {**action, "up_to": self._up_to(self._state.position)}
        self._queue.add(event["op_id"], action, self._now)
        self._unsaved = True

    def _on_load_older(self, _event: Row) -> None:
        if self._state.position is not None and self._state.end is not None:
            self._lower_goal(self._state.end - 1)

    def _on_conflict(self, event: Row) -> None:
        self._queue.take_over(event["stored"]["queue"])
        self._expected, self._unsaved = event["stored"]["position"], True

    # Frames

    def _take(self, frame: Row) -> None:
        """Apply a frame in step and what was kept behind it, or keep it, or drop it."""
        if self._judge(frame):
            self._take_kept()

    def _take_kept(self) -> None:
        kept = sorted(self._kept.values(), key=_order)
        self._kept.clear()
        for frame in kept:
            self._judge(frame)

    def _judge(self, frame: Row) -> bool:
        """Handle one frame by rule 3; tell whether it was applied."""
        position = self._state.position
        if self._read is not None or position is None:
            self._keep(frame)
        elif frame["epoch"] != position["epoch"]:
            self._forced = True
            self._await_healing(frame)
        elif frame["kind"] == "head":
            self._aim(frame, position)
        else:
            return self._judge_numbered(frame, position)
        return False

    def _judge_numbered(self, frame: Row, position: Row) -> bool:
        own = frame["kind"] == "inbox"
        number, mine = (frame["rev"], position["rev"]) if own else (frame["brev"], position["brev"])
        if number <= mine:
            return False
        if number > mine + 1:
            self._keep(frame)
            self._aim(frame, position)
            return False
        if own:
            self._arrivals.note(frame["items"])
            self._state.apply_inbox_frame(frame)
        else:
            self._state.apply_broadcast_frame(frame)
        self._unsaved = True
        return True

    def _keep(self, frame: Row) -> None:
        self._kept[frame["kind"], frame["epoch"], *_numbers(frame)] = frame
        if len(self._kept) > self._options.keep_limit:
            self._kept.clear()
            self._forced = True

    def _aim(self, frame: Row, position: Row) -> None:
        """Note how far the server is known to be; ahead of the position is a hole."""
        rev, brev = _numbers(frame)
        self._target_rev = max(self._target_rev, rev)
        self._target_brev = max(self._target_brev, brev)
        if rev > position["rev"] or brev > position["brev"]:
            self._await_healing(frame)

    # Healing

    def _hole(self) -> bool:
        """Tell whether something is known to be missing."""
        position = self._state.position
        return (
            position is None
            or self._forced
            or self._target_rev > position["rev"]
            or self._target_brev > position["brev"]
        )

    def _next_read(self) -> str | None:
        """Return the kind of the read to do now, if any: holes heal before paging goes on."""
        if self._state.position is None:
            return "inbox"
        if self._hole():
            return "changes"
        end = self._state.end
        wants_older = end is not None and self._goal is not None and end > self._goal
        return "older" if wants_older else None

    def _await_healing(self, frame: Row) -> None:
        """Set the timer of the hole that ``frame`` showed."""
        spread = frame.get("spread")
        position = self._state.position
        for_all = frame["kind"] == "broadcast" or (
            frame["kind"] == "head"
            and (spread is not None or (position is not None and self._only_broadcasts(position)))
        )
        if not for_all:
            self._set_healing("own_hole", self._options.hole_wait_ms)
            return
        spread = self._options.spread_ms if spread is None else spread
        self._set_healing("broadcast_hole", int(self._random * spread))

    def _only_broadcasts(self, position: Row) -> bool:
        return not self._forced and self._target_rev <= position["rev"]

    def _set_healing(self, timer: str, delay_ms: int) -> None:
        if not self._connected or self._read is not None or "retry" in self._timers:
            return
        if self._attempts > 0:
            self._set_timer("retry", self._backoff(self._attempts))
        elif timer not in self._timers:
            self._set_timer(timer, delay_ms)

    def _begin_read(self) -> None:
        kind = self._next_read()
        if kind is None:
            return
        state, limit = self._state, self._options.page_limit
        if state.position is None:
            request = wire.inbox_request(limit)
        elif kind == "older" and state.end is not None:
            request = wire.older_request(limit, state.end, state.position)
        else:
            request = wire.changes_request(state.position)
        self._cancel(*HEALING)
        self._forced, self._changed = False, True
        self._attempts += 1
        self._read = self._request(kind, request), kind
        self._set_timer("deadline", self._options.read_deadline_ms)

    def _on_read_answer(self, status: int, body: Any) -> None:  # noqa: ANN401 - any JSON
        assert self._read is not None  # noqa: S101 - the caller matched its number
        kind = self._read[1]
        position = self._state.position
        if status != _OK or (kind == "inbox" and body.get("reload")):
            self._fail_read()
            return
        self._end_read()
        self._as_of = self._now
        if body.get("reload") or (position and body["position"]["epoch"] != position["epoch"]):
            self._reload()
            return
        self._apply_answer(kind, body)
        self._take_kept()

    def _apply_answer(self, kind: str, body: Row) -> None:
        """Take a read's answer into the state."""
        position = body["position"]
        if kind == "older":
            self._attempts = 0
            self._state.apply_older(body)
            self._target_rev = max(self._target_rev, position["rev"])
            self._target_brev = max(self._target_brev, position["brev"])
        elif kind == "changes":
            if self._healed:
                self._tell(self._arrivals.in_changes(body, self._state))
            self._state.apply_changes(body)
        else:
            self._state.apply_inbox(body)
            self._target_rev, self._target_brev = position["rev"], position["brev"]
        self._arrivals.note(body["items"])
        if kind != "older":
            self._healed = True
            self._queue.drop_other_epochs(position["epoch"])
        self._unsaved = True

    def _fail_read(self) -> None:
        self._end_read()
        self._forced = True
        self._take_kept()
        self._set_healing("retry", 0)

    def _end_read(self) -> None:
        self._read, self._changed = None, True
        self._cancel("deadline")

    def _reload(self) -> None:
        """The position cannot be served from: drop all but the queue, read anew, page down to where it was."""
        self._lower_goal(self._state.end or 0)
        self._state = InboxState()
        self._kept.clear()
        self._target_rev = self._target_brev = 0
        self._healed, self._unsaved = False, True
        self._begin_read()

    def _lower_goal(self, goal: int) -> None:
        self._goal = goal if self._goal is None else min(self._goal, goal)

    def _settle(self) -> None:
        """After each event: forget what is reached, and begin what can begin."""
        position = self._state.position
        if position is not None and self._queue.drop_reached(position):
            self._unsaved = True
        if self._connected and self._read is None:
            kind = self._next_read()
            if kind is None:
                self._attempts = 0
                self._cancel(*HEALING)
            elif kind == "older":
                self._begin_read()
            elif position is not None and self._timers.keys().isdisjoint(HEALING):
                only_broadcasts = self._only_broadcasts(position)
                self._await_healing({"kind": "broadcast" if only_broadcasts else "inbox"})
        self._send_next()

    # Actions

    def _up_to(self, position: Row) -> Row:
        """What the user had when acting, by position."""
        sort = self._state.newest_sort()
        return {"epoch": position["epoch"], "sort": sort, "brev": position["brev"]}

    def _send_next(self) -> None:
        """Send the first action without an answer, once this connection has healed."""
        if not (self._connected and self._healed) or self._action is not None:
            return
        if "action_retry" in self._timers:
            return
        while (entry := self._queue.next()) is not None:
            if self._now - entry["at"] <= self._options.queue_max_age_ms:
                number = self._request("action", wire.action_request(entry))
                self._action = number, entry["op_id"]
                self._set_timer("action_deadline", self._options.read_deadline_ms)
                return
            self._refuse(entry["op_id"], 0, None)

    def _on_action_answer(self, status: int, body: Any) -> None:  # noqa: ANN401 - any JSON
        assert self._action is not None  # noqa: S101 - the caller matched its number
        op_id = self._action[1]
        if status != _OK and not is_refusal(status):
            self._fail_action()
            return
        self._action, self._action_attempts = None, 0
        self._cancel("action_deadline")
        if status != _OK:
            self._refuse(op_id, status, body)
            return
        self._queue.answer(op_id, body["epoch"], body["rev"])
        self._unsaved = True
        change = body.get("change")
        self._take(change or {"kind": "head", "epoch": body["epoch"], "rev": body["rev"]})

    def _fail_action(self) -> None:
        self._action = None
        self._cancel("action_deadline")
        self._action_attempts += 1
        self._set_timer("action_retry", self._backoff(self._action_attempts))

    def _refuse(self, op_id: str, status: int, problem: Row | None) -> None:
        self._queue.remove(op_id)
        self._unsaved = True
        self._emit("refused", op_id=op_id, status=status, problem=problem)

    # Effects

    def _emit(self, kind: str, **fields: object) -> None:
        self._effects.append({"type": kind, **fields})

    def _tell(self, items: list[Row]) -> None:
        if items:
            self._emit("arrived", items=items)

    def _request(self, kind: str, request: Row) -> int:
        self._requests += 1
        self._effects.append(
            {"type": "request", "request": self._requests, "kind": kind, **request}
        )
        return self._requests

    def _backoff(self, attempts: int) -> int:
        longest = min(
            self._options.backoff_max_ms, self._options.backoff_base_ms * 2 ** (attempts - 1)
        )
        return int(longest * (0.5 + self._random / 2))

    def _set_timer(self, timer: str, delay_ms: int) -> None:
        self._timers[timer] = None
        self._emit("timer", timer=timer, delay_ms=delay_ms)

    def _cancel(self, *timers: str) -> None:
        for timer in timers:
            if timer in self._timers:
                del self._timers[timer]
                self._emit("cancel", timer=timer)


_KINDS = ("inbox", "broadcast", "head")


def _is_frame(frame: Any) -> bool:  # noqa: ANN401 - whatever the socket carried
    return isinstance(frame, dict) and frame.get("tocsin") == 1 and frame.get("kind") in _KINDS


def _numbers(frame: Row) -> tuple[int, int]:
    return frame.get("rev") or 0, frame.get("brev") or 0


def _order(frame: Row) -> tuple[int, int, int]:
    return _KINDS.index(frame["kind"]), *_numbers(frame)
