"""One spread to many sessions: they differ in the dialect and the sequence ids, and many have the same.

What is built once for all of them: the bytes under the same ids, and what they keep for a recovery, whatever the ids
(:mod:`tocsin.realtime.runs`).
"""

from collections.abc import Sequence
from typing import Final

from tocsin.realtime.dialects import Dialect
from tocsin.realtime.message import Message
from tocsin.realtime.runs import Place
from tocsin.realtime.session import Session

_KNOWN_FRAMES: Final = 256


class _Frames(dict[int, bytes]):
    """Frames of some messages by the ``base`` of who gets them, built when they are asked for."""

    __slots__ = ("_before", "_dialect", "_messages")

    def __init__(self, messages: Sequence[Message], dialect: Dialect, before: int) -> None:
        super().__init__()
        self._messages = messages
        self._dialect = dialect
        self._before = before  # messages of the run

    def __missing__(self, base: int) -> bytes:
        if len(self) >= _KNOWN_FRAMES:
            self.clear()
        frames = self[base] = self._dialect.encode(self._messages, base + self._before)
        return frames


_Step = tuple[Place | None, _Frames]


class Steps:
    """What some messages are from each place: where they lead to, and the frames to write; ``known`` if asked for before."""

    __slots__ = ("_alone", "_entries", "known", "messages", "size")

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self.size = sum(message.size for message in messages)
        self.known: dict[Place | None, _Step] = {}
        self._entries: dict[Dialect, Place] = {}
        self._alone: dict[Dialect, _Frames] = {}

    def of(self, session: Session) -> _Step:
        """Return the step of a session that is in no run, or the first to go on from its place.

        If others have gone on from there with something else it leaves the run, and enters one with the next spread.
        """
        dialect, place = session.dialect, session.place
        if place is None:
            place = self._entries.get(dialect) or Place.beginning()
            session.enter(place)
            return self.known.get(place) or self._begin(dialect, place)
        if place.is_open:
            return self._begin(dialect, place)
        session.put_written(self.messages, self.size)
        frames = self._alone.get(dialect)
        if frames is None:
            frames = self._alone[dialect] = _Frames(self.messages, dialect, 0)
        return None, frames

    def _begin(self, dialect: Dialect, place: Place) -> _Step:
        frames = _Frames(self.messages, dialect, place.count)
        after = place.go_on(self.messages, self.size) if dialect.reliable else place
        self._entries.setdefault(dialect, place)
        self.known[place] = after, frames
        return after, frames


def write_at_once(sessions: Sequence[Session], steps: Steps) -> list[Session]:
    """Write a spread to the sessions that can take it; return the others.

    This is the hottest loop there is, and memory that is not in the cache is what it costs: of a session that is in step with
    others it touches the session, its base, and its socket (bench/rows/fanout.py).  The next session most often stands where
    the last one stood.
    """
    others = []
    known = steps.known
    place: Place | None = None  # the last one's, as long as that says where the next one goes
    after: Place | None = None
    base, data, size = 0, b"", 0
    for session in sessions:
        sink = session.sink
        if sink is None or session.waiting:
            others.append(session)
            continue
        if place is None or session.place is not place or session.base != base:
            place = session.place
            step = known.get(place)
            if step is None:
                place, step = None, steps.of(session)
            after, frames = step
            base = session.base
            data = frames[base]
            size = len(data)
        session.place = after
        try:
            sent = sink.write(data)
        except OSError:
            sent = 0
        if sent != size and sent is not None and session.socket is not None:
            session.socket.write_rest(data[sent:])
    return others
