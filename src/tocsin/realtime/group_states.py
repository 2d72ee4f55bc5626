"""What members of groups say of themselves, and who wants to know it.

A connection sets its state in a group it is in; who subscribed there is told.  The state goes when its owner leaves the
group or its connection ends for good, and that is told as well.

Source:  the messages are those of Microsoft's JavaScript client 1.1.0, the meaning is that of Microsoft's emulator: a
         preview, without an official client that uses it.
Bound:   a state has 2048 characters, a connection states in 32 groups; a snapshot has 200 members.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from tocsin.realtime.message import Message, StateItem, States, size_of
from tocsin.realtime.post import Post
from tocsin.realtime.request import AckError
from tocsin.realtime.session import Session

MAX_STATE: Final = 2048
MAX_GROUPS: Final = 32
MAX_ITEMS: Final = 200
_US_PER_MS: Final = 1000


class _State(NamedTuple):
    """What one member says, and since when (Unix time, ms)."""

    entries: Mapping[str, str]
    updated_ms: int


class _Board:
    """The states of a group's members, and the sessions that watch them."""

    __slots__ = ("states", "watchers")

    def __init__(self) -> None:
        self.states: dict[Session, _State] = {}
        self.watchers: dict[Session, None] = {}


class GroupStates:
    """The boards of all groups that have anything on them."""

    def __init__(self, post: Post, now_us: Callable[[], int]) -> None:
        self._post = post
        self._now_us = now_us
        self._boards: dict[tuple[str, str], _Board] = {}
        self._counts: dict[Session, int] = {}

    def set_state(
        self, session: Session, group: str, state: Mapping[str, str] | None
    ) -> AckError | None:
        """Set a member's state, None to take it back; why not, if it cannot be."""
        if group not in session.groups:
            return _no_member(group)
        if state is None:
            self._clear(session, group)
            return None
        size = size_of(state)
        if size > MAX_STATE:
            text = f"The state has {size} characters; at most {MAX_STATE} are possible."
            return AckError("BadRequest", text)
        board = self._boards.setdefault((session.hub, group), _Board())
        before = board.states.get(session)
        if before is None:
            count = self._counts.get(session, 0)
            if count >= MAX_GROUPS:
                text = f"The client has states in {MAX_GROUPS} groups, and may have no more."
                return AckError("BadRequest", text)
            self._counts[session] = count + 1
        updated_ms = self._time_after(before)
        board.states[session] = _State(state, updated_ms)
        self._tell(session, group, board, state, updated_ms)
        return None

    def subscribe(self, session: Session, group: str) -> AckError | None:
        """Tell a member what the others say, now and from now on; why not, if it is none."""
        if group not in session.groups:
            return _no_member(group)
        board = self._boards.setdefault((session.hub, group), _Board())
        board.watchers[session] = None
        states = States(list(_snapshot(board)), whole=True)
        self._post.to_connection(session, Message.telling(states, group))
        return None

    def unsubscribe(self, session: Session, group: str) -> None:
        """Tell a session no more; nothing happens if it was told nothing."""
        board = self._boards.get((session.hub, group))
        if board is not None:
            board.watchers.pop(session, None)
            self._tidy(session.hub, group, board)

    def concern(self, session: Session) -> bool:
        """Whether a session has said something of itself in a group, or wants to know what others say."""
        return session in self._counts or any(
            session in board.watchers
            for group in session.groups
            if (board := self._boards.get((session.hub, group))) is not None
        )

    def left(self, session: Session, group: str) -> None:
        """Forget what a session said in a group that it is no more in, and what it wanted to know there."""
        if (session.hub, group) in self._boards:
            self.unsubscribe(session, group)
            self._clear(session, group)

    def _clear(self, session: Session, group: str) -> None:
        board = self._boards.get((session.hub, group))
        before = None if board is None else board.states.pop(session, None)
        if board is None or before is None:
            return
        self._counts[session] -= 1
        if not self._counts[session]:
            del self._counts[session]
        self._tell(session, group, board, None, self._time_after(before))
        self._tidy(session.hub, group, board)

    def _tell(
        self,
        session: Session,
        group: str,
        board: _Board,
        state: Mapping[str, str] | None,
        updated_ms: int,
    ) -> None:
        """Tell all who watch what one member says now."""
        if board.watchers:
            item = StateItem(session.id, session.user, state, updated_ms)
            message = Message.telling(States((item,), whole=False), group)
            self._post.to_watchers(session.hub, group, board.watchers, message)

    def _time_after(self, before: _State | None) -> int:
        now_ms = self._now_us() // _US_PER_MS
        return now_ms if before is None else max(now_ms, before.updated_ms + 1)

    def _tidy(self, hub: str, group: str, board: _Board) -> None:
        if not board.states and not board.watchers:
            self._boards.pop((hub, group), None)


def _snapshot(board: _Board) -> Iterator[StateItem]:
    """Return what members say, in the order of their connections; of too many the first."""
    for session in sorted(board.states, key=lambda session: session.id)[:MAX_ITEMS]:
        state = board.states[session]
        yield StateItem(session.id, session.user, state.entries, state.updated_ms)


def _no_member(group: str) -> AckError:
    return AckError("BadRequest", f"The client is not in group '{group[:80]}'.")
