"""What only the running server can say of itself; `tocsin doctor` asks for it beside its own look at the data folder."""

from collections.abc import Callable, Sequence

import msgspec

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.clock import US_PER_S, Clock
from tocsin.errors import TocsinError
from tocsin.ports.care import Finding, StoreCare
from tocsin.ports.queue import Queue
from tocsin.ports.store import Store

JUMP_S = 2.0

OfPart = Callable[[], Sequence[Finding]]


class Doctor:
    """The route of administrators that asks how the server is."""

    def __init__(
        self,
        auth: Authenticator,
        store: Store,
        queue: Queue,
        care: StoreCare,
        clock: Clock,
        of_parts: Sequence[OfPart],
    ) -> None:
        """Make it; each of ``of_parts`` tells how one part of the server is."""
        self._of_parts = of_parts
        self._auth = auth
        self._store = store
        self._queue = queue
        self._care = care
        self._clock = clock
        self._began_us, self._began_s = clock.now_us(), clock.monotonic_s()

    async def examine(self, request: Request) -> Response:
        """``GET /v1/admin/doctor``: a commit is tried, the store and the clock are asked."""
        self._auth.admin(request)
        findings = [
            await self._writes(),
            await self._accepts(),
            *await self._of_store(),
            self._jumps(),
        ]
        for tell in self._of_parts:
            findings += tell()
        return Response(200, msgspec.json.encode({"findings": findings}))

    async def _of_store(self) -> Sequence[Finding]:
        try:
            return await self._care.findings()
        except TocsinError as error:
            return [Finding("durability", "fail", error.detail, "see the server's log")]

    async def _writes(self) -> Finding:
        began_s = self._clock.monotonic_s()
        try:
            await self._store.check_writable()
        except TocsinError as error:
            return Finding("writing", "fail", error.detail, "see the server's log")
        took_ms = (self._clock.monotonic_s() - began_s) * 1000
        return Finding("writing", "ok", f"a commit reached the disk in {took_ms:.1f} ms")

    async def _accepts(self) -> Finding:
        try:
            await self._queue.check_writable()
        except TocsinError as error:
            return Finding("queue", "fail", error.detail, "see the server's log")
        return Finding("queue", "ok", "what is accepted is safe")

    def _jumps(self) -> Finding:
        """Compare the wall clock with the one that cannot jump, since this server began."""
        ran_s = self._clock.monotonic_s() - self._began_s
        jumped_s = (self._clock.now_us() - self._began_us) / US_PER_S - ran_s
        if abs(jumped_s) > JUMP_S:
            detail = f"the wall clock has jumped by {jumped_s:+.1f} s since the server began"
            remedy = "let NTP slew the clock; expiry and times of delivery follow it"
            return Finding("clock", "warn", detail, remedy)
        return Finding("clock", "ok", f"no jump in the {ran_s:.0f} s since the server began")
