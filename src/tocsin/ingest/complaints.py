"""What msgspec's complaints leave out: the words of a fixed set, and what is wrong with an escape."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

# Escapes one by one, so that a backslash which is itself escaped begins none; groups are halves of surrogate pairs.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)

# Some 50 ms if it is all escapes.
_LOOKED_AT: Final = 262_144


def why_no_json(raw: bytes, error: Exception) -> str:
    """Say why ``raw`` is no JSON.

    Half of a surrogate pair is found here, in the first 256 KiB, since msgspec takes it for an end that came too soon.
    """
    for escape in _ESCAPE.finditer(raw):
        if escape.start() > _LOOKED_AT:
            break
        if escape[1] is not None:
            half = escape[1].decode()
            return f"{half} at byte {escape.start()} is half of a surrogate pair, and no character"
    return str(error)


def words_at(kind: object, steps: Iterable[tuple[str, str]], *, of_key: bool) -> Sequence[object]:
    """Return the words of a fixed set that may stand at a place of what is read as ``kind``, in their order; else nothing.

    Each step is an index, or the name of a field; ``of_key`` asks for the keys of what is there.
    """
    kinds = list(_each(kind))
    for index, name in steps:
        kinds = [each for outer in kinds for each in _inside(outer, index, name)]
    if of_key:
        kinds = [
            each for outer in kinds if _is_mapping(outer) for each in _each(get_args(outer)[0])
        ]
    return [word for each in kinds if get_origin(each) is Literal for word in get_args(each)]


def _each(kind: object) -> Iterator[object]:
    """Yield what a type is made of, if it is a union."""
    if get_origin(kind) is Annotated:
        yield from _each(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for one in get_args(kind):
            yield from _each(one)
    else:
        yield kind


def _inside(kind: object, index: str, name: str) -> Iterator[object]:
    """Yield what is in a list or mapping, or in a field of a Struct."""
    if index and isinstance(get_origin(kind), type):
        yield from _each(get_args(kind)[1 if _is_mapping(kind) else 0])
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
        if name in fields:
            yield from _each(get_type_hints(kind)[fields[name]])


def _is_mapping(kind: object) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)
