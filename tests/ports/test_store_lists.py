"""Lists of alerts: a hub's or a producer's, newest first, page by page."""

from typing import Any

import msgspec

from tests.ports.world import World
from tocsin.ports.store import AlertListing, ListedAlert


async def listed(world: World, hub: str = "h", **listing: Any) -> list[str]:
    page = await world.store.alerts(hub, AlertListing(**listing))
    return [alert.id for alert in page.alerts]


async def test_alerts_are_listed_newest_first_page_by_page(world: World) -> None:
    ids = [await world.alert("ann", accepted_us=us) for us in (1, 3, 2, 3, 3)]
    newest = [ids[4], ids[3], ids[1], ids[2], ids[0]]
    assert await listed(world) == await listed(world, limit=5) == newest
    found: list[str] = []
    listing = AlertListing(limit=2)
    for more in (True, True, False):
        page = await world.store.alerts("h", listing)
        found += [alert.id for alert in page.alerts]
        assert (page.next is not None) == more
        listing = AlertListing(limit=2, cursor=page.next)
    assert found == newest


async def test_a_list_holds_what_the_listing_names_and_nothing_of_another_hub(
    world: World,
) -> None:
    one = await world.alert("ann", key_id="k1", category="news", accepted_us=5)
    two = await world.alert(key_id="k2", accepted_us=6)
    other = await world.alert("ann", hub="other", key_id="k1", accepted_us=7)
    named = msgspec.Raw(b'{"source":"caf\xc3\xa9","title":"t"}')
    three = await world.alert("ann", key_id="k1", content=named, accepted_us=8)
    assert await listed(world) == [three, two, one]
    assert await listed(world, key_id="k1") == [three, one]
    assert await listed(world, key_id="k1", category="news") == [one]
    assert await listed(world, source="caf\u00e9") == [three]
    assert await listed(world, key_id="k2", source="s") == [two]
    assert await listed(world, since_us=6) == [three, two]
    assert await listed(world, key_id="k1", since_us=6) == [three]
    assert await listed(world, "other") == [other]
    assert await listed(world, "nowhere") == []


async def test_a_listed_alert_tells_what_became_of_it(world: World) -> None:
    told = await world.alert("ann", "bob", accepted_us=7)
    broadcast = await world.alert(accepted_us=8)
    processed_us = world.clock.now_us()
    world.clock.turn(s=1)
    await world.store.withdraw("h", told)
    page = await world.store.alerts("h", AlertListing())
    contents = [alert.content for alert in page.alerts]
    assert page.alerts == (
        ListedAlert(broadcast, 8, None, processed_us, None, None, None, contents[0]),
        ListedAlert(told, 7, None, processed_us, world.clock.now_us(), None, 2, contents[1]),
    )
    assert all(bytes(content).startswith(b'{"source":"s"') for content in contents)
