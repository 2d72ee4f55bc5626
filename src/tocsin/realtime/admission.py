"""Whether a client with a good token may connect, and as whom: its hub's event handler has the last word."""

import secrets
from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from tocsin.errors import InvalidInputError, RejectedError, TocsinError
from tocsin.model.ids import check_id
from tocsin.ports.event_handlers import Client, Opening, Rejection, Trouble, Welcome
from tocsin.realtime.dialects import Dialect, choose_dialect
from tocsin.realtime.request import MAX_GROUP, is_group
from tocsin.realtime.talk import Talk
from tocsin.realtime.tokens import Claims
from tocsin.realtime.upstream import Upstream


class Admission(msgspec.Struct, frozen=True):
    """What a client may connect as.  ``subprotocol`` is the answer to its offer, None if none of it was taken."""

    claims: Claims
    dialect: Dialect
    subprotocol: str | None
    talk: Talk | None = None


async def admit(
    upstream: Upstream, claims: Claims, offered: Sequence[str], opening: Callable[[], Opening]
) -> Admission:
    """Decide about a new connection; ``opening`` is called only if there is a handler to ask.

    Raises:
        RejectedError: The handler does not want this client.
        TocsinError: The handler failed, or answered what cannot be.
    """
    dialect, subprotocol = choose_dialect(offered)
    connection_id = secrets.token_urlsafe(16)
    talk = upstream.begin(Client(claims.hub, connection_id, claims.user, subprotocol))
    if talk is None:
        return Admission(claims, dialect, subprotocol)
    answer = await talk.line.connect(opening())
    if isinstance(answer, Rejection):
        detail = answer.reason or "the application refuses this client"
        raise RejectedError(detail, status=answer.status)
    if isinstance(answer, Trouble):
        raise _failure(answer.reason)
    if answer.subprotocol is not None:
        dialect, subprotocol = _chosen(answer.subprotocol, offered)
    return Admission(_welcomed(claims, answer), dialect, subprotocol, talk)


def _welcomed(claims: Claims, welcome: Welcome) -> Claims:
    """Let the handler change what the token says; the inbox of a token opens for its own user only (I10)."""
    for group in welcome.groups:
        if not is_group(group):
            reason = f"It names the group {group[:40]!r}, not 1 to {MAX_GROUP} characters."
            raise _failure(reason)
    roles = claims.roles if welcome.roles is None else tuple(welcome.roles)
    claims = replace(claims, roles=roles, groups=(*claims.groups, *welcome.groups))
    if welcome.user is None or welcome.user == claims.user:
        return claims
    try:
        return replace(claims, user=check_id(welcome.user, "its userId"), scopes=())
    except InvalidInputError as error:
        raise _failure(error.detail) from error


def _chosen(name: str, offered: Sequence[str]) -> tuple[Dialect, str]:
    """Return the dialect of the subprotocol that the handler chose, and that one as the client wrote it."""
    offer = next((offer for offer in offered if offer.lower() == name.lower()), None)
    if offer is None:
        reason = f"It chose the subprotocol {name[:80]!r}, which the client does not offer."
        raise _failure(reason)
    return choose_dialect([offer])[0], offer


def _failure(reason: str) -> TocsinError:
    detail = f"the hub's event handler for connect failed: {reason}"
    return TocsinError(detail, code="event-handler-failed")
