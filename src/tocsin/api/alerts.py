"""Publishing: one alert, a batch, where an alert stands, and taking it back."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from tocsin.api.auth import Authenticator
from tocsin.api.bodies import NDJSON, media_type
from tocsin.api.http import Request, Response
from tocsin.api.unknown_publish import result_of, unknown_alert, unknown_batch
from tocsin.clock import Clock, to_rfc3339
from tocsin.config import Limits
from tocsin.errors import (
    ConflictError,
    ExpiredError,
    InvalidInputError,
    NotFoundError,
    OverloadedError,
    TocsinError,
    TooLargeError,
    UnknownOutcomeError,
)
from tocsin.ingest.admission import (
    LateError,
    Producer,
    admit,
    caused_by,
    decode_alert,
    refused_field,
)
from tocsin.ingest.complaints import why_no_json
from tocsin.ingest.withdrawer import Withdrawer
from tocsin.model.alert import Envelope, in_order
from tocsin.model.ids import check_id
from tocsin.model.receipt import TOLD_FACTS, Tally
from tocsin.ports.audit import Deed
from tocsin.ports.queue import Intake, Published
from tocsin.ports.receipts import ReceiptStore
from tocsin.ports.store import AlertStatus, InboxStore

SCHEDULE_FULL_S = 60
TRACE_PARENT = b"traceparent"
_IDEMPOTENCY_KEY = b"idempotency-key"
_SAID = frozenset((_IDEMPOTENCY_KEY, TRACE_PARENT))


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON form of a batch; its elements are read one by one, so a bad one spoils no other."""

    alerts: list[msgspec.Raw]


_batch_decoder = msgspec.json.Decoder(Batch)


