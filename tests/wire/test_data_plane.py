"""The REST data plane of a whole node over real sockets: what is sent arrives, and refusals look like Azure's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.unit.test_realtime_everywhere import Line
from tests.wire.data_plane import VERSION, Plane, data_plane, receive
from tocsin.api.webpubsub.answers import API_VERSIONS

TEXT = {"content-type": "text/plain"}


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with data_plane(tmp_path) as plane:
        yield plane


async def test_messages_reach_user_group_connection_and_all(plane: Plane) -> None:
    async with plane.client("u/1 é") as (socket, name):
        join = await plane.ask("PUT", f"/groups/g%20one/connections/{name}?{VERSION}")
        assert join.status_code == 200
        for path, body, headers, message in (
            (f"/users/u%2F1%20%C3%A9/:send?{VERSION}", '{ "a":1 }', {}, {"from": "server"}),
            ("/groups/g%20one/:send", "hi", TEXT, {"from": "group", "group": "g one"}),
            (f"/connections/{name}/:send", "hi", TEXT, {"from": "server"}),
            (
                "/:send?messageTtlSeconds=30",
                b"\x01",
                {"content-type": "application/octet-stream"},
                {"from": "server"},
            ),
        ):
            answer = await plane.ask("POST", path, body, headers)
            assert (answer.status_code, answer.content) == (202, b"")
            assert "2024-12-01" in answer.headers["api-supported-versions"]
            told = await receive(socket)
            assert message.items() <= told.items()
            assert told["data"] in ({"a": 1}, "hi", "AQ==")


async def test_every_version_of_the_interface_is_taken(plane: Plane) -> None:
    async with plane.client("ada") as (socket, _):
        for version in API_VERSIONS:
            path = f"/users/ada/:send?api-version={version}"
            answer = await plane.ask("POST", path, f'"{version}"')
            assert (answer.status_code, version) == (202, version)
            assert answer.headers["api-supported-versions"] == (
                "2021-10-01, 2022-11-01, 2023-07-01, 2024-01-01, 2024-12-01"
            )
            assert (await receive(socket))["data"] == version


async def test_json_keeps_every_byte_on_its_way(plane: Plane) -> None:
    async with plane.client("ada") as (ada, _):
        await plane.ask("POST", "/users/ada/:send", '{"a" : 1e0,\t"a": "\\u00e9\u00e9"}')
        async with asyncio.timeout(30):
            frame = await ada.recv()
        assert '"data":{"a" : 1e0,\t"a": "\\u00e9\u00e9"}' in str(frame)


async def test_filter_excluded_and_metadata_decide_who_gets_what(plane: Plane) -> None:
    async with plane.client("ada") as (ada, _), plane.client("ben") as (ben, bens):
        await plane.ask("POST", "/:send?filter=userId%20eq%20%27ada%27", "1")
        await plane.ask("POST", f"/:send?excluded={bens}&excluded=x", "2")
        await plane.ask("POST", "/:send", "3", {"X-WebPubSub-Metadata-Trace": "t"})
        assert [(await receive(ada))["data"] for _ in range(3)] == [1, 2, 3]
        told = await receive(ben)
        assert (told["data"], told["metadata"]) == (3, {"trace": "t"})
        for path in ("/users/ben", "/groups/g"):
            await plane.ask("POST", "/:addToGroups", {"groups": ["g"]})
            not_ben = f"{path}/:send?filter=connectionId%20ne%20%27{bens}%27"
            await plane.ask("POST", not_ben, '"not to ben"')
            if path == "/groups/g":
                await plane.ask("POST", f"{path}/:send?excluded={bens}", '"nor this"')
            await plane.ask("POST", f"{path}/:send", '"to ben"')
            assert (await receive(ben))["data"] == "to ben"


async def test_a_repeat_is_sent_once_and_answered_alike(plane: Plane) -> None:
    async with plane.client("ada") as (socket, _):
        again = {"x-ms-client-request-id": "r1"}
        for body in ("1", "1", "2"):
            assert (await plane.ask("POST", "/:send", body, again)).status_code == 202
        key = {"idempotency-key": "k1"}
        for body, status in (("3", 202), ("3", 202), ("4", 409)):
            assert (await plane.ask("POST", "/:send", body, key)).status_code == status
        await plane.ask("POST", "/:send", "5")
        assert [(await receive(socket))["data"] for _ in range(4)] == [1, 2, 3, 5]


async def test_a_repeat_of_what_is_no_send_is_not_done_again_either(plane: Plane) -> None:
    again, join = {"x-ms-client-request-id": "r2"}, {"groups": ["g"]}
    async with plane.client("ada") as (socket, name):
        assert (await plane.ask("POST", "/:addToGroups", join, again)).status_code == 200
        assert (await plane.ask("DELETE", f"/connections/{name}/groups")).status_code == 204
        assert (await plane.ask("POST", "/:addToGroups", join, again)).status_code == 200
        assert (await plane.ask("HEAD", "/groups/g")).status_code == 404
        assert (await plane.ask("POST", "/:closeConnections", "", again)).status_code == 204
        assert (await receive(socket))["event"] == "disconnected"
    async with plane.client("ada") as (socket, _):
        assert (await plane.ask("POST", "/:closeConnections", "", again)).status_code == 204
        await socket.send('{"type":"ping"}')
        assert await receive(socket) == {"type": "pong"}


async def test_what_the_other_gateways_could_not_be_told_is_no_repeat(plane: Plane) -> None:
    line = Line()
    line.others, line.cut = [Line()], True
    everywhere = plane.served.node.gateway.everywhere
    everywhere._peers, alone = line, everywhere._peers
    async with plane.client("ada") as (socket, _):
        again = {"x-ms-client-request-id": "r1"}
        refused = await plane.ask("POST", "/:send", "1", again)
        assert (refused.status_code, refused.json()["code"]) == (503, "Error.ServiceUnavailable")
        everywhere._peers = alone
        assert (await plane.ask("POST", "/:send", "1", again)).status_code == 202
        await plane.ask("POST", "/:send", "2")
        assert [(await receive(socket))["data"] for _ in range(2)] == [1, 2]


async def test_groups_are_changed_asked_for_and_left(plane: Plane) -> None:
    async with plane.client("ada") as (_, name):
        both = {"groups": ["g1", "g2"], "filter": "userId eq 'ada'"}
        steps = (
            ("POST", "/:addToGroups", both, 200),
            ("HEAD", "/groups/g1", None, 200),
            ("POST", "/:removeFromGroups", {"groups": ["g1"]}, 200),
            ("HEAD", "/groups/g1", None, 404),
            ("PUT", "/users/ada/groups/g3", None, 200),
            ("DELETE", "/users/ada/groups/g3", None, 204),
            ("HEAD", "/groups/g3", None, 404),
            ("DELETE", f"/connections/{name}/groups", None, 204),
            ("HEAD", "/groups/g2", None, 404),
            ("PUT", f"/groups/g2/connections/{name}", None, 200),
            ("DELETE", f"/groups/g2/connections/{name}", None, 204),
            ("PUT", "/users/ada/groups/g4", None, 200),
            ("DELETE", "/users/ada/groups", None, 204),
            ("HEAD", "/groups/g4", None, 404),
            ("HEAD", "/users/ada", None, 200),
            ("HEAD", f"/connections/{name}", None, 200),
        )
        for method, path, body, status in steps:
            assert (await plane.ask(method, path, body)).status_code == status, (method, path)


async def test_a_permission_is_granted_checked_used_and_revoked(plane: Plane) -> None:
    async with plane.client("ada") as (socket, name):
        path = f"/permissions/joinLeaveGroup/connections/{name}"
        assert (await plane.ask("HEAD", f"{path}?targetName=g")).status_code == 404
        assert (await plane.ask("PUT", f"{path}?targetName=g")).status_code == 200
        assert (await plane.ask("HEAD", f"{path}?targetName=g")).status_code == 200
        await socket.send('{"type":"joinGroup","group":"g","ackId":1}')
        assert (await receive(socket))["success"]
        assert (await plane.ask("DELETE", f"{path}?targetName=g")).status_code == 204
        assert (await plane.ask("HEAD", f"{path}?targetName=g")).status_code == 404
        missing = await plane.ask("DELETE", path)
        assert (missing.status_code, missing.json()["target"]) == (400, "targetName")


async def test_connections_are_closed_with_a_reason(plane: Plane) -> None:
    for method, path in (
        ("DELETE", "/connections/{}?reason=drill"),
        ("POST", "/:closeConnections?reason=drill&excluded=x"),
        ("POST", "/users/ada/:closeConnections?reason=drill"),
        ("POST", "/groups/g/:closeConnections?reason=drill"),
    ):
        async with plane.client("ada") as (socket, name):
            await plane.ask("PUT", f"/groups/g/connections/{name}")
            answer = await plane.ask(method, path.format(name))
            assert answer.status_code == 204
            told = await receive(socket)
            assert told["message"].endswith("Reason: drill")
            with pytest.raises(ConnectionClosed) as closed:
                await receive(socket)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1000


async def test_who_is_excluded_stays_when_the_others_are_closed(plane: Plane) -> None:
    for path in ("", "/groups/g", "/users/ada"):
        async with plane.client("ada") as (closed, _), plane.client("ada") as (spared, name):
            await plane.ask("POST", "/:addToGroups", {"groups": ["g"]})
            answer = await plane.ask("POST", f"{path}/:closeConnections?excluded=x&excluded={name}")
            assert answer.status_code == 204, path
            assert (await receive(closed))["event"] == "disconnected"
            await spared.send('{"type":"ping"}')
            assert await receive(spared) == {"type": "pong"}, path


async def test_who_is_online_comes_in_pages(plane: Plane) -> None:
    async with plane.client("ada") as (_, one), plane.client("ben") as (_, two):
        await plane.ask("POST", "/:addToGroups", {"groups": ["g"]})
        for path in ("/connections", "/groups/g/connections"):
            found, pages = [], 0
            link: str | None = f"{path}?maxpagesize=1&{VERSION}"
            while link is not None:
                page = (await plane.ask("GET", link)).json()
                found += [entry["connectionId"] for entry in page["value"]]
                link, pages = page["nextLink"], pages + 1
                if link is not None:
                    assert link.startswith(f"{plane.base}/api/hubs/Chat{path}?")
                    assert VERSION in link
                    link = link.removeprefix(f"{plane.base}/api/hubs/Chat")
            assert (found, pages) == (sorted([one, two]), 2)
        capped = (await plane.ask("GET", "/groups/g/connections?top=1")).json()
        assert (len(capped["value"]), capped["nextLink"]) == (1, None)
        for path in ("/users", "/groups/g/users"):
            users = (await plane.ask("GET", path)).json()["value"]
            assert users == [
                {"userId": "ada", "connections": 1},
                {"userId": "ben", "connections": 1},
            ]
        assert (await plane.ask("GET", "/groups/nobody/connections")).json()["value"] == []
        assert (await plane.ask("GET", "/users?continuationToken=!")).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("HEAD", "/connections/c9", 404, "Warning.Connection.NotExisted"),
        ("HEAD", "/users/u9", 404, "Warning.User.NotExisted"),
        ("HEAD", "/groups/g9", 404, "Warning.Group.NotExisted"),
        ("PUT", "/groups/g/connections/c9", 404, "Error.Connection.NotExisted"),
        ("PUT", "/users/u9/groups/g", 404, "Warning.User.NotExisted"),
        (
            "PUT",
            "/permissions/sendToGroup/connections/c9?targetName=g",
            404,
            "Info.Connection.NotExisted",
        ),
        ("HEAD", "/groups/%20", 400, "Error.BadRequest"),
        ("POST", "/:send?filter=invalid%20filter", 400, "Error.BadRequest"),
        ("POST", "/:send?messageTtlSeconds=301", 400, "Error.BadRequest"),
        ("POST", "/:send?api-version=1999-01-01", 400, "Error.BadRequest"),
        ("POST", f"/:send?{VERSION}&{VERSION}", 400, "Error.BadRequest"),
        ("POST", "/:send", 400, "Error.BadRequest"),
        ("POST", "/:generateToken?minutesToExpire=0", 400, "Error.BadRequest"),
        ("PATCH", "/:send", 405, "Error.MethodNotAllowed"),
        ("POST", "/:shout", 404, "Error.NotFound"),
        ("HEAD", "/no/such/thing", 404, "Error.NotFound"),
    ],
)
async def test_refusals_are_azures(
    plane: Plane, method: str, path: str, status: int, code: str
) -> None:
    answer = await plane.ask(method, path)
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (status, code)
    if method != "HEAD":
        assert answer.json()["code"] == code


async def test_what_is_not_there_is_no_fault_where_nothing_is_to_be_done(plane: Plane) -> None:
    for method, path, status in (
        ("POST", "/connections/c9/:send", 202),
        ("POST", "/users/u9/:send", 202),
        ("POST", "/groups/g9/:send", 202),
        ("DELETE", "/connections/c9", 204),
        ("DELETE", "/connections/c9/groups", 204),
        ("DELETE", "/groups/g/connections/c9", 204),
        ("DELETE", "/users/u9/groups/g", 204),
        ("DELETE", "/users/u9/groups", 204),
        ("POST", "/users/u9/:closeConnections", 204),
        ("DELETE", "/permissions/sendToGroup/connections/c9?targetName=g", 204),
    ):
        assert (await plane.ask(method, path, "1")).status_code == status, (method, path)


async def test_bodies_that_cannot_be_sent_are_refused(plane: Plane) -> None:
    for body, kind, status in (
        ("{", "application/json", 400),
        (b"\xff", "text/plain", 400),
        ("x", "application/xml", 415),
        ("x" * (2**20 + 1), "text/plain", 413),
    ):
        answer = await plane.ask("POST", "/:send", body, {"content-type": kind})
        assert answer.status_code == status


async def test_a_token_may_name_its_url_in_the_forms_that_sdks_sign(plane: Plane) -> None:
    path = f"/users/u%2F1%20%C3%A9/:send?{VERSION}"
    whole = f"{plane.base}/api/hubs/Chat{path}"
    port = plane.base.rpartition(":")[2]
    for audience in (
        whole,
        whole.partition("?")[0],
        [whole],
        f"https://LocalHost:{port}/API/hubs/chat/users/u/1 é/:send/",
    ):
        answer = await plane.ask("POST", path, "1", aud=audience)
        assert answer.status_code == 202, audience
    assert (await plane.ask("POST", path, "1", key=plane.keys[1])).status_code == 202


async def test_other_tokens_and_keys_open_nothing(plane: Plane) -> None:
    for claims in (
        {"aud": f"{plane.base}/api/hubs/Chat/:closeConnections"},
        {"aud": f"{plane.base}/api/hubs/Chat/:send?excluded=x"},
        {"aud": "http://elsewhere.example/api/hubs/Chat/:send"},
        {"exp": 1},
        {"key": b"k" * 64},
    ):
        answer = await plane.ask("POST", "/:send", "1", **claims)
        assert (answer.status_code, answer.content) == (401, b""), claims
        assert answer.headers["www-authenticate"].startswith("Bearer error=")
    other = await plane.ask("POST", "/:send", "1", plane.served.key)
    assert other.status_code == 403
    own, _ = await plane.served.node.keyring.create("chat", "server", "backend")
    mine = await plane.ask("POST", "/:send", "1", {"authorization": f"Bearer {own}"})
    assert mine.status_code == 202


async def test_a_wrong_method_is_told_the_right_ones(plane: Plane) -> None:
    answer = await plane.served.http.delete("/api/health")
    assert (answer.status_code, answer.headers["allow"]) == (405, "HEAD")
    assert set(answer.json()) == {"code", "message", "target", "details", "innererror"}


async def test_outside_the_data_plane_refusals_are_problems(plane: Plane) -> None:
    answer = await plane.served.http.get("/apiary")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_health_is_answered_to_everybody(plane: Plane) -> None:
    assert (await plane.served.http.head("/api/health")).status_code == 200
