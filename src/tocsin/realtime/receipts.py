"""What the gateway knows of alerts on their way: written, received, and what clients tell by their sockets.

Of what it sees itself it only takes note (``ports/receipts.py``): people must not wait for receipts.  What a client tells
is on disk before it is answered.
"""

from collections.abc import Iterable, Sequence

import msgspec

from tocsin.clock import Clock
from tocsin.errors import InvalidInputError, TocsinError
from tocsin.model.receipt import Fact, Told
from tocsin.model.report import report_decoder
from tocsin.ports.fanout import Announcement
from tocsin.ports.receipts import Recorder
from tocsin.realtime.answers import Answers
from tocsin.realtime.request import AckError, Request
from tocsin.realtime.session import Session
from tocsin.supervisor import Supervisor


class Witness:
    """Turns what happens on connections into receipts."""

    def __init__(
        self, recorder: Recorder, clock: Clock, answers: Answers, supervisor: Supervisor
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._answers = answers
        self._supervisor = supervisor

    def written(self, sessions: Iterable[Session], announcement: Announcement) -> None:
        """Take note of alerts that are handed to the sockets that take them; for the others they wait."""
        for session in sessions:
            session.brings_alerts = session.dialect.reliable
            if session.sink is not None:
                self._record(session, announcement.alert_ids, "written")

    def acknowledged(self, session: Session, sequence_id: int) -> None:
        """Take note of what the client has by its acknowledgement; call it before that is carried out."""
        if session.brings_alerts:
            covered = session.covered_by(sequence_id)
            self._record(session, [id_ for m in covered for id_ in m.alert_ids], "received")
            session.brings_alerts = session.held > sum(message.size for message in covered)

    def told(self, session: Session, request: Request) -> None:
        """Take the receipts that a client sends; acknowledged when they are on disk, so what is not is told again."""
        self._supervisor.start("gateway.receipts", self._note(session, request))

    async def _note(self, session: Session, request: Request) -> None:
        error = await self._noted(session, request.data)
        self._answers.acknowledge(session, request, error)

    async def _noted(self, session: Session, data: bytes) -> AckError | None:
        """Keep receipts; return why not, if they are not kept."""
        if session.user is None:
            return AckError("Forbidden", "Receipts need a user.")
        try:
            report = report_decoder.decode(data)
            now_us = self._clock.now_us()
            told = report.told_by(session.hub, session.user, session.device, now_us)
            await self._recorder.note(told)
        except InvalidInputError as error:
            return AckError("BadRequest", f"{error.pointer}: {error.detail}")
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            return AckError("BadRequest", str(error))
        except TocsinError as error:
            return AckError("ServiceUnavailable", f"{error.detail}; say it again later.")
        return None

    def _record(self, session: Session, alert_ids: Sequence[str], fact: Fact) -> None:
        user = session.user
        if user is None or not alert_ids or not self._recorder.keeps(session.hub, fact):
            return
        now_us = self._clock.now_us()
        self._recorder.record(
            [Told(session.hub, id_, user, fact, now_us, session.device) for id_ in alert_ids]
        )
