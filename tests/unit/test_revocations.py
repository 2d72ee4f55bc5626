"""Revocation: the cache, the boundary, and the refusal."""

import asyncio

import pytest

from tests.unit.api_server import Server
from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.editions import MemoryEditions
from tocsin.adapters.memory.people import MemoryPeople
from tocsin.api.seal import Seal
from tocsin.clock import US_PER_S
from tocsin.errors import UnauthenticatedError
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.revocations import Revocations
from tocsin.realtime.tokens import sign_token
from tocsin.testing import ManualClock

KEYS = (b"p" * 32, b"s" * 32)
HOST = "http://127.0.0.1:8080"


class CountedPeople(MemoryPeople):
    """Counts how often it is read, and lets a test hold an answer back."""

    def __init__(self) -> None:
        super().__init__(MemoryDeeds(), MemoryEditions())
        self.reads = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def valid_from_us(self, pseudonym: str) -> int:
        self.reads += 1
        found = await super().valid_from_us(pseudonym)
        await self.may_answer.wait()
        return found


def revocations(people: MemoryPeople, clock: ManualClock, kept: int = 9) -> Revocations:
    return Revocations(people, lambda hub, user: f"{hub}/{user}", clock, kept)


async def test_a_user_is_looked_up_once() -> None:
    people = CountedPeople()
    known = revocations(people, ManualClock())
    assert [await known.valid_from_us("h", "ada") for _ in range(3)] == [-1, -1, -1]
    assert people.reads == 1


async def test_what_is_remembered_has_a_bound() -> None:
    people = CountedPeople()
    known = revocations(people, ManualClock(), kept=2)
    for user in ("ada", "ben", "cleo", "ben", "ada"):
        await known.valid_from_us("h", user)
    assert people.reads == 4
    assert len(known._known) == 2


async def test_who_is_not_among_all_that_were_revoked_was_not_and_nobody_asks_the_store() -> None:
    people = CountedPeople()
    await people.revoke_tokens("h/ada", 7)
    known = revocations(people, ManualClock())
    await known.load()
    revoked_us = await known.revoke("h", "cleo")
    users = ("ada", "ben", "cleo")
    assert [await known.valid_from_us("h", user) for user in users] == [7, -1, revoked_us]
    assert people.reads == 0


async def test_where_more_were_revoked_than_are_kept_the_store_is_asked() -> None:
    people = CountedPeople()
    for user in ("ada", "ben", "cleo"):
        await people.revoke_tokens(f"h/{user}", 7)
    known = revocations(people, ManualClock(), kept=2)
    await known.load()
    assert [await known.valid_from_us("h", user) for user in ("ada", "dora", "ada")] == [7, -1, 7]
    assert people.reads == 2


async def test_one_revocation_too_many_is_not_forgotten() -> None:
    people = CountedPeople()
    known = revocations(people, ManualClock(), kept=2)
    await known.load()
    for user in ("ada", "ben", "cleo"):
        await known.revoke("h", user)
    assert all([await known.valid_from_us("h", user) > 0 for user in ("ada", "ben", "cleo")])
    assert await known.valid_from_us("h", "dora") == -1


async def test_a_look_up_that_ends_after_a_revocation_does_not_undo_it() -> None:
    people, clock = CountedPeople(), ManualClock()
    known = revocations(people, clock)
    people.may_answer.clear()
    late = asyncio.get_running_loop().create_task(known.valid_from_us("h", "ada"))
    await asyncio.sleep(0)
    revoked_us = await known.revoke("h", "ada")
    people.may_answer.set()
    assert await late == revoked_us
    assert await known.valid_from_us("h", "ada") == revoked_us


class Ring:
    """Keys, and one time from which tokens are good."""

    def __init__(self, valid_from_us: int) -> None:
        self._valid_from_us = valid_from_us

    async def access_keys(self, hub: str) -> tuple[bytes, bytes]:
        return KEYS

    async def valid_from_us(self, hub: str, user: str) -> int:
        return self._valid_from_us


def token(issued_us: int, user: str | None = "ada") -> str:
    return sign_token(KEYS, endpoint=HOST, hub="h", user=user, ttl_s=60, now_us=issued_us)[0]


async def verdict(text: str, valid_from_us: int) -> str:
    clock = ManualClock(1_795_400_001 * US_PER_S)
    try:
        await Doorkeeper(Ring(valid_from_us), [HOST], clock).admit("h", text)
    except UnauthenticatedError as error:
        return error.code
    return "good"


@pytest.mark.parametrize("micro", [0, 1, 123_456, 999_998])
async def test_the_boundary_is_exact_to_the_microsecond(micro: int) -> None:
    revoked_us = 1_795_400_000 * US_PER_S + micro
    issued = (revoked_us - 1, revoked_us, revoked_us + 1)
    verdicts = [await verdict(token(issued_us), revoked_us) for issued_us in issued]
    assert verdicts == ["token-revoked", "token-revoked", "good"]


async def test_a_token_of_nobody_is_not_revoked_with_anybody() -> None:
    assert await verdict(token(1_795_400_000 * US_PER_S, user=None), 2**52) == "good"


async def test_a_revoked_token_is_refused_and_a_new_one_of_the_same_moment_is_good(
    server: Server,
) -> None:
    old, other = await server.token("ada"), await server.token("ben")
    key = await server.key("server")
    for _ in range(2):  # the clock stands still: again within the same microsecond
        answer = await server.http.post("/v1/users/ada/revoke-tokens", headers=key)
        assert answer.status_code == 200
        refused = await server.http.get("/v1/inbox", headers=old)
        assert (refused.status_code, refused.json()["code"]) == (401, "token-revoked")
        old = await server.token("ada")
        assert (await server.http.get("/v1/inbox", headers=old)).status_code == 200
    assert (await server.http.get("/v1/inbox", headers=other)).status_code == 200


async def test_a_revocation_is_of_one_hub(server: Server) -> None:
    elsewhere = await server.token("ada", "other")
    await server.http.post("/v1/users/ada/revoke-tokens", headers=await server.key("server"))
    assert (await server.http.get("/v1/inbox", headers=elsewhere)).status_code == 200


async def test_only_server_and_admin_keys_revoke(server: Server) -> None:
    for headers in (await server.key("producer"), await server.token("ada")):
        answer = await server.http.post("/v1/users/ada/revoke-tokens", headers=headers)
        assert answer.status_code == 403


def test_pseudonyms_tell_hubs_and_users_apart_and_hold_no_name() -> None:
    seal, other = Seal(b"a" * 43 + b"="), Seal(b"b" * 43 + b"=")
    names = {
        seal.pseudonym("h", "ada"),
        seal.pseudonym("h", "ben"),
        seal.pseudonym("i", "ada"),
        seal.pseudonym("ha", "da"),
        other.pseudonym("h", "ada"),
    }
    assert len(names) == 5
    assert seal.pseudonym("h", "ada") in names
    assert not any("ada" in name for name in names)
