"""The only loop that takes pushes to their providers: lease, wait out the grace, look again, send, note what became of it.

The order is the promise: the try is counted on disk before it is made and its outcome is noted after it, so a dispatcher
that dies at any moment sends again, under the same delivery id, and loses nothing.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final

import structlog
from msgspec.structs import replace

from tocsin.clock import US_PER_S, Clock
from tocsin.config import Push as PushSettings
from tocsin.model.device import Platform
from tocsin.model.preference import Hold, Send, Skip, reason_of
from tocsin.model.push import Ending, PushJob, PutBack, Standing, outlived, why_not
from tocsin.model.receipt import Fact, Told
from tocsin.ports.fanout import Announcement
from tocsin.ports.push import Accepted, Later, PushOutcome, PushProvider
from tocsin.ports.pushes import PushStore
from tocsin.ports.receipts import Recorder
from tocsin.push.composer import compose, compose_withdrawal, until_us
from tocsin.push.credentials import Credentials, Person
from tocsin.push.gate import Gate
from tocsin.push.held import HeldPushes
from tocsin.push.lane import Lane
from tocsin.push.verdict import Rest, judge
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics

log = structlog.get_logger()

POLL_S: Final = 0.25
# Who looked in vain looks no sooner again: where nobody has a device, announcements are still many.
PAUSE_S: Final = 0.02
# Longer than a push waits in its lane and is sent: who holds it that long is dead.
LEASE_S: Final = 120.0
IN_HAND: Final = 1_024
SPREAD_ROWS: Final = 500
# For hosts that nobody has called yet.
UNKNOWN_ROOM: Final = 64
# What was short of room goes on when there is so much again, and not for each push that ends.
WORTHWHILE_ROOM: Final = 128
FULL_LANE_S: Final = 2.0


class Dispatcher:
    """Sends what is due, to every host as much at once as it may."""

    def __init__(
        self,
        *,
        pushes: PushStore,
        providers: Mapping[Platform, PushProvider],
        recorder: Recorder,
        clock: Clock,
        gate: Gate,
        supervisor: Supervisor,
        metrics: Metrics,
        settings: PushSettings,
    ) -> None:
        self._pushes = pushes
        self._providers = providers
        self._recorder = recorder
        self._clock = clock
        self._gate = gate
        self._supervisor = supervisor
        self._metrics = metrics
        self._settings = settings
        self._lanes: dict[str, Lane] = {}
        self._in_hand: set[int] = set()
        self._credentials = Credentials()
        self._held = HeldPushes(pushes, gate, settings.summary_over)
        self._woken = asyncio.Event()
        # Whether more may be due than there was room for.
        self._short = False
        self._stopping = False

    async def run(self) -> None:
        """Work until ``stop`` was called."""
        await self._pushes.resume_pushes(self._clock.now_us())
        found = False
        while not self._stopping:
            if await self.step():
                found = True
            else:
                await self._rest_a_while(0 if found else PAUSE_S)
                found = False

    def heard(self, _announcements: Sequence[Announcement]) -> None:
        """Look soon: where something is announced, something may be due."""
        self.wake()

    def wake(self) -> None:
        """Look soon."""
        self._woken.set()

    async def _rest_a_while(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._woken.wait()
        self._woken.clear()

    def stop(self) -> None:
        """Lease nothing more; what is on its way is finished, or comes again."""
        self._stopping = True

    def paused(self) -> Mapping[str, str]:
        """Tell which hosts are sent nothing because our settings are at fault, and what they say."""
        now_s = self._clock.monotonic_s()
        return {
            h: lane.rest.fault
            for h, lane in self._lanes.items()
            if lane.rest.fault and lane.rest.until_s > now_s
        }

    def doubted(self) -> Mapping[str, str]:
        """Tell which hosts refused our credentials and have accepted nothing since, and what they say."""
        return self._credentials.doubted()

    async def step(self) -> bool:
        """Spread a chunk of a broadcast and take what is due; False if there was nothing to do."""
        now_us = self._clock.now_us()
        due_us = await self._pushes.next_push_us()
        self._measure(due_us, now_us)
        if due_us is None or due_us > now_us:
            return False
        spread = 0 if due_us else await self._pushes.spread_pushes(SPREAD_ROWS)
        room = self._room()
        self._short = room <= 0
        if self._short:
            return spread > 0
        lease_us = now_us + round(LEASE_S * US_PER_S)
        jobs = await self._pushes.lease_pushes(now_us, lease_us, room)
        self._short = len(jobs) == room
        taken = [self._take(job) for job in jobs if job.number not in self._in_hand]
        await self._pushes.put_back_pushes([back for back in taken if back is not None])
        return spread + len(jobs) > 0

    def _room(self) -> int:
        """Return how many more pushes may be taken in hand."""
        known = sum(lane.room for lane in self._lanes.values())
        return min(IN_HAND - len(self._in_hand), UNKNOWN_ROOM + known)

    def _measure(self, due_us: int | None, now_us: int) -> None:
        late_us = 0 if not due_us else max(0, now_us - due_us)  # 0 is a broadcast to be spread
        self._metrics.push_late_s.set(late_us / US_PER_S)
        self._metrics.push_paused.set(len(self.paused()))
        self._metrics.push_refusing.set(len(self.doubted()))

    def _take(self, job: PushJob) -> PutBack | None:
        """Give a push to its lane, or say until when it waits: for the end of its grace, or for room."""
        grace_us = self._grace_us(job)
        if grace_us > self._clock.now_us():
            return PutBack(job.number, grace_us)
        lane = self._lane(self._host(job))
        if lane.room <= 0:
            return self._later(job, FULL_LANE_S)
        wait_s = self._wait_s(job, lane)
        if wait_s > 0:
            return self._later(job, wait_s + FULL_LANE_S)
        self._in_hand.add(job.number)
        lane.take(job)
        return None

    def _wait_s(self, job: PushJob, lane: Lane) -> float:
        """Return how long a push waits, for its device is left alone or its host rests; 0 if it goes now."""
        now_s = self._clock.monotonic_s()
        left_alone_s = self._credentials.wait_s(job.device.key, now_s)
        return left_alone_s or lane.rest.wait_s(job.number, now_s)

    def _host(self, job: PushJob) -> str:
        provider = self._providers.get(job.device.platform)
        return job.device.platform if provider is None else provider.host(job.device.channel)

    def _grace_us(self, job: PushJob) -> int:
        """Return until when a push waits for whoever is looking to be shown the alert; 0 if nobody is."""
        if job.kind == "withdraw" or not self._gate.present(job.hub, job.user):
            return 0
        return job.made_us + round(self._settings.grace_of(job.severity) * US_PER_S)

    def _lane(self, host: str) -> Lane:
        if host not in self._lanes:
            calls, lingering = self._settings.calls_per_host, self._settings.lingering_per_host
            self._lanes[host] = Lane(host, calls, lingering, self._work, self._supervisor)
        return self._lanes[host]

    def _later(self, job: PushJob, wait_s: float) -> PutBack:
        """Put a push back for a while, and a little longer, so that not all come at once."""
        spread_s = wait_s * (1 + random.random() / 4)  # noqa: S311 -- spreads
        return PutBack(job.number, self._clock.now_us() + round(spread_s * US_PER_S))

    async def _work(self, job: PushJob) -> None:
        """Look at the inbox, and send what is still of use."""
        try:
            standings = await self._pushes.standings([job.number])
            if job.number in standings:
                await self._send(job, standings[job.number])
        finally:
            self._in_hand.discard(job.number)
            if self._short and self._room() >= WORTHWHILE_ROOM:
                self.wake()

    async def _send(self, job: PushJob, standing: Standing | None) -> None:
        now_us = self._clock.now_us()
        if job.kind == "withdraw":
            await self._take_back(job, standing, now_us)
            return
        provider = self._providers.get(job.device.platform)
        reason = "platform-off" if provider is None else why_not(standing, now_us)
        end_us = until_us(job, standing, self._settings.ttl_s)
        if provider is None or standing is None or reason is not None:
            await self._end(job, Ending("cancelled", reason or "", now_us))
        elif end_us <= now_us:
            await self._end(job, Ending("expired", "nobody took it in time", now_us))
        elif not job.held:
            await self._decide(job, standing, end_us, provider)
        elif self._held.claim(job):
            try:
                await self._send_held(job, standing, end_us, provider)
            finally:
                self._held.release(job)
        else:
            await self._let_others_go(job)

    async def _send_held(
        self, job: PushJob, standing: Standing, end_us: int, provider: PushProvider
    ) -> None:
        """Send a push that no other one to the same device overlaps with."""
        if await self._pushes.held_elsewhere(job.number):
            await self._let_others_go(job)
        # The one before it may have taken it along.
        elif job.number in await self._pushes.standings([job.number]):
            await self._decide(job, standing, end_us, provider)

    async def _let_others_go(self, job: PushJob) -> None:
        """Put a held push back for a moment, in which another one takes it along, perhaps."""
        due_us = self._clock.now_us() + round(POLL_S * US_PER_S)
        await self._pushes.put_back_pushes([PutBack(job.number, due_us, held=True)])

    async def _decide(
        self, job: PushJob, standing: Standing, end_us: int, provider: PushProvider
    ) -> None:
        now_us = self._clock.now_us()
        decided = await self._gate.decide(job, standing, end_us, now_us)
        match decided:
            case Send():
                beside = await self._held.beside(job, now_us) if job.held else {}
                await self._try(job, standing, beside, end_us, provider)
            case Hold():
                await self._hold(job, decided)
            case Skip():
                await self._end(job, Ending("cancelled", reason_of(decided), now_us))

    async def _hold(self, job: PushJob, why: Hold) -> None:
        self._metrics.pushes.labels(job.device.platform, "held").inc()
        back = PutBack(job.number, why.until_us, reason_of(why), held=True)
        await self._pushes.put_back_pushes([back])

    async def _try(
        self,
        job: PushJob,
        standing: Standing,
        beside: Mapping[int, Standing],
        end_us: int,
        provider: PushProvider,
    ) -> None:
        """Send a push, in a summary with those ``beside`` it."""
        shown = [standing, *beside.values()]
        push = compose(job, shown, end_us, self._clock.now_us(), self._settings.app_url)
        await self._follow(job, await _outcome_of(provider.send(push)), end_us, beside)

    async def _take_back(self, job: PushJob, standing: Standing | None, now_us: int) -> None:
        """Have a device take back what it shows, unless it is of use again."""
        provider = self._providers.get(job.device.platform)
        end_us = until_us(job, None, self._settings.ttl_s)
        if provider is None or not outlived(standing, now_us):
            reason = "platform-off" if provider is None else "of-use-again"
            await self._end(job, Ending("cancelled", reason, now_us))
        elif end_us <= now_us:
            await self._end(job, Ending("expired", "nobody took it in time", now_us))
        else:
            push = compose_withdrawal(job, standing, end_us, now_us)
            await self._follow(job, await _outcome_of(provider.send(push)), end_us, {})

    async def _follow(
        self, job: PushJob, outcome: PushOutcome, end_us: int, beside: Mapping[int, Standing]
    ) -> None:
        now_us = self._clock.now_us()
        host, person = self._host(job), (job.hub, job.user)
        now_s = self._clock.monotonic_s()
        outcome = self._credentials.weigh(host, job.device.key, outcome, now_s)
        verdict = judge(
            outcome,
            job.attempts,
            now_us,
            end_us,
            longest_s=self._settings.retry_after_s,
            chance=random.random(),  # noqa: S311 -- spreads retries
        )
        lane = self._lane(host)
        if isinstance(outcome, Accepted):
            lane.rest.accepted(job.number)
        if isinstance(verdict, Ending):
            await self._end(job, verdict, beside)
            return
        self._metrics.pushes.labels(job.device.platform, "later").inc()
        back = [PutBack(job.number, verdict.due_us, verdict.reason, tried=True)]
        if verdict.rest is not None:
            back += self._rest(lane, person, verdict.rest)
        await self._pushes.put_back_pushes(back)

    def _rest(self, lane: Lane, person: Person, rest: Rest) -> Sequence[PutBack]:
        """Let a host rest, if that is believed; returns what waited for it."""
        now_s = self._clock.monotonic_s()
        if rest.alarm:
            lane.rest.pause(rest.for_s, rest.reason, now_s)
        elif not lane.rest.ask(person, rest.for_s, rest.reason, now_s):
            return ()
        waiting = lane.empty()
        self._in_hand.difference_update(one.number for one in waiting)
        return [self._later(one, lane.rest.wait_s(one.number, now_s)) for one in waiting]

    async def _end(
        self, job: PushJob, ending: Ending, beside: Mapping[int, Standing] | None = None
    ) -> None:
        """Note the end of a push; if it was accepted, also of those that went out with it."""
        self._metrics.pushes.labels(job.device.platform, ending.end).inc()
        if ending.end == "accepted":
            self._metrics.push_s.observe((ending.at_us - job.made_us) / US_PER_S)
        elif ending.end == "cancelled":
            self._metrics.pushes_cancelled.labels(ending.reason.partition(":")[0]).inc()
        else:
            log.warning("push.failed", end=ending.end, reason=ending.reason, push=job.delivery_id)
        told = self._told(job, ending)
        if not beside or ending.end != "accepted":
            await self._pushes.end_push(job, ending, told, {})
            return
        count = len(beside) + 1
        self._metrics.pushes.labels(job.device.platform, "summed").inc(len(beside))
        said = replace(ending, reason=f"as a summary of {count} alerts")
        also = [
            replace(one, alert_id=other.entry.alert_id) for one in told for other in beside.values()
        ]
        summed = dict.fromkeys(beside, f"in a summary of {count} alerts")
        await self._pushes.end_push(job, said, [*told, *also], summed)

    def _told(self, job: PushJob, ending: Ending) -> Sequence[Told]:
        """Return the receipt of what became of a push that was to show something."""
        fact: Fact = "pushed" if ending.end == "accepted" else "push_failed"
        if job.kind == "withdraw" or ending.end == "cancelled":
            return ()
        if not self._recorder.keeps(job.hub, fact):
            return ()
        return [Told(job.hub, job.alert_id, job.user, fact, ending.at_us, job.device.id)]


async def _outcome_of(sending: Awaitable[PushOutcome]) -> PushOutcome:
    """Wait for an outcome; a provider that raises has a fault, which must not stop the others."""
    try:
        return await sending
    except Exception as error:
        log.exception("push.provider_failed")
        return Later(f"internal fault: {type(error).__name__}")
