"""Who is connected: hub -> user -> sessions, and every session by its connection id."""

from collections.abc import Iterator, Sequence

from tocsin.realtime.session import Session


class Hub:
    """The live sessions of one hub; anonymous ones are under None."""

    __slots__ = ("users",)

    def __init__(self) -> None:
        self.users: dict[str | None, list[Session]] = {}

    def inboxes(self) -> list[Session]:
        """Return every session that gets inbox frames, as they are now."""
        return [s for sessions in self.users.values() for s in sessions if s.inbox]


class Hubs:
    """All live sessions of this node, dropped ones within their recovery window included."""

    def __init__(self) -> None:
        self._hubs: dict[str, Hub] = {}
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        """Go through a copy, so that sessions may end on the way."""
        return iter(list(self._sessions.values()))

    def __contains__(self, session: Session) -> bool:
        return self._sessions.get(session.id) is session

    def add(self, session: Session) -> None:
        """Register a session: from here on it gets what is sent to its user."""
        hub = self._hubs.get(session.hub)
        if hub is None:
            hub = self._hubs[session.hub] = Hub()
        hub.users.setdefault(session.user, []).append(session)
        self._sessions[session.id] = session

    def remove(self, session: Session) -> None:
        """Forget a session; forgetting it again changes nothing."""
        if self._sessions.pop(session.id, None) is None:
            return
        hub = self._hubs[session.hub]
        sessions = hub.users[session.user]
        sessions.remove(session)
        if not sessions:
            del hub.users[session.user]
        if not hub.users:
            del self._hubs[session.hub]

    def get(self, connection_id: str) -> Session | None:
        """Return the session of a connection id."""
        return self._sessions.get(connection_id)

    def of_user(self, hub: str, user: str | None) -> Sequence[Session]:
        """Return a user's sessions, oldest first."""
        found = self._hubs.get(hub)
        return () if found is None else found.users.get(user, ())

    def inboxes(self, hub: str) -> list[Session]:
        """Return the hub's sessions that get inbox frames."""
        found = self._hubs.get(hub)
        return [] if found is None else found.inboxes()

    def names(self) -> list[str]:
        """Return the hubs that have anybody connected."""
        return list(self._hubs)
