"""Two hubs with two users each, and who asks there for what is not theirs.

Hubs are ``north`` and ``south``; ``ada`` and ``ben`` are in both, ``cleo``, ``dora`` and ``erin`` in the south alone.  Whatever belongs to
somebody says so: ``south`` stands in all the south has, ``ben`` in what only Ben may read.
"""

import secrets
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.ports.devices import device
from tests.ports.world import envelope
from tests.wire.served_node import Served
from tocsin.clock import US_PER_S
from tocsin.config import WantedHandler
from tocsin.model.push import Ending
from tocsin.model.webhook import DeadBatch, Progress, Secrets, Webhook
from tocsin.ports.store import Role

Ids = dict[str, str]
# What the paths of Web PubSub's REST API name besides ids.
IN_THE_NORTH: Ids = {"hub": "north", "permission": "sendToGroup"}
ROLES: tuple[Role, ...] = ("producer", "server", "admin")


class Caller(NamedTuple):
    """Who asks from the north, the ids it tries, and the words that no answer to it may hold."""

    name: str
    headers: dict[str, str]
    foreign: tuple[Ids, ...]
    secret: tuple[str, ...]


class World:
    """What there is; ``south`` are its ids, ``ben`` those of Ben in the north, ``other`` of another producer there."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.keys: dict[tuple[str, str], str] = {}
        self.tokens: dict[tuple[str, str], str] = {}
        self.south: Ids = {}
        self.ben: Ids = {}
        self.other: Ids = {}
        self.live_south: Ids = {}

    def key(self, hub: str, role: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.keys[hub, role]}"}

    def token(self, hub: str, user: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[hub, user]}"}

    async def fill(self) -> None:
        """Give each hub keys, users, alerts, a dead letter and a topic."""
        for hub in ("north", "south"):
            for role in ROLES:
                text, key = await self.served.node.keyring.create(hub, role, f"{hub} {role}")
                self.keys[hub, role] = text
                self.south["key"] = key.id
            for user in ("ada", "ben", *(["cleo", "dora", "erin"] if hub == "south" else [])):
                body = {"user_id": user}
                answer = await self.post("/v1/client-tokens", body, self.key(hub, "server"))
                self.tokens[hub, user] = answer["token"]
        text, _ = await self.served.node.keyring.create("north", "producer", "other")
        self.keys["north", "other"] = text
        self.other = await self.ids("north", "other", "ada")
        self.ben = await self.ids("north", "producer", "ben")
        await self.ids("north", "producer", "ada")
        await self.ids("south", "producer", "ada")
        self.south |= await self.ids("south", "producer", "cleo")
        self.south["dead"] = await self._bury()
        self.south["push"] = await self._dead_push()
        self.south |= await self._webhook()
        wanted = WantedHandler(url="https://9.9.9.9/south", user_events="south")
        added = await self.served.node.handlers.rules.add("south", wanted, 1)
        self.south["handler"] = added.handler.id
        self.south |= {"topic": "south-topic", "reader": "dora", "stranger": "erin"} | IN_THE_NORTH
        for hub, user, ids in (("south", "cleo", self.south), ("north", "ben", self.ben)):
            ids["device"] = await self._device(hub, user)
        people = ["cleo", "dora", "erin", "ada"]
        await self.served.node.store.topics.subscribe("south", "south-topic", people)
        for user in people[1:]:
            await self.ids("south", "producer", user)
            await self._prefer("/v1/preferences", self.token("south", user))
        await self._prefer("/v1/admin/preferences", self.key("south", "admin"))

    async def ids(self, hub: str, role: str, user: str) -> Ids:
        """Publish an alert for a user, wait for it, and return the ids that are known then."""
        said = f"{hub} {role} told {user}"
        alert = {"to": {"users": [user]}, "title": said, "body": said, "category": f"{hub}-{user}"}
        alert_id = (await self.post("/v1/alerts", alert, self.key(hub, role)))["id"]
        inbox: dict[str, Any] = {}
        while alert_id not in [item["id"] for item in inbox.get("items", ())]:
            inbox = await self.get("/v1/inbox", self.token(hub, user))
        theirs = {"alert": alert_id, "user": user, "category": f"{hub}-{user}"}
        # Everybody of a hub knows its epoch.
        return theirs if hub == "north" else theirs | {"epoch": inbox["position"]["epoch"]}

    async def _prefer(self, path: str, headers: dict[str, str]) -> None:
        """Let somebody of the south, or all of it, have preferences that say so."""
        preferences = {"categories": {"south": {"push": {"enabled": False}}}}
        answer = await self.served.http.put(path, json=preferences, headers=headers)
        assert answer.is_success, answer.text

    async def _device(self, hub: str, user: str) -> str:
        """Give somebody a device that was reached no more, so that nobody is called."""
        named = device(user, secrets.token_hex(8), hub=hub, gone_us=1, gone_reason=f"{hub} fell")
        await self.served.node.store.devices.put_device(named, 20)
        return named.id

    async def _bury(self) -> str:
        """Give an alert of the south up, for Cleo."""
        queue = self.served.node.store.queue
        while True:  # until it is not the worker who takes it
            told = envelope("cleo", hub="south", id=str(uuid.uuid4()), accepted_us=1)
            await queue.publish([told])
            for leased in await queue.lease(limit=1, lease_s=30):
                await queue.bury(leased.receipt, reason="south fell")
                return leased.envelope.id

    async def _dead_push(self) -> str:
        """Give a push to a device of Cleo's up, and take the device away, so that nobody is called."""
        store = self.served.node.store
        named = device("cleo", "fallen", hub="south")
        await store.devices.put_device(named, 20)
        while True:  # until it is not the dispatcher who takes it
            await store.deliver([envelope("cleo", hub="south", id=str(uuid.uuid4()))])
            now_us = self.served.node.clock.now_us()
            for job in await store.pushes.lease_pushes(now_us, now_us + US_PER_S, 1):
                ending = Ending("rejected", "south fell", now_us)
                await store.pushes.end_push(job, ending, (), {})
                await store.devices.remove_device("south", "cleo", "fallen")
                return job.delivery_id

    async def _webhook(self) -> Ids:
        """Give the south a webhook that did not take a message; it is disabled, so nobody is called."""
        made = Webhook(
            id=str(uuid.uuid4()),
            hub="south",
            url="https://9.9.9.9/south",
            facts=(),
            key_id=None,
            secrets=Secrets(b"south"),
            created_us=1,
            disabled_us=1,
            disabled_reason="south fell",
        )
        batch = DeadBatch(
            id=f"msg_{secrets.token_hex(16)}",
            webhook_id=made.id,
            body=b'["south"]',
            receipts=1,
            attempts=1,
            reason="south fell",
            at_us=1,
        )
        webhooks = self.served.node.store.webhooks
        await webhooks.add_webhook(made)
        await webhooks.claim_webhook(made.id, 1, 2)
        await webhooks.bury_batch(batch, Progress(), 2)
        return {"webhook": made.id, "batch": batch.id}

    def callers(self) -> Iterator[Caller]:
        """Name who asks; administrators are not among them, since they may name any hub."""
        south = self.south | self.live_south
        yield Caller(
            "producer",
            self.key("north", "producer"),
            (south, {**south, **self.other}),
            ("south", "other told"),
        )
        yield Caller("server", self.key("north", "server"), (south,), ("south",))
        token = self.token("north", "ada")
        yield Caller("client", token, (south, {**south, **self.ben}), ("south", "told ben"))

    def nobody(self) -> Ids:
        """Make ids of every kind, of the usual shape, that nobody has."""
        return {
            "alert": str(uuid.uuid4()),
            "device": secrets.token_hex(8),
            "dead": str(uuid.uuid4()),
            "push": str(uuid.uuid4()),
            "key": secrets.token_hex(6),
            "webhook": str(uuid.uuid4()),
            "handler": str(uuid.uuid4()),
            "batch": f"msg_{secrets.token_hex(16)}",
            "user": f"u{secrets.token_hex(6)}",
            "stranger": f"s{secrets.token_hex(6)}",
            "reader": f"r{secrets.token_hex(6)}",
            "epoch": secrets.token_hex(8),
            "category": secrets.token_hex(4),
            "topic": secrets.token_hex(5),
            "connection": secrets.token_urlsafe(16),
            "group": secrets.token_hex(5),
            **IN_THE_NORTH,
        }

    async def holdings(self, hub: str) -> list[Any]:
        """Read all that the matrix must leave as it was."""
        admin = self.key(hub, "admin")
        paths = [
            "/v1/alerts",
            "/v1/admin/keys",
            "/v1/admin/dead",
            "/v1/admin/dead-pushes",
            "/v1/admin/webhooks",
            "/v1/topics",
            "/v1/topics/south-topic/subscribers",
            "/v1/inbox?user=ada",
            "/v1/inbox?user=ben",
            "/v1/inbox?user=erin",
            "/v1/preferences?user=ada",
            "/v1/preferences?user=dora",
            "/v1/admin/preferences",
            "/v1/admin/access-keys",
            "/v1/admin/event-handlers",
            "/v1/devices?user=ben",
            "/v1/devices?user=cleo",
        ]
        return [await self.get(path, admin) for path in paths]

    async def get(self, path: str, headers: dict[str, str]) -> Any:
        answer = await self.served.http.get(path, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def post(self, path: str, body: Any, headers: dict[str, str]) -> Any:
        answer = await self.served.http.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()
