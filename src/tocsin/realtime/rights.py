"""What a connection may do with groups: literal grants, and patterns from its token's roles.

Source:  https://learn.microsoft.com/azure/azure-web-pubsub/concept-wildcard-group-roles
Bound:   1000 literal groups and 10 patterns per action; a pattern has at most 1024 characters and 5 asterisks.
"""

from collections.abc import Iterable
from typing import Final, Literal

from tocsin.realtime.request import FORBIDDEN, AckError

Action = Literal["joinLeaveGroup", "sendToGroup", "setGroupState", "getGroupState"]
GRANTABLE: Final[tuple[Action, ...]] = ("joinLeaveGroup", "sendToGroup")
"""What may be granted on a live connection; the others come with the token's roles only."""
_ACTIONS: Final[tuple[Action, ...]] = (*GRANTABLE, "setGroupState", "getGroupState")
MAX_LITERALS: Final = 1000
MAX_PATTERNS: Final = 10
_MAX_PATTERN: Final = 1024
_MAX_ASTERISKS: Final = 5
_PREFIX: Final = "webpubsub."


class Pattern:
    r"""A wildcard: ``?`` one character but a dot, ``*`` any number of these, ``**`` any number of any; ``\`` escapes.

    Matched by keeping the set of places in the pattern that the text so far can have reached, as the bits of a number:
    no text takes more than its length, whatever the pattern.
    """

    __slots__ = ("_any", "_chars", "_end", "_many", "_one", "_start", "text")

    def __init__(self, text: str) -> None:
        """Compile ``text``.

        Raises:
            ValueError: It is too long, has too many asterisks, or ends with a lone backslash.
        """
        if len(text) > _MAX_PATTERN or text.count("*") > _MAX_ASTERISKS:
            msg = f"a pattern has at most {_MAX_PATTERN} characters and {_MAX_ASTERISKS} asterisks"
            raise ValueError(msg)
        self.text = text
        self._chars: dict[str, int] = {}
        self._one = self._many = self._any = 0
        place, index = 1, 0
        while index < len(text):
            char = text[index]
            if text.startswith("**", index):
                self._any |= place
                index += 1
            elif char == "*":
                self._many |= place
            elif char == "?":
                self._one |= place
            else:
                if char == "\\":
                    index += 1
                    if index == len(text):
                        raise ValueError("a pattern does not end with a backslash")
                    char = text[index]
                self._chars[char] = self._chars.get(char, 0) | place
            place <<= 1
            index += 1
        self._end = place
        self._start = self._skip(1)

    def matches(self, text: str) -> bool:
        """Whether the whole ``text`` fits."""
        places = self._start
        for char in text:
            dot = char == "."
            steps = self._chars.get(char, 0) | (0 if dot else self._one)
            stays = self._any | (0 if dot else self._many)
            places = self._skip((places & steps) << 1 | places & stays)
            if not places:
                return False
        return bool(places & self._end)

    def _skip(self, places: int) -> int:
        """Add the places behind asterisks, which may stand for nothing."""
        asterisks = self._any | self._many
        while (more := places | (places & asterisks) << 1) != places:
            places = more
        return places


class Rights:
    """What may be done, to which groups."""

    __slots__ = ("_all", "_groups", "_patterns")

    def __init__(self, roles: Iterable[str] = ()) -> None:
        """Read ``roles``; what is no role of Web PubSub, or beyond the bounds, grants nothing."""
        self._all: set[Action] = set()
        self._groups: dict[Action, set[str]] = {}
        self._patterns: dict[Action, list[Pattern]] = {}
        for role in roles:
            self._read(role)

    def may(self, action: Action, group: str) -> bool:
        """Whether ``action`` is granted for ``group``."""
        return (
            action in self._all
            or group in self._groups.get(action, ())
            or any(pattern.matches(group) for pattern in self._patterns.get(action, ()))
        )

    def refusal(self, action: Action, group: str, verb: str) -> AckError | None:
        """Return what a client is told that may not do this; its text is the service's."""
        if self.may(action, group):
            return None
        text = f"The client does not have permission to {verb} group '{group}'."
        return AckError(FORBIDDEN, text)

    def granted(self, action: Action, group: str | None) -> bool:
        """Whether exactly this was granted: for a group by name, or with None for all."""
        if group is None:
            return action in self._all
        return action in self._all or group in self._groups.get(action, ())

    def grant(self, action: Action, group: str | None) -> bool:
        """Grant ``action`` for a group, or with None for all; False if there are too many groups."""
        if group is None:
            self._all.add(action)
            return True
        groups = self._groups.setdefault(action, set())
        if len(groups) >= MAX_LITERALS and group not in groups:
            return False
        groups.add(group)
        return True

    def revoke(self, action: Action, group: str | None) -> None:
        """Take a grant back; what follows from another one stays."""
        if group is None:
            self._all.discard(action)
        else:
            self._groups.get(action, set()).discard(group)

    def roles(self) -> tuple[str, ...]:
        """Return roles that grant the same."""
        said = [f"{_PREFIX}{action}" for action in _ACTIONS if action in self._all]
        for action, groups in self._groups.items():
            said += [f"{_PREFIX}{action}.{group}" for group in groups]
        for action, patterns in self._patterns.items():
            if action in GRANTABLE:  # for the others the literals say it
                said += [f"{_PREFIX}{action}s.{pattern.text}" for pattern in patterns]
        return tuple(said)

    def _read(self, role: str) -> None:
        for action in _ACTIONS:
            name = _PREFIX + action
            if role == name:
                self._all.add(action)
            elif role.startswith(f"{name}."):
                text = role[len(name) + 1 :]
                self.grant(action, text)
                if (
                    action not in GRANTABLE
                ):  # these roles have no plural: a pattern looks like a name
                    self._add_pattern(action, text)
            elif role.startswith(f"{name}s."):
                self._add_pattern(action, role[len(name) + 2 :])

    def _add_pattern(self, action: Action, text: str) -> None:
        patterns = self._patterns.setdefault(action, [])
        if len(patterns) < MAX_PATTERNS:
            try:
                patterns.append(Pattern(text))
            except ValueError:
                return


NO_RIGHTS: Final = Rights()
"""What a connection without roles has; nothing is granted on it, a connection that is granted something gets its own."""
