"""The list of the inbox: long ones, new alerts while it is read, what is pressed, and the panel of the bell."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.element_page import calls, open_page, show
from tests.browser.element_states import HOUR_MS, INBOX, ITEMS, MINUTE_MS, State, item, shown

MANY = 10_000

# Scrolls by half a screen per frame; answers with the least that was ever in sight of rows, in pixels.
# A frame of the browser's, in which it tells of scrolling: the page's own clock makes those of a script.
SCROLL = """async () => {
  const list = element.renderRoot.querySelector(".list");
  const frame = () => new Promise((done) => new ResizeObserver(done).observe(list));
  let least = Infinity;
  for (let step = 0; step < 40; step += 1) {
    list.scrollBy(0, step < 20 ? 300 : -300);
    await frame();
    await element.updateComplete;
    const { top, bottom } = list.getBoundingClientRect();
    const rows = [...element.renderRoot.querySelectorAll("section")];
    const boxes = rows.map((row) => row.getBoundingClientRect());
    const sight = boxes.map((box) => Math.min(box.bottom, bottom) - Math.max(box.top, top));
    least = Math.min(least, sight.reduce((sum, px) => sum + Math.max(0, px), 0));
  }
  return least;
}"""
# Where a row is in the window, and how many rows are drawn.
PLACE = """(key) => {
  const rows = [...element.renderRoot.querySelectorAll("[data-key]")];
  const row = rows.find((one) => one.dataset.key === key);
  return { top: row?.getBoundingClientRect().top ?? null, drawn: rows.length };
}"""
# Drawing may scroll, and scrolling draw, once more.
DRAWN = """async () => {
  const list = element.renderRoot.querySelector(".list");
  for (let frame = 0; frame < 3; frame += 1) {
    await new Promise((done) => new ResizeObserver(done).observe(list));
    await element.updateComplete;
  }
}"""
SCROLL_TO = "(top) => { element.renderRoot.querySelector('.list').scrollTop = top; }"


def many(count: int = MANY) -> list[dict[str, Any]]:
    """Return alerts of the last weeks, every third with two lines more."""
    return [
        item(
            f"i{index}",
            index * 5 * MINUTE_MS,
            f"Alert {index}",
            read=index % 2 == 1,
            **({"body": "A longer story, told in two lines. " * 4} if index % 3 == 0 else {}),
        )
        for index in range(count)
    ]


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """A desktop."""
    context = chromium.new_context(viewport={"width": 800, "height": 700}, timezone_id="UTC")
    yield open_page(context)
    context.close()


def drawn(page: Page) -> None:
    """Let what a scroll or a change asked for be drawn."""
    page.evaluate(DRAWN)


def unfolded(page: Page) -> Locator:
    """Return the panel of the bell, as it stands when it moves no more."""
    panel = page.locator(".panel")
    panel.evaluate("(it) => Promise.all(it.getAnimations().map((one) => one.finished))")
    return panel


def test_days_are_headings(page: Page) -> None:
    show(page, "tocsin-inbox", State())
    headings = page.get_by_role("heading", level=2)
    expect(headings).to_have_text(["today", "yesterday", "Last 7 days", "November", "October"])


def test_ten_thousand_alerts_are_drawn_in_part_and_scroll(page: Page) -> None:
    show(page, "tocsin-inbox", State(shown(many())))
    assert page.evaluate(PLACE, "i0")["drawn"] < 120
    assert page.evaluate(SCROLL) > 500
    assert page.evaluate(PLACE, "i0")["drawn"] < 120


def test_keys_reach_the_last_of_ten_thousand_and_come_back(page: Page) -> None:
    show(page, "tocsin-inbox", State(shown(many()), focus="[data-key=i0] .title", keys=["End"]))
    title = page.locator(".title:focus")
    expect(title).to_have_text(f"Alert {MANY - 1}")
    expect(title).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(title).to_contain_text("Alert 0")
    expect(title).to_be_in_viewport()


def test_what_comes_meanwhile_is_counted_and_moves_nothing(page: Page) -> None:
    items = many(300)
    show(page, "tocsin-inbox", State(shown(items)))
    page.evaluate(SCROLL_TO, 4_000)
    drawn(page)
    seen = page.locator("[data-key]").evaluate_all(
        "(rows) => rows.find((row) => row.getBoundingClientRect().top > 200).dataset.key"
    )
    before = page.evaluate(PLACE, seen)["top"]
    fresh = [item(f"new{index}", -MINUTE_MS * (index + 1), f"New {index}") for index in range(3)]
    page.evaluate("(view) => client.show(view)", shown([*reversed(fresh), *items]))
    pill = page.get_by_role("button", name="3 new")
    expect(pill).to_be_visible()
    assert abs(page.evaluate(PLACE, seen)["top"] - before) <= 1
    gone = [one for one in items if one["id"] not in ("i1", "i2")]
    page.evaluate("(view) => client.show(view)", shown([*reversed(fresh), *gone]))
    drawn(page)
    assert abs(page.evaluate(PLACE, seen)["top"] - before) <= 1
    pill.click()
    expect(page.locator(".title:focus")).to_contain_text("New 2")
    expect(pill).to_have_count(0)


def test_older_alerts_come_by_scrolling_and_by_the_button(page: Page) -> None:
    show(page, "tocsin-inbox", State(shown(many(60), complete=False, end=5)))
    assert calls(page) == []
    page.evaluate(SCROLL_TO, 100_000)
    expect(page.get_by_role("button", name="Loading older alerts")).to_be_disabled()
    assert calls(page) == [["loadOlder"]]
    show(page, "tocsin-inbox", State(shown(many(3), complete=False, end=5)))
    page.get_by_role("button", name="Load more").click()
    assert calls(page) == [["loadOlder"]]


def test_a_filter_narrows_the_list_and_what_is_marked(page: Page) -> None:
    show(page, "tocsin-inbox", INBOX["filter"])
    rows = page.locator(".row .title")
    page.get_by_label("Any category").select_option("operations")
    expect(rows).to_have_count(3)
    page.get_by_label("Any severity").select_option("error")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Mark all as read").click()
    assert calls(page) == [["markRead", ["backup"]]]
    page.get_by_label("Any severity").select_option("success")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(rows).to_have_count(len(ITEMS))


def test_a_range_is_chosen_by_shift_and_acted_on_at_once(page: Page) -> None:
    show(page, "tocsin-inbox", State())
    boxes = page.get_by_role("checkbox")
    boxes.nth(0).check()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.get_by_text("4 selected")).to_be_visible()
    page.get_by_role("toolbar").get_by_role("button", name="Archive").click()
    expect(page.get_by_text("4 archived")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    chosen = [one["id"] for one in ITEMS[:4]]
    assert calls(page) == [["archive", chosen], ["unarchive", chosen]]


def test_row_actions_do_not_move_the_text(page: Page) -> None:
    show(page, "tocsin-inbox", State())
    row = page.locator("[data-key=comment]")
    before = [row.locator(part).bounding_box() for part in (".title", ".body", ".mark")]
    row.hover()
    expect(row.get_by_role("button", name="Snooze")).to_be_visible()
    assert before == [row.locator(part).bounding_box() for part in (".title", ".body", ".mark")]
    row.get_by_role("button", name="Snooze").click()
    page.get_by_role("menuitem", name="Tomorrow").click()
    assert calls(page) == [["snooze", ["comment"]]]


def test_a_read_row_stays_in_the_list_of_the_unread_until_it_is_left(page: Page) -> None:
    show(page, "tocsin-inbox", State(press=["#unread"]))
    rows = page.locator(".row")
    expect(rows).to_have_count(3)
    page.locator("[data-key=backup]").hover()
    page.locator("[data-key=backup]").get_by_role("button", name="Mark as read").click()
    read = [{**one, "read": True} if one["id"] == "backup" else one for one in ITEMS]
    page.evaluate("(view) => client.show(view)", shown(read))
    expect(rows).to_have_count(3)
    page.get_by_role("tab", name="All").click()
    page.get_by_role("tab", name="Unread").click()
    expect(rows).to_have_count(2)


def test_a_row_that_goes_elsewhere_leaves_the_focus_in_the_list(page: Page) -> None:
    show(page, "tocsin-inbox", State(focus="[data-key=comment] .title"))
    left = [one for one in ITEMS if one["id"] != "comment"]
    page.evaluate("(view) => client.show(view)", shown(left))
    expect(page.locator(".title:focus")).to_have_count(1)


def test_times_are_relative_and_exact_on_hover(page: Page) -> None:
    hour = item("hour", 3 * HOUR_MS, "Three hours ago")
    show(page, "tocsin-inbox", State(shown([hour])))
    time = page.locator("time")
    expect(time).to_have_text("3 h")
    assert time.get_attribute("datetime") == "2025-11-19T12:20:00.000Z"
    assert "Wednesday, November 19, 2025" in (time.get_attribute("title") or "")


def test_the_panel_of_the_bell_takes_the_focus_and_gives_it_back(page: Page) -> None:
    show(page, "tocsin-bell", State())
    bell = page.get_by_role("button", name="Notifications, 3 new")
    bell.click()
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel.locator(".title:focus")).to_contain_text("Nightly backup")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(bell).to_be_focused()
    bell.click()
    expect(panel).to_be_visible()
    page.mouse.click(5, 600)
    expect(panel).to_be_hidden()


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_the_panel_stands_at_the_bell_inside_the_window(page: Page, direction: str) -> None:
    page.evaluate("(direction) => { document.documentElement.dir = direction; }", direction)
    show(page, "tocsin-bell", State(press=[".bell"]))
    box = unfolded(page).bounding_box()
    bell = page.locator(".bell").bounding_box()
    page.evaluate("() => { document.documentElement.dir = 'ltr'; }")
    assert box is not None
    assert bell is not None
    ends = (box["x"] + box["width"], bell["x"] + bell["width"])
    assert abs(ends[0] - ends[1]) <= 1 if direction == "ltr" else abs(box["x"] - bell["x"]) <= 1
    assert box["y"] >= bell["y"] + bell["height"]
    assert box["y"] + box["height"] <= 700


def test_a_drawer_is_as_high_as_the_window(page: Page) -> None:
    show(page, "tocsin-bell", State(press=[".bell"]), {"opens": "drawer"})
    box = unfolded(page).bounding_box()
    assert box is not None
    assert (box["y"], box["height"]) == (0, 700)
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".panel")).to_be_hidden()
