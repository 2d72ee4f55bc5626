"""Tells webhooks' receivers of receipts: in order, at least once, one batch at a time each.

A batch is fixed on disk before it is sent and passed on disk after it was taken, so a crash sends the same message again
and nothing is skipped (I2).  Of several processes one tells a webhook: it holds it while it works, for a call and
``MARGIN_S`` longer each time it writes how far it is, and stops when it finds that another one took it over.  A receiver that takes nothing delays nobody else: each webhook is a task of its own while
it has something to send, and what it does not take is given up after a bound (I11).
"""

import asyncio
import random
from collections.abc import Mapping, Sequence

import msgspec
import structlog
from msgspec.structs import replace

from tocsin.clock import US_PER_S, Clock
from tocsin.config import Webhooks as Patience
from tocsin.events.messages import CONTENT_TYPE, Message, ping_message, receipt_message
from tocsin.events.signing import Seal, signed_headers
from tocsin.events.verdict import Verdict, describe, judge, was_taken
from tocsin.model.receipt import Receipt
from tocsin.model.webhook import DeadBatch, Progress, Secrets, Webhook, first_wanted
from tocsin.ports.audit import Deed
from tocsin.ports.outbound import Call, Outbound, Outcome
from tocsin.ports.receipts import ReceiptStore
from tocsin.ports.webhooks import WebhookStore
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics

log = structlog.get_logger()

POLL_S = 0.5
# What may come between two notes of progress besides a call: reading, and the disk.
MARGIN_S = 15.0
AT_ONCE = 64
# Receipts read for one batch; most may be of facts that nobody asked for.
SCAN = 500
# So long a replaced secret signs beside its successor.
BOTH_SECRETS_US = 86_400 * US_PER_S
DEAD_IN_A_ROW = 3
# Dead batches that one webhook may have; beyond it somebody has to decide first.
MOST_DEAD = 100


class Batch(msgspec.Struct, frozen=True):
    """The receipts to send, and the number up to which they are all that is wanted."""

    receipts: tuple[Receipt, ...]
    up_to: int


