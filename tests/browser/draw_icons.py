"""Draws the demo's icons as PNG from its one SVG, for platforms that install nothing else.

Run it from the top folder after a change of the SVG:  ``.venv/bin/python -m tests.browser.draw_icons``
"""

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, chromium_path

FOLDER = Path(__file__).parents[2] / "web" / "demo" / "public"
# The file, its pixels, and whether a platform cuts its own shape out of it: then it is filled to the edge.
ICONS = (
    ("icon-192.png", 192, False),
    ("icon-512.png", 512, False),
    ("icon-maskable-512.png", 512, True),
    ("apple-touch-icon.png", 180, True),
)
ROUND = 'rx="9" '
# What is sure to stay is a circle of four fifths of the width.
SHRUNK = ('<g transform="', '<g transform="translate(3.2 3.2) scale(.8) ')


def main() -> None:
    """Write every icon."""
    rounded = (FOLDER / "icon.svg").read_text()
    filled = rounded.replace(ROUND, "").replace(*SHRUNK)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        for name, pixels, is_filled in ICONS:
            page = browser.new_page(viewport={"width": pixels, "height": pixels})
            page.set_content(
                f"<style>body {{ margin: 0 }}</style>{filled if is_filled else rounded}"
            )
            page.screenshot(path=FOLDER / name, omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
