"""The inbox in a browser: how soon it is there, and how it moves with ten thousand alerts in it."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import httpx
from bench.frame import Bench, Row
from bench.servers import Tocsin, tocsin
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

# By "ours" and "plain", then "scroll" and "read": lengths in milliseconds.
Motions = Mapping[str, Mapping[str, Sequence[float]]]

ALERTS = 10_000
BATCH = 1_000
SCROLLED_FRAMES = 300
READ = 40
STEP_PX = 200
# Two frames of a screen with 60 of them in a second: one was missed.
SMOOTH_MS = 34.0
# Below this people take an answer for immediate.
QUICK_MS = 100.0
FOLDER = Path(__file__).parents[1] / "load"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)
LOADED_MS = 300_000


def web(bench: Bench) -> list[Row]:
    """One person with 10,000 alerts, in Chromium; the controls are the network, and a plain list."""
    with tocsin() as server, chromium() as browser:
        fill(server)
        bench.say(f"{ALERTS:,} alerts in one inbox")
        first = [first_rows(browser, server) for _ in range(bench.turns)]
        moved = [motions(browser, server) for _ in range(bench.turns)]
    rows = [_first(first), _scrolled(moved), _read(moved)]
    for row in rows:
        bench.say(f"{row.what}: {row.ours}, control {row.control}")
    return rows


def _first(times: Sequence[tuple[float, float]]) -> Row:
    kept, fetched = (median(each) for each in zip(*times, strict=True))
    return Row(
        "first row of the inbox, kept by the browser",
        _ms(kept),
        _ms(fetched),
        kept / fetched,
        "<= 1.00",
        kept <= fetched,
        "control: nothing kept, so it comes over the network; since the page was asked for",
    )


def _scrolled(moved: Sequence[Motions]) -> Row:
    ours, plain = (median(p95(turn[of]["scroll"]) for turn in moved) for of in ("ours", "plain"))
    return Row(
        f"a frame while scrolling {ALERTS:,} alerts, p95",
        _ms(ours),
        _ms(plain),
        ours / plain,
        f"<= {_ms(SMOOTH_MS)}",
        ours <= SMOOTH_MS,
        f"control: {ALERTS:,} `<li>` of two lines of text and nothing else; {STEP_PX} px with each frame",
    )


def _read(moved: Sequence[Motions]) -> Row:
    ours, plain = (median(p95(turn[of]["read"]) for turn in moved) for of in ("ours", "plain"))
    return Row(
        f"marking one of {ALERTS:,} as read, p95",
        _ms(ours),
        _ms(plain),
        ours / plain,
        f"<= {_ms(QUICK_MS)}",
        ours <= QUICK_MS,
        "control: a class on one `<li>`; until the second frame after it, which is when it is seen",
    )


def _ms(value: float) -> str:
    return f"{value:,.1f} ms"


def fill(server: Tocsin) -> None:
    """Give the reader her alerts."""
    headers = {"authorization": f"Bearer {server.key}"}
    for start in range(0, ALERTS, BATCH):
        alerts = [
            {
                "to": {"users": ["reader"]},
                "title": f"Invoice {number} was paid",
                "body": "Hartmann & Sons paid 1,840.00 for the month; the receipt is in the archive.",
            }
            for number in range(start, start + BATCH)
        ]
        answer = httpx.post(
            f"http://127.0.0.1:{server.port}/v1/alerts/batch",
            json={"alerts": alerts},
            headers=headers,
            timeout=60,
        )
        answer.raise_for_status()
    server.settle()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser of this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("TOCSIN_TEST_CHROMIUM") or next(filter(None, map(shutil.which, names)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visitor(browser: Browser, server: Tocsin) -> Iterator[BrowserContext]:
    """A browser that has never been here, and a backend that signs it in."""
    token = server.token_answer("reader")

    def answer(route: Route) -> None:
        name = route.request.url.partition("/bench/")[2].partition("?")[0]
        if name == "token":
            route.fulfill(json=token)
        else:
            route.fulfill(path=FOLDER / name)

    with browser.new_context(viewport={"width": 1_000, "height": 800}) as context:
        context.route("**/bench/*", answer)
        yield context


def first_rows(browser: Browser, server: Tocsin) -> tuple[float, float]:
    """Milliseconds until the first row: what the browser kept, and over the network."""
    with visitor(browser, server) as context:
        fetched = _opened(context, server, "").evaluate("bench.firstRow()")
        earlier = _opened(context, server, "?kept")
        earlier.wait_for_function("document.querySelector('tocsin-inbox').view?.synced")
        earlier.close(run_before_unload=True)
        kept = _opened(context, server, "?kept").evaluate("bench.firstRow()")
    return kept, fetched


def motions(browser: Browser, server: Tocsin) -> Motions:
    """Lengths of frames, in milliseconds: scrolling and reading in ours, then in a plain list."""
    with visitor(browser, server) as context:
        page = _opened(context, server, "")
        assert page.evaluate("bench.loadAll()") >= ALERTS
        ours = _moved(page)
        page.evaluate("bench.drawPlain()")
        return {"ours": ours, "plain": _moved(page)}


def _moved(page: Page) -> Mapping[str, Sequence[float]]:
    return {
        "scroll": page.evaluate(f"bench.scroll({SCROLLED_FRAMES})"),
        "read": page.evaluate(f"bench.read({READ})"),
    }


def _opened(context: BrowserContext, server: Tocsin, query: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(LOADED_MS)
    page.goto(f"http://127.0.0.1:{server.port}/bench/inbox_page.html{query}")
    page.wait_for_function("window.bench")
    return page


def p95(lengths: Sequence[float]) -> float:
    """Return what 95 of 100 do not exceed."""
    return quantiles(lengths, n=20)[-1]