class Sender:
    """Sends what is due, to as many webhooks at once as are allowed."""

    def __init__(  # noqa: PLR0913 -- all that it meets the world by
        self,
        *,
        receipts: ReceiptStore,
        webhooks: WebhookStore,
        outbound: Outbound,
        seal: Seal,
        clock: Clock,
        supervisor: Supervisor,
        metrics: Metrics,
        patience: Patience,
        call_s: float,
    ) -> None:
        """Make a sender; a call of ``outbound`` takes at most ``call_s`` seconds."""
        self._receipts = receipts
        self._webhooks = webhooks
        self._outbound = outbound
        self._seal = seal
        self._clock = clock
        self._supervisor = supervisor
        self._metrics = metrics
        self._patience = patience
        self._lease_us = round((call_s + MARGIN_S) * US_PER_S)
        self._busy: set[str] = set()

    async def run(self) -> None:
        """Look for what is due until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(POLL_S)

    async def step(self) -> None:
        """Start a task for each webhook that is due and has none."""
        room = AT_ONCE - len(self._busy)
        due = await self._webhooks.due_webhooks(self._clock.now_us(), AT_ONCE)
        for webhook in [one for one in due if one.id not in self._busy][:room]:
            self._busy.add(webhook.id)
            self._supervisor.start("events.webhook", self.work(webhook.hub, webhook.id))

    async def work(self, hub: str, webhook_id: str) -> None:
        """Tell a webhook all that there is for it, if it is due and no other process does."""
        try:
            now_us = self._clock.now_us()
            if await self._webhooks.claim_webhook(webhook_id, now_us, self._until_us()):
                while await self.turn(hub, webhook_id):
                    pass
                await self._webhooks.release_webhook(webhook_id)
        finally:
            self._busy.discard(webhook_id)

    def _until_us(self) -> int:
        return self._clock.now_us() + self._lease_us

    async def turn(self, hub: str, webhook_id: str) -> bool:
        """Send one batch of a webhook that this process holds; True if the next may follow at once."""
        webhook = await self._webhooks.webhook(hub, webhook_id)
        if webhook is None or webhook.disabled_us is not None:
            return False
        batch = await self._batch(webhook)
        if batch is None:
            return False
        now_us = self._clock.now_us()
        if not batch.receipts:
            passed = replace(webhook.progress, cursor=batch.up_to, up_to=None, attempts=0)
            return await self._note(webhook_id, passed)
        progress = _tried(webhook.progress, batch.up_to, now_us)
        if not await self._note(webhook_id, progress):
            return False
        message = receipt_message(webhook_id, batch.receipts)
        outcome = await self._send(webhook, message)
        now_us = self._clock.now_us()
        verdict = judge(outcome, progress, self._patience, now_us, random.random())  # noqa: S311 -- spreads retries
        self._metrics.webhook_batches.labels(verdict.kind).inc()
        return await self._follow(webhook, message, progress, verdict)

    async def ping(self, webhook: Webhook) -> str | None:
        """Send a message without receipts; return why it was not taken, None if it was."""
        message = ping_message(webhook.id, webhook.hub, self._clock.now_us())
        return _trouble(await self._send(webhook, message))

    async def resend(
        self, webhook: Webhook, batch: DeadBatch, deed: Deed | None = None
    ) -> str | None:
        """Send a batch that was given up once more, and forget it if it is taken; return why it was not.

        The deed is kept with the forgetting.
        """
        trouble = _trouble(await self._send(webhook, Message(batch.id, batch.body, batch.receipts)))
        if trouble is None:
            await self._webhooks.drop_dead_batch(webhook.id, batch.id, deed)
        return trouble

    async def _batch(self, webhook: Webhook) -> Batch | None:
        progress = webhook.progress
        found = await self._receipts.receipts_after(webhook.hub, progress.cursor, SCAN)
        if progress.up_to is not None:  # the one under way stays as it is
            found = [receipt for receipt in found if receipt.number <= progress.up_to]
            return Batch(tuple(await self._wanted(webhook, found, SCAN)), progress.up_to)
        if not found:
            return None
        bound = self._patience.batch_receipts
        wanted = await self._wanted(webhook, found, bound)
        last = wanted[-1] if len(wanted) == bound else found[-1]
        return Batch(tuple(wanted), last.number)

    async def _wanted(
        self, webhook: Webhook, found: Sequence[Receipt], limit: int
    ) -> Sequence[Receipt]:
        owners: Mapping[str, str] = {}
        if webhook.key_id is not None:
            alert_ids = sorted({receipt.alert_id for receipt in found})
            owners = await self._webhooks.owners(webhook.hub, alert_ids)
        return first_wanted(webhook, found, owners, limit)

    async def _send(self, webhook: Webhook, message: Message) -> Outcome:
        now_us = self._clock.now_us()
        secrets = [self._seal.open(secret) for secret in signing(webhook.secrets, now_us)]
        headers = signed_headers(secrets, message.id, now_us // US_PER_S, message.body)
        return await self._outbound.send(
            Call(
                purpose="webhook",
                url=webhook.url,
                headers=[("content-type", CONTENT_TYPE), *headers],
                body=message.body,
                repeatable=True,  # receivers know a message by its id
            )
        )

    async def _follow(
        self, webhook: Webhook, message: Message, progress: Progress, verdict: Verdict
    ) -> bool:
        """Keep on disk what follows from a try; True if the next batch may follow at once."""
        now_us = self._clock.now_us()
        match verdict.kind:
            case "taken":
                self._metrics.webhook_receipts.inc(message.receipts)
                taken = Progress(cursor=progress.up_to or progress.cursor, due_us=now_us)
                return await self._note(webhook.id, taken)
            case "again":
                due_us = now_us + round(verdict.delay_s * US_PER_S)
                later = replace(progress, due_us=due_us, failure=verdict.reason)
                await self._note(webhook.id, later)
            case "gone":
                kept = replace(progress, attempts=0, failure=verdict.reason)
                if await self._note(webhook.id, kept):
                    await self._disable(webhook, verdict.reason)
            case "given-up":
                await self._give_up(webhook, message, progress, verdict.reason)
        return False

    async def _note(self, webhook_id: str, progress: Progress) -> bool:
        """Keep how far it is; False if another process tells the webhook from here on, or it is gone."""
        held = await self._webhooks.note_progress(webhook_id, progress, self._until_us())
        if not held:
            log.warning("webhook.lost", webhook=webhook_id)
        return held

    async def _give_up(
        self, webhook: Webhook, message: Message, progress: Progress, reason: str
    ) -> None:
        now_us, given_up = self._clock.now_us(), progress.given_up + 1
        dead = DeadBatch(
            id=message.id,
            webhook_id=webhook.id,
            body=message.body,
            receipts=message.receipts,
            attempts=progress.attempts,
            reason=reason,
            at_us=now_us,
        )
        passed = Progress(
            cursor=progress.up_to or progress.cursor,
            due_us=now_us,
            failure=reason,
            given_up=given_up,
        )
        if not await self._webhooks.bury_batch(dead, passed, self._until_us()):
            return
        log.error("webhook.gave_up", webhook=webhook.id, batch=dead.id, reason=reason)
        if given_up >= DEAD_IN_A_ROW:
            why = f"{given_up} batches in a row were given up; the last: {reason}"
            await self._disable(webhook, why)
        elif len(await self._webhooks.dead_batches(webhook.id, limit=MOST_DEAD)) == MOST_DEAD:
            await self._disable(webhook, f"{MOST_DEAD} dead batches wait; retry or drop them")

    async def _disable(self, webhook: Webhook, reason: str) -> None:
        log.error("webhook.disabled", webhook=webhook.id, reason=reason)
        await self._webhooks.disable_webhook(webhook.id, self._clock.now_us(), reason)


def signing(secrets: Secrets, now_us: int) -> list[bytes]:
    """Return the sealed secrets that sign now, the newest first."""
    if secrets.former is None or now_us >= secrets.rotated_us + BOTH_SECRETS_US:
        return [secrets.current]
    return [secrets.current, secrets.former]


def _tried(progress: Progress, up_to: int, now_us: int) -> Progress:
    """Count a try, before it is made."""
    began_us = progress.began_us if progress.attempts else now_us
    return replace(progress, up_to=up_to, attempts=progress.attempts + 1, began_us=began_us)


def _trouble(outcome: Outcome) -> str | None:
    return None if was_taken(outcome) else describe(outcome)
