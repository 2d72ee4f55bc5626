"""Who gets an alert to topics, chunk by chunk, in the order of their names.

Everybody has one place in that order, so nobody is visited twice: not who is in several topics, nor who is named as well,
nor who comes or goes between two chunks.
"""

from collections.abc import Iterable, Sequence

import msgspec


class Chunk(msgspec.Struct, frozen=True):
    """The next people of an audience, in order."""

    users: Sequence[str]
    is_last: bool = True


def next_chunk(
    named: Iterable[str], subscribed: Iterable[Iterable[str]], after: str, limit: int
) -> Chunk:
    """Return the first ``limit`` people after ``after``.

    Args:
        named: Who is named in the audience.
        subscribed: Of each topic its first subscribers after ``after``, ``limit`` and one more if there are so many.
        after: The last one of the chunk before; empty before the first.
        limit: How many one chunk has at most.
    """
    people = {user for user in named if user > after}.union(*subscribed)
    users = sorted(people)
    return Chunk(users[:limit], is_last=len(users) <= limit)
