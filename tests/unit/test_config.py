"""Settings: who wins, and what a wrong one is told."""

import os
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import pytest

from tocsin.config import advice, load
from tocsin.errors import ConfigError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(variable)


def test_the_command_line_wins_over_environment_and_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("tocsin.toml").write_text(
        'port = 1\nhost = "file"\ndrain_s = 7\n[limits]\nbatch_alerts = 3\n'
    )
    monkeypatch.setenv("TOCSIN_PORT", "2")
    monkeypatch.setenv("TOCSIN_HOST", "env")
    settings = load({"port": 3, "host": None})
    assert (settings.port, settings.host, settings.drain_s) == (3, "env", 7)
    assert settings.limits.batch_alerts == 3


def test_a_section_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LIMITS__QUEUE_ALERTS", "5")
    assert load({}).limits.queue_alerts == 5


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot = 1", "prot: there is no such setting; take it out"),
        ("[limits]\nalerts = 1", "limits.alerts: there is no such setting"),
        ("port = 70000", "port = 70000"),
        ('public_url = "example.org"', "public_url"),
        ("= nonsense", "tocsin.toml cannot be read"),
        ("[hubs.Chat]\n[hubs.chat]", "hubs.Chat and hubs.chat are one hub"),
        ('tls_cert = "a.pem"', "tls_cert and tls_key go together"),
        ('tls_cert = "a.pem"\ntls_key = "b.pem"', "a.pem: there is no such file"),
    ],
)
def test_a_wrong_setting_is_named(text: str, named: str) -> None:
    Path("tocsin.toml").write_text(text)
    with pytest.raises(ConfigError, match=named):
        load({})


def test_hubs_are_known_in_any_case_of_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_HUBS", '{"Chat": {"cut_at_expiry": true}}')
    assert load({}).hubs["chat"].cut_at_expiry


def test_hosts_that_may_be_called_are_names_addresses_and_networks() -> None:
    Path("tocsin.toml").write_text(
        '[outbound]\nallow = ["hooks.internal", "10.1.0.0/16", "10.2.0.1", "fd00::/8", "4you"]'
    )
    assert load({}).outbound.allow == (
        "hooks.internal",
        IPv4Network("10.1.0.0/16"),
        IPv4Network("10.2.0.1/32"),
        IPv6Network("fd00::/8"),
        "4you",
    )


@pytest.mark.parametrize("host", ["10.1.0.1/16", "300.1.1.1", "https://a.example", "*.example", ""])
def test_a_host_that_could_not_be_called_is_named(host: str) -> None:
    Path("tocsin.toml").write_text(f'[outbound]\nallow = ["{host}"]')
    with pytest.raises(ConfigError, match=r"outbound\.allow"):
        load({})


def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_PROT", "1")
    with pytest.raises(ConfigError, match="TOCSIN_PROT"):
        load({})


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, ""),
        ({"demo": True}, ""),
        ({"host": "0.0.0.0"}, "set public_url"),
        ({"host": "0.0.0.0", "public_url": "http://a.example"}, ""),
        ({"public_url": "https://a.example"}, "trusted_proxies"),
        ({"public_url": "https://a.example"}, "push.subject"),
        ({"push": {"subject": "mailto:ops@example.org"}}, ""),
        ({"push": {"subject": "https://example.org/contact?a=b@c"}}, ""),
        ({"push": {"subject": "mailto:root@localhost"}}, "names localhost, and Apple refuses"),
        ({"push": {"subject": "mailto:ops@mail.corp.local"}}, "names mail.corp.local"),
        ({"push": {"subject": "https://ops@App.INVALID:8443/x"}}, "names app.invalid"),
        ({"host": "192.0.2.1", "demo": True}, "turn it off"),
    ],
)
def test_what_is_probably_not_meant_is_told(settings: dict[str, object], told: str) -> None:
    lines = advice(load(settings))
    assert told in "".join(lines)
    assert bool(lines) is bool(told)
