"""The blocks of a guide, by their languages, in the order of the text."""

import re
from collections import defaultdict
from pathlib import Path

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def blocks_of(name: str, **changed: str) -> dict[str, list[str]]:
    """Read a guide, with words replaced that this machine needs otherwise, such as a port."""
    text = (GUIDES / f"{name}.md").read_text()
    for word, other in changed.items():
        text = text.replace(word.removeprefix("_"), other)
    found: dict[str, list[str]] = defaultdict(list)
    for language, block in _BLOCK.findall(text):
        found[language].append(block)
    return found
