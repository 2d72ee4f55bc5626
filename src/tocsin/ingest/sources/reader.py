"""The one loop of a source: connect, receive, bring on what is in hand; and connect again, for ever.

What is in hand is bounded (``held``), so while Tocsin has no room the broker keeps the rest (I6).
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence

import structlog

from tocsin.errors import LineLostError, TocsinError
from tocsin.ingest.sources.hand import Hand, Path
from tocsin.ports.care import Finding
from tocsin.ports.source import Message, MessageSource, SourceLine

log = structlog.get_logger()

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# A line that lived so long was a good one: after it the pauses begin anew.
GOOD_LINE_S = 60.0
# While something is in hand it is looked after so often; while nothing moves, less and less.
QUICK_S = 0.01
SLOW_S = 1.0
IDLE_S = 1.0
DEPTH_EVERY_S = 15.0
# Marks of what was in hand when lines were lost; beyond it those of the last line are kept.
MOST_MARKS = 10_000


class SourceReader:
    """Takes in the messages of one source, for as long as it runs."""

    def __init__(self, path: Path, source: MessageSource, held: int) -> None:
        self.name = path.name
        self.trouble: str | None = "it has not connected yet"
        self.waits: str | None = None
        self._path = path
        self._source = source
        self._held = held
        self._stopping = asyncio.Event()
        self._pause_s = FIRST_PAUSE_S
        self._look_s = float("-inf")
        self._harmless: set[int] = set()
        path.metrics.source_connected.labels(path.name).set(0)

    async def run(self) -> None:
        """Read until ``stop`` was called and what is in hand is settled (I9)."""
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began_s = loop.time()
            try:
                async with self._source.line() as line:
                    self._connected()
                    await self._read(line)
            except LineLostError as error:
                if loop.time() - began_s > GOOD_LINE_S:
                    self._pause_s = FIRST_PAUSE_S
                self._lost(error)
                await self._pause()

    def stop(self) -> None:
        """Receive nothing more."""
        self._stopping.set()

    def finding(self) -> Finding:
        """Tell how it is, for ``tocsin doctor``."""
        check = f"source {self.name}"
        if self.trouble is not None:
            remedy = f"mend [sources.{self.name}] or the broker; it is tried again for ever"
            return Finding(check, "fail", self.trouble, remedy)
        if self.waits is not None:
            remedy = "the broker keeps the rest meanwhile; see the queue and the store"
            return Finding(check, "warn", f"messages wait for room here: {self.waits}", remedy)
        return Finding(check, "ok", "it has its broker, and takes in what comes")

    def _connected(self) -> None:
        self.trouble = None
        self._path.metrics.source_connected.labels(self.name).set(1)
        log.info("source.connected", source=self.name)

    def _lost(self, error: LineLostError) -> None:
        self.trouble = error.detail
        for gauge in (self._path.metrics.source_connected, self._path.metrics.source_held):
            gauge.labels(self.name).set(0)
        log.warning(
            "source.unavailable", source=self.name, reason=error.detail, again_in_s=self._pause_s
        )

    async def _pause(self) -> None:
        """Wait before the next try, half of it by chance; stopping ends it."""
        pause_s = self._pause_s * (0.5 + random.random() / 2)  # noqa: S311 -- spreads reconnects
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _read(self, line: SourceLine) -> None:
        """Receive and bring on, in turn, until the source stops and its hand is empty."""
        hand = Hand(self._path, line, self._harmless)
        wait_s = IDLE_S
        try:
            while len(hand) or not self._stopping.is_set():
                received = await self._receive(line, self._held - len(hand), wait_s)
                before = len(hand)
                await hand.take(received)
                self._note(await hand.step())
                self._path.metrics.source_held.labels(self.name).set(len(hand))
                moved = self.waits is None and (bool(received) or len(hand) < before)
                wait_s = _next_wait(wait_s, len(hand), moved=moved)
                await self._look(line)
        except asyncio.CancelledError:
            with contextlib.suppress(LineLostError):
                await hand.give_back()
            raise
        except LineLostError:
            self._spare(hand.harmless())
            raise

    def _spare(self, harmless: set[int]) -> None:
        """Remember what comes again for its line was lost: that the broker counts, and it is no fault of the message."""
        together = self._harmless | harmless
        self._harmless = together if len(together) <= MOST_MARKS else harmless

    async def _receive(self, line: SourceLine, room: int, wait_s: float) -> Sequence[Message]:
        if room > 0 and not self._stopping.is_set():
            return await line.receive(most=room, wait_s=wait_s)
        await asyncio.sleep(wait_s)
        return ()

    def _note(self, waits: TocsinError | None) -> None:
        """Remember what Tocsin itself has no room for, and say it once."""
        reason = None if waits is None else waits.detail
        if reason is not None and self.waits is None:
            log.warning("source.waits", source=self.name, reason=reason)
        self.waits = reason

    async def _look(self, line: SourceLine) -> None:
        """Ask the broker now and then what waits there."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._look_s:
            return
        self._look_s = now_s + DEPTH_EVERY_S
        depth, metrics = await line.depth(), self._path.metrics
        if depth.waiting is not None:
            metrics.source_waiting.labels(self.name).set(depth.waiting)
        if depth.oldest_age_s is not None:
            metrics.source_oldest_s.labels(self.name).set(depth.oldest_age_s)


def _next_wait(wait_s: float, held: int, *, moved: bool) -> float:
    """Return how long to wait for more before looking after what is in hand."""
    if not held:
        return IDLE_S
    return QUICK_S if moved else min(2 * wait_s, SLOW_S)
