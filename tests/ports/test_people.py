"""What is decided about people: which tokens are void."""

from tests.ports.world import World


async def test_nothing_is_revoked_until_somebody_does(world: World) -> None:
    assert await world.store.people.valid_from_us("p") == -1


async def test_revoking_holds_from_the_time_it_was_done(world: World) -> None:
    assert await world.store.people.revoke_tokens("p", 7) == 7
    assert await world.store.people.valid_from_us("p") == 7
    assert await world.store.people.valid_from_us("q") == -1


async def test_all_who_were_revoked_are_told_unless_they_are_too_many(world: World) -> None:
    people = world.store.people
    assert await people.revoked(0) == {}
    await people.revoke_tokens("p", 7)
    await people.revoke_tokens("q", 8)
    assert await people.revoked(2) == {"p": 7, "q": 8}
    assert await people.revoked(1) is None


async def test_revoking_again_voids_what_was_issued_since_even_if_the_clock_was_set_back(
    world: World,
) -> None:
    await world.store.people.revoke_tokens("p", 7)
    assert await world.store.people.revoke_tokens("p", 3) == 8
    assert await world.store.people.revoke_tokens("p", 20) == 20
    assert await world.store.people.valid_from_us("p") == 20
