"""What a producer publishes, as plain JSON: the fields of ``POST /v1/alerts`` (docs/reference/http-api.md).

These types help editors and type checkers.  The server validates, and says in a refusal which field is wrong.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Required, TypedDict


class Audience(TypedDict, total=False):
    """Who an alert is for."""

    users: Sequence[str]
    topics: Sequence[str]
    all: bool


class Action(TypedDict, total=False):
    """A button of an alert; ``url`` opens when it is pressed."""

    id: Required[str]
    label: Required[str]
    url: str
    style: Literal["default", "primary", "danger"]


class Alert(TypedDict, total=False):
    """One alert.  ``id``, with ``source``, makes repeats safe; without one the producer draws it.

    Times have a zone; text is RFC 3339.
    """

    to: Required[Audience]
    title: Required[str]
    body: str
    severity: Literal["info", "success", "warning", "error", "critical"]
    category: str
    collapse_key: str
    url: str
    icon: str
    actions: Sequence[Action]
    data: Any
    deliver_at: datetime | str
    expires_at: datetime | str
    id: str
    source: str
