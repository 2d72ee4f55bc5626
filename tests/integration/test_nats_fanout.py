"""The fan-out on a real NATS server: who is sent what, and that losses are told."""

import asyncio
import math

import pytest
from nats.aio.client import DEFAULT_MAX_RECONNECT_ATTEMPTS

from tests.acceptance.deadlines import until_async
from tests.ports.fanouts import Ear, said
from tests.ports.nats_fanouts import NatsNodes, OpenNats, is_silent, nats, nats_nodes, open_nats
from tests.ports.nats_server import NatsServer, running_nats
from tocsin.adapters.nats import connection
from tocsin.adapters.nats.connection import Place
from tocsin.adapters.nats.fanout import NatsFanout
from tocsin.adapters.nats.roster import mark
from tocsin.errors import ConfigError
from tocsin.ports.fanout import Announcement
from tocsin.supervisor import Supervisor

__all__ = ["nats", "nats_nodes", "open_nats"]


async def test_nodes_that_do_not_hold_the_user_are_sent_nothing(
    nats_nodes: NatsNodes, open_nats: OpenNats
) -> None:
    third = await open_nats()
    with_ann, without = Ear(nats_nodes.hearer), Ear(third)
    nats_nodes.hearer.hold("h", "ann")
    third.hold("h", "bob")
    await nats_nodes.met()
    await NatsNodes(nats_nodes.speaker, third).met()
    one = said("ann")
    nats_nodes.speaker.announce([one])
    await with_ann.hears(one)
    await is_silent(without, nats_nodes.speaker)


async def test_a_user_who_went_is_announced_to_nobody(nats_nodes: NatsNodes) -> None:
    ear = Ear(nats_nodes.hearer)
    nats_nodes.hearer.hold("h", "ann")
    nats_nodes.hearer.hold("h", "bob")
    await nats_nodes.met()
    nats_nodes.hearer.let_go("h", "ann")
    await ear.becomes(lambda: not _holds(nats_nodes.speaker, "ann"), "it is known that Ann went")
    nats_nodes.speaker.announce([said("ann"), said("bob")])
    await ear.hears(said("bob"))
    await is_silent(ear, nats_nodes.speaker)


async def test_those_who_came_are_looked_at_once_the_others_know(nats_nodes: NatsNodes) -> None:
    ear = Ear(nats_nodes.hearer)
    nats_nodes.hearer.hold("h", "ann")
    await ear.becomes(lambda: ear.known == [("h", "ann")], "the others know of Ann")
    assert ear.troubles == 0


async def test_a_crowd_is_told_in_parts_and_known_exactly(nats_nodes: NatsNodes) -> None:
    ear = Ear(nats_nodes.hearer)
    for number in range(10_000):
        nats_nodes.hearer.hold("h", f"user-{number}")
    await nats_nodes.met()
    assert _holds(nats_nodes.speaker, "user-9999")
    assert not _holds(nats_nodes.speaker, "user-10000")
    for number in range(9_000):
        nats_nodes.hearer.let_go("h", f"user-{number}")
    await ear.becomes(lambda: not _holds(nats_nodes.speaker, "user-8999"), "most of them went")
    assert _holds(nats_nodes.speaker, "user-9999")


async def test_a_node_that_came_later_learns_who_is_where(
    nats_nodes: NatsNodes, open_nats: OpenNats
) -> None:
    nats_nodes.hearer.hold("h", "ann")
    await nats_nodes.met()
    later = NatsNodes(await open_nats(), nats_nodes.hearer)
    await later.met()
    assert _holds(later.speaker, "ann")
    assert not _holds(later.speaker, "bob")


async def test_a_node_that_ends_is_sent_nothing_more(
    nats_nodes: NatsNodes, open_nats: OpenNats
) -> None:
    nats_nodes.hearer.hold("h", "ann")
    await nats_nodes.met()
    ear = Ear(nats_nodes.speaker)
    await nats_nodes.hearer.close()
    await ear.becomes(lambda: not _holds(nats_nodes.speaker, "ann"), "it said farewell")


async def test_a_hole_in_the_numbers_is_trouble(nats_nodes: NatsNodes) -> None:
    ear = Ear(nats_nodes.hearer)
    nats_nodes.hearer.hold("h", "ann")
    await nats_nodes.met()
    nats_nodes.speaker.announce([said("ann", 1)])
    await ear.hears(said("ann", 1))
    assert ear.troubles == 0
    (numbers,) = [
        count for subject, count in nats_nodes.speaker._numbers.items() if subject != "all"
    ]
    next(numbers)  # one that never came
    nats_nodes.speaker.announce([said("ann", 3)])
    await ear.hears(said("ann", 3))
    await ear.becomes(lambda: ear.troubles == 1, "the hole is told")


