"""Errands carried out on the connections of this gateway, whoever gave them."""

from collections import Counter
from collections.abc import Callable, Sequence
from heapq import nsmallest
from typing import Final

from tocsin.realtime.errands import (
    Check,
    Close,
    Errand,
    Find,
    Grant,
    Join,
    Leave,
    Listed,
    Listing,
    Outcome,
    Whom,
    Withdraw,
)
from tocsin.realtime.hub import Hubs
from tocsin.realtime.many import for_each, live
from tocsin.realtime.message import Message
from tocsin.realtime.post import Post, Where
from tocsin.realtime.rights import MAX_LITERALS
from tocsin.realtime.session import Session

Act = Callable[[Session], str | None]
_TOO_MANY_GRANTS: Final = f"The connection has {MAX_LITERALS} groups granted, and may have no more."


class Here:
    """Finds the connections, and does it."""

    def __init__(self, hubs: Hubs, post: Post, close: Callable[[Session, str], None]) -> None:
        """Make it; ``close`` ends a connection for a reason."""
        self._hubs = hubs
        self._post = post
        self._close = close

    def sessions(self, whom: Whom) -> Sequence[Session]:
        """Return the connections, as they are now; its filter and who is excluded are not looked at."""
        return live(self._all(whom))

    def has_any(self, whom: Whom) -> bool:
        """Tell whether there is any of these connections."""
        return any(session.is_connection and not session.ended for session in self._all(whom))

    def _all(self, whom: Whom) -> Sequence[Session]:
        """Return the sessions, event streams too."""
        match whom.kind:
            case "all":
                return self._hubs.of_hub(whom.hub)
            case "group":
                return self._hubs.of_group(whom.hub, whom.name)
            case "user":
                return self._hubs.of_user(whom.hub, whom.name)
            case "connection":
                session = self._hubs.connection(whom.hub, whom.name)
                return () if session is None else (session,)

    def send(self, whom: Whom, message: Message, where: Where | None) -> None:
        """Write a message to those whom ``where`` picks."""
        match whom.kind:
            case "all":
                self._post.to_all(whom.hub, message, where)
            case "group":
                self._post.to_group(whom.hub, whom.name, message, where)
            case "user":
                self._post.to_user(whom.hub, whom.name, message, where)
            case "connection":
                for session in self.sessions(whom):
                    self._post.to_connection(session, message)

    async def do(self, errand: Errand, where: Where | None = None) -> Outcome:
        """Carry an errand out on those whom ``where`` picks, a few hundred per turn of the loop."""
        if isinstance(errand, Find):
            return Outcome(int(self.has_any(errand.whom)))
        sessions = self.sessions(errand.whom)
        if isinstance(errand, Check):
            granted = any(s.rights.granted(errand.action, errand.group) for s in sessions)
            return Outcome(len(sessions), granted=granted)
        act, deeds = self._act(errand)
        refused: str | None = None

        def acted(session: Session) -> None:
            nonlocal refused
            why = act(session)
            refused = why if refused is None else refused

        await for_each(sessions, where, acted, deeds)
        return Outcome(len(sessions), refused)

    def list(self, listing: Listing) -> Sequence[Listed]:
        """Return who is there, in the order of names.

        It goes once over those who are online and keeps the smallest names, so nothing is remembered between pages.
        """
        sessions = self.sessions(listing.whom)
        if listing.by_user:
            counts = Counter(s.user for s in sessions if s.user is not None)
            found = (Listed(user, user, count) for user, count in counts.items())
        else:
            found = (Listed(session.id, session.user) for session in sessions)
        return nsmallest(listing.most, (one for one in found if one.name > listing.after))

    def _act(self, errand: Close | Join | Leave | Grant | Withdraw) -> tuple[Act, int]:
        """Return what is done to each connection, and how many deeds that is; the act returns why not."""
        match errand:
            case Close(_, reason):
                return lambda session: self._close(session, reason), 1
            case Join(_, groups):
                return lambda session: self._join(session, groups), len(groups)
            case Leave(_, groups):
                return lambda session: self._leave(session, groups), len(groups or ())
            case Grant(_, action, group):
                return (
                    lambda session: None if session.grant(action, group) else _TOO_MANY_GRANTS
                ), 1
            case Withdraw(_, action, group):
                return lambda session: session.withdraw_grant(action, group), 1

    def _join(self, session: Session, groups: Sequence[str]) -> str | None:
        refusals = [self._hubs.join(session, group) for group in groups]
        return next((refusal.message for refusal in refusals if refusal is not None), None)

    def _leave(self, session: Session, groups: Sequence[str] | None) -> None:
        for group in session.groups if groups is None else groups:
            self._hubs.leave(session, group)
