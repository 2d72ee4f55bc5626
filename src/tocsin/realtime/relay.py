"""From the fan-out to the sessions: each announcement becomes one message for those who are connected.

What was sent is noted as the session's position.  A frame that is lost on the way here leaves that position behind the
store's, and anti-entropy finds it (I5); one that is lost after the write means a broken connection, and that begins anew.
"""

from collections.abc import Sequence

from tocsin.ports.fanout import Announcement
from tocsin.realtime.hub import Hubs
from tocsin.realtime.message import Message
from tocsin.realtime.receipts import Witness
from tocsin.realtime.writer import Writer


class Relay:
    """Hears announcements and passes them to the writer."""

    def __init__(self, hubs: Hubs, writer: Writer, witness: Witness) -> None:
        self._hubs = hubs
        self._writer = writer
        self._witness = witness

    def heard(self, announcements: Sequence[Announcement]) -> None:
        """Send each announcement to whom it concerns; nobody there is no work."""
        for announcement in announcements:
            if announcement.user is None:
                self._to_hub(announcement)
            else:
                self._to_user(announcement)

    def _to_user(self, announcement: Announcement) -> None:
        sessions = [s for s in self._hubs.of_user(announcement.hub, announcement.user) if s.inbox]
        if not sessions:
            return
        number = announcement.number
        for session in sessions:
            session.rev = max(session.rev, number)
        self._writer.send(sessions, Message(announcement.body, announcement.alert_ids))
        if announcement.alert_ids:
            self._witness.written(sessions, announcement)

    def _to_hub(self, announcement: Announcement) -> None:
        hub = self._hubs.hub(announcement.hub)
        if hub is not None:
            hub.brev = max(hub.brev, announcement.number)
            name = announcement.hub
            self._writer.spread(
                ("inboxes", name), lambda: self._hubs.inboxes(name), Message(announcement.body)
            )
