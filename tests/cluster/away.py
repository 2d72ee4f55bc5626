"""People of a trial who are not looking: each has a browser, which has to be pushed every alert that was accepted."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import msgspec

from tests.push_services.web_push import WebPushService
from tocsin.cli.drill.drilled import Drilled
from tocsin.cli.drill.nodes import Nodes
from tocsin.cli.drill.plan import alert_of

# Half of them answer so late that a send is under way whenever a dispatcher is killed.
BEHAVIOURS = ("ok", "slow")
Push = tuple[str, str]
"""Who was pushed, and the alert's title: each alert of a trial has its own."""
Place = tuple[str, str, str | None]
"""Where a push goes: to the alert of an id for the device, a tag on the screen, a topic in the service's queue."""


class Away:
    """Some of the people of a trial, and what came for their browsers."""

    def __init__(self, service: WebPushService, nodes: Nodes, drilled: Drilled) -> None:
        self._service = service
        self._nodes = nodes
        self._drilled = drilled
        self._since = len(service.received)
        self._owners: dict[str, str] = {}

    async def leave(self, people: Sequence[str]) -> None:
        """Give each of them a browser."""
        for place, user in enumerate(people):
            channel = self._service.subscribe(BEHAVIOURS[place % len(BEHAVIOURS)])
            self._owners[channel["endpoint"].rpartition("/")[2]] = user
            body = msgspec.json.encode({"platform": "webpush", "channel": channel})
            path = f"/v1/devices/browser?user={quote(user, safe='')}"
            await self._nodes.ask("PUT", path, body)

    def unpushed(self) -> set[Push]:
        """Return what was accepted and never pushed."""
        return self._published("acked") - self._received().keys()

    def breaches(self) -> dict[str, list[str]]:
        """Return, in words, what must not be: a push is sent at least once, and what comes again takes the place of the first."""
        assert self._service.faults == []
        received = self._received()
        everything = self._published("acked", "unsettled")
        astray = received.keys() - everything
        return {
            "unpushed": [f"{title} was not pushed to {user}" for user, title in self.unpushed()],
            "astray": [f"{user} was pushed {title}" for user, title in astray],
            "beside": [str(push) for push, places in received.items() if len(places) > 1],
        }

    def _published(self, *standings: str) -> set[Push]:
        """Return what was published to them and stands like that."""
        users = set(self._owners.values())
        return {
            (user, str(alert_of(self._drilled.run, number, entry.people, 0)["title"]))
            for number, entry in self._drilled.ledger.entries.items()
            for user in entry.people
            if user in users and entry.standing in standings
        }

    def _received(self) -> Mapping[Push, set[Place]]:
        """Return what came, and where it went."""
        found = defaultdict[Push, set[Place]](set)
        for one in self._service.received[self._since :]:
            if one.id in self._owners:
                shown = one.message["notification"]
                place = one.message["id"], shown["tag"], one.topic
                found[self._owners[one.id], shown["title"]].add(place)
        return found
