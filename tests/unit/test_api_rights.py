"""A hub's data is reachable only with that hub's key or token (I10)."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tests.unit.api_server import ORIGIN, Server, running
from tocsin.api.app import App
from tocsin.api.cors import Cors
from tocsin.api.http import Request
from tocsin.api.routing import Router
from tocsin.api.web_files import WebFiles
from tocsin.clock import US_PER_S, from_datetime
from tocsin.config import Hub, Limits
from tocsin.errors import UnauthenticatedError
from tocsin.ports.store import ApiKey
from tocsin.telemetry import Metrics


@pytest.mark.parametrize(
    ("path", "role", "status"),
    [
        ("/v1/alerts", "producer", 400),
        ("/v1/alerts", "server", 400),
        ("/v1/client-tokens", "producer", 403),
        ("/v1/client-tokens", "server", 400),
        ("/v1/admin/keys", "server", 403),
        ("/v1/admin/keys", "admin", 400),
    ],
)
async def test_a_role_opens_only_its_routes(
    server: Server, path: str, role: str, status: int
) -> None:
    key = await server.key(role)  # type: ignore[arg-type]  # the three roles above
    answer = await server.http.post(path, content=b"{}", headers=key)
    assert answer.status_code == status


@pytest.mark.parametrize(
    "header", [None, "Basic eDp5", "Bearer ", "Bearer tsk_producer_x_y", "Bearer a.b.c"]
)
async def test_without_a_good_key_nothing_opens(server: Server, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    answer = await server.http.get("/v1/inbox", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_revoked_key_is_refused_at_once(server: Server) -> None:
    text, key = await server.keyring.create("default", "producer", "p")
    await server.keyring.revoke(key.id)
    answer = await server.http.post(
        "/v1/alerts", json={}, headers={"authorization": f"Bearer {text}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "key-revoked")


async def test_a_token_opens_its_own_inbox_in_its_own_hub(server: Server) -> None:
    await server.publish()
    here = await server.http.get("/v1/inbox", headers=await server.token("ada"))
    elsewhere = await server.http.get("/v1/inbox", headers=await server.token("ada", "other"))
    assert len(here.json()["items"]) == 1
    assert elsewhere.json()["items"] == []


async def test_a_token_for_a_hub_that_never_was_makes_no_hub(server: Server) -> None:
    headers = await server.token("ada")
    server.keyring._access.clear()
    server.store._access_keys.clear()
    answer = await server.http.get("/v1/inbox", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token-signature")
    assert server.store._access_keys == {}


@pytest.mark.parametrize("algorithm", ["HS256", "HS512", "none"])
async def test_nobody_is_told_which_hubs_there_are(server: Server, algorithm: str) -> None:
    await server.token("ada")
    answers = []
    for hub in ("default", "nowhere"):
        claims = {"aud": f"http://127.0.0.1:8080/client/hubs/{hub}", "sub": "ada", "exp": 2**40}
        token = jwt.encode(claims, "" if algorithm == "none" else "x" * 64, algorithm=algorithm)
        headers = {"authorization": f"Bearer {token}"}
        answer = await server.http.get("/v1/inbox", headers=headers)
        answers.append((answer.status_code, answer.json()))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


async def test_an_expired_token_says_so(server: Server) -> None:
    headers = await server.token("ada")
    server.clock.advance(3_601)
    answer = await server.http.get("/v1/inbox", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token-expired")


async def test_a_token_lasts_an_hour_or_as_long_as_the_limit_allows() -> None:
    async with running(Limits(token_ttl_s=600), demo=True) as server:
        admin = await server.key("admin")
        for path, body in (
            ("/v1/client-tokens", {"user_id": "ada"}),
            ("/demo/session?user=ada", {}),
        ):
            answer = await server.http.post(path, json=body, headers=admin)
            assert answer.status_code == 200
            expires = datetime.fromisoformat(answer.json()["expires_at"])
            assert from_datetime(expires) == server.clock.now_us() + 600 * US_PER_S


async def test_a_server_key_reads_the_inbox_it_names(server: Server) -> None:
    await server.publish()
    key = await server.key("server")
    named = await server.http.get("/v1/inbox?user=ada", headers=key)
    unnamed = await server.http.get("/v1/inbox", headers=key)
    assert len(named.json()["items"]) == 1
    assert unnamed.json()["code"] == "user-missing"


async def test_a_producer_does_not_see_anothers_alerts(server: Server) -> None:
    published = await server.publish()
    path = published.headers["location"]
    stranger = await server.http.get(path, headers=await server.key())
    owner_of_hub = await server.http.get(path, headers=await server.key("server"))
    other_hub = await server.http.get(path, headers=await server.key("server", "other"))
    assert [a.status_code for a in (stranger, owner_of_hub, other_hub)] == [404, 200, 404]


async def test_an_admin_key_names_the_hub_by_header(server: Server) -> None:
    headers = {**await server.key("admin"), "tocsin-hub": "Shop"}
    made = await server.http.post("/v1/admin/keys", json={"role": "producer"}, headers=headers)
    assert (made.status_code, made.json()["hub"]) == (201, "shop")


async def test_a_key_made_while_another_is_revoked_holds(server: Server) -> None:
    old, _ = await server.keyring.create("default", "producer", "old")
    read, made = server.store.keys, []

    async def keys(hub: str | None = None) -> Sequence[ApiKey]:
        found = await read(hub)
        made.append(await server.keyring.create("default", "producer", "new"))
        return found

    server.store.keys = keys  # type: ignore[method-assign]
    await server.keyring.revoke(old.split("_")[2])
    made.append(await server.keyring.create("default", "producer", "new"))
    for text, key in made:
        assert server.keyring.check(text) == key
    with pytest.raises(UnauthenticatedError, match="revoked"):
        server.keyring.check(old)


async def test_metrics_and_demo_are_for_this_machine_or_an_admin() -> None:
    async with running(demo=True) as server:
        for method, path in (("GET", "/metrics"), ("POST", "/demo/session?user=ada")):
            stranger = await server.http.request(method, path)
            admin = await server.http.request(method, path, headers=await server.key("admin"))
            assert (stranger.status_code, admin.status_code) == (401, 200)


@pytest.mark.parametrize("header", [b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via"])
def test_what_a_proxy_on_this_machine_passes_on_is_not_of_this_machine(header: bytes) -> None:
    async def receive() -> dict[str, Any]:
        return {}

    scope: dict[str, Any] = {"client": ("127.0.0.1", 1), "headers": []}
    assert Request(scope, receive, {}).from_loopback
    scope["headers"] = [(header, b"198.51.100.7")]
    assert not Request(scope, receive, {}).from_loopback


async def test_only_an_allowed_origin_may_read_answers(server: Server) -> None:
    allowed = await server.http.get("/healthz", headers={"origin": ORIGIN})
    stranger = await server.http.get("/healthz", headers={"origin": "https://evil.example"})
    preflight = await server.http.options(
        "/v1/inbox/items/x",
        headers={"origin": ORIGIN, "access-control-request-method": "PATCH"},
    )
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in stranger.headers
    assert preflight.status_code == 204
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers.get_list("access-control-allow-origin") == [ORIGIN]


async def test_every_answer_that_depends_on_the_origin_says_so(server: Server) -> None:
    for headers in ({"origin": ORIGIN}, {"origin": "https://evil.example"}, {}):
        for method, path in (("GET", "/healthz"), ("GET", "/nowhere"), ("OPTIONS", "/v1/alerts")):
            answer = await server.http.request(method, path, headers=headers)
            assert answer.headers.get_list("vary") == ["origin"], (method, path, headers)


async def test_where_no_origin_is_allowed_no_answer_depends_on_it() -> None:
    app = App(Router(), Cors({}), Metrics())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as http:
        answer = await http.get("/nowhere", headers={"origin": ORIGIN})
    assert "vary" not in answer.headers


async def test_the_web_client_is_for_every_origin_and_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "tocsin" / "locale").mkdir(parents=True)
    router = Router()
    for path in ("/tocsin/elements.js", "/tocsin/locale/de.js"):
        (tmp_path / path[1:]).write_text("export {}")
        router.add("GET", path, WebFiles(tmp_path).file)
    app = App(router, Cors({"default": Hub(allowed_origins=(ORIGIN,))}), Metrics())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        first = await http.get("/tocsin/elements.js", headers={"origin": ORIGIN})
        etag = first.headers["etag"]
        again = await http.get("/tocsin/elements.js", headers={"if-none-match": etag})
        locale = await http.get("/tocsin/locale/de.js", headers={"origin": ORIGIN})
    assert locale.headers["access-control-allow-origin"] == "*"
    assert first.headers.get_list("access-control-allow-origin") == ["*"]
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == first.headers["cache-control"]


async def test_unknown_paths_and_methods_are_problems(server: Server) -> None:
    nowhere = await server.http.get("/v1/nothing")
    wrong = await server.http.put("/v1/client-tokens")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no-such-path")
    assert (wrong.status_code, wrong.json()["allowed"]) == (405, ["POST"])


async def test_a_socket_address_asked_without_an_upgrade_says_so(server: Server) -> None:
    answer = await server.http.get("/client/hubs/default")
    assert (answer.status_code, answer.json()["code"]) == (400, "upgrade-needed")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:8080"}, 200),
        ({"origin": "http://localhost:8080"}, 200),
        ({"origin": "https://evil.example"}, 401),
        ({"origin": "null"}, 401),
        ({"host": "evil.example:8080"}, 401),
    ],
)
async def test_the_demo_answers_its_own_page_only(headers: dict[str, str], status: int) -> None:
    async with running(demo=True, client="127.0.0.1") as server:
        answer = await server.http.post("/demo/session?user=ada", headers=headers)
        assert answer.status_code == status
