"""Keeping the state in step: frames in order, and reads where something is missing (rules 1 to 5 and 8)."""

from collections.abc import Callable
from typing import Any

from tocsin.client import wire
from tocsin.client.arrivals import Arrivals
from tocsin.client.frames import KeptFrames, numbers
from tocsin.client.rules import Row
from tocsin.client.state import InboxState
from tocsin.client.turn import Turn

HEALING = ("own_hole", "broadcast_hole", "retry")
_OK = 200


class Reading:
    """The state, what is known to be missing from it, and the one read under way.

    ``caught_up`` is called with the epoch after each answer that the whole state comes from.
    """

    def __init__(self, turn: Turn, caught_up: Callable[[str], None]) -> None:
        self.state = InboxState()
        self.as_of: int | None = None
        self._turn = turn
        self._caught_up = caught_up
        self._arrivals = Arrivals()
        self._kept = KeptFrames(turn.options.keep_limit)
        self._target_rev = self._target_brev = 0
        self._forced = False  # a read is needed, whatever frames arrive
        self._goal: int | None = None  # the sort down to which to page
        self._read: tuple[int, str] | None = None  # request number and kind
        self._attempts = 0

    @property
    def synced(self) -> bool:
        """Whether nothing is known to be missing, and no read is under way."""
        return self._turn.connected and self._read is None and self._next_read() is None

    def is_under_way(self, request: int) -> bool:
        """Tell whether this request is the read under way."""
        return self._read is not None and self._read[0] == request

    def restore(self, stored: Row) -> None:
        """Begin with a stored state."""
        self.state = InboxState.restored(stored)
        self._arrivals.note(stored["items"])
        self.as_of = stored.get("as_of")

    def connected(self) -> None:
        """Read at once: whatever was said before the socket opened is missing."""
        self._forced = True
        self.begin_read()

    def disconnected(self) -> None:
        """Forget the read under way and the frames kept."""
        self._read = None
        self._kept.clear()

    def frame(self, frame: Row) -> None:
        """Take in a frame from the socket."""
        self.as_of, self._turn.changed = self._turn.now, True
        self._tell(self._arrivals.in_frame(frame, self.state))
        self.take(frame)

    def load_older(self) -> None:
        """Want the next page."""
        if self.state.position is not None and self.state.end is not None:
            self._lower_goal(self.state.end - 1)

    def settle(self) -> None:
        """After each event: see to it that what is missing will be read."""
        turn, position = self._turn, self.state.position
        if not turn.connected or self._read is not None:
            return
        kind = self._next_read()
        if kind is None:
            self._attempts = 0
            turn.cancel(*HEALING)
        elif kind == "older":
            self.begin_read()
        elif position is not None and not turn.is_set(*HEALING):
            self._await_healing({"kind": "broadcast" if self._only_brev(position) else "inbox"})

    # Frames

    def take(self, frame: Row) -> None:
        """Apply a frame in step and what was kept behind it, or keep it, or drop it."""
        if self._judge(frame):
            self._take_kept()

    def _take_kept(self) -> None:
        for frame in self._kept.take():
            self._judge(frame)

    def _judge(self, frame: Row) -> bool:
        """Handle one frame by rule 3; tell whether it was applied."""
        position = self.state.position
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
        stream = "rev" if frame["kind"] == "inbox" else "brev"
        number, mine = frame[stream], position[stream]
        if number <= mine:
            return False
        if number > mine + 1:
            self._keep(frame)
            self._aim(frame, position)
            return False
        if stream == "rev":
            self._arrivals.note(frame["items"])
            self.state.apply_inbox_frame(frame)
        else:
            self.state.apply_broadcast_frame(frame)
        self._turn.unsaved = True
        return True

    def _keep(self, frame: Row) -> None:
        if not self._kept.keep(frame):
            self._forced = True

    def _aim(self, frame: Row, position: Row) -> None:
        """Note how far the server is known to be; ahead of the position is a hole."""
        rev, brev = numbers(frame)
        self._raise_targets(rev, brev)
        if rev > position["rev"] or brev > position["brev"]:
            self._await_healing(frame)

    def _raise_targets(self, rev: int, brev: int) -> None:
        self._target_rev = max(self._target_rev, rev)
        self._target_brev = max(self._target_brev, brev)

    # Holes

    def _next_read(self) -> str | None:
        """Return the kind of the read to do now, if any: holes heal before paging goes on."""
        state, position = self.state, self.state.position
        if position is None:
            return "inbox"
        behind = self._target_rev > position["rev"] or self._target_brev > position["brev"]
        if self._forced or behind:
            return "changes"
        wants_older = state.end is not None and self._goal is not None and state.end > self._goal
        return "older" if wants_older else None

    def _only_brev(self, position: Row) -> bool:
        return not self._forced and self._target_rev <= position["rev"]

    def _await_healing(self, frame: Row) -> None:
        """Set the timer of the hole that ``frame`` showed: a random one where everybody has the same hole."""
        options, position = self._turn.options, self.state.position
        spread, for_all = frame.get("spread"), frame["kind"] == "broadcast"
        if frame["kind"] == "head":
            for_all = spread is not None or (position is not None and self._only_brev(position))
        if for_all:
            spread = options.spread_ms if spread is None else spread
            self._set_healing("broadcast_hole", int(self._turn.random * spread))
        else:
            self._set_healing("own_hole", options.hole_wait_ms)

    def _set_healing(self, timer: str, delay_ms: int) -> None:
        turn = self._turn
        if not turn.connected or self._read is not None or turn.is_set("retry"):
            return
        if self._attempts > 0:
            turn.set_timer("retry", turn.backoff(self._attempts))
        elif not turn.is_set(timer):
            turn.set_timer(timer, delay_ms)

    # Reads

    def begin_read(self) -> None:
        """Begin the next read, if there is one to do."""
        kind = self._next_read()
        if kind is None:
            return
        turn, state = self._turn, self.state
        if state.position is None:
            request = wire.inbox_request(turn.options.page_limit)
        elif kind == "older" and state.end is not None:
            request = wire.older_request(turn.options.page_limit, state.end, state.position)
        else:
            request = wire.changes_request(state.position)
        turn.cancel(*HEALING)
        self._forced, turn.changed = False, True
        self._attempts += 1
        self._read = turn.request(kind, request), kind
        turn.set_timer("deadline", turn.options.read_deadline_ms)

    def answered(self, status: int, body: Any) -> None:  # noqa: ANN401 - any JSON
        """Take in the answer of the read under way."""
        assert self._read is not None  # noqa: S101 - the caller matched its number
        kind, position = self._read[1], self.state.position
        if status != _OK or (kind == "inbox" and body.get("reload")):
            self.failed()
            return
        self._end_read()
        self.as_of = self._turn.now
        if body.get("reload") or (position and body["position"]["epoch"] != position["epoch"]):
            self._reload()
            return
        self._apply(kind, body)
        self._arrivals.note(body["items"])
        self._turn.unsaved = True
        self._take_kept()

    def failed(self) -> None:
        """The read under way has no answer: a hole again."""
        self._end_read()
        self._forced = True
        self._take_kept()
        self._set_healing("retry", 0)

    def _apply(self, kind: str, body: Row) -> None:
        position, turn = body["position"], self._turn
        if kind == "older":
            self._attempts = 0
            self.state.apply_older(body)
            self._raise_targets(position["rev"], position["brev"])
            return
        if kind == "changes":
            if turn.healed:
                self._tell(self._arrivals.in_changes(body, self.state))
            self.state.apply_changes(body)
        else:
            self.state.apply_inbox(body)
            self._target_rev, self._target_brev = position["rev"], position["brev"]
        turn.healed = True
        self._caught_up(position["epoch"])

    def _end_read(self) -> None:
        self._read, self._turn.changed = None, True
        self._turn.cancel("deadline")

    def _reload(self) -> None:
        """The position cannot be served from: drop all, read anew, page down to where it was."""
        self._lower_goal(self.state.end or 0)
        self.state = InboxState()
        self._kept.clear()
        self._target_rev = self._target_brev = 0
        self._turn.healed, self._turn.unsaved = False, True
        self.begin_read()

    def _lower_goal(self, goal: int) -> None:
        self._goal = goal if self._goal is None else min(self._goal, goal)

    def _tell(self, items: list[Row]) -> None:
        if items:
            self._turn.emit("arrived", items=items)
