"""What a drill proves: the verdict, and the numbers beside it."""

import statistics
from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from tocsin.cli.drill.breaking import Break
from tocsin.cli.drill.drilled import Drilled
from tocsin.cli.drill.judging import tally

PERCENTILES = {"p50": 500, "p95": 950, "p99": 990, "p99.9": 999}
TOLD_FINDINGS = 100


class Verdict(IntEnum):
    """How a drill ended, as the exit code of the command (docs/reference/cli.md)."""

    PASSED = 0
    BROKEN = 3
    UNPROVEN = 4
    UNCLEAN = 5


def verdict_of(drilled: Drilled) -> Verdict:
    """Decide; a breach weighs more than a doubt, and both more than what could not be cleaned up."""
    if drilled.findings:
        return Verdict.BROKEN
    if doubts(drilled):
        return Verdict.UNPROVEN
    return Verdict.UNCLEAN if drilled.uncleaned else Verdict.PASSED


def doubts(drilled: Drilled) -> list[str]:
    """Name what keeps a drill without a breach from having proved anything."""
    ledger = drilled.ledger
    found = []
    if not ledger.count("acked"):
        found.append("no alert was acked")
    if refused := ledger.count("refused"):
        found.append(f"{refused:,} alerts were refused")
    if unsettled := ledger.count("unsettled"):
        found.append(f"{unsettled:,} alerts never had an answer that settles them")
    if drilled.unread:
        found.append(f"{len(drilled.unread):,} inboxes could not be fetched at the end")
    found += [_failure(one) for one in drilled.breaks if one.code != 0]
    return found


def _failure(one: Break) -> str:
    ended = "was ended after 120 s" if one.code is None else f"exited with {one.code}"
    last = "".join(filter(str.isprintable, one.words.splitlines()[-1])) if one.words else ""
    return f"the command of --break {ended}" + (f": {last}" if last else "")


def percentiles(times_s: Iterable[float]) -> dict[str, float]:
    """Return the percentiles and the maximum of seconds, in milliseconds; nothing if there are none."""
    times = list(times_s)
    if not times:
        return {}
    cuts = statistics.quantiles(times if len(times) > 1 else 2 * times, n=1000, method="inclusive")
    found = {name: cuts[place - 1] for name, place in PERCENTILES.items()} | {"max": max(times)}
    return {name: round(seconds * 1000, 2) for name, seconds in found.items()}


def account(drilled: Drilled) -> dict[str, Any]:
    """Return the ledger for machines: plain JSON, with the first hundred findings in words."""
    ledger = drilled.ledger
    verdict = verdict_of(drilled)
    return {
        "drill": drilled.run,
        "verdict": verdict.name.lower(),
        "exit_code": int(verdict),
        "doubts": doubts(drilled),
        "nodes": drilled.nodes,
        "people": len(drilled.people),
        "clients": len(ledger.sights),
        "published_s": round(drilled.published_s, 3),
        "dropped": drilled.cuts,
        "breaks": [
            {"at_s": round(one.at_s, 3), "took_s": round(one.took_s, 3), "exit_code": one.code}
            for one in drilled.breaks
        ],
        "alerts": {
            "published": len(ledger.entries),
            "acked": ledger.count("acked"),
            "refused": ledger.count("refused"),
            "unknown": ledger.unknown(),
            "unsettled": ledger.count("unsettled"),
        },
        "copies": drilled.copies,
        "breaches": tally(drilled.findings),
        "findings": [finding.words for finding in drilled.findings[:TOLD_FINDINGS]],
        "reasons": dict(ledger.reasons.most_common(5)),
        "latency_ms": {
            "publish": percentiles(ledger.publish_times()),
            "client": percentiles(ledger.client_times()),
        },
        "unread": drilled.unread,
        "uncleaned": drilled.uncleaned,
    }
