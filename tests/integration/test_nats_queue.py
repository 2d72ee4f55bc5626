"""The queue on a real JetStream: what is accepted is safe, what is unknown is told so, and what is unsafe is refused."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.js.api import StreamConfig

from tests.acceptance.deadlines import until_async
from tests.ports.conftest import clock
from tests.ports.nats_cluster import patient_line
from tests.ports.nats_fanouts import nats
from tests.ports.nats_queues import PatientQueue, folder, open_nats_queue
from tests.ports.nats_server import NatsServer, running_nats
from tests.ports.opener import OpenStore
from tests.ports.test_queue import keyed, leased
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World, envelope
from tocsin.adapters.nats import line, vitals
from tocsin.adapters.nats.connection import Place, connect
from tocsin.adapters.nats.line import Line, Terms
from tocsin.adapters.nats.queue import NatsQueue
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.errors import ConfigError, UnavailableError
from tocsin.model.alert import Envelope
from tocsin.ports.limits import StoreLimits
from tocsin.ports.queue import Published

__all__ = ["clock", "folder", "nats", "open_nats_queue"]

KEPT = Terms(1_000, 100_000)


@pytest.fixture
async def world(open_nats_queue: OpenStore) -> World:
    return await open_nats_queue()


@pytest.fixture
def own_nats() -> Iterator[NatsServer]:
    """A server that a test may kill."""
    with running_nats() as server:
        yield server


@asynccontextmanager
async def queue_on(server: NatsServer, folder: Path) -> AsyncIterator[World]:
    """Open a queue that keeps its place over restarts of server and store."""
    clock = TurnedClock()
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    store = await SqliteStore.open(folder, clock, StoreLimits(low_water_bytes=0))
    own = store.queue
    terms = Terms(100_000, 100_000, monitors=(server.monitor,))
    try:
        async with patient_line(server.url, terms) as line:
            queue = vars(store)["queue"] = PatientQueue(line, own, store.handover, clock)
            yield World(store, clock)
            await queue.close()
            vars(store)["queue"] = own
    finally:
        await store.close()


def outcomes(told: Sequence[Published]) -> list[str]:
    return [one.outcome for one in told]


async def all_leased(world: World) -> list[Envelope]:
    """Lease until nothing is left."""
    found: list[Envelope] = []
    while rows := await leased(world):
        found += [row.envelope for row in rows]
        await world.store.queue.ack([row.receipt for row in rows])
    return found


async def test_many_at_once_come_in_batches_and_in_order(world: World) -> None:
    told = [envelope("ann") for _ in range(1_300)]
    assert set(outcomes(await world.store.queue.publish(told))) == {"accepted"}
    assert (await world.store.queue.depth()).waiting == 1_300
    assert await all_leased(world) == told


async def test_a_repeat_among_many_is_found_and_the_others_are_accepted(world: World) -> None:
    first = keyed(0)
    await world.store.queue.publish([first])
    told = await world.store.queue.publish([keyed(number) for number in range(40)])
    assert outcomes(told) == ["duplicate", *["accepted"] * 39]
    assert told[0].id == first.id
    assert len(await all_leased(world)) == 40


async def test_many_over_the_bound_are_refused_one_by_one(open_nats_queue: OpenStore) -> None:
    world = await open_nats_queue(queue_rows=10)
    told = await world.store.queue.publish([envelope("ann") for _ in range(25)])
    assert sorted(outcomes(told)) == ["accepted"] * 10 + ["full"] * 15
    accepted = {one.id for one in told if one.outcome == "accepted"}
    assert {one.id for one in await all_leased(world)} == accepted


async def test_an_alert_can_be_asked_for_while_it_is_in_the_stream(world: World) -> None:
    told = envelope("ann")
    await world.store.queue.publish([told])
    assert await world.store.alert("h", told.id) is None
    assert await world.store.queue.bring(told.id)
    status = await world.store.alert("h", told.id)
    assert status is not None
    assert status.state == "accepted"
    assert await all_leased(world) == [told]
    assert not await world.store.queue.bring(told.id)


async def test_alerts_for_later_and_kept_ids_wait_in_the_store(world: World) -> None:
    later = envelope("ann", deliver_us=world.clock.now_us() + 5_000_000)
    kept = keyed(1, keeps_id=True)
    now = envelope("ann")
    told = await world.store.queue.publish([later, kept, now])
    assert outcomes(told) == ["accepted"] * 3
    assert (await world.store.queue.depth()).scheduled == 1
    assert sorted(one.id for one in await all_leased(world)) == sorted([kept.id, now.id])
    world.clock.turn(s=5)
    assert await all_leased(world) == [later]


async def test_a_message_that_nobody_can_read_stays_and_holds_up_nobody(
    world: World, nats: NatsServer
) -> None:
    told = [envelope("ann"), envelope("ann")]
    queue = world.store.queue
    assert isinstance(queue, NatsQueue)
    await queue.publish(told[:1])
    client = queue._line._client
    await client.request(queue._line.stream.subject("foreign"), b"not ours", timeout=5)
    await queue.publish(told[1:])
    assert await all_leased(world) == told
    assert (await queue.depth()).waiting == 1


async def test_what_the_store_could_not_take_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = envelope("ann")
    await world.store.queue.publish([told])

    async def away(_envelopes: object) -> None:
        raise UnavailableError("the store is away")

    with monkeypatch.context() as broken:
        broken.setattr(world.store.handover, "take_over", away)
        with pytest.raises(UnavailableError):
            await leased(world)

    async def again() -> list[Envelope]:
        return await all_leased(world)

    assert await until_async(again, "it comes again") == [told]


async def test_what_was_accepted_survives_a_kill_of_the_server_and_comes_once(
    own_nats: NatsServer, tmp_path: Path
) -> None:
    async with queue_on(own_nats, tmp_path / "store") as world:
        accepted: set[str] = set()
        unknown: set[str] = set()
        refused: set[str] = set()

        async def publish(number: int) -> None:
            told = [envelope("ann") for _ in range(1 + number % 12)]
            ids = {one.id for one in told}
            try:
                answers = await world.store.queue.publish(told)
            except UnavailableError:
                refused.update(ids)
                return
            accepted.update(one.id for one in answers if one.outcome == "accepted")
            unknown.update(one.id for one in answers if one.outcome == "unknown")

        async with asyncio.TaskGroup() as group:
            for number in range(200):
                group.create_task(publish(number))
                await asyncio.sleep(0)
                if number == 100:
                    await own_nats.restart()

        async def answers() -> bool:
            try:
                await world.store.queue.check_writable()
            except UnavailableError:
                return False
            return True

        await until_async(answers, "the queue is back", 60)
        again = envelope("ann")
        assert outcomes(await world.store.queue.publish([again])) == ["accepted"]
        found: list[str] = []

        async def is_complete() -> bool:
            found.extend(one.id for one in await all_leased(world))
            return accepted | {again.id} <= set(found)

        await until_async(is_complete, "everything accepted is there", 60)
        assert len(found) == len(set(found))
        assert not set(found) & refused
        assert set(found) <= accepted | unknown | {again.id}


async def test_a_repeat_after_a_restart_of_the_server_is_known_by_the_store(
    own_nats: NatsServer, tmp_path: Path
) -> None:
    first = keyed(1)
    async with queue_on(own_nats, tmp_path / "store") as world:
        await world.store.queue.publish([first])
        assert await all_leased(world) == [first]
    await own_nats.restart()
    async with queue_on(own_nats, tmp_path / "store") as world:
        told = await world.store.queue.publish([keyed(1), keyed(1, b"other")])
        assert told == [Published("duplicate", first.id), Published("conflict", first.id)]


async def test_while_the_store_is_away_what_is_late_is_known_by_the_stream_or_unknown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keyed(1, expires_us=9, accepted_us=8)
    await world.store.queue.publish([first])
    again, other, new = (
        keyed(1, expires_us=9, accepted_us=9),
        keyed(1, b"other", expires_us=9, accepted_us=9),
        keyed(2, expires_us=9, accepted_us=9),
    )

    async def away(_envelopes: object) -> None:
        raise UnavailableError("the store is away")

    with monkeypatch.context() as broken:
        broken.setattr(world.store.handover, "standing", away)
        told = await world.store.queue.publish([again, other, new])
    assert told == [
        Published("duplicate", first.id),
        Published("conflict", first.id),
        Published("unknown", new.id),
    ]
    assert await world.store.queue.publish([new]) == [Published("expired", new.id)]
    assert await all_leased(world) == [first]


async def test_many_that_are_late_are_asked_for_and_none_is_stored(world: World) -> None:
    known = [keyed(number, expires_us=9, accepted_us=8) for number in range(300)]
    await world.store.queue.publish(known)
    late = [keyed(number, expires_us=9, accepted_us=9) for number in range(600)]
    told = await world.store.queue.publish(late)
    assert outcomes(told) == ["duplicate"] * 300 + ["expired"] * 300
    assert [one.id for one in told[:300]] == [one.id for one in known]
    assert await all_leased(world) == known


async def test_while_the_server_is_away_publishing_is_refused_and_it_heals_by_itself(
    own_nats: NatsServer, tmp_path: Path
) -> None:
    async with queue_on(own_nats, tmp_path / "store") as world:
        own_nats.kill()

        async def is_refused() -> bool:
            try:
                await world.store.queue.publish([envelope("ann")])
            except UnavailableError:
                return True
            return False

        await until_async(is_refused, "it is known to be away", 60)
        with pytest.raises(UnavailableError, match="NATS is away"):
            await world.store.queue.check_writable()
        assert await leased(world) == []
        assert (await world.store.queue.depth()).waiting == 0
        await asyncio.to_thread(own_nats.start)

        async def is_accepted() -> bool:
            return not await is_refused()

        await until_async(is_accepted, "it heals", 60)


async def test_a_server_that_answers_before_the_disk_has_it_is_refused_or_warned_of() -> None:
    server = NatsServer(sync="10s")
    try:
        server.start()
        terms = Terms(1_000, 100_000, monitors=(server.monitor,))
        with pytest.raises(ConfigError, match="sync_interval to always"):
            async with Line.opened(server.url, terms):
                pass
        async with Line.opened(
            server.url, Terms(1_000, 100_000, monitors=(server.monitor,), may_lose=True)
        ) as line:
            await line.check()
    finally:
        server.remove()


async def test_a_server_that_is_too_old_is_refused(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vitals.OLDEST == (2, 15)
    monkeypatch.setattr(line, "OLDEST", (99, 1))
    with pytest.raises(
        ConfigError, match=r"nats-server is 2\.\d+\.\d+, and has to be 99\.1 or newer"
    ):
        async with Line.opened(nats.url, Terms(1_000, 100_000, monitors=(nats.monitor,))):
            pass


async def test_servers_that_nobody_can_ask_are_refused(nats: NatsServer) -> None:
    with pytest.raises(ConfigError, match="queue_monitors names 0 of 1"):
        async with Line.opened(f"{nats.url}/unasked", KEPT):
            pass
    silent = Terms(1_000, 100_000, monitors=("http://127.0.0.1:1",))
    with pytest.raises(ConfigError, match="gave no answer"):
        async with Line.opened(f"{nats.url}/unasked", silent):
            pass


async def test_alerts_larger_than_the_servers_take_are_refused_at_the_start(
    nats: NatsServer,
) -> None:
    with pytest.raises(ConfigError, match="raise max_payload"):
        async with Line.opened(nats.url, Terms(1_000, 2_000_000, monitors=(nats.monitor,))):
            pass


async def test_a_stream_that_was_made_otherwise_is_refused(nats: NatsServer) -> None:
    async def failed(error: Exception) -> None:
        raise error

    client = await connect(Place.of(nats.url), "test", failed=failed)
    config = StreamConfig(name="other-queue", subjects=["other.queue.*"], max_age=60)
    await client.jetstream().add_stream(config)
    await client.close()
    with pytest.raises(ConfigError, match="retention is limits, and has to be workqueue"):
        async with Line.opened(f"{nats.url}/other", Terms(1, 1_000, monitors=(nats.monitor,))):
            pass


async def test_a_stream_that_would_take_what_it_is_only_asked_for_is_refused(
    nats: NatsServer,
) -> None:
    terms = Terms(5, 1_000, monitors=(nats.monitor,))
    async with Line.opened(f"{nats.url}/rollups", terms) as line:
        config = (await line._jetstream.stream_info(line.stream.name)).config
    config.name, config.subjects = "rolled-queue", ["rolled.queue.*"]
    config.deny_purge, config.allow_rollup_hdrs = False, True

    async def failed(error: Exception) -> None:
        raise error

    client = await connect(Place.of(nats.url), "test", failed=failed)
    await client.jetstream().add_stream(config)
    await client.close()
    with pytest.raises(ConfigError, match="allow_rollup_hdrs is True, and has to be None"):
        async with Line.opened(f"{nats.url}/rolled", terms):
            pass


async def test_other_bounds_are_taken_on_by_a_stream_that_is_there(nats: NatsServer) -> None:
    for messages in (5, 7):
        terms = Terms(messages, 1_000, monitors=(nats.monitor,))
        async with Line.opened(f"{nats.url}/bounds", terms) as line:
            info = await line._jetstream.stream_info(line.stream.name)
            assert info.config.max_msgs == messages
