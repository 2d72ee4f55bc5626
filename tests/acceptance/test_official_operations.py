"""Every public operation of Microsoft's packages: each service call refused without the key, each client call made, each documented.

What works is in the other ``test_official_*`` files.  The lists here are held against the packages as they are
installed, so that a newer one with another operation is noticed.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.messaging import webpubsubclient, webpubsubservice
from azure.messaging.webpubsubclient import aio as client_aio
from azure.messaging.webpubsubservice import aio as service_aio
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.acceptance.official_clients import FOLDER, NPM_FOLDER, call_npm_service
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

# The first cell of a row.
OPERATIONS = re.compile(r"^\| (`.*?) \|", re.MULTILINE)
CONNECTION, GROUP, USER = {"connection_id": "c1"}, {"group": "g"}, {"user_id": "ada"}
PERMISSION = {"permission": "sendToGroup", "target_name": "g"} | CONNECTION
PYTHON: dict[str, dict[str, Any]] = {
    "add_connection_to_group": GROUP | CONNECTION,
    "add_user_to_group": GROUP | USER,
    "close_all_connections": {},
    "close_connection": CONNECTION,
    "close_group_connections": GROUP,
    "close_user_connections": USER,
    "connection_exists": CONNECTION,
    "grant_permission": PERMISSION,
    "group_exists": GROUP,
    "has_permission": PERMISSION,
    "list_connections": GROUP,
    "remove_connection_from_all_groups": CONNECTION,
    "remove_connection_from_group": GROUP | CONNECTION,
    "remove_user_from_all_groups": USER,
    "remove_user_from_group": GROUP | USER,
    "revoke_permission": PERMISSION,
    "send_request": {"request": HttpRequest("GET", "/api/hubs/chat/groups/g/connections")},
    "send_to_all": {"message": "x"},
    "send_to_connection": CONNECTION | {"message": "x"},
    "send_to_group": GROUP | {"message": "x"},
    "send_to_user": USER | {"message": "x"},
    "user_exists": USER,
}
# They send nothing: a token is signed with whatever key there is.
PYTHON_LOCAL = {"close", "from_connection_string", "get_client_access_token"}

NAMED = {"targetName": "g"}
NPM: dict[str, tuple[Any, ...]] = {
    "addConnectionsToGroups": (["g"], "true"),
    "closeAllConnections": (),
    "closeConnection": ("c1",),
    "closeUserConnections": ("ada",),
    "connectionExists": ("c1",),
    "grantPermission": ("c1", "sendToGroup", NAMED),
    "groupExists": ("g",),
    "hasPermission": ("c1", "sendToGroup", NAMED),
    "removeConnectionFromAllGroups": ("c1",),
    "removeConnectionsFromGroups": (["g"], "true"),
    "removeUserFromAllGroups": ("ada",),
    "revokePermission": ("c1", "sendToGroup", NAMED),
    "sendToAll": ("x",),
    "sendToConnection": ("c1", "x"),
    "sendToUser": ("ada", "x"),
    "userExists": ("ada",),
}
NPM_LOCAL = {"group", "getClientAccessToken"}
NPM_GROUP: dict[str, tuple[Any, ...]] = {
    "addConnection": ("c1",),
    "addUser": ("ada",),
    "closeAllConnections": (),
    "listConnections": (),
    "removeConnection": ("c1",),
    "removeUser": ("ada",),
    "sendToAll": ("x",),
}


@pytest.fixture(scope="module")
def wrong_string(shared_server: ServerProcess) -> str:
    """The connection string of a hub, but for the key."""
    right = shared_server.cli("connection-string", "--hub", "chat")
    return re.sub("AccessKey=[^;]*", f"AccessKey={'k' * 64}", right)


@pytest.fixture(scope="module")
def npm_operations(node: Path) -> dict[str, set[str]]:
    """What the npm packages offer."""
    done = subprocess.run(
        [node, NPM_FOLDER / "operations.mjs"], capture_output=True, timeout=150, check=True
    )
    return {package: set(names) for package, names in json.loads(done.stdout).items()}


def operations_of(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def call(service: webpubsubservice.WebPubSubServiceClient, name: str) -> None:
    """Call an operation to its end: a list is read when it is walked, an answer to a raw request raises when asked to."""
    result = getattr(service, name)(**PYTHON[name])
    if name == "list_connections":
        list(result)
    if name == "send_request":
        result.raise_for_status()


async def call_aio(service: service_aio.WebPubSubServiceClient, name: str) -> None:
    """Call an operation to its end, as ``call`` does."""
    result = getattr(service, name)(**PYTHON[name])
    if name == "list_connections":
        assert [one async for one in result] == []
    elif name == "send_request":
        (await result).raise_for_status()
    else:
        await result


def test_each_operation_of_python_is_refused_with_a_wrong_key(wrong_string: str) -> None:
    kind = webpubsubservice.WebPubSubServiceClient
    assert operations_of(kind) == PYTHON.keys() | PYTHON_LOCAL
    with kind.from_connection_string(wrong_string, hub="chat") as service:
        for name in PYTHON:
            with pytest.raises(HttpResponseError) as refused:
                call(service, name)
            assert (name, refused.value.status_code) == (name, 401)
        url = service.get_client_access_token(user_id="ada")["url"]
    with pytest.raises(InvalidStatus, match="401"):
        connect(url)


async def test_each_operation_of_asynchronous_python_is_refused_with_a_wrong_key(
    wrong_string: str,
) -> None:
    kind = service_aio.WebPubSubServiceClient
    assert operations_of(kind) == PYTHON.keys() | PYTHON_LOCAL
    async with kind.from_connection_string(wrong_string, hub="chat") as service:
        for name in PYTHON:
            with pytest.raises(HttpResponseError) as refused:
                await call_aio(service, name)
            assert (name, refused.value.status_code) == (name, 401)


def test_each_operation_of_npm_is_refused_with_a_wrong_key(
    node: Path, wrong_string: str, npm_operations: dict[str, set[str]]
) -> None:
    assert npm_operations["service"] == NPM.keys() | NPM_LOCAL
    assert npm_operations["group"] == NPM_GROUP.keys()
    steps = [(None, name, *arguments) for name, arguments in NPM.items()]
    steps += [("g", name, *arguments) for name, arguments in NPM_GROUP.items()]
    *answers, token = call_npm_service(
        node, wrong_string, *steps, (None, "getClientAccessToken", {"userId": "ada"})
    )
    refused = {step[:2] for step, answer in zip(steps, answers, strict=True) if is_refusal(answer)}
    assert refused == {step[:2] for step in steps}
    with pytest.raises(InvalidStatus, match="401"):
        connect(token["url"])


def is_refusal(answer: object) -> bool:
    return isinstance(answer, dict) and answer.get("status") == 401


@pytest.mark.parametrize(
    ("kind", "driver"),
    [
        (webpubsubclient.WebPubSubClient, "groups_sync.py"),
        (client_aio.WebPubSubClient, "groups_aio.py"),
    ],
    ids=["python", "python-aio"],
)
def test_each_operation_of_the_python_clients_is_called(kind: type, driver: str) -> None:
    written = (FOLDER / "drivers" / driver).read_text()
    assert {name for name in operations_of(kind) if f".{name}" not in written} == set()


def test_each_operation_of_the_npm_client_and_middleware_is_called(
    npm_operations: dict[str, set[str]],
) -> None:
    written = "".join(path.read_text() for path in NPM_FOLDER.glob("*.mjs"))
    wanted = npm_operations["client"] | npm_operations["express"]
    assert {name for name in wanted if f".{name}(" not in written} == set()


def test_each_operation_of_each_package_is_documented_and_no_other(
    npm_operations: dict[str, set[str]],
) -> None:
    page = (FOLDER.parents[1] / "docs/reference/web-pubsub-packages.md").read_text()
    _, *tables = re.split("^## ", page, flags=re.MULTILINE)
    documented = {
        table.partition("\n")[0]: set(re.findall(r"`(\w+)`", "".join(OPERATIONS.findall(table))))
        for table in tables
    }
    assert documented == {
        "PyPI: azure-messaging-webpubsubclient": operations_of(webpubsubclient.WebPubSubClient)
        | operations_of(client_aio.WebPubSubClient),
        "npm: @azure/web-pubsub-client": npm_operations["client"],
        "PyPI: azure-messaging-webpubsubservice": PYTHON.keys() | PYTHON_LOCAL,
        "npm: @azure/web-pubsub": NPM.keys() | NPM_LOCAL,
        "npm: @azure/web-pubsub, a group": set(NPM_GROUP),
        "npm: @azure/web-pubsub-express": npm_operations["express"],
    }
    tests = set(re.findall(r"`(test_\w+\.py)`", page))
    assert {name for name in tests if not (FOLDER / name).exists()} == set()
