"""Templates: texts with places that a message fills, e.g. ``Order {order.number} was sent``.

A place is a path of keys and indexes into the message's JSON (``{lines.0.sku}``), ``{header:NAME}`` for one of its headers, or
``{}`` for all of its JSON; braces that are meant are doubled.  A template that is one place and nothing else yields what
stands there, with its type; any other yields text.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from tocsin.errors import ConfigError, InvalidInputError

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_HEADER: Final = "header:"


class Filling(msgspec.Struct, frozen=True):
    """What a message has for the places of templates; header names are in lower case."""

    json: object
    headers: Mapping[str, object]


class Template:
    """A text with places, read once.

    Raises:
        ConfigError: A brace stands alone.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts: list[str] = []  # texts and paths in turn, beginning with a text
        literal, end = "", 0
        for token in _TOKEN.finditer(text):
            literal += text[end : token.start()]
            end = token.end()
            if token[1] is not None:
                self._parts += [literal, token[1].strip()]
                literal = ""
            elif token[0] in ("{{", "}}"):
                literal += token[0][0]
            else:
                detail = (
                    f"{text!r}: a {token[0]!r} stands alone; write {token[0] * 2!r} if it is meant"
                )
                raise ConfigError(detail)
        self._parts.append(literal + text[end:])

    @property
    def is_one_place(self) -> bool:
        """Whether it is one place and nothing else."""
        return len(self._parts) == 3 and not self._parts[0] and not self._parts[2]  # noqa: PLR2004 -- text, path, text

    def fill(self, filling: Filling) -> object:
        """Return what the message says; None where its one place is empty.

        Raises:
            InvalidInputError: A place within a text is empty, or has more than a value.
        """
        if self.is_one_place:
            return _look_up(filling, self._parts[1])
        texts = [
            self._text_of(filling, part) if index % 2 else part
            for index, part in enumerate(self._parts)
        ]
        return "".join(texts)

    def _text_of(self, filling: Filling, path: str) -> str:
        value = _look_up(filling, path)
        if value is None or isinstance(value, dict | list):
            what = "nothing" if value is None else "more than one value"
            detail = f"{{{path}}} of {self._text!r:.80} is {what} in this message"
            raise InvalidInputError(detail, code="invalid-field")
        return as_text(value)


def as_text(value: object) -> str:
    """Return a single value as people would write it: text as it is, everything else as JSON has it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _look_up(filling: Filling, path: str) -> object:
    if path.startswith(_HEADER):
        return filling.headers.get(path.removeprefix(_HEADER).strip().lower())
    value = filling.json
    for step in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
