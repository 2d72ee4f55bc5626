"""What a process does of all there is, and what it needs for leaving the rest to others."""

from pathlib import Path

import pytest

from tests.unit.api_server import running
from tocsin.api.routes import build_router
from tocsin.api.routing import Router
from tocsin.config import ROLES, Role, load
from tocsin.errors import ConfigError

SHARED = {"store": "postgresql://host/tocsin", "fanout": "nats://host:4222"}


def answers(router: Router, method: str, path: str) -> bool:
    return router.match(method, path.encode()) is not None


def test_a_process_does_everything_unless_it_is_told_otherwise() -> None:
    assert (
        load({}).roles
        == ROLES
        == (
            "api",
            "gateway",
            "processor",
            "dispatcher",
            "sources",
        )
    )


def test_roles_are_named_with_commas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load({**SHARED, "roles": "api,processor"}).roles == ("api", "processor")
    monkeypatch.setenv("TOCSIN_ROLES", "gateway")
    assert load(SHARED).roles == ("gateway",)
    monkeypatch.delenv("TOCSIN_ROLES")
    monkeypatch.chdir(tmp_path)
    Path("tocsin.toml").write_text('roles = ["dispatcher"]')
    assert load(SHARED).roles == ("dispatcher",)


@pytest.mark.parametrize("roles", ["", "api,painter", "api,"])
def test_a_role_that_there_is_none_of_is_refused(roles: str) -> None:
    with pytest.raises(ConfigError, match="'processor', 'dispatcher' or 'sources'"):
        load({**SHARED, "roles": roles})


@pytest.mark.parametrize(
    ("shared", "remedies"),
    [
        ({}, ("PostgreSQL database in store", "NATS servers in fanout")),
        ({"store": SHARED["store"]}, ("NATS servers in fanout",)),
        ({"fanout": SHARED["fanout"]}, ("PostgreSQL database in store",)),
    ],
)
def test_leaving_roles_to_others_needs_what_is_shared_with_them(
    shared: dict[str, str], remedies: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError, match="leaves out gateway, dispatcher") as refused:
        load({**shared, "roles": "api,processor"})
    assert all(remedy in refused.value.detail for remedy in remedies)
    load({**shared, "roles": "dispatcher,processor,gateway,api"})


def test_sources_are_left_to_others_only_where_there_are_some() -> None:
    orders = {"url": "nats://host:4222", "stream": "ORDERS", "consumer": "tocsin"}
    with_sources = {"sources": {"orders": orders}, "roles": "api,gateway,processor,dispatcher"}
    with pytest.raises(ConfigError, match="leaves out sources, which"):
        load(with_sources)
    load({**SHARED, **with_sources})


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/v1/inbox", "api"),
        ("/v1/client-tokens", "api"),
        ("/v1/inbox/stream", "gateway"),
        ("/client/hubs/h", "gateway"),
        ("/api/hubs/h/:send", "gateway"),
    ],
)
async def test_a_path_is_answered_by_processes_of_its_role_only(path: str, role: Role) -> None:
    method = "POST" if path.endswith((":send", "tokens")) else "GET"
    async with running() as server:
        for one in ROLES:
            router = build_router(server.resources, [one])
            assert answers(router, method, path) == (one == role)


async def test_every_process_tells_how_it_is() -> None:
    async with running() as server:
        for role in ROLES:
            router = build_router(server.resources, [role])
            assert answers(router, "GET", "/readyz")
            assert answers(router, "GET", "/metrics")
