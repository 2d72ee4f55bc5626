"""Parts of the bench in processes of their own, so that one does not cost the other: the load, and some controls."""

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Self

import uvloop
from bench.measure import cpu_s


class Child:
    """An object in a process of its own, whose coroutine methods are called over a pipe, one at a time."""

    def __init__(self, make: Callable[[], object]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_run, args=(make, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()

    def begin(self, method: str, *args: object) -> None:
        """Call a method and do not wait for its end."""
        self._pipe.send((method, args))

    def end(self) -> Any:  # noqa: ANN401 -- whatever the method returns
        """Wait for what was begun and return its result.

        Raises:
            RuntimeError: it failed there; the cause is in the text.
        """
        failure, result = self._pipe.recv()
        if failure is not None:
            raise RuntimeError(failure)
        return result

    def call(self, method: str, *args: object) -> Any:  # noqa: ANN401 -- as above
        """Call a method and wait for its result."""
        self.begin(method, *args)
        return self.end()

    def cpu_s(self) -> float:
        """Return the CPU seconds used so far."""
        return cpu_s(self._process.pid or 0)


def _run(make: Callable[[], object], pipe: Connection) -> None:
    uvloop.run(_obey(make(), pipe))


async def _obey(target: object, pipe: Connection) -> None:
    loop, called = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(_die)
    loop.add_reader(pipe.fileno(), called.set)
    os.set_blocking(pipe.fileno(), True)  # the loop made it non-blocking; a message is read whole
    while True:
        await called.wait()
        try:
            method, args = pipe.recv()
        except EOFError:
            return
        called.clear()
        try:
            result = await getattr(target, method)(*args)
        except Exception as error:  # noqa: BLE001 -- told to the other side
            pipe.send((f"{method}: {error!r}", None))
        else:
            pipe.send((None, result))


def _die(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """End the process: a measurement in which a callback failed is none."""
    print(f"bench: {context.get('exception') or context['message']!r}", file=sys.stderr, flush=True)
    os._exit(1)