async def test_what_is_too_large_for_the_server_is_told_as_trouble(nats_nodes: NatsNodes) -> None:
    ear = Ear(nats_nodes.hearer)
    nats_nodes.hearer.hold("h", "ann")
    await nats_nodes.met()
    nats_nodes.speaker.announce([said("ann", 1, b"x" * 2_000_000), said("ann", 2)])
    await ear.hears(said("ann", 2))
    await ear.becomes(lambda: ear.troubles == 1, "the loss is told")
    assert [one.number for one in ear.heard] == [2]


async def test_a_reader_that_is_too_slow_is_told_of_trouble(nats_nodes: NatsNodes) -> None:
    ear = Ear(nats_nodes.hearer)
    assert nats_nodes.hearer._client is not None
    for subscription in nats_nodes.hearer._client._subs.values():
        subscription._pending_bytes_limit = 1_000
    nats_nodes.speaker.announce([said(None, 1, b"x" * 100_000)])
    await ear.becomes(lambda: ear.troubles == 1, "the loss is told")
    assert ear.heard == []


async def test_a_restart_of_the_server_is_trouble_for_all_and_then_all_is_well() -> None:
    server, supervisor = NatsServer(), Supervisor()
    try:
        server.start()
        speaker = NatsFanout(server.url, supervisor, 0.2)
        hearer = NatsFanout(server.url, supervisor, 0.2)
        await speaker.start()
        await hearer.start()
        ear = Ear(hearer)
        hearer.hold("h", "ann")
        await NatsNodes(speaker, hearer).met()
        server.kill()
        await ear.becomes(lambda: not speaker._is_connected(), "the server is missed")
        for number in range(100):
            speaker.announce([said("ann", number, b"x" * 100_000)])  # it neither waits nor fails
        assert speaker._outgoing_bytes == 0
        await asyncio.to_thread(server.start)
        await ear.becomes(lambda: ear.troubles >= 1, "the hearer is told")
        await ear.becomes(speaker._is_connected, "the speaker is back")
        one = Announcement("h", "ann", 1_000, b"{}")
        speaker.announce([one])
        await ear.hears(one)
        await NatsNodes(speaker, hearer).met()
    finally:
        await supervisor.stop()
        for fanout in (speaker, hearer):
            await fanout.close()
        server.remove()


async def test_without_a_line_anybody_may_be_elsewhere_until_all_is_known_again() -> None:
    server, supervisor = NatsServer(), Supervisor()
    try:
        server.start()
        asker, holder = [NatsFanout(server.url, supervisor, 0.2) for _ in range(2)]
        await asker.start()
        await holder.start()
        ear = Ear(asker)
        holder.hold("h", "ann")
        await NatsNodes(asker, holder).met()
        assert not asker.may_be_elsewhere("h", "bob")
        server.kill()
        await ear.becomes(lambda: asker._young_until_s == math.inf, "the server is missed")
        asker._roster.forget_silent(math.inf)  # as after a long while
        assert asker.may_be_elsewhere("h", "bob")
        asker._young_until_s = 0.0  # as where the client still lets go of its line
        assert asker.may_be_elsewhere("h", "bob")
        asker._young_until_s = math.inf
        await asyncio.to_thread(server.start)
        await ear.becomes(asker._is_connected, "the asker is back")
        assert asker.may_be_elsewhere("h", "bob")
        await NatsNodes(asker, holder).met()
        assert asker.may_be_elsewhere("h", "ann")
        assert not asker.may_be_elsewhere("h", "bob")
    finally:
        await supervisor.stop()
        for fanout in (asker, holder):
            await fanout.close()
        server.remove()


async def test_a_lost_server_is_tried_for_longer_than_its_client_would_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def failed(_error: Exception) -> None:
        pass

    monkeypatch.setattr(connection, "_RETRY_S", 0.001)
    with running_nats() as server:
        client = await connection.connect(Place.of(server.url), "test", failed=failed)
        [tried] = client._server_pool
        await asyncio.to_thread(server.kill)

        async def was_tried_often() -> bool:
            return tried.reconnects > 2 * DEFAULT_MAX_RECONNECT_ATTEMPTS

        async def is_back() -> bool:
            return client.is_connected

        await until_async(was_tried_often, "it is tried on and on")
        await asyncio.to_thread(server.start)
        await until_async(is_back, "it is connected again")
        await client.close()


async def test_no_server_is_told_at_once_and_without_the_password() -> None:
    fanout = NatsFanout("nats://ann:s3cret@127.0.0.1:1,127.0.0.1:2/x", Supervisor())
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1, 127\.0\.0\.1:2") as refused:
        await fanout.start()
    assert "s3cret" not in refused.value.detail


def test_a_url_names_servers_credentials_and_deployment() -> None:
    place = Place.of("nats://ann:pass@one:1,two:2/my.shop")
    assert place.servers == ("nats://ann:pass@one:1", "nats://ann:pass@two:2")
    assert place.deployment == "my%2Eshop"
    assert Place.of("tls://one").deployment == "tocsin"


def _holds(fanout: NatsFanout, user: str) -> bool:
    return bool(list(fanout._roster.holders(mark("h", user))))
