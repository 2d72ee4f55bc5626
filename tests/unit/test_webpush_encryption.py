"""RFC 8291: its example, its bounds, and what comes out again."""

from base64 import urlsafe_b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.push_services.receiving import CURVE, Browser, decode, encode
from tocsin.adapters.webpush.encryption import encrypt, seal
from tocsin.ports.push import WEB_PUSH_BYTES

# RFC 8291 section 5 and appendix A.
PLAINTEXT = b"When I grow up, I want to be a watermelon"
AUTH = decode("BTBZMqHH6r4Tts7J_aSIgg")
SALT = decode("DGv6ra1nlYgDCS1FRnbzlw")
SENDER = decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
RECEIVER = decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
RECEIVER_POINT = decode(
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
RECORD = "8pfeW0KbunFT06SuDKoJH9Ql87S1QUrdirN6GcG7sFz1y1sqLgVi1VhjVkHsUoEsbI_0LpXMuGvnzQ"


def private(raw: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(raw), CURVE)


def test_the_example_of_the_rfc_comes_out_to_the_byte() -> None:
    body = seal(PLAINTEXT, RECEIVER_POINT, AUTH, private(SENDER), SALT)
    assert len(body) == 144
    assert (body[:16], body[16:21]) == (SALT, b"\x00\x00\x10\x00\x41")
    assert encode(body[86:]) == RECORD


def test_the_browser_of_the_tests_reads_the_example_too() -> None:
    point = (
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
    )
    body = SALT + b"\x00\x00\x10\x00\x41" + decode(point) + decode(RECORD)
    assert Browser(AUTH, private(RECEIVER)).decrypt(body) == PLAINTEXT


@given(st.binary(max_size=WEB_PUSH_BYTES), st.binary(min_size=16, max_size=16))
def test_what_goes_in_comes_out_at_the_browser(plaintext: bytes, auth: bytes) -> None:
    browser = Browser(auth)
    body = encrypt(plaintext, browser.p256dh, auth)
    assert len(body) == len(plaintext) + 103
    assert browser.decrypt(body) == plaintext


def test_the_longest_message_makes_the_longest_body_and_one_byte_more_is_refused() -> None:
    browser = Browser(AUTH)
    assert len(encrypt(b"x" * 3_993, browser.p256dh, AUTH)) == 4_096
    with pytest.raises(ValueError, match="3994 bytes; at most 3993"):
        encrypt(b"x" * 3_994, browser.p256dh, AUTH)


def test_no_two_messages_share_a_key_or_a_salt() -> None:
    browser = Browser(AUTH)
    bodies = [encrypt(PLAINTEXT, browser.p256dh, AUTH) for _ in range(50)]
    assert len({body[:16] for body in bodies}) == len({body[21:86] for body in bodies}) == 50


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        (b"", AUTH),
        (RECEIVER_POINT[:-1], AUTH),
        (RECEIVER_POINT[:-1] + b"\x00", AUTH),
        (b"\x02" + RECEIVER_POINT[1:33], AUTH),
        (bytes(65), AUTH),
        (RECEIVER_POINT, AUTH[:-1]),
        (RECEIVER_POINT, AUTH + b"\x00"),
    ],
    ids=["none", "short", "off-curve", "compressed", "infinity", "short-auth", "long-auth"],
)
def test_keys_that_are_none_are_refused(p256dh: bytes, auth: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- some are the library's own words
        encrypt(PLAINTEXT, p256dh, auth)


def test_base64_of_the_tests_is_that_of_the_world() -> None:
    assert decode(encode(b"\xfb\xff\x00")) == b"\xfb\xff\x00" == urlsafe_b64decode("-_8A")


def test_a_second_message_to_a_browser_is_for_that_browser_too() -> None:
    browsers = [Browser(AUTH), Browser(AUTH)]
    for plaintext in (b"first", b"second"):
        for browser in browsers:
            assert browser.decrypt(encrypt(plaintext, browser.p256dh, AUTH)) == plaintext
