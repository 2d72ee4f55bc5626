"""What a producer is told when nobody knows whether its alert is stored: the key to repeat it with, or where to look."""

from collections.abc import Mapping, Sequence

from tocsin.api.problems import describe
from tocsin.errors import InvalidInputError, TocsinError, UnknownOutcomeError
from tocsin.model.alert import Envelope


def unknown_alert(cause: str, envelope: Envelope) -> UnknownOutcomeError:
    """Name the key under which a repeat is safe.

    Where the producer gave none a repeat may be a second alert; so the id is named that the alert has if it is stored, and it
    does not count as retryable.
    """
    key = envelope.producer_id
    if key is None:
        remedy = (
            "it has neither an id nor an Idempotency-Key, so a repeat may be a second alert; "
            f"look first: GET /v1/alerts/{envelope.id} knows it if it is stored"
        )
        return UnknownOutcomeError(cause, remedy, told={"alert_id": envelope.id}, retryable=False)
    # What an Idempotency-Key names has no source (ingest/admission.py).
    field, name = ("id", "id") if envelope.source else ("idempotency_key", "Idempotency-Key")
    remedy = f"repeat it as it was, with its {name} {key!r}"
    return UnknownOutcomeError(cause, remedy, told={"repeat_with": {field: key}})


def unknown_batch(cause: str, items: Sequence[Envelope | InvalidInputError]) -> UnknownOutcomeError:
    """Tell of each alert of a batch what is to be done about it; the batch can be repeated if all of them can."""
    faults = [unknown_alert(cause, i) if isinstance(i, Envelope) else i for i in items]
    keyless = sum(isinstance(f, UnknownOutcomeError) and not f.retryable for f in faults)
    remedy = "repeat it as it was"
    if keyless:
        remedy = (
            f"{keyless} of its alerts have neither an id nor an Idempotency-Key and may come twice if it is repeated; "
            "`results` says for each alert what to repeat it with, or where to look"
        )
    told = {"results": [result_of(fault) for fault in faults]}
    return UnknownOutcomeError(cause, remedy, told=told, retryable=not keyless)


def result_of(fault: TocsinError) -> Mapping[str, object]:
    """Return the result of one alert in a batch that was not taken, or of which nobody knows."""
    status = "unknown" if isinstance(fault, UnknownOutcomeError) else "refused"
    return {"status": status, "error": describe(fault)}
