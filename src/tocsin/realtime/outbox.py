"""Messages of one connection on their way: kept until written or, by reliable ones, until acknowledged.

One queue with two marks.  In front are messages that were written and wait for the client's acknowledgement (they
are written again after a recovery), behind them those that wait to be written.  A client without acknowledgements
has no front part.

Bounds (I6):  the front part holds at most 1000 messages or 16 MB; beyond, its oldest are forgotten, and then a
              recovery that needs them is refused.  The part that waits is bounded by its owner, who sees ``waiting``.
Units:        sizes in bytes; sequence ids count from 1.
"""

from collections.abc import Sequence

from tocsin.realtime.protocol import Message
from tocsin.realtime.settings import REPLAY_BYTES, REPLAY_MESSAGES


class Outbox:
    """The queue of one connection.

    ``held`` counts all bytes in it, ``waiting`` those not written yet.
    """

    __slots__ = ("_acked", "_first", "_queue", "_reliable", "_unwritten", "held", "waiting")

    def __init__(self, *, reliable: bool) -> None:
        self._reliable = reliable
        self._queue: list[Message] = []
        self._first = 1  # sequence id of the queue's first message
        self._acked = 0  # largest sequence id the client acknowledged
        self._unwritten = 0  # index into the queue
        self.held = 0
        self.waiting = 0

    def put(self, message: Message) -> None:
        """Add a message to be written."""
        self._queue.append(message)
        self.held += message.size
        self.waiting += message.size

    def take(self, most_bytes: int) -> tuple[Sequence[Message], int]:
        """Take what is to be written now: at least one message if any waits, else up to ``most_bytes``.

        Returns:
            The messages and the sequence id of the first of them.
        """
        start = self._unwritten
        taken: Sequence[Message] = self._queue[start:] if start else self._queue
        first = self._first + start
        if self.waiting > most_bytes:
            taken = _up_to(most_bytes, taken)
            self.waiting -= sum(message.size for message in taken)
        else:
            self.waiting = 0
        if self._reliable:
            self._unwritten = start + len(taken)
            if start == 0 and taken is self._queue:
                taken = tuple(taken)
            if self._unwritten > REPLAY_MESSAGES or self.held - self.waiting > REPLAY_BYTES:
                self._forget_oldest()
        elif taken is self._queue:
            self._queue = []
            self._first += len(taken)
            self.held = 0
        else:
            self._drop(len(taken))
        return taken, first

    def acknowledge(self, sequence_id: int) -> None:
        """Forget what the client has; an id that was never sent changes nothing beyond that."""
        count = min(sequence_id - self._first + 1, self._unwritten)
        if count > 0:
            self._drop(count)
            self._unwritten -= count
        self._acked = max(self._acked, min(sequence_id, self._first + self._unwritten - 1))

    def rewind(self) -> bool:
        """Make everything after the last acknowledgement wait again; False if some of it is forgotten."""
        if self._acked + 1 != self._first:
            return False
        self._unwritten = 0
        self.waiting = self.held
        return True

    def is_full(self) -> bool:
        """Whether a dropped connection has more than may be kept for its recovery."""
        return len(self._queue) > REPLAY_MESSAGES or self.held > REPLAY_BYTES

    def clear(self) -> None:
        """Drop everything; the connection has ended."""
        self._queue = []
        self._unwritten = self.held = self.waiting = 0

    def _forget_oldest(self) -> None:
        """Bring the part that waits for acknowledgement back into its bounds."""
        over = self.held - self.waiting - REPLAY_BYTES
        count = max(0, self._unwritten - REPLAY_MESSAGES)
        over -= sum(message.size for message in self._queue[:count])
        while over > 0:
            over -= self._queue[count].size
            count += 1
        self._drop(count)
        self._unwritten -= count

    def _drop(self, count: int) -> None:
        self.held -= sum(message.size for message in self._queue[:count])
        del self._queue[:count]
        self._first += count


def _up_to(most_bytes: int, messages: Sequence[Message]) -> Sequence[Message]:
    """Return the first messages that together have at most ``most_bytes``, but at least one."""
    size = 0
    for count, message in enumerate(messages):
        size += message.size
        if size > most_bytes and count:
            return messages[:count]
    return messages
