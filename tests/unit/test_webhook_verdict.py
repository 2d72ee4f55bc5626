"""What follows from a try to tell a receiver."""

import pytest

from tocsin.clock import US_PER_S
from tocsin.config import Webhooks as Patience
from tocsin.events.verdict import Verdict, judge
from tocsin.model.webhook import Progress
from tocsin.ports.outbound import Answer, Failed, Outcome, Refused
from tocsin.testing import START_US

PATIENCE = Patience(first_retry_s=4, longest_retry_s=60, attempts=5, give_up_s=1000)


def after(outcome: Outcome, attempts: int = 1, *, age_s: float = 0, random: float = 0.5) -> Verdict:
    progress = Progress(attempts=attempts, began_us=START_US)
    now_us = START_US + round(age_s * US_PER_S)
    return judge(outcome, progress, PATIENCE, now_us, random)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_any_success_takes_the_message(status: int) -> None:
    assert after(Answer(status), attempts=99) == Verdict("taken")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Answer(500, body=b"no\n\x00 disk"), "answered 500: no disk"),
        (Answer(404), "answered 404"),
        (Answer(301), "answered 301; redirects are not followed, so change the URL"),
        (Refused("loopback"), "not called: loopback"),
        (Failed("timeout", "no whole answer within 15 s"), "timeout: no whole answer within 15 s"),
    ],
)
def test_anything_else_is_tried_again_with_its_reason(outcome: Outcome, reason: str) -> None:
    verdict = after(outcome)
    assert (verdict.kind, verdict.reason) == ("again", reason)


def test_what_a_receiver_says_is_cut() -> None:
    assert len(after(Answer(500, body=b"a" * 10_000)).reason) < 250


def test_a_receiver_that_says_gone_is_not_called_again() -> None:
    assert after(Answer(410)).kind == "gone"


def test_the_wait_doubles_up_to_its_bound_half_of_it_by_chance() -> None:
    longest = [after(Answer(500), n, random=1).delay_s for n in (1, 2, 3, 4)]
    assert longest == [4, 8, 16, 32]
    assert [after(Answer(500), n, random=0).delay_s for n in (1, 4)] == [2, 16]
    patient = Patience(first_retry_s=4, longest_retry_s=60, attempts=500)
    late = Progress(attempts=400, began_us=START_US)
    assert judge(Answer(500), late, patient, START_US, 1).delay_s == 60


@pytest.mark.parametrize(
    ("asked", "delay_s"),
    [
        ("30", 30),
        ("0", 4),
        ("86400", 60),
        ("9" * 400, 60),
        ("-5", 4),
        ("soon", 4),
        ("", 4),
        ("\u0663", 4),
        ("Fri, 15 Jan 2027 08:00:20 GMT", 20),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 4),
        ("Fri, 99 Jan 2027 08:00:20 GMT", 4),
    ],
)
def test_a_wait_that_the_receiver_asks_for_is_kept_within_the_bound(
    asked: str, delay_s: float
) -> None:
    verdict = after(Answer(503, (("retry-after", asked),)), random=1)
    assert verdict.delay_s == pytest.approx(delay_s)


def test_a_message_is_given_up_after_its_attempts_or_its_age() -> None:
    assert after(Answer(500), 4).kind == "again"
    assert after(Answer(500), 5) == Verdict("given-up", "answered 500")
    assert after(Answer(500), 1, age_s=999).kind == "again"
    assert after(Answer(500), 1, age_s=1000).kind == "given-up"
