"""Receipts over HTTP: what a device did with alerts, and the story of one person's copy."""

from tocsin.api.auth import Authenticator
from tocsin.api.bodies import read_json
from tocsin.api.http import Request, Response
from tocsin.clock import Clock
from tocsin.inbox.recorder import Recorder
from tocsin.model.ids import check_id
from tocsin.model.report import report_decoder

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

    def __init__(self, auth: Authenticator, recorder: Recorder, clock: Clock) -> None:
        self._auth = auth
        self._recorder = recorder
        self._clock = clock

    async def report(self, request: Request) -> Response:
        """``POST /v1/inbox/receipts``: 204 when they are on disk, and also where an alert is not this person's (I10)."""
        hub, user = await self._auth.inbox(request)
        report = await read_json(request, report_decoder)
        told = report.told_by(hub, user, device_of(request), self._clock.now_us())
        await self._recorder.note(told)
        return Response(204)
