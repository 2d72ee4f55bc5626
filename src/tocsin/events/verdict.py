"""What follows from the outcome of one try to tell a receiver: a pure decision."""

from http import HTTPStatus
from typing import Literal

import msgspec

from tocsin.clock import US_PER_S
from tocsin.config import Webhooks as Patience
from tocsin.model.webhook import Progress
from tocsin.ports.outbound import Answer, Failed, Outcome, Refused, retry_after_s

_SHOWN = 200


class Verdict(msgspec.Struct, frozen=True):
    """``taken``; or ``again`` after ``delay_s`` seconds; or ``given-up``; or ``gone`` for good, which the receiver says."""

    kind: Literal["taken", "again", "given-up", "gone"]
    reason: str = ""
    delay_s: float = 0.0


def judge(
    outcome: Outcome, progress: Progress, patience: Patience, now_us: int, random: float
) -> Verdict:
    """Decide after a try that ``progress`` counts already; ``random`` in [0, 1) spreads the delays.

    The delay doubles up to a bound, half of it fixed and half random; a receiver that names a longer one gets it, up to
    the same bound.
    """
    reason = describe(outcome)
    if was_taken(outcome):
        return Verdict("taken")
    if isinstance(outcome, Answer) and outcome.status == HTTPStatus.GONE:
        return Verdict("gone", reason)
    age_s = (now_us - progress.began_us) / US_PER_S
    if progress.attempts >= patience.attempts or age_s >= patience.give_up_s:
        return Verdict("given-up", reason)
    doubled = min(patience.first_retry_s * 2.0 ** (progress.attempts - 1), patience.longest_retry_s)
    asked_s = retry_after_s(outcome, now_us) if isinstance(outcome, Answer) else None
    patient_s = min(asked_s or 0.0, patience.longest_retry_s)
    return Verdict("again", reason, max(doubled * (0.5 + random / 2), patient_s))


def was_taken(outcome: Outcome) -> bool:
    """Tell whether the receiver has it: it answered with any 2xx."""
    return isinstance(outcome, Answer) and outcome.status // 100 == 2  # noqa: PLR2004 -- the class of success


def describe(outcome: Outcome) -> str:
    """Say what came of a try, for people."""
    match outcome:
        case Answer(status=status) if status // 100 == 3:  # noqa: PLR2004 -- the class of redirects
            return f"answered {status}; redirects are not followed, so change the URL"
        case Answer(status=status):
            said = "".join(
                c for c in outcome.body[:_SHOWN].decode(errors="replace") if c.isprintable()
            )
            return f"answered {status}" + (f": {said}" if said else "")
        case Refused(reason=reason):
            return f"not called: {reason}"
        case Failed(kind=kind, reason=reason):
            return f"{kind}: {reason}"
