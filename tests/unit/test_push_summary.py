"""A summary says how many alerts there are, how severe, and names the newest."""

from typing import Any

import pytest

from tocsin.model.alert import Content
from tocsin.push.summary import summary_of


def content(title: str, severity: Any = "info") -> Content:
    return Content("app", title, severity, "2026-11-23T00:00:00.000Z", body="x", url="/one")


def test_a_summary_counts_all_and_names_the_newest() -> None:
    said = summary_of([content(f"alert {n}", "warning" if n == 4 else "info") for n in range(5)])
    assert said.title == "5 new alerts"
    assert said.body == "alert 0\nalert 1\nalert 2\n\u2026"
    assert (said.severity, said.url, said.actions) == ("warning", None, ())


@pytest.mark.parametrize(
    ("locale", "title"),
    [
        (None, "2 new alerts"),
        ("de", "2 neue Meldungen"),
        ("DE-ch", "2 neue Meldungen"),
        ("pt-BR", "2 new alerts"),
    ],
)
def test_a_summary_speaks_the_language_of_the_device(locale: str | None, title: str) -> None:
    assert summary_of([content("a"), content("b")], locale).title == title


def test_a_summary_of_few_names_them_all() -> None:
    assert summary_of([content("a"), content("b", "critical")]).body == "a\nb"
