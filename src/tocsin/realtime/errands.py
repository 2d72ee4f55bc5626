"""What is sent, done or asked about connections, in a form that other gateways can be given.

Gateways of one release speak of errands as MessagePack; one that knows an errand less says that it failed.
"""

from typing import Final, Literal, NamedTuple

import msgspec

from tocsin.realtime.carried import Carried
from tocsin.realtime.odata import Where, compile_filter
from tocsin.realtime.rights import Action
from tocsin.realtime.session import Session

Kind = Literal["all", "group", "user", "connection"]


class Whom(msgspec.Struct, frozen=True, array_like=True):
    """Some connections of a hub: all, those of a group or a user, or one; ``name`` says which.

    Of these the ones that ``filter`` picks, without those whose ids are ``excluded``.
    """

    hub: str
    kind: Kind
    name: str = ""
    filter: str | None = None
    excluded: tuple[str, ...] = ()

    def where(self) -> Where | None:
        """Return what picks among them; None if everybody is meant.

        Raises:
            FilterError: The filter is none.
        """
        chosen = None if self.filter is None else compile_filter(self.filter)
        excluded = frozenset(self.excluded)
        if not excluded:
            return chosen
        if chosen is None:
            return lambda session: session.id not in excluded

        def where(session: Session) -> bool:
            return session.id not in excluded and chosen(session)

        return where

    def means(self, session: Session) -> bool:
        """Whether a session is among them; the filter and who is excluded are not looked at."""
        if session.hub != self.hub:
            return False
        match self.kind:
            case "all":
                return True
            case "group":
                return self.name in session.groups
            case "user":
                return session.user == self.name
            case "connection":
                return session.id == self.name


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """Whose request an errand carries out: hub, caller and the request's id, and what stands for its content."""

    name: tuple[str, str, str]
    content: bytes


class Sending(msgspec.Struct, frozen=True, array_like=True, tag="send"):
    """A message to be written."""

    whom: Whom
    message: Carried
    asked: Asked | None = None


class Find(msgspec.Struct, frozen=True, array_like=True, tag="find"):
    """Find out whether there is any of these connections."""

    whom: Whom


class Close(msgspec.Struct, frozen=True, array_like=True, tag="close"):
    """End connections."""

    whom: Whom
    reason: str = ""


class Join(msgspec.Struct, frozen=True, array_like=True, tag="join"):
    """Put connections into groups; one that is in too many joins no more."""

    whom: Whom
    groups: tuple[str, ...]


class Leave(msgspec.Struct, frozen=True, array_like=True, tag="leave"):
    """Take connections out of groups, None for all of theirs."""

    whom: Whom
    groups: tuple[str, ...] | None = None


class Grant(msgspec.Struct, frozen=True, array_like=True, tag="grant"):
    """Let connections do something with a group."""

    whom: Whom
    action: Action
    group: str


class Withdraw(msgspec.Struct, frozen=True, array_like=True, tag="withdraw"):
    """Take a grant back; membership stays."""

    whom: Whom
    action: Action
    group: str


class Check(msgspec.Struct, frozen=True, array_like=True, tag="check"):
    """Find out whether something is granted."""

    whom: Whom
    action: Action
    group: str


class Give(msgspec.Struct, frozen=True, array_like=True, tag="give"):
    """Give a dropped connection up to who asks; the answer is the connection, or nothing."""

    hub: str
    connection: str


class Listing(msgspec.Struct, frozen=True, array_like=True, tag="list"):
    """List the first ``most`` connections after the id ``after``; or ``by_user`` the users, by their names."""

    whom: Whom
    after: str
    most: int
    by_user: bool = False


class Listed(NamedTuple):
    """A connection and its user; or a user, and how many connections it has."""

    name: str
    user: str | None = None
    connections: int = 1


Errand = Find | Close | Join | Leave | Grant | Withdraw | Check


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """How many connections were meant, why the first that was refused something was, and whether something is granted."""

    found: int = 0
    refused: str | None = None
    granted: bool = False

    def __add__(self, other: "Outcome") -> "Outcome":
        """Return what came of an errand at two gateways."""
        refused = self.refused if self.refused is not None else other.refused
        return Outcome(self.found + other.found, refused, self.granted or other.granted)


encode: Final = msgspec.msgpack.Encoder().encode
decode_word: Final = msgspec.msgpack.Decoder(Sending).decode
decode_question: Final = msgspec.msgpack.Decoder(Errand | Listing | Give).decode
decode_listed: Final = msgspec.msgpack.Decoder(list[Listed]).decode
decode_outcome: Final = msgspec.msgpack.Decoder(Outcome).decode
