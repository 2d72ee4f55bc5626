"""The command, beside a running server and without one."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tocsin.cli.app import app

pytestmark = pytest.mark.acceptance

RELIABLE = Subprotocol("json.reliable.webpubsub.azure.v1")


def commands(command: Any, *name: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of a command and of everything below it, as the application has them."""
    yield name
    for word, child in getattr(command, "commands", {}).items():
        yield from commands(child, *name, word)


COMMANDS = tuple(commands(typer.main.get_command(app)))


def key_id(server: ServerProcess, name: str) -> str:
    """Find a key in what ``key list`` prints."""
    line = next(line for line in server.cli("key", "list").splitlines() if name in line)
    return line.split()[0]


def test_a_key_stands_alone_on_standard_output(shared_server: ServerProcess) -> None:
    done = shared_server.try_cli("key", "create", "--role", "producer", "--name", "billing")
    assert re.fullmatch(r"tsk_producer_[0-9a-f]{12}_[\w-]{43}\n", done.stdout)
    assert done.returncode == 0


def test_a_key_made_beside_the_server_opens_it_and_a_revoked_one_does_not(
    shared_server: ServerProcess,
) -> None:
    key = shared_server.key("producer")
    assert shared_server.publish(key).status_code == 202
    shared_server.cli("key", "revoke", key_id(shared_server, "producer-test"))
    refused = shared_server.publish(key)
    assert refused.status_code == 401
    assert refused.json()["code"] == "key-revoked"
    assert key["authorization"].removeprefix("Bearer ") not in shared_server.cli("key", "list")


def test_keys_are_made_listed_and_revoked_without_a_server(make_server: MakeServer) -> None:
    server = make_server()
    kept = server.key("producer")
    server.cli("key", "create", "--role", "producer", "--name", "given-up")
    server.cli("key", "revoke", key_id(server, "given-up"))
    server.start()
    assert server.publish(kept).status_code == 202
    assert "given-up" in server.cli("key", "list")


def test_revoking_an_unknown_key_says_so_and_fails(shared_server: ServerProcess) -> None:
    done = shared_server.try_cli("key", "revoke", "no-such-key")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("tocsin: there is no key 'no-such-key'")


def test_the_connection_string_names_the_address_it_serves_on(shared_server: ServerProcess) -> None:
    text = shared_server.cli("connection-string")
    assert re.fullmatch(
        rf"Endpoint={re.escape(shared_server.url)};AccessKey=[\w+/=]{{64,}};Version=1\.0;", text
    )


def test_a_client_url_from_the_command_connects(shared_server: ServerProcess) -> None:
    url = shared_server.cli("client-token", "ada")
    with connect(url, subprotocols=[RELIABLE]) as socket:
        hello = json.loads(socket.recv(timeout=30))
        assert (hello["event"], hello["userId"]) == ("connected", "ada")


def test_the_command_publishes_and_tail_shows_it_at_once(
    server: ServerProcess, folder: Path
) -> None:
    server.cli("publish", "--to-user", "ada", "--title", "Before the tail")
    shown, elsewhere = folder / "tail.out", folder / "other.out"
    tail = server.start_cli("tail", "ada", output=shown)
    server.start_cli("tail", "ada", "--hub", "other", output=elsewhere)
    until(lambda: "Before the tail" in shown.read_text(), "tail shows what is there")
    published = server.cli(
        "publish", "--to-user", "ada", "--title", "While it runs", "--severity", "warning"
    )
    assert re.fullmatch(r"[0-9a-f-]{36}", published)
    until(lambda: "While it runs" in shown.read_text(), "tail shows a live alert")
    server.cli("publish", "--to-user", "ada", "--title", "Of another hub", "--hub", "other")
    until(lambda: "Of another hub" in elsewhere.read_text(), "tail shows an alert of its hub")
    assert "While it runs" not in elsewhere.read_text()
    assert "Of another hub" not in shown.read_text()
    tail.send_signal(signal.SIGINT)
    assert tail.wait(30) == 0, shown.read_text()
    assert "Traceback" not in shown.read_text()


def test_publishing_without_a_server_waits_on_disk_for_the_next_one(
    make_server: MakeServer,
) -> None:
    server = make_server()
    server.cli("publish", "--to-user", "ada", "--title", "Nobody was there")
    server.start()
    key = server.key("server")
    until(lambda: server.titles(key) == ["Nobody was there"], "the alert reaches the inbox")


def test_publishing_to_nobody_names_the_mistake(shared_server: ServerProcess) -> None:
    done = shared_server.try_cli("publish", "--title", "To whom?")
    assert done.returncode == 1
    assert "audience" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_reaches_a_server_elsewhere_by_url_and_key(
    server: ServerProcess, make_server: MakeServer
) -> None:
    elsewhere = make_server()
    key = server.key("admin")["authorization"].removeprefix("Bearer ")
    there = {"TOCSIN_URL": server.url, "TOCSIN_KEY": key}
    elsewhere.cli("publish", "--to-user", "ada", "--title", "From afar", env=there)
    until(lambda: server.titles(server.key("server")) == ["From afar"], "the alert arrives")
    assert not elsewhere.data_dir.exists()


