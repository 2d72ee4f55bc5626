"""Messages of one connection on their way: kept until written or, by reliable ones, until acknowledged.

One queue with two marks.  In front are messages that were written and wait for the client's acknowledgement (they
are written again after a recovery), behind them those that wait to be written.  A client without acknowledgements
has no front part.

Bounds (I6):  the front part holds at most what ``replay`` says; beyond, its oldest are forgotten, and then a
              recovery that needs them is refused.  The part that waits is bounded by its owner, who sees ``waiting``.
Units:        sizes in bytes; sequence ids count from 1.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tocsin.realtime.message import Message
from tocsin.realtime.settings import Replay

_PROMISED: Final = Replay()


class Kept(NamedTuple):
    """What a connection keeps for its client: ``messages`` from sequence id ``first`` on; it has all up to ``acked``."""

    first: int
    acked: int
    messages: Sequence[Message]


class Outbox:
    """The queue of one connection.

    ``held`` counts all bytes in it, ``waiting`` those not written yet.  ``replay`` bounds what is kept once written.
    """

    __slots__ = (
        "_acked",
        "_first",
        "_queue",
        "_reliable",
        "_unwritten",
        "held",
        "replay",
        "waiting",
    )

    def __init__(self, *, reliable: bool) -> None:
        self._reliable = reliable
        self._queue: list[Message] = []
        self._first = 1  # sequence id of the queue's first message
        self._acked = 0  # largest sequence id the client acknowledged
        self._unwritten = 0  # how many at the queue's end wait
        self.held = 0
        self.waiting = 0
        self.replay = _PROMISED

    def put(self, messages: Sequence[Message], size: int) -> None:
        """Add messages, of ``size`` bytes in all, to be written."""
        self._queue.extend(messages)
        self._unwritten += len(messages)
        self.held += size
        self.waiting += size

    def take(self, most_bytes: int) -> tuple[list[Message], int]:
        """Take what is to be written now: at least one message if any waits, else up to ``most_bytes``.

        Returns:
            The messages and the sequence id of the first of them.
        """
        start = len(self._queue) - self._unwritten
        first = self._first + start
        taken = self._queue[start:]
        if self.waiting > most_bytes:
            taken = _up_to(most_bytes, taken)
            self.waiting -= _size(taken)
        else:
            self.waiting = 0
        self._unwritten -= len(taken)
        if self._reliable:
            self._forget_oldest()
        else:
            self._drop(len(taken))
        return taken, first

    def covered_by(self, sequence_id: int) -> Sequence[Message]:
        """Return the written messages that an acknowledgement up to ``sequence_id`` speaks of."""
        written = len(self._queue) - self._unwritten
        return self._queue[: max(0, min(written, sequence_id - self._first + 1))]

    def acknowledge(self, sequence_id: int) -> None:
        """Forget what the client has; an id that was never sent changes nothing beyond that."""
        written = len(self._queue) - self._unwritten
        last = min(sequence_id, self._first + written - 1)
        if last >= self._first:
            self._drop(last - self._first + 1)
        self._acked = max(self._acked, last)

    def rewind(self) -> bool:
        """Make everything after the last acknowledgement wait again; False if some of it is forgotten."""
        if self._acked + 1 != self._first:
            return False
        self._unwritten = len(self._queue)
        self.waiting = self.held
        return True

    def kept(self) -> Kept:
        """Return what is kept, written or not."""
        return Kept(self._first, self._acked, self._queue)

    def keep(self, kept: Kept) -> None:
        """Keep what another outbox kept, and nothing else; all of it counts as written."""
        self._first, self._acked, self._queue = kept.first, kept.acked, list(kept.messages)
        self._unwritten = self.waiting = 0
        self.held = _size(self._queue)

    def is_full(self) -> bool:
        """Whether it holds more than is kept for a recovery."""
        return len(self._queue) > self.replay.messages or self.held > self.replay.size_bytes

    def clear(self) -> None:
        """Drop everything; the connection has ended."""
        self._queue = []
        self._unwritten = self.held = self.waiting = 0

    def _forget_oldest(self) -> None:
        """Bring the part that waits for acknowledgement back into its bounds."""
        count = max(0, len(self._queue) - self._unwritten - self.replay.messages)
        over = self.held - self.waiting - self.replay.size_bytes
        if count == 0 and over <= 0:
            return
        over -= _size(self._queue[:count])
        while over > 0:
            over -= self._queue[count].size
            count += 1
        self._drop(count)

    def _drop(self, count: int) -> None:
        """Remove the first ``count`` messages, all of them written; the smaller part is counted."""
        queue = self._queue
        if 2 * count > len(queue):
            self.held = _size(queue[count:])
        else:
            self.held -= _size(queue[:count])
        del queue[:count]
        self._first += count


def _size(messages: Sequence[Message]) -> int:
    return sum(message.size for message in messages)


def _up_to(most_bytes: int, messages: list[Message]) -> list[Message]:
    """Return the first messages that together have at most ``most_bytes``, but at least one."""
    size = 0
    for count, message in enumerate(messages):
        size += message.size
        if size > most_bytes and count:
            return messages[:count]
    return messages
