"""Many alerts in one notification: how many there are, and what the newest are called."""

from collections.abc import Sequence
from typing import Final, get_args

from tocsin.model.alert import Content, Severity
from tocsin.push.words import words_for

NAMED: Final = 3
_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)


def summary_of(contents: Sequence[Content], locale: str | None = None) -> Content:
    """Return what is shown instead of these alerts, of which the newest comes first, in the language of ``locale``.

    It opens the app, not one of them.
    """
    newest = contents[0]
    titles = [content.title for content in contents[:NAMED]]
    more = ["\u2026"] if len(contents) > NAMED else []
    return Content(
        source=newest.source,
        title=words_for(locale).summary.format(count=len(contents)),
        severity=max((content.severity for content in contents), key=_SEVERITIES.index),
        created_at=newest.created_at,
        body="\n".join([*titles, *more]),
    )
