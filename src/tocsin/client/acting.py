"""Sending the queue: in order, one action at a time, each until it is answered (rule 7)."""

from typing import Any

from tocsin.client.actions import ActionQueue, is_refusal
from tocsin.client.rules import Row
from tocsin.client.turn import Turn
from tocsin.client.wire import action_request

_OK = 200


class Acting:
    """The queue, and the one action under way."""

    def __init__(self, turn: Turn) -> None:
        self.queue = ActionQueue([])
        self._turn = turn
        self._sent: tuple[int, str] | None = None  # request number and op-id
        self._attempts = 0

    def is_under_way(self, request: int) -> bool:
        """Tell whether this request is the action under way."""
        return self._sent is not None and self._sent[0] == request

    def restore(self, entries: list[Row]) -> None:
        """Begin with a stored queue."""
        self.queue = ActionQueue(entries)

    def act(self, op_id: str, action: Row) -> None:
        """Put an action at the end of the queue."""
        self.queue.add(op_id, action, self._turn.now)
        self._turn.unsaved = True

    def refuse(self, op_id: str, status: int, problem: Row | None) -> None:
        """Forget an action and tell why; status 0 if it was never sent."""
        self.queue.remove(op_id)
        self._turn.emit("refused", op_id=op_id, status=status, problem=problem)

    def disconnected(self) -> None:
        """Forget the action under way: it is sent again under the same key."""
        self._sent = None

    def send_next(self) -> None:
        """Send the first action without an answer, once this connection has healed."""
        turn = self._turn
        if not (turn.connected and turn.healed) or self._sent or turn.is_set("action_retry"):
            return
        while (entry := self.queue.next()) is not None:
            if turn.now - entry["at"] <= turn.options.queue_max_age_ms:
                self._sent = turn.request("action", action_request(entry)), entry["op_id"]
                turn.set_timer("action_deadline", turn.options.read_deadline_ms)
                return
            turn.unsaved = True
            self.refuse(entry["op_id"], 0, None)

    def answered(self, status: int, body: Any) -> Row | None:  # noqa: ANN401 - any JSON
        """Take in the answer of the action under way; return the frame it amounts to, if it was done."""
        assert self._sent is not None  # noqa: S101 - the caller matched its number
        op_id = self._sent[1]
        if status != _OK and not is_refusal(status):
            self.failed()
            return None
        self._sent, self._attempts = None, 0
        self._turn.cancel("action_deadline")
        self._turn.unsaved = True
        if status != _OK:
            self.refuse(op_id, status, body)
            return None
        self.queue.answer(op_id, body["epoch"], body["rev"])
        change: Row | None = body.get("change")
        return change or {"kind": "head", "epoch": body["epoch"], "rev": body["rev"]}

    def failed(self) -> None:
        """The action under way has no answer: repeat it later."""
        self._sent = None
        self._turn.cancel("action_deadline")
        self._attempts += 1
        self._turn.set_timer("action_retry", self._turn.backoff(self._attempts))
