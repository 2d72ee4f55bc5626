"""Messages of one connection on their way: kept until written or, by reliable ones, until acknowledged.

One queue with two marks.  In front are messages that were written and wait for the client's acknowledgement (they
are written again after a recovery), behind them those that wait to be written.  A client without acknowledgements
has no front part.  While nothing waits, what was written last may stand in a run that is shared with others
(:mod:`tocsin.realtime.runs`) instead of in the queue, which takes it in (``settle``) before it is looked at.

Bounds (I6):  the front part holds at most what ``replay`` says; beyond, its oldest are forgotten, and then a
              recovery that needs them is refused.  What stands in a run counts when the queue takes it in; until then the
              run's own bound holds.  The part that waits is bounded by its owner, who asks ``is_behind``.
Units:        sizes in bytes; sequence ids count from 1.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tocsin.realtime.message import Message
from tocsin.realtime.runs import Place
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
    ``place`` is how far in a run it was written to with others, None while it is in none; ``base`` is the sequence id that
    the run's first message has here, or would have.
    """

    __slots__ = (
        "_acked",
        "_entered",
        "_first",
        "_held",
        "_queue",
        "_reliable",
        "_unwritten",
        "base",
        "place",
        "replay",
        "waiting",
    )

    def __init__(self, *, reliable: bool) -> None:
        self._reliable = reliable
        self._queue: list[Message] = []
        self._first = 1  # sequence id of the queue's first message
        self._acked = 0  # largest sequence id the client acknowledged
        self._unwritten = 0  # how many at the queue's end wait
        self._held = 0  # in a run this is less by what the run has up to ``place``
        self._entered = 0  # so many messages of its run it was not sent there, or has acknowledged
        self.waiting = 0
        self.replay = _PROMISED
        self.place: Place | None = None
        self.base = 0

    @property
    def held(self) -> int:
        """The bytes of everything that is kept or waits."""
        return self._held if self.place is None else self._held + self.place.size

    def put(self, messages: Sequence[Message], size: int) -> None:
        """Add messages, of ``size`` bytes in all, to be written."""
        self.settle()
        self._queue.extend(messages)
        self._unwritten += len(messages)
        self._held += size
        self.waiting += size

    def put_written(self, messages: Sequence[Message], size: int) -> None:
        """Add messages that are written in this moment, to the queue; ``base`` is the sequence id of the first."""
        if self.place is not None:
            self._take_in(self.place)
        self.base = self._first + len(self._queue)
        self._queue += messages
        self._held += size
        self._keep_bounds()

    def enter(self, place: Place) -> None:
        """Be in a run from now on, and in none before."""
        self.base = self._first + len(self._queue) - place.count
        self._held -= place.size
        self.place, self._entered = place, place.count

    def settle(self) -> None:
        """Leave the run, and take what was written there into the queue."""
        if self.place is not None and self._reliable:
            self._take_in(self.place)
            self._keep_bounds()

    def _take_in(self, place: Place) -> None:
        self._queue += place.since(self._entered)
        self._held += place.size
        self.place = None

    def take(self, most_bytes: int) -> tuple[list[Message], int]:
        """Take what is to be written now: at least one message if any waits, else up to ``most_bytes``.

        Returns:
            The messages and the sequence id of the first of them.
        """
        self.settle()
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
        self.settle()
        written = len(self._queue) - self._unwritten
        return self._queue[: max(0, min(written, sequence_id - self._first + 1))]

    def acknowledge(self, sequence_id: int) -> None:
        """Forget what the client has; an id that was never sent changes nothing beyond that.

        What one without acknowledgements claims to have is not asked.
        """
        if not self._reliable:
            return
        place = self.place
        if place is not None and sequence_id >= self.base + self._entered:
            self._acknowledge_in(place, min(sequence_id, self.base + place.count - 1))
            return
        self.settle()
        written = len(self._queue) - self._unwritten
        last = min(sequence_id, self._first + written - 1)
        if last >= self._first:
            self._drop(last - self._first + 1)
        self._acked = max(self._acked, last)

    def _acknowledge_in(self, place: Place, last: int) -> None:
        """Forget the queue and what of the run the client has; with all of it the run."""
        self._queue.clear()
        self._acked = last
        self._first = last + 1
        self._entered = self._first - self.base
        if self._entered == place.count:
            self._held, self.place = 0, None
        else:
            self._held = _size(place.since(self._entered)) - place.size

    def rewind(self) -> bool:
        """Make everything after the last acknowledgement wait again; False if some of it is forgotten."""
        self.settle()
        if self._acked + 1 != self._first:
            return False
        self._unwritten = len(self._queue)
        self.waiting = self._held
        return True

    def kept(self) -> Kept:
        """Return what is kept, written or not."""
        self.settle()
        return Kept(self._first, self._acked, self._queue)

    def keep(self, kept: Kept) -> None:
        """Keep what another outbox kept, and nothing else; all of it counts as written."""
        self.settle()
        self._first, self._acked, self._queue = kept.first, kept.acked, list(kept.messages)
        self._unwritten = self.waiting = 0
        self._held = _size(self._queue)

    def is_full(self) -> bool:
        """Whether it holds more than is kept for a recovery."""
        self.settle()
        return self._is_above_bounds()

    def is_behind(self, most_bytes: int) -> bool:
        """Whether more than ``most_bytes`` wait, and more is held than a recovery would bring back.

        What a recovery would bring is kept in any case; a client that takes its time for it is no burden.
        """
        return self.waiting > most_bytes and (not self._reliable or self._is_above_bounds())

    def clear(self) -> None:
        """Drop everything; the connection has ended."""
        self.settle()
        self._queue = []
        self._unwritten = self._held = self.waiting = 0

    def _is_above_bounds(self) -> bool:
        most, most_bytes = self.replay
        return len(self._queue) > most or self._held > most_bytes

    def _keep_bounds(self) -> None:
        if self._is_above_bounds():
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Bring the part that waits for acknowledgement back into its bounds."""
        count = max(0, len(self._queue) - self._unwritten - self.replay.messages)
        over = self._held - self.waiting - self.replay.size_bytes
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
            self._held = _size(queue[count:])
        else:
            self._held -= _size(queue[:count])
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
