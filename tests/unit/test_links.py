"""Which addresses may become links; the same cases as those of the web client's ``links.test.ts``."""

import pytest

from tocsin.model.links import absolute_link, safe_link


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/x",
        "http://example.org",
        "mailto:ada@example.org",
        "tel:+4912345",
        "/invoices/7",
        "invoices/7?x=1",
        "#top",
        "//example.org/x",
        "https:",
    ],
)
def test_an_address_that_runs_nothing_may_be_a_link(address: str) -> None:
    assert safe_link(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "java\tscript:alert(1)",
        "\u0001javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://example.org/1",
        "http://[broken",
        "",
        None,
    ],
)
def test_an_address_that_could_run_something_may_not(address: str | None) -> None:
    assert safe_link(address) is None
    assert absolute_link(address, "https://app.example/") is None


@pytest.mark.parametrize(
    ("address", "base", "whole"),
    [
        ("https://example.org/x", None, "https://example.org/x"),
        ("/invoices/7", "https://app.example/home", "https://app.example/invoices/7"),
        ("invoices/7", "https://app.example/eu/", "https://app.example/eu/invoices/7"),
        ("//example.org/x", "https://app.example/", "https://example.org/x"),
        ("/invoices/7", None, None),
        ("mailto:ada@example.org", "https://app.example/", None),
        ("https:", None, None),
        (" https://example.org/\n", None, "https://example.org/"),
    ],
)
def test_a_whole_address_is_http_and_has_a_host(
    address: str, base: str | None, whole: str | None
) -> None:
    assert absolute_link(address, base) == whole
