"""Several processes on one PostgreSQL and one NATS: each does what its roles are, and hears what the others decide."""

import shutil
from collections.abc import Iterator, Mapping, Sequence

import httpx
import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.ports.nats_server import NatsServer
from tests.ports.postgres_server import PostgresServer
from tocsin.api.seal import KEY_FILE

pytestmark = pytest.mark.acceptance

ENDS_S = 60.0
Env = Mapping[str, str]


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    made = PostgresServer()
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def nats() -> Iterator[NatsServer]:
    made = NatsServer()
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def shared(postgres: PostgresServer, nats: NatsServer) -> dict[str, str]:
    """Return the settings that the processes of a test have in common."""
    url = postgres.create()
    name = url.split("/")[3].split("?", maxsplit=1)[0]
    return {
        "TOCSIN_STORE": url,
        "TOCSIN_FANOUT": f"{nats.url}/{name}",
    }


def beside(first: ServerProcess, make_server: MakeServer, env: Env) -> ServerProcess:
    """Make another process with the same key file, which is not started yet."""
    made = make_server(env=env)
    made.data_dir.mkdir(mode=0o700)
    shutil.copy(first.data_dir / KEY_FILE, made.data_dir)
    return made


@pytest.fixture
def split(
    make_server: MakeServer, shared: dict[str, str]
) -> tuple[ServerProcess, ServerProcess, ServerProcess]:
    """Run a process for the API, one for live connections, and one that processes."""
    gateway = make_server()
    common = {**shared, "TOCSIN_PUBLIC_URL": gateway.url}
    api = make_server(env={**common, "TOCSIN_ROLES": "api"}).start()
    processor = beside(api, make_server, {**common, "TOCSIN_ROLES": "processor,dispatcher"})
    port, gateway = gateway.port, beside(api, make_server, {**common, "TOCSIN_ROLES": "gateway"})
    gateway.port = port
    return api, gateway.start(), processor.start()


def test_each_process_answers_what_its_roles_are_and_what_one_revokes_ends_at_the_others(
    split: Sequence[ServerProcess],
) -> None:
    api, gateway, processor = split
    key = api.key("server")
    assert gateway.publish(key).status_code == processor.publish(key).status_code == 404
    assert api.request("GET", "/client/hubs/default").status_code == 404
    for server in split:
        assert server.request("GET", "/readyz").status_code == 200
    token = {"authorization": f"Bearer {api.client_token(key)['token']}"}
    with httpx.stream(
        "GET", f"{gateway.url}/v1/inbox/stream", headers=token, timeout=ENDS_S
    ) as stream:
        assert stream.status_code == 200
        lines = stream.iter_lines()
        next(lines)
        revoked = api.request("POST", "/v1/users/ada/revoke-tokens", headers=key)
        assert revoked.status_code == 200
        for _ in lines:  # until it ends
            pass
    refused = gateway.request("GET", "/v1/inbox/stream", headers=token)
    assert (refused.status_code, refused.json()["code"]) == (401, "token-revoked")


def test_a_key_made_at_one_process_is_good_at_another_that_runs(
    make_server: MakeServer, shared: dict[str, str]
) -> None:
    first = make_server(env=shared).start()
    second = beside(first, make_server, {**shared, "TOCSIN_ROLES": "api"}).start()
    key = first.key("producer")
    until(lambda: second.publish(key).status_code == 202, "the key is known to the other", ENDS_S)
