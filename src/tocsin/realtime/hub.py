"""Who is connected: hub -> user -> sessions, hub -> group -> sessions, and every session by its connection id."""

from collections.abc import Callable, Iterator, Sequence

from tocsin.realtime.request import AckError
from tocsin.realtime.session import Session


def _nothing(session: Session, group: str) -> None:
    """Tell nobody."""


class Group:
    """The live members of a group, in the order of their joining."""

    __slots__ = ("_list", "members")

    def __init__(self) -> None:
        self.members: dict[Session, None] = {}
        self._list: list[Session] | None = None

    def add(self, session: Session) -> None:
        """Take a member in; one that is in stays where it is."""
        self.members[session] = None
        self._list = None

    def remove(self, session: Session) -> None:
        """Let a member go; nothing happens if it is none."""
        self.members.pop(session, None)
        self._list = None

    def listed(self) -> list[Session]:
        """Return the members; the list is not changed afterwards."""
        if self._list is None:
            self._list = list(self.members)
        return self._list


class Hub:
    """The live sessions of one hub; anonymous ones are under None.

    ``brev`` is the newest broadcast that was sent to everybody here, -1 before the first.
    """

    __slots__ = ("_inboxes", "brev", "groups", "users")

    def __init__(self) -> None:
        self.users: dict[str | None, list[Session]] = {}
        self.groups: dict[str, Group] = {}
        self.brev = -1
        self._inboxes: list[Session] | None = None

    def add(self, session: Session) -> None:
        """Register a session."""
        self.users.setdefault(session.user, []).append(session)
        self._inboxes = None

    def remove(self, session: Session) -> None:
        """Forget a session that was registered."""
        sessions = self.users[session.user]
        sessions.remove(session)
        if not sessions:
            del self.users[session.user]
        self._inboxes = None
        for group in session.groups:
            self._drop_member(group, session)
        session.groups = frozenset()

    def join(self, session: Session, group: str) -> None:
        """Put a registered session into a group; again changes nothing."""
        self.groups.setdefault(group, Group()).add(session)
        session.groups |= {group}

    def leave(self, session: Session, group: str) -> None:
        """Take a session out of a group; nothing happens if it is not in it."""
        if group in session.groups:
            session.groups -= {group}
            self._drop_member(group, session)

    def _drop_member(self, name: str, session: Session) -> None:
        group = self.groups[name]
        group.remove(session)
        if not group.members:
            del self.groups[name]

    def inboxes(self) -> list[Session]:
        """Return every session that gets inbox frames; the list is not changed afterwards."""
        if self._inboxes is None:
            self._inboxes = [s for sessions in self.users.values() for s in sessions if s.inbox]
        return self._inboxes


class Hubs:
    """All live sessions of this node, dropped ones within their recovery window included."""

    def __init__(
        self, groups_per_connection: int, left: Callable[[Session, str], None] = _nothing
    ) -> None:
        """Make it; ``left`` is called for each session that has left a group, by whatever way."""
        self._groups_per_connection = groups_per_connection
        self._left = left
        self._hubs: dict[str, Hub] = {}
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        """Go through a copy, so that sessions may end on the way."""
        return iter(list(self._sessions.values()))

    def add(self, session: Session) -> None:
        """Register a session: from here on it gets what is sent to its user."""
        self._hubs.setdefault(session.hub, Hub()).add(session)
        self._sessions[session.id] = session

    def remove(self, session: Session) -> None:
        """Forget a session; forgetting it again changes nothing."""
        if self._sessions.pop(session.id, None) is None:
            return
        hub, groups = self._hubs[session.hub], session.groups
        hub.remove(session)
        for group in groups:
            self._left(session, group)
        if not hub.users:
            del self._hubs[session.hub]

    def join(self, session: Session, group: str) -> AckError | None:
        """Put a session into a group; why not, if it is in too many.

        Nothing happens to one that has ended, and to an event stream.
        """
        most = self._groups_per_connection
        if len(session.groups) >= most and group not in session.groups:
            return AckError("BadRequest", f"The client is in {most} groups, and may be in no more.")
        if session.id in self._sessions and session.is_connection:
            self._hubs[session.hub].join(session, group)
        return None

    def leave(self, session: Session, group: str) -> None:
        """Take a session out of a group; nothing happens if it is not in it."""
        if session.id in self._sessions:
            self._hubs[session.hub].leave(session, group)
            self._left(session, group)

    def get(self, connection_id: str) -> Session | None:
        """Return the session of a connection id."""
        return self._sessions.get(connection_id)

    def connection(self, hub: str, connection_id: str) -> Session | None:
        """Return a connection of a hub; of another hub's there is none, nor is an event stream one (I10)."""
        session = self._sessions.get(connection_id)
        if session is None or session.hub != hub or not session.is_connection:
            return None
        return session

    def hub(self, name: str) -> Hub | None:
        """Return the live part of a hub; None if nobody is connected."""
        return self._hubs.get(name)

    def of_hub(self, hub: str) -> Sequence[Session]:
        """Return a hub's sessions; the result is not changed afterwards."""
        found = self._hubs.get(hub)
        return () if found is None else [s for some in found.users.values() for s in some]

    def of_group(self, hub: str, group: str) -> Sequence[Session]:
        """Return a group's sessions in the order of their joining; the result is not changed afterwards."""
        found = self._hubs.get(hub)
        members = None if found is None else found.groups.get(group)
        return () if members is None else members.listed()

    def of_user(self, hub: str, user: str | None) -> Sequence[Session]:
        """Return a user's sessions, oldest first."""
        found = self._hubs.get(hub)
        return () if found is None else found.users.get(user, ())

    def inboxes(self, hub: str) -> Sequence[Session]:
        """Return the hub's sessions that get inbox frames; the result is not changed afterwards."""
        found = self._hubs.get(hub)
        return () if found is None else found.inboxes()

    def connected(self) -> Iterator[tuple[str, str]]:
        """Go over the users who have a session, with their hubs."""
        for name, found in self._hubs.items():
            for user in found.users:
                if user is not None:
                    yield name, user

    def names(self) -> list[str]:
        """Return the hubs that have anybody connected."""
        return list(self._hubs)
