"""Contestants that are measured in turns; one that fails does not keep the others from it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from bench.contestants.venue import Contestant
from bench.frame import Bench, Line

_Course = TypeVar("_Course")
_Line = TypeVar("_Line", bound=Line)


def in_turns(
    bench: Bench,
    contestants: Sequence[Contestant],
    run: Callable[[Contestant], _Course],
    sum_up: Callable[[str, Sequence[_Course], str], _Line],
) -> list[_Line]:
    """Run each once in each turn; return a line for each.

    ``sum_up`` makes a line of a name, what the runs gave, and a note.  What is not installed or failed has no runs, and a note
    that says so.
    """
    courses: dict[str, list[_Course]] = {each.name: [] for each in contestants}
    there = [each for each in contestants if each.installed()]
    for _ in range(bench.turns):
        for each in there:
            try:
                course = run(each)
            except (RuntimeError, OSError, EOFError) as error:
                bench.fail(f"{each.name}: {error!r}")
            else:
                bench.say(f"{each.name}: {', '.join(sum_up('', [course], '').cells()[1:])}")
                courses[each.name].append(course)
    return [
        sum_up(each.name, given, each.note() if given else each.why_not())
        for each, given in zip(contestants, courses.values(), strict=True)
    ]
