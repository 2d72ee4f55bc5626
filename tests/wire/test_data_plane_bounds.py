"""What the REST data plane bounds: how long a message waits, and how much a connection may have."""

from pathlib import Path

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.wire.data_plane import Plane, data_plane, receive
from tests.wire.gateway_fixture import eventually
from tocsin.realtime.rights import MAX_LITERALS

RELIABLE = [Subprotocol("json.reliable.webpubsub.azure.v1")]


async def test_a_message_whose_time_is_over_is_not_delivered_to_who_comes_back(
    tmp_path: Path,
) -> None:
    async with data_plane(tmp_path) as plane:
        gateway = plane.served.node.gateway
        async with connect(await plane.url("ada"), subprotocols=RELIABLE, proxy=None) as socket:
            hello = await receive(socket)
            socket.transport.abort()
        await eventually(lambda: gateway.stats().detached == 1)
        for number, query in enumerate(("?messageTtlSeconds=1", "?messageTtlSeconds=300", "")):
            answer = await plane.ask("POST", f"/users/ada/:send{query}", str(number))
            assert answer.status_code == 202
        over_s = gateway.now_s() + 1
        await eventually(lambda: gateway.now_s() > over_s)
        back = plane.url_with("")  # nobody looks at the token of who was here
        back += f"&awps_connection_id={hello['connectionId']}"
        back += f"&awps_reconnection_token={hello['reconnectionToken']}"
        async with connect(back, subprotocols=RELIABLE, proxy=None) as socket:
            replayed = [await receive(socket), await receive(socket)]
    assert [(message["data"], message["sequenceId"]) for message in replayed] == [(1, 2), (2, 3)]


async def test_one_group_too_many_is_a_conflict(tmp_path: Path) -> None:
    async with (
        data_plane(tmp_path, limits={"groups_per_connection": 1}) as plane,
        plane.client("ada") as (_, name),
    ):
        for _ in range(2):  # the second time it is in it already
            joined = await plane.ask("PUT", f"/groups/g1/connections/{name}")
            assert joined.status_code == 200
        for path in (f"/groups/g2/connections/{name}", "/users/ada/groups/g2"):
            await see_conflict(plane, path)
        assert (await plane.ask("HEAD", "/groups/g2")).status_code == 404


async def test_one_permission_too_many_is_a_conflict(tmp_path: Path) -> None:
    roles = [f"webpubsub.sendToGroup.{number}" for number in range(MAX_LITERALS)]
    async with data_plane(tmp_path) as plane:
        token = plane.sign(plane.clients, sub="ada", role=roles)
        async with connect(plane.url_with(token), subprotocols=RELIABLE, proxy=None) as socket:
            name = (await receive(socket))["connectionId"]
            sending = f"/permissions/sendToGroup/connections/{name}?targetName="
            joining = f"/permissions/joinLeaveGroup/connections/{name}?targetName="
            await see_conflict(plane, f"{sending}new")
            for method, path, status in (
                ("HEAD", f"{sending}new", 404),
                ("PUT", f"{sending}0", 200),  # it has that one
                ("PUT", f"{joining}new", 200),  # and none of this kind
                ("DELETE", f"{sending}0", 204),
                ("PUT", f"{sending}new", 200),
            ):
                assert (await plane.ask(method, path)).status_code == status, (method, path)


async def see_conflict(plane: Plane, path: str) -> None:
    """See a PUT refused as the service refuses what a connection has too much of."""
    refused = await plane.ask("PUT", path)
    assert refused.status_code == 409, path
    assert refused.headers["x-ms-error-code"] == "Error.Connection.Conflict"
    assert refused.json()["target"] == "Connection"
