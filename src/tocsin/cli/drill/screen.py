"""How a drill looks while it runs and when it is over: made for 80 columns, and for dark and light terminals."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocsin.cli.drill.drilled import Drilled, Watch
from tocsin.cli.progress import shown_progress
from tocsin.clock import SystemClock

LINE_EVERY_S = 5.0
SHOWN_FINDINGS = 10
_WIDTH = 80
_SECOND_MS = 1000
_ALERTS = {
    "acked": "on disk, as the servers said",
    "refused": "the servers said no",
    "unknown": "no answer at first, so repeated under the same id",
    "unsettled": "no answer to the repeats either",
}
_BREACHES = {
    "lost": ("lost", "acked, but not in the person's inbox"),
    "doubled": ("doubled", "twice in an inbox, or told twice to a client"),
    "stray": ("stray", "refused, or for others, but in the inbox"),
    "hole": ("holes", "a client differs from a fresh fetch of its inbox"),
    "order": ("order breaks", "not in the order of commits, or of the batch"),
}
_LATENCIES = {"publish": "publish call", "client": "until at the client"}
# Words on a ground of their own can be read whatever the terminal's is.
_VERDICTS = {
    "passed": (
        "black on green",
        "every acked alert is in its inboxes once, and on every client",
    ),
    "broken": ("white on red", "the promise was not kept"),
    "unproven": ("black on yellow", "no breach was seen, but this proves nothing"),
    "unclean": ("black on yellow", "it passed, but something was left behind"),
}


@contextmanager
def shown_drill() -> Iterator[Watch]:
    """Show how far a drill is on standard error: a bar on a terminal, else a line for what is new, and every 5 s."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    with shown_progress() as tell:
        yield lambda drilled, what, share: tell(_progress(drilled, what), share)


def _lines() -> Watch:
    clock = SystemClock()
    last_what, last_s = "", 0.0

    def watch(drilled: Drilled, what: str, _share: float | None) -> None:
        nonlocal last_what, last_s
        now_s = clock.monotonic_s()
        if what != last_what or now_s - last_s >= LINE_EVERY_S:
            last_what, last_s = what, now_s
            print(_progress(drilled, what), file=sys.stderr, flush=True)

    return watch


def _progress(drilled: Drilled, what: str) -> str:
    ledger = drilled.ledger
    if not ledger.entries:
        return what
    return f"{what}: {ledger.count('acked'):,} acked, {ledger.unknown():,} unknown"


def print_account(account: Mapping[str, Any]) -> None:
    """Print the ledger on standard output."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    console.print(_head(account))
    console.print(_numbers(account))
    console.print(_latencies(account["latency_ms"]))
    for words in _details(account):
        console.print(Text(f"  {words}"))
    style, meaning = _VERDICTS[account["verdict"]]
    label = (f" {account['verdict'].upper()} ", f"bold {style}")
    console.print(Text.assemble("\n", label, " ", meaning))


def _head(account: Mapping[str, Any]) -> Text:
    published, took_s = account["alerts"]["published"], account["published_s"]
    rate = f", {published / took_s:.0f} a second" if took_s else ""
    nodes = _many(account["nodes"], "node")
    watched = (
        f"{_many(account['clients'], 'client')} of {_many(account['people'], 'person', 'people')}"
    )
    lines = [
        f"{_many(published, 'alert')} in {took_s:.1f} s{rate}, to {nodes}",
        f"{watched}, {_many(account['copies'], 'copy', 'copies')} in their inboxes",
        f"{_many(account['dropped'], 'dropped connection')}, {_many(len(account['breaks']), 'break')}",
    ]
    return Text("\n".join(["", f"Drill {account['drill']}", *(f"  {line}" for line in lines), ""]))


def _numbers(account: Mapping[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=14)
    table.add_column(justify="right", min_width=9)
    table.add_column(style="dim")
    for name, meaning in _ALERTS.items():
        table.add_row(f"  {name}", f"{account['alerts'][name]:,}", meaning)
    table.add_row()
    for name, (title, meaning) in _BREACHES.items():
        count = account["breaches"][name]
        style = "bold red" if count else "green"
        table.add_row(Text(f"  {title}", style), Text(f"{count:,}", style), meaning)
    table.add_row()
    return table


def _latencies(latency_ms: Mapping[str, Mapping[str, float]]) -> Table:
    names = ("p50", "p95", "p99", "p99.9", "max")
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(min_width=22)
    for _ in names:
        table.add_column(justify="right", min_width=9)
    table.add_row(*(Text(name, "dim") for name in ("", *names)))
    for name, title in _LATENCIES.items():
        times = latency_ms[name]
        table.add_row(f"  {title}", *(_time(times[one]) if times else "-" for one in names))
    return table


def _details(account: Mapping[str, Any]) -> Iterator[str]:
    """Yield what has to be told beside the numbers, if anything has."""
    yield from account["doubts"] and ("", *account["doubts"])
    yield from (f"{count} times: {reason}" for reason, count in account["reasons"].items())
    findings = account["findings"]
    yield from findings and ("", *findings[:SHOWN_FINDINGS])
    if len(findings) > SHOWN_FINDINGS:
        yield f"and more; --json names the first {len(findings)}"


def _time(time_ms: float) -> str:
    if time_ms < _SECOND_MS:
        return f"{time_ms:.1f} ms"
    return f"{time_ms / _SECOND_MS:.2f} s"


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"
