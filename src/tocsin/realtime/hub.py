"""Who is connected: hub -> user -> sessions, and every session by its connection id."""

from collections.abc import Iterator, Sequence

from tocsin.realtime.session import Session


class Hub:
    """The live sessions of one hub; anonymous ones are under None.

    ``brev`` is the newest broadcast that was sent to everybody here, -1 before the first.
    """

    __slots__ = ("_inboxes", "brev", "users")

    def __init__(self) -> None:
        self.users: dict[str | None, list[Session]] = {}
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

    def inboxes(self) -> list[Session]:
        """Return every session that gets inbox frames; the list is not changed afterwards."""
        if self._inboxes is None:
            self._inboxes = [s for sessions in self.users.values() for s in sessions if s.inbox]
        return self._inboxes


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

    def add(self, session: Session) -> None:
        """Register a session: from here on it gets what is sent to its user."""
        self._hubs.setdefault(session.hub, Hub()).add(session)
        self._sessions[session.id] = session

    def remove(self, session: Session) -> None:
        """Forget a session; forgetting it again changes nothing."""
        if self._sessions.pop(session.id, None) is None:
            return
        hub = self._hubs[session.hub]
        hub.remove(session)
        if not hub.users:
            del self._hubs[session.hub]

    def get(self, connection_id: str) -> Session | None:
        """Return the session of a connection id."""
        return self._sessions.get(connection_id)

    def hub(self, name: str) -> Hub | None:
        """Return the live part of a hub; None if nobody is connected."""
        return self._hubs.get(name)

    def of_user(self, hub: str, user: str | None) -> Sequence[Session]:
        """Return a user's sessions, oldest first."""
        found = self._hubs.get(hub)
        return () if found is None else found.users.get(user, ())

    def inboxes(self, hub: str) -> Sequence[Session]:
        """Return the hub's sessions that get inbox frames; the result is not changed afterwards."""
        found = self._hubs.get(hub)
        return () if found is None else found.inboxes()

    def names(self) -> list[str]:
        """Return the hubs that have anybody connected."""
        return list(self._hubs)
