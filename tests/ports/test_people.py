"""What is decided about people: which tokens are void."""

from tests.ports.world import World


async def test_nothing_is_revoked_until_somebody_does(world: World) -> None:
    assert await world.store.people.valid_from_us("p") == -1


async def test_revoking_holds_from_the_time_it_was_done(world: World) -> None:
    assert await world.store.people.revoke_tokens("p", 7) == 7
    assert await world.store.people.valid_from_us("p") == 7
    assert await world.store.people.valid_from_us("q") == -1


async def test_revoking_again_voids_what_was_issued_since_even_if_the_clock_was_set_back(
    world: World,
) -> None:
    await world.store.people.revoke_tokens("p", 7)
    assert await world.store.people.revoke_tokens("p", 3) == 8
    assert await world.store.people.revoke_tokens("p", 20) == 20
    assert await world.store.people.valid_from_us("p") == 20
