"""The inbox as a stream of Server-Sent Events, for networks that break WebSockets, and for curl."""

from collections import defaultdict
from typing import Final

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Streaming
from tocsin.api.keyring import KeyRing
from tocsin.api.receipts import device_of
from tocsin.errors import OverloadedError
from tocsin.model.answers import changes_answer, reload_answer
from tocsin.model.inbox import Reload
from tocsin.model.position import parse_position
from tocsin.ports.store import InboxStore
from tocsin.realtime.event_stream import EventStream
from tocsin.realtime.frames import CLOSE_POLICY
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.tokens import INBOX_SCOPE, Claims

_HEADERS: Final = ((b"x-accel-buffering", b"no"),)  # nginx would keep events back


class InboxStream:
    """The route of live readers without a socket."""

    def __init__(
        self, auth: Authenticator, keyring: KeyRing, gateway: Gateway, store: InboxStore
    ) -> None:
        self._auth = auth
        self._gateway = gateway
        self._store = store
        self._opened_with: defaultdict[str, set[EventStream]] = defaultdict(set)
        keyring.on_revoke(self._end_those_of)

    async def open(self, request: Request) -> Streaming:
        """``GET /v1/inbox/stream``: what changed since ``Last-Event-ID``, then frames as they come.

        As with sockets, the session is registered before anything is read, so nothing falls between the two.
        """
        reader = await self._auth.reader(request, token_in_query=True)
        given = request.header(b"last-event-id") or request.query("since")
        since = parse_position(given) if given else None
        gateway = self._gateway
        if not gateway.accepting:
            raise OverloadedError("the server is shutting down", code="draining")
        claims = Claims(
            reader.hub, reader.user, reader.expires_us, reader.signer, scopes=(INBOX_SCOPE,)
        )
        stream = gateway.open_stream(claims, device_of(request))
        self._opened_with[reader.key_id].add(stream)
        try:
            if since is not None:
                found = await self._store.changes(reader.hub, reader.user, since)
                if isinstance(found, Reload):
                    stream.answer_position("reload", reload_answer(found), found.position)
                else:
                    stream.answer_position("changes", changes_answer(found), found.position)
        except BaseException:
            await self._end(reader.key_id, stream)
            raise
        gateway.begin_stream(stream, greet=since is None)
        gateway.supervisor.start("stream.watch", self._watch(request, reader.key_id, stream))
        return Streaming(stream, b"text/event-stream", _HEADERS)

    async def _watch(self, request: Request, key_id: str, stream: EventStream) -> None:
        await request.disconnected()
        await self._end(key_id, stream)

    async def _end(self, key_id: str, stream: EventStream) -> None:
        await stream.aclose()
        opened = self._opened_with[key_id]
        opened.discard(stream)
        if not opened:
            del self._opened_with[key_id]

    def _end_those_of(self, key_id: str) -> None:
        for stream in self._opened_with.get(key_id, ()):
            stream.close(CLOSE_POLICY, "key-revoked")