def test_check_config_names_a_wrong_setting_and_what_is_possible(make_server: MakeServer) -> None:
    server = make_server(env={"TOCSIN_PORT": "99999"})
    done = server.try_cli("check-config")
    assert done.returncode == 1
    assert "port" in done.stderr
    assert "99999" in done.stderr
    assert "65535" in done.stderr


def test_check_config_prints_what_is_in_force(make_server: MakeServer) -> None:
    server = make_server(env={"TOCSIN_LIMITS__ALERT_BYTES": "1234"})
    (server.folder / "tocsin.toml").write_text("drain_s = 7.5\n")
    printed = server.cli("check-config")
    assert re.search(r"^limits\.alert_bytes\s+1234\s", printed, re.MULTILINE)
    assert re.search(r"^drain_s\s+7\.5\s", printed, re.MULTILINE)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("color = 'red'\n", "color"),
        ("[limits]\nalert_byte = 1\n", "alert_byte"),
        ("port =\n", "toml"),
    ],
)
def test_a_wrong_file_is_refused_with_the_name_of_what_is_wrong(
    make_server: MakeServer, wrong: str, named: str
) -> None:
    server = make_server()
    (server.folder / "tocsin.toml").write_text(wrong)
    done = server.try_cli("check-config")
    assert done.returncode == 1
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_check_config_refuses_event_handlers_that_cannot_work(make_server: MakeServer) -> None:
    server = make_server()
    file = server.folder / "tocsin.toml"

    def check(*urls: str) -> subprocess.CompletedProcess[str]:
        handlers = [f'[[hubs.chat.event_handlers]]\nurl = "{u}"\nuser_events = "*"' for u in urls]
        file.write_text("\n".join(handlers))
        return server.try_cli("check-config")

    done = check("https://192.0.2.7.example/{hub}", "http://127.0.0.1:9/{event}", "ftp://a/b")
    assert done.returncode == 1
    first, second = done.stderr.strip().splitlines()[-2:]
    assert "hubs.chat.event_handlers, number 2" in first
    assert "outbound.allow" in first
    assert "number 3" in second
    assert "Traceback" not in done.stderr
    assert "number 1" in check("https://{event}.example/").stderr
    file.write_text(
        '[outbound]\nallow = ["127.0.0.1"]\n[[hubs.chat.event_handlers]]\n'
        'url = "http://127.0.0.1:9/{event}"\nsystem_events = ["connect"]\n'
    )
    assert server.try_cli("check-config").returncode == 0


def test_check_config_refuses_a_source_that_cannot_work_and_shows_no_password(
    make_server: MakeServer,
) -> None:
    server = make_server()
    file = server.folder / "tocsin.toml"
    url = 'url = "amqp://user:secret@127.0.0.1:1/shop"\n'
    file.write_text(f'[sources.orders]\n{url}queue = "q"\n')
    good = server.try_cli("check-config")
    file.write_text(f"[sources.orders]\n{url}")
    bad = server.try_cli("check-config")
    assert (good.returncode, bad.returncode) == (0, 1)
    assert "sources.orders: queue is missing" in bad.stderr
    assert "secret" not in good.stdout + good.stderr + bad.stdout + bad.stderr


def test_an_unknown_variable_is_refused(make_server: MakeServer) -> None:
    server = make_server(env={"TOCSIN_PROT": "8080"})
    done = server.try_cli("serve", "--port", "0")
    assert done.returncode == 1
    assert "TOCSIN_PROT: there is no such setting" in done.stderr


def test_a_second_server_on_one_folder_is_refused(shared_server: ServerProcess) -> None:
    done = shared_server.try_cli("serve", "--port", "0")
    assert done.returncode == 1
    assert "held by another Tocsin process" in done.stderr
    assert "--data-dir" in done.stderr
    assert shared_server.cli("key", "list"), "the first server still answers"


def test_a_taken_port_is_refused(shared_server: ServerProcess, make_server: MakeServer) -> None:
    second = make_server()
    done = second.try_cli("serve", "--port", str(shared_server.port))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{shared_server.port}" in done.stderr


def test_an_address_of_another_machine_is_refused(make_server: MakeServer) -> None:
    done = make_server().try_cli("serve", "--host", "192.0.2.1", "--port", "0")
    assert done.returncode == 1
    assert "cannot listen on 192.0.2.1:0" in done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "tocsin")
def test_every_command_explains_itself(make_server: MakeServer, command: tuple[str, ...]) -> None:
    server = make_server()
    printed = server.cli(*command, "--help")
    assert "Usage:" in printed
    assert " ".join(("tocsin", *command)) in printed
    assert "--help" in printed


def test_the_commands_that_explain_themselves_are_all_there_are() -> None:
    assert {("withdraw",), ("dead", "retry"), ("key", "create"), ()} <= set(COMMANDS)
