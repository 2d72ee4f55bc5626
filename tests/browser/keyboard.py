"""A person at the keyboard, who has no pointer and sees where the focus is."""

from playwright.sync_api import Locator, Page, expect

# Further than from one end of an inbox' controls to the other.
MOST_STEPS = 40
HAS_FOCUS = "(one) => one.matches(':focus')"


def press(page: Page, *keys: str) -> None:
    """Press one key after the other."""
    for key in keys:
        page.keyboard.press(key)


def go_to(target: Locator, key: str = "Tab") -> None:
    """Press Tab, or another key, until the target has the focus; fail if it never has."""
    expect(target).to_be_visible()
    for _ in range(MOST_STEPS):
        if target.evaluate(HAS_FOCUS):
            return
        target.page.keyboard.press(key)
    expect(target).to_be_focused()


def go_back_to(target: Locator) -> None:
    """As :func:`go_to`, backwards."""
    go_to(target, "Shift+Tab")
