"""Whether a push goes now: who is looking, what the person and the hub prefer, what a device was sent of late."""

from collections.abc import Callable, Mapping
from typing import Final

from tocsin.clock import to_rfc3339
from tocsin.model.preference import AlertFacts, Decision, Hold, Rules, Send, decide
from tocsin.model.push import PushJob, Standing
from tocsin.ports.preferences import PreferenceStore
from tocsin.push.storm import StormGuard

# Whoever is called by a critical alert is not made to wait for the end of a storm.
_PASSES: Final = "critical"


Present = Callable[[str, str], bool]


class Gate:
    """Decides right before sending, so that whatever was said until then counts."""

    def __init__(self, present: Present, preferences: PreferenceStore, guard: StormGuard) -> None:
        """Make it; ``present`` tells whether a user of a hub has a live connection."""
        self.present = present
        self._preferences = preferences
        self._guard = guard

    async def decide(self, job: PushJob, standing: Standing, end_us: int, now_us: int) -> Decision:
        """Decide about a push that still has something to show, and nobody wants after ``end_us``."""
        rules = (await self._preferences.preferences(job.hub, [job.user])).rules(job.user)
        decided = _by_rules(rules, job, standing, end_us, now_us)
        if isinstance(decided, Send):
            return self._stormy(job, now_us) or decided
        return decided

    async def allowed(
        self, job: PushJob, standings: Mapping[int, Standing], now_us: int
    ) -> Mapping[int, Standing]:
        """Return which of other pushes to the same device preferences let pass now."""
        rules = (await self._preferences.preferences(job.hub, [job.user])).rules(job.user)
        return {
            number: standing
            for number, standing in standings.items()
            if isinstance(_by_rules(rules, job, standing, None, now_us), Send)
        }

    def _stormy(self, job: PushJob, now_us: int) -> Hold | None:
        if job.severity == _PASSES or job.attempts > 1:  # what is tried again was counted
            return None
        until_us = self._guard.take(job.device.key, now_us)
        if until_us is None:
            return None
        detail = f"this device was sent much of late; it waits until {to_rfc3339(until_us)}"
        return Hold("storm", detail, until_us)


def _by_rules(
    rules: Rules, job: PushJob, standing: Standing, end_us: int | None, now_us: int
) -> Decision:
    facts = AlertFacts(standing.severity, standing.category, end_us)
    return decide(facts, rules, job.device.time_zone, now_us)
