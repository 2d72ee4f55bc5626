"""Live connections and the end of their tokens.

In hubs that cut at expiry a connection ends with its token.  Shortly before, the server asks inbox clients for another one,
and any client may send one at any time, in any hub: the event ``tocsin.token``.  A good token of the same user prolongs the
connection, and changes nothing else about it.

In every hub a connection ends when the key that signed its token is no more among those of the hub's own issuer.
"""

from collections.abc import Collection
from typing import Final

import msgspec

from tocsin.clock import US_PER_S, Clock
from tocsin.errors import TocsinError, UnavailableError
from tocsin.realtime.answers import Answers
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.message import Message
from tocsin.realtime.request import FORBIDDEN, AckError, Request
from tocsin.realtime.session import Session
from tocsin.realtime.tokens import ACCESS_KEYS, Claims
from tocsin.realtime.writer import Writer
from tocsin.supervisor import Supervisor

CLOSE_TOKEN: Final = 4401
_ASKED_BEFORE_US: Final = 60 * US_PER_S


class TokenLife:
    """Cuts, asks and prolongs."""

    def __init__(
        self,
        hubs: Collection[str],
        *,
        doorkeeper: Doorkeeper,
        clock: Clock,
        writer: Writer,
        answers: Answers,
        supervisor: Supervisor,
    ) -> None:
        """Make it; ``hubs`` are those that cut at expiry."""
        self._hubs = frozenset(hubs)
        self._doorkeeper = doorkeeper
        self._clock = clock
        self._writer = writer
        self._answers = answers
        self._supervisor = supervisor
        self._renewing: set[Session] = set()

    def begin(self, session: Session) -> None:
        """Plan when to ask for another token: a minute before the end, or after half of a shorter life."""
        if session.hub in self._hubs and session.inbox and session.dialect.codec is not None:
            left_us = session.expires_us - self._clock.now_us()
            session.ask_token_us = session.expires_us - min(_ASKED_BEFORE_US, left_us // 2)

    def pause_s(self, session: Session, most_s: float) -> float:
        """Return how long until the session has to be looked at, at most ``most_s``."""
        if session.hub not in self._hubs:
            return most_s
        due_us = session.ask_token_us or session.expires_us
        return max(0.0, min(most_s, (due_us - self._clock.now_us()) / US_PER_S))

    def look(self, session: Session) -> bool:
        """Do what is due; False if the session has ended by it."""
        if not self._is_signed(session):
            self._answers.close(session, CLOSE_TOKEN, "key-regenerated")
            return False
        if session.hub not in self._hubs:
            return True
        now_us = self._clock.now_us()
        if session.expires_us <= now_us:
            self._answers.close(session, CLOSE_TOKEN, "token-expired")
            return False
        if 0 < session.ask_token_us <= now_us:
            session.ask_token_us = 0
            left_s = (session.expires_us - now_us) // US_PER_S
            wish = msgspec.json.encode({"tocsin": 1, "kind": "token", "expires_in_s": left_s})
            self._writer.send((session,), Message(wish))
        return True

    def _is_signed(self, session: Session) -> bool:
        """Whether the key behind the session is one still; regenerated access keys end theirs without being asked."""
        signer = session.signer
        if signer is None or signer in ACCESS_KEYS:
            return True
        return self._doorkeeper.knows_key(session.hub, signer)

    def renew(self, session: Session, request: Request) -> None:
        """Take another token for a connection; the answer comes when it was checked."""
        if session in self._renewing:
            error = AckError("BadRequest", "Another token of this connection is being checked.")
            self._answers.acknowledge(session, request, error)
        else:
            self._renewing.add(session)
            self._supervisor.start("token.renew", self._renew(session, request))

    async def _renew(self, session: Session, request: Request) -> None:
        try:
            claims = await self._doorkeeper.admit(session.hub, request.data.decode())
        except UnavailableError as error:
            refusal: AckError | None = AckError("InternalServerError", error.detail)
        except TocsinError as error:
            refusal = AckError(FORBIDDEN, error.detail)
        except UnicodeDecodeError:
            refusal = AckError(FORBIDDEN, "The token is no text.")
        else:
            refusal = self._prolong(session, claims)
        finally:
            self._renewing.discard(session)
        self._answers.acknowledge(session, request, refusal)

    def _prolong(self, session: Session, claims: Claims) -> AckError | None:
        if claims.user != session.user:
            return AckError(FORBIDDEN, "The token is not of this connection's user.")
        if session.inbox and not claims.opens_inbox:
            return AckError(
                FORBIDDEN, "The token does not open the inbox, as this connection does."
            )
        if claims.expires_us > session.expires_us:
            session.expires_us = claims.expires_us
            session.signer = claims.signer
            self.begin(session)
        return None
