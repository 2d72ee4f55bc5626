"""The client of an inbox as a pure machine: events in, effects out (docs/reference/client-core.md).

It follows section 4 of the sync contract: no clock, no random numbers, no I/O.  The TypeScript core is the same machine.
"""

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from tocsin.client.acting import Acting
from tocsin.client.frames import is_frame
from tocsin.client.overlay import layered
from tocsin.client.reading import HEALING, Reading
from tocsin.client.rules import Row
from tocsin.client.turn import Options, Turn
from tocsin.client.view import drawn_items, shown_counts


class InboxCore:
    """One client of one inbox.  The caller passes events to ``step`` and carries out the effects it returns."""

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self._turn = Turn(msgspec.convert(options or {}, Options))
        self._acting = Acting(self._turn)
        self._reading = Reading(self._turn, self._caught_up)
        self._expected: Row | None = None  # the stored position read or written last

    def step(self, event: Row) -> list[Row]:
        """Take one event in; return what is to be done, in order."""
        turn = self._turn
        turn.begin(event["now"], event["random"])
        getattr(self, "_on_" + event["type"])(event)
        self._settle()
        if turn.changed or turn.unsaved:
            turn.emit("changed")
        if turn.unsaved:
            turn.emit("persist", snapshot=self.snapshot(), expected=self._expected)
            self._expected = self._reading.state.position
        return turn.effects

    def view(self) -> Row:
        """Return what is to be drawn, with the own actions laid over it."""
        state, queue = self._reading.state, self._acting.queue.entries
        layer = layered(state, queue) if queue else state
        return {
            "items": drawn_items(layer),
            "counts": shown_counts(layer),
            "position": state.position,
            "end": state.end,
            "complete": state.position is not None and state.end is None,
            "synced": self._reading.synced,
            "pending": len(queue),
            "as_of": self._reading.as_of,
        }

    def snapshot(self) -> Row:
        """Return all that survives a restart, as plain JSON."""
        queue, as_of = self._acting.queue.entries, self._reading.as_of
        return {**self._reading.state.snapshot(), "queue": queue, "as_of": as_of}

    def _settle(self) -> None:
        position = self._reading.state.position
        if position is not None and self._acting.queue.drop_reached(position):
            self._turn.unsaved = True
        self._reading.settle()
        self._acting.send_next()

    def _caught_up(self, epoch: str) -> None:
        self._acting.queue.drop_other_epochs(epoch)

    def _on_start(self, event: Row) -> None:
        """Begin; what is stored may come late: then what was done meanwhile follows on it, and what was heard is newer."""
        self._turn.changed = True
        stored = event["stored"]
        if stored is not None and self._reading.state.position is None:
            self._reading.restore(stored)
            meanwhile = self._acting.queue.entries
            self._acting.restore(stored["queue"])
            self._acting.queue.take_over(meanwhile)
            self._expected = stored["position"]

    def _on_socket_open(self, _event: Row) -> None:
        self._turn.connected, self._turn.healed = True, False
        self._reading.connected()

    def _on_socket_closed(self, _event: Row) -> None:
        self._turn.connected, self._turn.changed = False, True
        self._reading.disconnected()
        self._acting.disconnected()
        self._turn.cancel_all()

    def _on_frame(self, event: Row) -> None:
        if self._turn.connected and is_frame(event["frame"]):
            self._reading.frame(event["frame"])

    def _on_answer(self, event: Row) -> None:
        if self._reading.is_under_way(event["request"]):
            self._reading.answered(event["status"], event["body"])
        elif self._acting.is_under_way(event["request"]):
            frame = self._acting.answered(event["status"], event["body"])
            if frame is not None:
                self._reading.take(frame)

    def _on_failed(self, event: Row) -> None:
        if self._reading.is_under_way(event["request"]):
            self._reading.failed()
        elif self._acting.is_under_way(event["request"]):
            self._acting.failed()

    def _on_timer(self, event: Row) -> None:
        timer = event["timer"]
        if not self._turn.ran_out(timer):
            return
        if timer in HEALING:
            self._reading.begin_read()
        elif timer == "deadline":
            self._reading.failed()
        elif timer == "action_deadline":
            self._acting.failed()

    def _on_act(self, event: Row) -> None:
        op_id, action, state = event["op_id"], event["action"], self._reading.state
        if action["type"] == "mark":
            mark = {name: value for name, value in action.items() if name != "from"}
            up_to = state.up_to(action.get("from", math.inf))
            if up_to is None:
                self._turn.emit("refused", op_id=op_id, status=0, problem=None)
                return
            action = {**mark, "up_to": up_to}
        self._acting.act(op_id, action)

    def _on_load_older(self, _event: Row) -> None:
        self._reading.load_older()

    def _on_conflict(self, event: Row) -> None:
        """Another tab wrote since: keep what it had queued, and write again over what it wrote."""
        self._acting.queue.take_over(event["stored"]["queue"])
        self._expected, self._turn.unsaved = event["stored"]["position"], True
