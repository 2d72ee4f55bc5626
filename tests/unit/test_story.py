"""The story of a copy: events in order, and a sentence that says how it ended."""

from typing import Any

import msgspec
import pytest

from tocsin.inbox.story import Story, story_of
from tocsin.model.inbox import Entry, Marks
from tocsin.model.push import PushRecord
from tocsin.model.receipt import Fact, Receipt
from tocsin.ports.store import AlertStatus
from tocsin.ports.traces import Copy, Replacement

S = 1_000_000


def status(**fields: Any) -> AlertStatus:
    given = {"state": "processed", "accepted_us": S, "processed_us": 2 * S, "recipients": 1}
    return AlertStatus(**{"id": "a", "hub": "h", "key_id": "k", **given, **fields})


def waiting(state: str = "accepted", **fields: Any) -> AlertStatus:
    return status(state=state, processed_us=None, recipients=None, **fields)


def entry(*, read: bool = False, **marks: Any) -> Entry:
    return Entry("a", "a", S, msgspec.Raw(b"{}"), Marks(**marks), read, read)


def told(fact: Fact, at_s: int, device: str = "d", action: str | None = None) -> Receipt:
    return Receipt(at_s, "h", "a", "ann", device, fact, action, at_s * S)


def story(**fields: Any) -> Story:
    return story_of(Copy(**{"status": status(), "source": "s", **fields}), "ann")


def test_events_are_in_order_of_time_whatever_told_them() -> None:
    receipts = (told("written", 3), told("acted", 9, "phone", "ok"), told("received", 3))
    told_story = story(entry=entry(read=True, read_at=8 * S), rev=4, receipts=receipts)
    assert [(event.fact, event.device) for event in told_story.events] == [
        ("accepted", None),
        ("stored", None),
        ("written", "d"),
        ("received", "d"),
        ("read", None),
        ("acted", "phone"),
    ]
    assert told_story.conclusion == "pressed 'ok' on device phone at 1970-01-01T00:00:09.000Z"


def test_what_has_no_time_stands_last() -> None:
    events = story(entry=entry(read=True), receipts=(told("shown", 5),)).events
    assert [(event.fact, event.at_us) for event in events][-1] == ("read", None)


@pytest.mark.parametrize(
    ("fields", "conclusion"),
    [
        ({"status": waiting()}, "not delivered: it waits on the queue"),
        (
            {"status": waiting(), "attempts": 2, "failure": "no"},
            "not delivered: it waits on the queue; attempt 2 failed: no",
        ),
        (
            {"status": waiting(), "addressed": False},
            "not delivered: ann is not in its audience",
        ),
        (
            {"status": waiting("scheduled", deliver_us=9 * S), "addressed": True},
            "not delivered: scheduled for 1970-01-01T00:00:09.000Z",
        ),
        (
            {"status": waiting("dead", reason="poison"), "attempts": 8, "dead_us": S},
            "not delivered: given up after 8 attempts: poison",
        ),
        (
            {"status": status(state="withdrawn", withdrawn_us=3 * S, recipients=0)},
            "not delivered: withdrawn at 1970-01-01T00:00:03.000Z, before it reached anybody",
        ),
        (
            {"status": status(state="expired", expired_us=3 * S, recipients=0)},
            "not delivered: expired at 1970-01-01T00:00:03.000Z, before it reached anybody",
        ),
        (
            {},
            "not delivered: ann is not in its audience, or the copy was deleted so long ago that it is forgotten",
        ),
        (
            {"heard": "before"},
            "not delivered: it was broadcast before the inbox of ann existed",
        ),
        ({"heard": "gone"}, "not delivered: the broadcast was withdrawn or has expired"),
        (
            {"entry": entry()},
            (
                "in the inbox, and no live connection has had it, "
                "nor is any device registered to push it to"
            ),
        ),
        (
            {"entry": entry(), "reachable": True},
            "in the inbox, and no live connection has had it",
        ),
        (
            {"entry": entry(), "receipts": (told("written", 3),)},
            "written to connection d at 1970-01-01T00:00:03.000Z, not acknowledged yet",
        ),
        (
            {"entry": entry(), "receipts": (told("seen", 5), told("shown", 4))},
            "seen on device d at 1970-01-01T00:00:05.000Z, not read",
        ),
        (
            {"entry": entry(read=True, read_at=7 * S), "receipts": (told("shown", 4),)},
            "read at 1970-01-01T00:00:07.000Z",
        ),
        ({"entry": entry(read=True)}, "read with a mark of everything"),
        (
            {"entry": entry(deleted_at=9 * S), "deleted_by": "withdrawn", "reachable": True},
            (
                "in the inbox, and no live connection has had it; "
                "then withdrawn at 1970-01-01T00:00:09.000Z"
            ),
        ),
        (
            {"entry": entry(read=True, read_at=7 * S, deleted_at=9 * S), "deleted_by": "user"},
            (
                "read at 1970-01-01T00:00:07.000Z; "
                "then deleted by the user at 1970-01-01T00:00:09.000Z"
            ),
        ),
        (
            {"taken_by": Replacement("b", 6 * S), "receipts": (told("shown", 4),)},
            (
                "shown on device d at 1970-01-01T00:00:04.000Z, not seen or read; "
                "then alert b took its place at 1970-01-01T00:00:06.000Z"
            ),
        ),
    ],
)
def test_the_conclusion_says_how_far_it_got_or_why_it_did_not(
    fields: dict[str, Any], conclusion: str
) -> None:
    assert story(**fields).conclusion == conclusion


