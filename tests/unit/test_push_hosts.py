"""Which endpoints name a push service."""

import pytest

from tocsin.model.push_host import KNOWN_PUSH_HOSTS, Origin, origin_of, push_host_allowed


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc:APA91b-_x", "fcm.googleapis.com"),
        ("https://jmt17.google.com/fcm/send/abc", "jmt17.google.com"),
        (
            "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
            "updates.push.services.mozilla.com",
        ),
        ("https://wns2-par02p.notify.windows.com/w/?token=BQ%3d", "wns2-par02p.notify.windows.com"),
        ("https://web.push.apple.com/QGuQyavXutnMfCq6", "web.push.apple.com"),
        ("HTTPS://FCM.googleapis.com:443/Fcm", "fcm.googleapis.com"),
    ],
)
def test_the_endpoints_of_browsers_are_allowed(endpoint: str, host: str) -> None:
    assert origin_of(endpoint) == Origin("https", host)
    assert str(origin_of(endpoint)) == f"https://{host}"
    assert push_host_allowed(endpoint, KNOWN_PUSH_HOSTS)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com.evil.example/",
        "https://evilfcm.googleapis.com/",
        "https://fcm-googleapis.com/",
        "https://push.apple.com/",
        "https://evilpush.apple.com/",
        "https://.push.apple.com/",
        "https://a..push.apple.com/",
        "https://-.push.apple.com/",
        "https://web.push.apple.com./",
        "https://web.push.apple.com:8443/",
        "https://web.push.apple.com:0/",
        "https://web.push.apple.com:/",
        "https://web.push.apple.com\\@10.0.0.1/",
        "https://web.push.apple.com@10.0.0.1/",
        "https://user@web.push.apple.com/",
        "https://10.0.0.1#web.push.apple.com/",
        "https://10.0.0.1/.push.apple.com",
        "https://10.0.0.1?.push.apple.com",
        "https://web.push.apple.com%2f.evil.example/",
        "https://web.push.apple.com%00.evil.example/",
        "https://web\u3002push.apple.com/",
        "https://web.push.apple\u2024com/",
        "https://\uff57eb.push.apple.com/",
        "https://web.pu\u017fh.apple.com/",
        "https://x.noti\u212a.notify.windows.com/",
        "https://web.push.apple.com/\r\nHost: x",
        "https://web.push.apple.com/ x",
        "https://web.push.apple.com/#part",
        "https:web.push.apple.com/",
        "https:///web.push.apple.com/",
        "//web.push.apple.com/",
        "ftp://web.push.apple.com/",
        "web.push.apple.com",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://2130706433/",
        "",
        "https://web.push.apple.com/" + "a" * 2_048,
    ],
)
def test_what_only_looks_like_one_is_not(endpoint: str) -> None:
    assert not push_host_allowed(endpoint, KNOWN_PUSH_HOSTS)


def test_further_hosts_are_named_with_their_port() -> None:
    hosts = ("push.Example.org", "127.0.0.1:8443", "[::1]:8443", "*.up.example:444")
    for endpoint in (
        "https://push.example.org/x",
        "https://127.0.0.1:8443/x",
        "http://[::1]:8443/x?y=z",
        "https://a.up.example:444",
    ):
        assert push_host_allowed(endpoint, hosts)
    for endpoint in (
        "https://push.example.org:8443/x",
        "http://push.example.org:443/x",
        "https://127.0.0.1/x",
        "https://127.0.0.1:84430/x",
        "https://a.up.example/",
        "https://fcm.googleapis.com/",
    ):
        assert not push_host_allowed(endpoint, hosts)
