"""Mutates inputs and keeps those that reach new lines, until a target fails or the runs are used up.

Guided by coverage: an input that takes a step from one line to another that none took before joins the corpus, so
that the hunt gets deeper than random bytes do.  Everything is drawn from one generator: the same seed hunts the same way.
"""

import random
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from types import CodeType, FrameType, ModuleType
from typing import Any, Final

Target = Callable[[bytes], None]
_MOST_BYTES: Final = 2048
_WORD: Final = re.compile(rb"[A-Za-z0-9]+")
_BYTES: Final = (0, 1, 0x20, 0x7D, 0x7E, 0x7F, 0x80, 0x81, 0x88, 0xFE, 0xFF)


class FoundError(AssertionError):
    """A target failed; the text has the input."""


class _Steps:
    """The steps from line to line that were taken in some modules."""

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        self._files = {module.__file__ for module in modules}
        self._known: set[tuple[CodeType, int, int]] = set()
        self._new = False

    def reach_further(self, target: Target, data: bytes) -> bool:
        """Run a target, and tell whether it took a step that none took before."""
        self._new = False
        sys.settrace(self._entered)
        try:
            target(data)
        finally:
            sys.settrace(None)
        return self._new

    def _entered(self, frame: FrameType, _event: str, _arg: object) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        last = 0

        def stepped(frame: FrameType, event: str, _arg: object) -> Any:
            nonlocal last
            if event == "line":
                step = (frame.f_code, last, frame.f_lineno)
                last = frame.f_lineno
                if step not in self._known:
                    self._known.add(step)
                    self._new = True
            return stepped

        return stepped


def hunt(
    target: Target,
    modules: Sequence[ModuleType],
    seeds: Sequence[bytes],
    words: Sequence[bytes],
    *,
    runs: int,
    seed: int = 0,
) -> int:
    """Look for an input that makes ``target`` raise; return how many inputs are in the corpus at the end.

    Args:
        target: What is called with each input.
        modules: Where new lines count.
        seeds: Inputs to begin with.
        words: What may be put into inputs besides random bytes.
        runs: How many inputs are tried.
        seed: Of the random generator.

    Raises:
        FoundError: An input was found.
    """
    rng, steps, corpus = random.Random(seed), _Steps(modules), list(seeds)
    for run in range(runs):
        data = corpus[run] if run < len(seeds) else _mutated(rng, corpus, words)
        try:
            further = steps.reach_further(target, data)
        except Exception as error:
            msg = f"run {run}: {type(error).__name__}: {error}; the input is {data!r}"
            raise FoundError(msg) from error
        if further and run >= len(seeds):
            corpus.append(data)
    return len(corpus)


def _mutated(rng: random.Random, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    data = bytearray(rng.choice(corpus))
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        _mutate(rng, data, corpus, words)
    return bytes(data[:_MOST_BYTES])


def _mutate(
    rng: random.Random, data: bytearray, corpus: Sequence[bytes], words: Sequence[bytes]
) -> None:
    at = rng.randint(0, len(data))
    end = min(len(data), at + rng.randint(1, 8))
    match rng.randrange(9):
        case 0 if data:
            data[at - 1] ^= 1 << rng.randrange(8)
        case 1 if data:
            data[at - 1] = rng.choice(_BYTES)
        case 2:
            del data[at:end]
        case 3:
            data[at:at] = data[at:end] * rng.choice((1, 2, 64))
        case 4:
            data[at:end] = rng.choice(words)
        case 5:
            data[at:at] = rng.choice(words)
        case 6:
            _exchange_word(rng, data, rng.choice(words))
        case 7:
            other = rng.choice(corpus)
            data[at:] = other[rng.randint(0, len(other)) :]
        case _:
            data[at:at] = rng.randbytes(rng.randint(1, 4))


def _exchange_word(rng: random.Random, data: bytearray, word: bytes) -> None:
    """Put a word in the place of another: what is put anywhere in a text seldom fits."""
    found = list(_WORD.finditer(data))
    if found:
        start, end = rng.choice(found).span()
        data[start:end] = word
