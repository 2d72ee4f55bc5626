"""Receipts over HTTP: what a device did with alerts, and the story of one person's copy."""

import msgspec

from tocsin.api.auth import Authenticator
from tocsin.api.bodies import read_json
from tocsin.api.http import Request, Response
from tocsin.clock import Clock, to_rfc3339
from tocsin.errors import InvalidInputError, NotFoundError
from tocsin.inbox.story import Event, story_of
from tocsin.model.ids import check_id
from tocsin.model.report import report_decoder
from tocsin.ports.receipts import Recorder
from tocsin.ports.traces import Traces

DEVICE_HEADER = b"tocsin-device"


def device_of(request: Request) -> str | None:
    """Return the installation that asks, if it says so: the header ``Tocsin-Device``, or ``?device=`` of an event stream.

    Raises:
        InvalidInputError: It is no identifier.
    """
    device = request.header(DEVICE_HEADER) or request.query("device")
    return None if device is None else check_id(device, "Tocsin-Device")


class Receipts:
    """The routes of receipts."""

    def __init__(
        self, auth: Authenticator, recorder: Recorder, traces: Traces, clock: Clock
    ) -> None:
        self._auth = auth
        self._traces = traces
        self._recorder = recorder
        self._clock = clock

    async def report(self, request: Request) -> Response:
        """``POST /v1/inbox/receipts``: 204 when they are on disk, and also where an alert is not this person's (I10)."""
        hub, user = await self._auth.inbox(request)
        report = await read_json(request, report_decoder)
        told = report.told_by(hub, user, device_of(request), self._clock.now_us())
        await self._recorder.note(told)
        return Response(204)

    async def trace(self, request: Request) -> Response:
        """``GET /v1/alerts/{id}/trace?user=``: the story of one person's copy, for a server or admin key."""
        return await self.trace_in(self._auth.server(request).hub, request)

    async def trace_in(self, hub: str, request: Request) -> Response:
        """Answer the story of the named person's copy in this hub; the caller has checked who asks.

        Raises:
            InvalidInputError: No ``user`` is named, or none that can be one.
            NotFoundError: The hub has no such alert, or this person has no part in it.
        """
        user = request.query("user")
        if user is None:
            raise InvalidInputError("name the person: add ?user=USER", code="user-missing")
        check_id(user, "user")
        alert_id = request.params["id"]
        copy = await self._traces.copy(hub, alert_id, user)
        if copy is None:
            detail = f"there is no alert {alert_id[:80]!r} that this key may see"
            raise NotFoundError(detail, code="alert-not-found")
        story = story_of(copy, user)
        answer = {
            "alert_id": alert_id,
            "user": user,
            "events": [_describe(event) for event in story.events],
            "conclusion": story.conclusion,
        }
        return Response(200, msgspec.json.encode(answer))


def _describe(event: Event) -> dict[str, str | None]:
    described = {"at": None if event.at_us is None else to_rfc3339(event.at_us), "fact": event.fact}
    if event.device is not None:
        described["device"] = event.device
    return {**described, "detail": event.detail}