class Alerts:
    """The routes of producers."""

    def __init__(
        self,
        auth: Authenticator,
        publisher: Intake,
        withdrawer: Withdrawer,
        store: InboxStore,
        receipts: ReceiptStore,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._auth = auth
        self._publisher = publisher
        self._withdrawer = withdrawer
        self._store = store
        self._receipts = receipts
        self._clock = clock
        self._limits = limits

    async def publish(self, request: Request) -> Response:
        """``POST /v1/alerts``: 202 only after the alert is on disk (I1)."""
        return await self.publish_as(self._auth.producer(request), request)

    async def publish_as(self, producer: Producer, request: Request) -> Response:
        """Publish the request's one alert as ``producer``."""
        return await self.publish_one(self.read(producer, request))

    async def read(self, producer: Producer, request: Request) -> Envelope:
        """Admit the request's one alert.

        Raises:
            InvalidInputError: It breaks a rule.
        """
        raw = await request.body(self._limits.alert_bytes, "limits.alert_bytes")
        said = request.headers(_SAID)
        envelope = admit(
            decode_alert(raw, self._limits),
            producer,
            self._limits,
            self._clock.now_us(),
            idempotency_key=said.get(_IDEMPOTENCY_KEY),
        )
        return caused_by(envelope, said[TRACE_PARENT]) if TRACE_PARENT in said else envelope

    async def publish_one(self, admitting: Awaitable[Envelope]) -> Response:
        """Publish an alert that is being admitted; 202 only after it is on disk (I1), or was before if it is late.

        Raises:
            UnknownOutcomeError: It names the key to repeat with, or that there is none.
        """
        late = None
        try:
            envelope = await admitting
        except LateError as error:
            late, envelope = error, error.envelope
        try:
            [published] = await self._publisher.publish([envelope])
        except UnknownOutcomeError as error:
            raise unknown_alert(error.cause, envelope) from error
        fault = _fault(published, late or envelope)
        if fault is not None:
            raise fault
        location = b"/v1/alerts/" + published.id.encode()
        return Response(202, _result(published), headers=[(b"location", location)])

    async def publish_batch(self, request: Request) -> Response:
        """``POST /v1/alerts/batch``: one result per item, in order; a bad item is refused alone."""
        producer = self._auth.producer(request)
        body = await request.body(self._limits.batch_bytes, "limits.batch_bytes")
        raws, form = _split_batch(body, is_lines=media_type(request) == NDJSON)
        said = request.headers(_SAID)
        key = said.get(_IDEMPOTENCY_KEY)
        if key is not None:
            check_id(key, "Idempotency-Key")

        def admit_one(index: int, raw: bytes) -> Envelope:
            pointer = form.format(index)
            envelope = admit(
                decode_alert(raw, self._limits, pointer),
                producer,
                self._limits,
                self._clock.now_us(),
                idempotency_key=None if key is None else f"{key}#{index}",
                pointer=pointer,
            )
            return caused_by(envelope, said.get(TRACE_PARENT))

        return await self.publish_each(request, raws, admit_one)

    async def publish_each(
        self,
        request: Request,
        raws: Sequence[bytes],
        admit_one: Callable[[int, bytes], Envelope],
    ) -> Response:
        """Publish the items that ``admit_one`` admits, and refuse the others; one result each, in order.

        Each counts as a request of its own against what the caller may ask.

        Raises:
            TooLargeError: There are more than ``limits.batch_alerts``.
            UnknownOutcomeError: It has a result for each as well.
        """
        if len(raws) > self._limits.batch_alerts:
            detail = (
                f"the batch has {len(raws)} alerts; at most {self._limits.batch_alerts} are allowed "
                "(limits.batch_alerts); send several batches"
            )
            raise TooLargeError(detail, code="batch-too-large")
        request.charge(max(0, len(raws) - 1))
        items = [_admitted(admit_one, index, raw) for index, raw in enumerate(raws)]
        asked = [_asked(item) for item in items]
        good = in_order([one for one in asked if isinstance(one, Envelope)])
        try:
            published = iter(await self._publisher.publish(good)) if good else iter(())
        except UnknownOutcomeError as error:
            raise unknown_batch(error.cause, asked) from error
        results = [
            _batch_result(next(published), item) if isinstance(one, Envelope) else _not_done(one)
            for item, one in zip(items, asked, strict=True)
        ]
        return Response(202, b'{"results":[%s]}' % b",".join(results))

    async def status(self, request: Request) -> Response:
        """``GET /v1/alerts/{id}``: a producer sees its own alerts, a server or admin key those of its hub."""
        return await self.answer(await self._own_status(request))

    async def withdraw(self, request: Request, deed: Deed) -> Response:
        """``DELETE /v1/alerts/{id}``: when it is answered, nobody has the alert unread; repeating it is harmless."""
        alert = await self._own_status(request)
        await self._withdrawer.withdraw(alert.hub, alert.id, deed)
        return await self.answer(await self.status_in(alert.hub, request))

    async def answer(self, status: AlertStatus) -> Response:
        """Tell where an alert stands, and what became of it."""
        return status_answer(status, await self._receipts.tally(status.hub, status.id))

    async def _own_status(self, request: Request) -> AlertStatus:
        principal = self._auth.key(request)
        status = await self.status_in(principal.hub, request)
        if principal.rank == "producer" and status.key_id != principal.key_id:
            raise _no_alert(request)
        return status

    async def status_in(self, hub: str, request: Request) -> AlertStatus:
        """Look the request's alert up in ``hub``.

        Raises:
            NotFoundError: It was never accepted there.
        """
        alert_id = request.params["id"]
        status = await self._store.alert(hub, alert_id)
        if status is None:
            # Whether it is on its way or not: it may have come since the store was asked.
            await self._publisher.bring(alert_id)
            status = await self._store.alert(hub, alert_id)
        if status is None:
            raise _no_alert(request)
        return status


def status_answer(status: AlertStatus, tally: Tally) -> Response:
    """Encode where an alert stands."""
    fields: dict[str, object] = {
        "id": status.id,
        "state": status.state,
        "accepted_at": to_rfc3339(status.accepted_us),
    }
    times = {
        "deliver_at": status.deliver_us,
        "processed_at": status.processed_us,
        "withdrawn_at": status.withdrawn_us,
        "expired_at": status.expired_us,
    }
    fields |= {name: to_rfc3339(us) for name, us in times.items() if us is not None}
    if status.processed_us is not None or status.recipients is not None:
        fields["counts"] = {
            "recipients": status.recipients,
            "seen": status.seen,
            "read": status.read,
        }
        facts: dict[str, int] = {fact: tally.facts.get(fact, 0) for fact in TOLD_FACTS}
        fields["receipts"] = {"stored": status.recipients, **facts, "actions": tally.actions}
    if status.reason is not None:
        fields["reason"] = status.reason
    return Response(200, msgspec.json.encode(fields))


def _no_alert(request: Request) -> NotFoundError:
    detail = f"there is no alert {request.params['id'][:80]!r} that this key may see"
    return NotFoundError(detail, code="alert-not-found")


def _admitted(
    admit_one: Callable[[int, bytes], Envelope], index: int, raw: bytes
) -> Envelope | InvalidInputError:
    try:
        return admit_one(index, raw)
    except InvalidInputError as error:
        return error


def _asked(item: Envelope | InvalidInputError) -> Envelope | InvalidInputError:
    """Return the envelope that the queue is asked about, also of what is late; else why there is none."""
    return item.envelope if isinstance(item, LateError) else item


def _split_batch(body: bytes, *, is_lines: bool) -> tuple[Sequence[bytes], str]:
    """Return the raw items, and the form of a JSON pointer to each."""
    if is_lines:
        return [line for line in body.split(b"\n") if line.strip()], "/{}"
    try:
        return [bytes(raw) for raw in _batch_decoder.decode(body).alerts], "/alerts/{}"
    except msgspec.ValidationError as error:
        raise refused_field(error) from error
    except (msgspec.DecodeError, RecursionError) as error:
        why = why_no_json(body, error)
        detail = f'the body is not {{"alerts": [...]}}: {why} (for lines, send {NDJSON})'
        raise InvalidInputError(detail, code="invalid-json") from error


def _result(published: Published) -> bytes:
    status = b"duplicate" if published.outcome == "duplicate" else b"accepted"
    return b'{"id":"%s","status":"%s"}' % (published.id.encode(), status)


def _batch_result(published: Published, item: Envelope | InvalidInputError) -> bytes:
    fault = _fault(published, item)
    return _result(published) if fault is None else _not_done(fault)


def _not_done(fault: TocsinError) -> bytes:
    return msgspec.json.encode(result_of(fault))


def _fault(published: Published, item: Envelope | InvalidInputError) -> TocsinError | None:
    """Return why a publish did not do, with the place of a time that has passed, or the key of what nobody knows."""
    if published.outcome == "expired" and isinstance(item, LateError):
        return item
    fault, envelope = fault_of(published), _asked(item)
    if isinstance(fault, UnknownOutcomeError) and isinstance(envelope, Envelope):
        return unknown_alert(fault.cause, envelope)
    return fault


def fault_of(published: Published) -> TocsinError | None:
    """Return why a publish did not do; None if it did."""
    match published.outcome:
        case "accepted" | "duplicate":
            return None
        case "conflict":
            detail = (
                f"this id (or Idempotency-Key) was used before for other content, alert {published.id}; "
                "use a new one for a new alert"
            )
            return ConflictError(detail, code="id-conflict")
        case "expired":
            return ExpiredError("the alert has expired, so nobody would get it")
        case "full":
            detail = "the queue is full (limits.queue_alerts); publish again later"
            return OverloadedError(detail, code="queue-full")
        case "schedule_full":
            detail = (
                "too many alerts wait for their time (limits.scheduled_alerts); "
                "publish it nearer to its time, or withdraw others"
            )
            return OverloadedError(detail, code="schedule-full", retry_after_s=SCHEDULE_FULL_S)
        case "unknown":
            return UnknownOutcomeError("the queue gave no answer")
