"""What may be called and what not: every odd way to write an address."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from tocsin.adapters.outbound.addresses import kind_of
from tocsin.adapters.outbound.guard import LONGEST_URL, Guard, NotAllowedError

STRICT = Guard(())
# What URLs are made of; the last one is a full-width solidus.
PIECES = (
    *(
        "https:",
        "https://",
        "https://example.org",
        "https://example.org/",
        "http://",
        "//",
        "/",
        ":",
    ),
    *("?", "#", "@", "%", "%2f", "%7E", "..", ".", "=", "+", "[::1]", "443", "8.8.8.8", "10.0.0.1"),
    *("a", "\u00fc", "\uff0f"),
)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("169.254.0.1", "link-local"),
        ("169.254.169.254", "cloud metadata"),
        ("168.63.129.16", "cloud metadata"),
        ("100.100.100.200", "cloud metadata"),
        ("100.64.0.1", "shared with a carrier's NAT"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("192.0.2.7", "reserved"),
        ("198.18.0.1", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::127.0.0.1", "another address in disguise"),
        ("::ffff:127.0.0.1", "another address in disguise"),
        ("::ffff:8.8.8.8", "another address in disguise"),
        ("64:ff9b::10.0.0.1", "another address in disguise"),
        ("64:ff9b:1::7f00:1", "another address in disguise"),
        ("2002:7f00:1::", "another address in disguise"),
        ("2001:0:7f00:1::", "another address in disguise"),
        ("fe80::1", "link-local"),
        ("fc00::1", "private"),
        ("fd12::1", "private"),
        ("fec0::1", "private"),
        ("fd00:ec2::254", "cloud metadata"),
        ("ff02::1", "multicast"),
        ("2001:db8::1", "reserved"),
        ("3fff::1", "reserved"),
        ("100::1", "reserved"),
        ("4000::1", "reserved"),
    ],
)
def test_an_address_off_the_public_internet_is_known_for_what_it_is(
    address: str, kind: str
) -> None:
    assert kind_of(ip_address(address)) == kind


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "1.1.1.1", "2606:4700::1111", "2a00::1"]
)
def test_a_public_address_is_nothing_special(address: str) -> None:
    assert kind_of(ip_address(address)) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/", "loopback"),
        ("https://127.0.0.1:8443/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[::]/", "unspecified"),
        ("https://0.0.0.0/", "unspecified"),
        ("https://[::ffff:127.0.0.1]/", "disguise"),
        ("https://[::ffff:7f00:1]/", "disguise"),
        ("https://[64:ff9b::7f00:1]/", "disguise"),
        ("https://[2002:7f00:1::1]/", "disguise"),
        ("https://169.254.169.254/latest/meta-data/", "cloud metadata"),
        ("https://[fd00:ec2::254]/", "cloud metadata"),
        ("https://2130706433/", "no plain address"),
        ("https://127.1/", "no plain address"),
        ("https://0177.0.0.1/", "no plain address"),
        ("https://0x7f.0.0.1/", "no plain address"),
        ("https://0x7f000001/", "no plain address"),
        ("https://017700000001/", "no plain address"),
        ("https://127.0.0.1./", "no plain address"),
        ("https://127.0.0.0x1/", "no plain address"),
        ("https://0x/", "no plain address"),
        ("https://1.2.3.4.5/", "no plain address"),
        ("https://example.org.256/", "no plain address"),
        # full-width digits, which become plain ones on the way
        ("https://\uff11\uff12\uff17.0.0.1/", "loopback"),
        ("https://[fe80::1%25eth0]/", "zone"),
        ("https://[fe80::1%eth0]/", "zone"),
        ("https://user@example.org/", "user or password"),
        ("https://user:word@example.org/", "user or password"),
        ("https://@example.org/", "user or password"),
        ("https://example.org:443@10.0.0.1/", "user or password"),
        ("https://example.org\\@10.0.0.1/", "backslashes"),
        ("https://example.org/a b", "spaces"),
        ("https://example.org/\r\nHost: x", "control characters"),
        ("https://example.org:0/", "must be"),
        ("https://example.org:99999/", "no URL"),
        ("https://example.org:-1/", "no URL"),
        ("https://example.org:8a/", "no URL"),
        ("https://[::1", "no URL"),
        ("https://[::1]@/", "no URL"),
        ("https:///path", "must be"),
        ("https://", "must be"),
        ("//example.org/", "must be"),
        ("example.org", "must be"),
        ("", "must be"),
        ("http://example.org/", "by https only"),
        ("ftp://example.org/", "must be"),
        ("file:///etc/passwd", "must be"),
        ("gopher://example.org/", "must be"),
        ("https://example.org/" + "a" * LONGEST_URL, f"at most {LONGEST_URL}"),
    ],
)
def test_a_url_that_breaks_a_rule_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(NotAllowedError, match=reason):
        STRICT.check_url(url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.org", "example.org"),
        ("https://example.org./hook", "example.org."),
        ("https://EXAMPLE.org:8443/hook?x=1#part", "example.org"),
        ("https://b\u00fccher.example/", "xn--bcher-kva.example"),
        ("https://8.8.8.8/", "8.8.8.8"),
        ("https://[2606:4700::1111]/", "2606:4700::1111"),
        ("https://4you.example/", "4you.example"),
        ("HTTPS://example.org/", "example.org"),
    ],
)
def test_a_public_url_may_be_called(url: str, host: str) -> None:
    assert STRICT.check_url(url).place.host == host


@example("https://example.org//evil.example/")
@example("https://example.org:443:8443//")
@example("https://example.org?//evil.example")
@example("https://example.org/a/../b%7e?c=%3d+#d")
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_a_url_that_passes_names_the_server_and_the_path_that_a_reader_of_whole_urls_sees(
    text: str,
) -> None:
    try:
        target = STRICT.check_url(text)
    except NotAllowedError:
        return
    url = URL(text)
    assert target.place == (url.scheme, url.raw_host, url.port)
    assert target.path == url.raw_path_qs


def test_an_origin_that_passed_opens_nothing_to_others_that_look_like_it() -> None:
    guard = Guard(())
    assert guard.check_url("https://example.org/a").path == "/a"
    for url in (
        "https://example.org@10.0.0.1/",
        "https://example.org:443@10.0.0.1/",
        "https://example.org\\@10.0.0.1/",
        "http://example.org/a",
        "https://example.org:0/a",
    ):
        with pytest.raises(NotAllowedError):
            guard.check_url(url)


def test_a_public_name_is_refused_where_it_resolves_to_a_private_address() -> None:
    with pytest.raises(NotAllowedError, match=r"'evil.example' is the address 10.0.0.1.*private"):
        STRICT.check_address("evil.example", ip_address("10.0.0.1"))


def test_an_allowed_name_may_be_called_by_http_wherever_it_lies() -> None:
    guard = Guard(["Hooks.internal"])
    for url in ("http://hooks.internal/", "http://HOOKS.INTERNAL./", "https://hooks.internal:8443"):
        guard.check_url(url)
    guard.check_address("hooks.internal.", ip_address("10.0.0.1"))
    with pytest.raises(NotAllowedError):
        guard.check_address("other.internal", ip_address("10.0.0.1"))
    with pytest.raises(NotAllowedError):
        guard.check_url("http://more.hooks.internal/")


def test_an_allowed_network_opens_its_addresses_and_no_other_form_of_them() -> None:
    guard = Guard([ip_network("10.1.0.0/16")])
    guard.check_url("http://10.1.2.3:8080/")
    guard.check_address("any.internal", ip_address("10.1.2.3"))
    for url in ("https://10.2.0.1/", "https://[::ffff:10.1.2.3]/", "http://any.internal/"):
        with pytest.raises(NotAllowedError):
            guard.check_url(url)


def test_the_refusal_of_an_address_names_the_setting_that_lifts_it() -> None:
    with pytest.raises(NotAllowedError, match=r"add '10.0.0.1' to the setting outbound.allow"):
        STRICT.check_url("https://10.0.0.1/")
