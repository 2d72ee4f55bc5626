"""Lists of what was published: a producer's own, or a hub's."""

from datetime import datetime

import msgspec

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.api.paging import cursor_of, cursor_text, limit_of
from tocsin.clock import from_datetime, to_rfc3339
from tocsin.errors import InvalidInputError
from tocsin.ports.store import (
    ALERT_STATES,
    AlertListing,
    AlertState,
    InboxStore,
    ListedAlert,
    processed_state,
)


class Published:
    """The route that lists alerts."""

    def __init__(self, auth: Authenticator, store: InboxStore) -> None:
        self._auth = auth
        self._store = store

    async def alerts(self, request: Request) -> Response:
        """``GET /v1/alerts``: a producer lists its own alerts, a server or admin key those of its hub."""
        principal = self._auth.key(request)
        listing = AlertListing(
            state=_state_of(request),
            key_id=principal.key_id if principal.rank == "producer" else None,
            source=request.query("source"),
            category=request.query("category"),
            since_us=_since_us(request),
            limit=limit_of(request),
            cursor=cursor_of(request),
        )
        page = await self._store.alerts(principal.hub, listing)
        answer = {
            "alerts": [_describe(alert, listing.state) for alert in page.alerts],
            "page": {"next": cursor_text(page.next)},
        }
        return Response(200, msgspec.json.encode(answer))


def _state_of(request: Request) -> AlertState:
    said = request.query("state") or "processed"
    for state in ALERT_STATES:
        if state == said:
            return state
    detail = f"state {said[:40]!r} is none of {', '.join(ALERT_STATES)}"
    raise InvalidInputError(detail, code="invalid-query")


def _since_us(request: Request) -> int:
    text = request.query("since")
    if text is None:
        return 0
    try:
        return from_datetime(msgspec.convert(text, datetime))
    except (msgspec.ValidationError, ValueError) as error:
        detail = f"since {text[:40]!r} is no time with a zone, e.g. 2026-11-22T18:46:00Z: {error}"
        raise InvalidInputError(detail, code="invalid-time") from error


def _describe(alert: ListedAlert, state: AlertState) -> dict[str, object]:
    described: dict[str, object] = {
        "id": alert.id,
        "state": state,
        "accepted_at": to_rfc3339(alert.accepted_us),
    }
    if alert.processed_us is not None:
        described["state"] = processed_state(alert.withdrawn_us, alert.expired_us)
        described["processed_at"] = to_rfc3339(alert.processed_us)
        described["recipients"] = alert.recipients
    if alert.reason is not None:
        described["reason"] = alert.reason
    described["alert"] = alert.content
    times = {
        "deliver_at": alert.deliver_us,
        "withdrawn_at": alert.withdrawn_us,
        "expired_at": alert.expired_us,
    }
    described |= {name: to_rfc3339(us) for name, us in times.items() if us is not None}
    return described
