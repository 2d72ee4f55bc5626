"""When a producer tries again, and what it makes of answers: the plans, without I/O."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pytest

from tocsin.client.alert import Alert
from tocsin.client.attempts import Attempt, Lost, Patience, Plan, Reply
from tocsin.client.publishing import BATCH_BYTES, Accepted, Publishing
from tocsin.client.refusal import RefusedError, UnsettledError
from tocsin.testing import ManualClock

T = TypeVar("T")
HELLO: Alert = {"to": {"users": ["ada"]}, "title": "Hello"}
Answer = Reply | Lost


class Peer:
    """Runs a plan: each attempt is noted and gets the next answer; waiting moves the clock."""

    def __init__(self, *answers: Answer, deadline_s: float = 60, takes_s: float = 0) -> None:
        self.clock = ManualClock()
        self.attempts: list[Attempt] = []
        self.answers = list(answers)
        self.plans = Publishing(Patience(10, deadline_s), self.clock, lambda: 0.5)
        self._takes_s = takes_s

    def run(self, plan: Plan[T]) -> T:
        try:
            attempt = next(plan)
            while True:
                self.clock.advance(attempt.after_s + self._takes_s)
                self.attempts.append(attempt)
                attempt = plan.send(self.answer(attempt))
        except StopIteration as done:
            result: T = done.value
            return result

    def answer(self, attempt: Attempt) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def sent(self) -> list[Any]:
        return [json.loads(attempt.request.body or b"null") for attempt in self.attempts]


class BatchPeer(Peer):
    """Takes batches as a server would; ``results`` decides over each alert."""

    def __init__(
        self, results: Callable[[Mapping[str, Any]], Mapping[str, Any]], *, largest: int = 1000
    ) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self._results = results
        self._largest = largest

    def answer(self, attempt: Attempt) -> Answer:
        alerts = [json.loads(line) for line in (attempt.request.body or b"").splitlines()]
        self.sizes.append(len(alerts))
        if len(alerts) > self._largest:
            return problem(413, "batch-too-large")
        return said(202, {"results": [self._results(alert) for alert in alerts]})


def said(status: int, body: object, retry_after: str | None = None) -> Reply:
    return Reply(status, json.dumps(body).encode(), retry_after)


def problem(status: int, code: str, retry_after: str | None = None, **more: object) -> Reply:
    return said(status, {"code": code, "detail": f"{code}!", **more}, retry_after)


ACCEPTED = said(202, {"id": "a1", "status": "accepted"})
REPEAT = said(202, {"id": "a1", "status": "duplicate"})
LOST = Lost("ReadError")


def test_an_alert_without_an_id_is_given_one_and_keeps_it() -> None:
    peer = Peer(LOST, Reply(502, b"<html>"), problem(503, "unknown-outcome"), REPEAT)
    assert peer.run(peer.plans.publish(HELLO)) == Accepted("a1", is_repeat=True)
    first = peer.sent()[0]
    assert first["title"] == "Hello"
    assert len(first["id"]) == 36
    assert peer.sent() == [first] * 4


def test_the_callers_own_id_is_kept_and_the_callers_alert_is_not_touched() -> None:
    peer, alert = Peer(ACCEPTED), Alert(**HELLO, id="mine")
    assert peer.run(peer.plans.publish(alert)) == Accepted("a1", is_repeat=False)
    assert peer.sent()[0]["id"] == "mine"
    peer.run(peer.plans.publish(HELLO))
    assert "id" not in HELLO


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    peer = Peer(problem(status, "later"), ACCEPTED)
    peer.run(peer.plans.publish(HELLO))
    assert len(peer.attempts) == 2


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 409, 413, 431])
def test_what_cannot_pass_is_raised_with_the_servers_problem(status: int) -> None:
    peer = Peer(problem(status, "some-code", pointer="/title"))
    with pytest.raises(RefusedError, match="some-code!") as refused:
        peer.run(peer.plans.publish(HELLO))
    assert (refused.value.code, refused.value.pointer) == ("some-code", "/title")
    assert refused.value.status == status
    assert len(peer.attempts) == 1


def test_somebody_elses_answer_is_a_refusal_too() -> None:
    peer = Peer(Reply(404, b"<html>nginx</html>"))
    with pytest.raises(RefusedError, match="nginx") as refused:
        peer.run(peer.plans.publish(HELLO))
    assert refused.value.code == "no-answer"


def test_pauses_double_up_to_a_bound_and_are_jittered() -> None:
    peer = Peer(*[LOST] * 9, ACCEPTED)
    peer.run(peer.plans.publish(HELLO))
    pauses = [attempt.after_s for attempt in peer.attempts]
    assert pauses == [0, *(0.75 * 0.25 * 2**n for n in range(6)), 7.5, 7.5, 7.5]


def test_retry_after_is_waited_for_and_then_a_little() -> None:
    peer = Peer(problem(429, "slow-down", "7"), problem(503, "busy", "Mon, 1 Jan"), ACCEPTED)
    peer.run(peer.plans.publish(HELLO))
    assert [attempt.after_s for attempt in peer.attempts] == [0, 7.1875, 0.375]


def test_after_the_deadline_nobody_knows_and_the_id_is_told() -> None:
    peer = Peer(LOST, problem(503, "queue-full"), deadline_s=20, takes_s=6)
    with pytest.raises(UnsettledError, match=r"4 attempts within 20 s.*queue-full!") as unsettled:
        peer.run(peer.plans.publish(HELLO))
    assert unsettled.value.code == "queue-full"
    assert unsettled.value.alert_id == peer.sent()[0]["id"]
    assert unsettled.value.retryable
    assert peer.attempts[-1].timeout_s < 10


def test_a_wait_that_is_longer_than_the_deadline_is_not_begun() -> None:
    peer = Peer(problem(429, "slow-down", "3600"))
    with pytest.raises(UnsettledError):
        peer.run(peer.plans.publish(HELLO))
    assert len(peer.attempts) == 1


def test_a_success_that_is_not_tocsins_is_no_success() -> None:
    peer = Peer(Reply(200, b"<html>Sign in"), ACCEPTED)
    peer.run(peer.plans.publish(HELLO))
    assert len(peer.attempts) == 2


def accept(alert: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"id": f"server-{alert['id']}", "status": "accepted"}


def test_many_alerts_are_split_into_batches_and_keep_their_order() -> None:
    peer = BatchPeer(accept)
    alerts = [Alert(**HELLO, id=f"{number}") for number in range(2500)]
    outcomes = peer.run(peer.plans.publish_many(alerts))
    assert peer.sizes == [1000, 1000, 500]
    assert outcomes == [Accepted(f"server-{n}", is_repeat=False) for n in range(2500)]


def test_large_alerts_make_smaller_batches() -> None:
    peer = BatchPeer(accept)
    big = Alert(to={"users": ["ada"]}, title="Big", body="x" * 60_000)
    assert len(peer.run(peer.plans.publish_many([big] * 300))) == 300
    assert sum(peer.sizes) == 300
    assert all(len(attempt.request.body or b"") <= BATCH_BYTES for attempt in peer.attempts)


def test_no_alerts_are_no_request() -> None:
    peer = Peer(LOST)
    assert peer.run(peer.plans.publish_many([])) == []
    assert peer.attempts == []


def test_only_what_was_put_off_is_sent_again_and_a_bad_alert_is_refused_alone() -> None:
    put_off = {"2": 2, "3": 1}

    def decide(alert: Mapping[str, Any]) -> Mapping[str, Any]:
        if alert["id"] == "1":
            error = {"code": "invalid-audience", "detail": "whom?", "pointer": "/1/to/users"}
            return {"status": "refused", "error": error}
        put_off[alert["id"]] = put_off.get(alert["id"], 0) - 1
        if put_off[alert["id"]] >= 0:
            error = {"code": "queue-full", "detail": "full", "retryable": True}  # type: ignore[dict-item]
            return {"status": "refused", "error": error}
        return accept(alert)

    peer = BatchPeer(decide)
    outcomes = peer.run(peer.plans.publish_many([Alert(**HELLO, id=f"{n}") for n in range(5)]))
    assert peer.sizes == [5, 2, 1]
    [refused] = [outcome for outcome in outcomes if isinstance(outcome, RefusedError)]
    assert outcomes.index(refused) == 1
    assert (refused.code, refused.pointer, refused.status) == (
        "invalid-audience",
        "/to/users",
        None,
    )
    assert [o.id for o in outcomes if isinstance(o, Accepted)] == [
        f"server-{n}" for n in (0, 2, 3, 4)
    ]


def unknown(alert: Mapping[str, Any]) -> Mapping[str, Any]:
    repeat_with = {"id": alert["id"]}
    error = {"code": "unknown-outcome", "detail": "lost", "retryable": True}
    return {"status": "unknown", "error": {**error, "repeat_with": repeat_with}}


def test_an_alert_of_a_batch_whose_outcome_is_unknown_is_sent_again_with_its_id() -> None:
    lost = {"1": unknown}
    peer = BatchPeer(lambda alert: lost.pop(alert["id"], accept)(alert))
    outcomes = peer.run(peer.plans.publish_many([Alert(**HELLO, id=f"{n}") for n in range(3)]))
    assert peer.sizes == [3, 1]
    assert outcomes == [Accepted(f"server-{n}", is_repeat=False) for n in range(3)]


def test_an_alert_whose_outcome_stays_unknown_is_unsettled_and_not_refused() -> None:
    peer = BatchPeer(unknown)
    [outcome] = peer.run(peer.plans.publish_many([Alert(**HELLO, id="x")]))
    assert isinstance(outcome, UnsettledError)
    assert (outcome.code, outcome.alert_id) == ("unknown-outcome", "x")


def test_two_alerts_of_one_id_have_each_its_outcome() -> None:
    peer = BatchPeer(accept)
    alerts = [Alert(**HELLO, id="1", source=source) for source in ("a", "b")]
    assert len(peer.run(peer.plans.publish_many(alerts))) == 2


def test_a_server_of_smaller_limits_gets_smaller_batches() -> None:
    peer = BatchPeer(accept, largest=3)
    outcomes = peer.run(peer.plans.publish_many([Alert(**HELLO, id=f"{n}") for n in range(10)]))
    assert [o.id for o in outcomes if isinstance(o, Accepted)] == [f"server-{n}" for n in range(10)]
    assert peer.sizes == [10, 5, 2, 3, 5, 2, 3]


def test_a_batch_that_is_never_answered_is_told_per_alert() -> None:
    peer = Peer(LOST, deadline_s=5, takes_s=2)
    outcomes = peer.run(peer.plans.publish_many([Alert(**HELLO, id="x"), HELLO]))
    assert all(isinstance(outcome, UnsettledError) for outcome in outcomes)
    assert next(o.alert_id for o in outcomes if isinstance(o, UnsettledError)) == "x"


def test_a_refused_batch_refuses_each_of_its_alerts() -> None:
    peer = Peer(problem(401, "key-revoked"))
    outcomes = peer.run(peer.plans.publish_many([HELLO, HELLO]))
    assert [o.code for o in outcomes if isinstance(o, RefusedError)] == ["key-revoked"] * 2


def test_ids_are_encoded_in_paths() -> None:
    peer = Peer(said(200, {"id": "a/b", "state": "processed"}))
    assert peer.run(peer.plans.status("a/b"))["state"] == "processed"
    peer.run(peer.plans.withdraw("a/b"))
    sent = [(attempt.request.method, attempt.request.path) for attempt in peer.attempts]
    assert sent == [("GET", "/v1/alerts/a%2Fb"), ("DELETE", "/v1/alerts/a%2Fb")]
