"""What people want to be told beside the inbox, and what holds for everybody of a hub.

An answer's ``ETag`` names the version of what was asked for.  A ``PUT`` replaces the whole; with ``If-Match`` only the version
that the caller knows, without it whatever stands, so that the last writer wins.  Live connections
are told of each change, by a frame that says no more than that.
"""

import msgspec

from tocsin.api.auth import Authenticator
from tocsin.api.bodies import read_json
from tocsin.api.http import Request, Response
from tocsin.model.preference import HubPreferences, Preferences, Rules
from tocsin.ports.audit import Deed
from tocsin.ports.fanout import Fanout, announce_preferences
from tocsin.ports.preferences import PreferenceStore, tag_of

_person = msgspec.json.Decoder(Preferences)
_hub = msgspec.json.Decoder(HubPreferences)


class PreferenceRoutes:
    """The routes of preferences: a person's own, and an administrator's for the hub."""

    def __init__(self, auth: Authenticator, store: PreferenceStore, fanout: Fanout) -> None:
        self._auth = auth
        self._store = store
        self._fanout = fanout

    async def read(self, request: Request) -> Response:
        """``GET /v1/preferences``: what this user said, and what the hub says where the user did not."""
        hub, user = await self._auth.inbox(request)
        return _answer_person((await self._store.preferences(hub, [user])).rules(user))

    async def replace(self, request: Request) -> Response:
        """``PUT /v1/preferences``; answers as a ``GET`` does."""
        hub, user = await self._auth.inbox(request)
        wanted = await read_json(request, _person)
        await self._store.keep_preferences(hub, user, wanted, instead_of=_known(request))
        self._fanout.announce([announce_preferences(hub, user)])
        return _answer_person(Rules(wanted, (await self._store.preferences(hub, [])).hub))

    async def read_hub(self, request: Request) -> Response:
        """``GET /v1/admin/preferences``."""
        hub = self._auth.admin(request).hub
        return _answer_hub((await self._store.preferences(hub, [])).hub)

    async def replace_hub(self, request: Request, deed: Deed) -> Response:
        """``PUT /v1/admin/preferences``; answers as a ``GET`` does."""
        hub = self._auth.admin(request).hub
        wanted = await read_json(request, _hub)
        await self._store.keep_hub_preferences(hub, wanted, instead_of=_known(request), deed=deed)
        self._fanout.announce([announce_preferences(hub, None)])
        return _answer_hub(wanted)


def _answer_person(rules: Rules) -> Response:
    return _answer({"preferences": rules.mine, "hub": rules.hub}, rules.mine)


def _answer_hub(said: HubPreferences) -> Response:
    return _answer({"preferences": said}, said)


def _answer(answer: object, of: Preferences | HubPreferences) -> Response:
    tag = f'"{tag_of(of)}"'.encode()
    return Response(200, msgspec.json.encode(answer), headers=[(b"etag", tag)])


def _known(request: Request) -> str | None:
    """Return the version that the caller says it knows; None if it replaces whatever stands."""
    named = request.header(b"if-match")
    return None if named in (None, "*") else named.strip().strip('"')
