"""What another process changes of that which this one keeps in memory is heard, and read anew."""

import asyncio

import pytest

from tests.unit.api_server import Server, running
from tests.unit.scripted_outbound import ScriptedOutbound
from tocsin.api.keyring import KeyRing
from tocsin.config import WantedHandler
from tocsin.errors import UnauthenticatedError, UnavailableError
from tocsin.events.rules import Rules
from tocsin.events.validation import Validator
from tocsin.node.following import Following
from tocsin.ports.editions import Kept
from tocsin.realtime.revocations import Revocations
from tocsin.supervisor import Supervisor


async def another(server: Server) -> KeyRing:
    """Return what a second process on the same store has in memory."""
    seal = server.keyring._seal
    revocations = Revocations(server.store.people, seal.pseudonym, server.clock)
    keyring = KeyRing(server.store, seal, server.clock, revocations)
    await keyring.load()
    return keyring


async def test_a_key_that_another_process_made_or_revoked_is_heard_of() -> None:
    async with running() as server:
        other, revoked = await another(server), list[str]()
        other.on_revoke(revoked.append)
        text, key = await server.keyring.create("h", "server", "")
        with pytest.raises(UnauthenticatedError):
            other.check(text)
        await other.renew_keys()
        assert other.check(text) == key
        await server.keyring.revoke(key.id)
        await other.renew_keys()
        with pytest.raises(UnauthenticatedError, match="was revoked"):
            other.check(text)
        await other.renew_keys()
        assert revoked == [key.id]


async def test_an_access_key_that_another_process_regenerated_is_told() -> None:
    async with running() as server:
        other = await another(server)
        primary, secondary = await server.keyring.open_hub("h")
        await other.access_keys("h")
        assert await other.renew_access_keys() == []
        fresh = await server.keyring.regenerate("h", "secondary")
        assert await other.access_keys("h") == (primary, secondary)
        assert await other.renew_access_keys() == [("h", "secondary")]
        assert await other.access_keys("h") == fresh


async def test_whose_tokens_another_process_revoked_is_told_of_those_connected() -> None:
    async with running() as server:
        other = (await another(server)).revocations
        connected = [("h", "ada"), ("h", "ben"), ("other", "ada")]
        revoked_us = await server.keyring.revocations.revoke("h", "ada")
        assert await other.valid_from_us("h", "ada") == -1
        assert await other.renew(connected) == [("h", "ada")]
        assert await other.valid_from_us("h", "ada") == revoked_us
        assert await other.renew(connected) == []


async def test_event_handlers_of_another_process_are_asked_and_known_ones_stay_as_they_are() -> (
    None
):
    async with running() as server:
        supervisor, outbound = Supervisor(), ScriptedOutbound()
        validator = Validator(outbound, "127.0.0.1:8080", server.clock, supervisor, 10)
        one, two = (
            Rules(server.store.event_handlers, outbound, server.keyring._seal, validator, 20)
            for _ in range(2)
        )
        first = await one.add("h", WantedHandler(url="https://one.example/", user_events="*"), 1)
        await two.load()
        (known,) = two.of("h")
        second = await one.add("h", WantedHandler(url="https://two.example/", user_events="*"), 2)
        await two.load()
        assert [rule.handler for rule in two.of("h")] == [first.handler, second.handler]
        assert two.of("h")[0] is known
        await one.remove("h", first.handler.id)
        await two.load()
        assert [rule.handler for rule in two.of("h")] == [second.handler]
        await supervisor.stop()


class Changing:
    """Editions that a test counts up."""

    def __init__(self) -> None:
        self.counts: dict[Kept, int] = {"keys": 3, "revocations": 1}

    async def editions(self) -> dict[Kept, int]:
        return dict(self.counts)


async def test_only_what_changed_is_read_anew_and_again_if_that_failed() -> None:
    changing, read, fails = Changing(), list[str](), [True]

    async def keys() -> None:
        read.append("keys")

    async def revocations() -> None:
        await asyncio.sleep(0)
        if fails:
            fails.clear()
            raise UnavailableError("the store is away")
        read.append("revocations")

    following = Following(changing, {"keys": keys, "revocations": revocations})
    with pytest.raises(UnavailableError):
        await following.step()
    assert read == ["keys"]
    await following.step()
    await following.step()
    assert read == ["keys", "revocations"]
    changing.counts["keys"] += 1
    await following.step()
    assert read == ["keys", "revocations", "keys"]
