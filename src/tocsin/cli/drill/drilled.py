"""What came of a drill, for whoever shows or judges it."""

import uuid
from collections.abc import Callable

import msgspec

from tocsin.cli.drill.breaking import Break
from tocsin.cli.drill.judging import Finding
from tocsin.cli.drill.ledger import Ledger

Watch = Callable[["Drilled", str, float | None], None]
"""Told now and then how far a drill is: what is being done, and how much of it (0 to 1; None where nobody knows)."""


class Drilled(msgspec.Struct):
    """What came of a drill so far; ``unread`` are people whose inbox could not be fetched at the end, and why."""

    run: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex[:8])
    nodes: int = 0
    people: list[str] = msgspec.field(default_factory=list)
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    published_s: float = 0.0
    cuts: int = 0
    breaks: list[Break] = msgspec.field(default_factory=list)
    copies: int = 0
    findings: list[Finding] = msgspec.field(default_factory=list)
    unread: dict[str, str] = msgspec.field(default_factory=dict)
    uncleaned: dict[str, str] = msgspec.field(default_factory=dict)
