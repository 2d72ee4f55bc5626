"""Both cores as one: every event goes to the TypeScript and the Python machine, and they must do the same."""

from typing import Any

from tests.model.node_bridge import BridgedCore
from tocsin.client.core import InboxCore

Row = dict[str, Any]
_BY = {"items": "id", "broadcasts": "brev", "states": "brev"}


class TwinCore:
    """The TypeScript core; each of its effects and views is held against the Python core's."""

    def __init__(self, typescript: BridgedCore, options: Row) -> None:
        self._typescript = typescript
        self._python = InboxCore(options)

    def step(self, event: Row) -> list[Row]:
        effects = self._typescript.step(event)
        _compare(f"effects of {event}", effects, self._python.step(event))
        return effects

    def view(self) -> Row:
        view = self._typescript.view()
        _compare("view", view, self._python.view())
        return view

    def snapshot(self) -> Row:
        snapshot = self._typescript.snapshot()
        _compare("snapshot", snapshot, self._python.snapshot())
        return snapshot


def _compare(what: str, typescript: Any, python: Any) -> None:
    ours, theirs = _plain(python), _plain(typescript)
    assert ours == theirs, f"{what}\npython     {ours}\ntypescript {theirs}"


def _plain(value: Any) -> Any:
    """Leave out nulls, which mean what absence means, and the order of a snapshot's rows, which means nothing."""
    if isinstance(value, dict):
        plain = {name: _plain(part) for name, part in value.items() if part is not None}
        if "queue" in plain:
            for name, key in _BY.items():
                plain[name].sort(key=lambda row: row[key])
        return plain
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value