NOT_LIVE = "in the inbox, and no live connection has had it"


def push(end: Any, reason: str | None, **fields: Any) -> PushRecord:
    given = {"device": "d1", "platform": "webpush", "kind": "show", "made_us": 2 * S, "attempts": 1}
    times = {"due_us": None if end else 60 * S, "ended_us": 9 * S if end else None}
    return PushRecord(**{**given, **times, "end": end, "reason": reason, **fields})


@pytest.mark.parametrize(
    ("record", "events", "conclusion"),
    [
        (
            push("accepted", ""),
            [("pushed", 9, "webpush, taken by the push service")],
            f"{NOT_LIVE}; it was pushed to device d1",
        ),
        (
            push("cancelled", "muted: everything is muted"),
            [("push_cancelled", 9, "webpush, not sent: muted: everything is muted")],
            f"{NOT_LIVE}; it was not pushed to device d1 (muted: everything is muted)",
        ),
        (
            push(None, "quiet-hours: until noon", attempts=0, held_us=3 * S),
            [
                ("push_held", 3, "webpush, made to wait"),
                (
                    "push_waiting",
                    60,
                    "webpush, tried 0 times, looked at again then: quiet-hours: until noon",
                ),
            ],
            f"{NOT_LIVE}; its push to device d1 waits (quiet-hours: until noon)",
        ),
        (
            push("gone", "410"),
            [("push_failed", 9, "webpush, the device is reached no more: 410")],
            f"{NOT_LIVE}; it was not pushed to device d1 (410)",
        ),
    ],
)
def test_every_push_tells_what_became_of_it_and_why(
    record: PushRecord, events: list[tuple[str, int, str]], conclusion: str
) -> None:
    told_story = story(entry=entry(), rev=4, pushes=(record,))
    of_push = [event for event in told_story.events if event.device == "d1"]
    assert [(event.fact, event.at_us, event.detail) for event in of_push] == [
        (fact, at_s * S, detail) for fact, at_s, detail in events
    ]
    assert told_story.conclusion == conclusion


def test_a_push_is_told_once_and_its_receipt_outlives_it() -> None:
    taken, receipt = push("accepted", ""), told("pushed", 9, "d1")
    facts = [e.fact for e in story(entry=entry(), pushes=(taken,), receipts=(receipt,)).events]
    assert facts.count("pushed") == 1
    later = story(entry=entry(), receipts=(receipt,))
    assert [e.detail for e in later.events if e.fact == "pushed"] == ["told by the push service"]
    assert later.conclusion == (
        "pushed to device d1 at 1970-01-01T00:00:09.000Z, not shown or seen yet"
    )
