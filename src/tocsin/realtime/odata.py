"""The filter language of the REST sends: a Boolean subset of OData, compiled to a predicate over a connection.

``userId``, ``connectionId`` and ``protocol`` are strings (null where there is none), ``groups`` a collection.
Everything is checked for its type when it is compiled, so that judging a connection cannot fail.

Source:  https://learn.microsoft.com/azure/azure-web-pubsub/reference-odata-filter
Bound:   8,192 characters, 100 clauses (comparisons and calls), 32 levels of nesting.
"""

import re
from collections.abc import Callable, Collection
from typing import Any, Final, Literal, NamedTuple

from tocsin.realtime.session import Session

Where = Callable[[Session], bool]
MAX_CHARS: Final = 8_192
MAX_CLAUSES: Final = 100
MAX_DEPTH: Final = 32
_LONGEST_NUMBER: Final = 18

Kind = Literal["bool", "string", "number", "null", "strings"]


class FilterError(ValueError):
    """The text is no filter; the message says where."""


class Term(NamedTuple):
    """A part of a filter: what kind of value it has, and how to get it."""

    kind: Kind
    value: Callable[[Session], Any]


class _Token(NamedTuple):
    kind: Literal["name", "string", "number", "sign", "end"]
    text: str
    end: int


_WORDS: Final = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<string>'(?:[^']|'')*')|(?P<number>-?[0-9]+)|(?P<sign>[(),]))"
)
_FIELDS: Final[dict[str, Term]] = {
    "userid": Term("string", lambda session: session.user),
    "connectionid": Term("string", lambda session: session.id),
    "protocol": Term("string", lambda session: session.dialect.subprotocol),
    "groups": Term("strings", lambda session: session.groups),
}
_ORDERS: Final[dict[str, Callable[[int, int], bool]]] = {
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}


_OPERATORS: Final = frozenset({"eq", "ne", "in", "and", "or", *_ORDERS})


class _Function(NamedTuple):
    takes: tuple[Kind, ...]
    gives: Kind
    of_null: Any
    apply: Callable[..., Any]
    optional: int = 0


_FUNCTIONS: Final[dict[str, _Function]] = {
    "length": _Function(("string",), "number", None, len),
    "tolower": _Function(("string",), "string", None, str.lower),
    "toupper": _Function(("string",), "string", None, str.upper),
    "trim": _Function(("string",), "string", None, str.strip),
    "contains": _Function(("string", "string"), "bool", False, lambda a, b: b in a),
    "startswith": _Function(("string", "string"), "bool", False, str.startswith),
    "endswith": _Function(("string", "string"), "bool", False, str.endswith),
    "indexof": _Function(("string", "string"), "number", -1, str.find),
    "concat": _Function(("string", "string"), "string", None, lambda a, b: a + b),
    "substring": _Function(
        ("string", "number", "number"),
        "string",
        None,
        lambda text, start, *size: text[max(0, start) :][: max(0, size[0]) if size else None],
        optional=1,
    ),
}


def compile_filter(text: str) -> Where:
    """Compile ``text``.

    Raises:
        FilterError: It breaks the syntax, a type does not fit, or it is over a bound.
    """
    if len(text) > MAX_CHARS:
        msg = f"the filter has {len(text)} characters; at most {MAX_CHARS} are allowed"
        raise FilterError(msg)
    return _Parser(text).whole()


class _Parser:
    """Recursive descent; each method reads one level of precedence."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._clauses = 0
        self._depth = 0
        self._place = 0
        self._token = self._next()

    def whole(self) -> Where:
        """Read all of it."""
        term = self._or()
        if self._token.kind != "end":
            raise self._wrong("Syntax error", self._token.end)
        return self._truth(term).value

    def _or(self) -> Term:
        term = self._and()
        while self._takes("or"):
            term = _either(self._truth(term), self._truth(self._and()))
        return term

    def _and(self) -> Term:
        term = self._comparison()
        while self._takes("and"):
            term = _both(self._truth(term), self._truth(self._comparison()))
        return term

    def _comparison(self) -> Term:
        left = self._unary()
        word = self._token.text.lower() if self._token.kind == "name" else ""
        if word in ("eq", "ne"):
            self._advance()
            return self._equality(left, self._unary(), same=word == "eq")
        if word in _ORDERS:
            self._advance()
            return self._order(left, self._unary(), _ORDERS[word])
        if word == "in":
            self._advance()
            return self._membership(left)
        return left

    def _unary(self) -> Term:
        if not self._takes("not"):
            return self._primary()
        self._enter()
        inner = self._truth(self._unary()).value
        self._depth -= 1
        return Term("bool", lambda session: not inner(session))

    def _primary(self) -> Term:
        token = self._token
        if token.kind in ("string", "number"):
            self._advance()
            return _literal(token)
        if token.kind == "name":
            self._advance()
            return self._named(token)
        if token.text == "(":
            self._enter()
            self._advance()
            term = self._or()
            self._close()
            self._depth -= 1
            return term
        raise self._wrong("Expression expected", token.end)

    def _named(self, token: _Token) -> Term:
        name = token.text.lower()
        if name in _FUNCTIONS:
            return self._call(name, token.end)
        if name in ("true", "false"):
            truth = name == "true"
            return Term("bool", lambda _: truth)
        if name == "null":
            return Term("null", lambda _: None)
        if name in _FIELDS:
            return _FIELDS[name]
        follows = self._token
        if follows.kind == "string" or (follows.kind == "name" and follows.text not in _OPERATORS):
            raise self._wrong("Syntax error", follows.end)
        raise self._wrong("Unknown name", token.end)

    def _call(self, name: str, at: int) -> Term:
        self._clause()
        self._enter()
        function = _FUNCTIONS[name]
        arguments = self._list(self._or)
        self._depth -= 1
        most = len(function.takes)
        fits = most - function.optional <= len(arguments) <= most and all(
            term.kind in (kind, "null")
            for term, kind in zip(arguments, function.takes, strict=False)
        )
        if not fits:
            raise self._wrong("Wrong arguments", at)
        apply, of_null = function.apply, function.of_null
        values = [term.value for term in arguments]

        def value(session: Session) -> Any:  # noqa: ANN401 -- a filter's value
            given = [value(session) for value in values]
            return of_null if None in given else apply(*given)

        return Term(function.gives, value)

    def _equality(self, left: Term, right: Term, *, same: bool) -> Term:
        self._clause()
        kinds = {left.kind, right.kind} - {"null"}
        if len(kinds) > 1 or "strings" in kinds:
            raise self._mismatch()
        one, other = left.value, right.value
        if same:
            return Term("bool", lambda session: bool(one(session) == other(session)))
        return Term("bool", lambda session: bool(one(session) != other(session)))

    def _order(self, left: Term, right: Term, holds: Callable[[int, int], bool]) -> Term:
        self._clause()
        if {left.kind, right.kind} - {"number", "null"}:
            raise self._mismatch()
        one, other = left.value, right.value

        def value(session: Session) -> bool:
            a, b = one(session), other(session)
            return a is not None and b is not None and holds(a, b)

        return Term("bool", value)

    def _membership(self, left: Term) -> Term:
        self._clause()
        if left.kind not in ("string", "null"):
            raise self._mismatch()
        one = left.value
        if self._token.text == "(":
            listed = self._list(self._primary)
            if any(term.kind not in ("string", "null") for term in listed):
                raise self._mismatch()
            values = [term.value for term in listed]
            return Term("bool", lambda session: one(session) in [v(session) for v in values])
        right = self._primary()
        if right.kind != "strings":
            raise self._mismatch()
        collection: Callable[[Session], Collection[str]] = right.value
        return Term("bool", lambda session: one(session) in collection(session))

    def _list(self, read: Callable[[], Term]) -> list[Term]:
        """Read terms in parentheses."""
        if self._token.text != "(":
            raise self._wrong("Open parenthesis expected", self._token.end)
        self._advance()
        terms = [read()]
        while self._token.text == ",":
            self._advance()
            self._clause()
            terms.append(read())
        self._close()
        return terms

    def _close(self) -> None:
        if self._token.text != ")":
            raise self._wrong("Close parenthesis expected", self._token.end)
        self._advance()

    def _truth(self, term: Term) -> Term:
        if term.kind != "bool":
            raise self._wrong("Boolean expression expected", self._token.end)
        return term

    def _takes(self, word: str) -> bool:
        if self._token.kind == "name" and self._token.text.lower() == word:
            self._advance()
            return True
        return False

    def _clause(self) -> None:
        self._clauses += 1
        if self._clauses > MAX_CLAUSES:
            raise self._wrong("More than 100 clauses", self._token.end)

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong("More than 32 levels of nesting", self._token.end)

    def _mismatch(self) -> FilterError:
        return self._wrong("Types that do not fit", self._token.end)

    def _wrong(self, what: str, at: int) -> FilterError:
        text = self._text
        return FilterError(f"Invalid syntax for '{text}': {what} at position {at} in '{text}'.")

    def _advance(self) -> None:
        self._token = self._next()

    def _next(self) -> _Token:
        found = _WORDS.match(self._text, self._place)
        if found is None:
            if self._text[self._place :].strip():
                raise self._wrong("Syntax error", self._place)
            return _Token("end", "", len(self._text))
        self._place = found.end()
        for kind in ("name", "string", "number", "sign"):
            if found[kind] is not None:
                return _Token(kind, found[kind], self._place)
        raise AssertionError


def _literal(token: _Token) -> Term:
    if token.kind == "string":
        text = token.text[1:-1].replace("''", "'")
        return Term("string", lambda _: text)
    number = int(token.text[:_LONGEST_NUMBER])
    return Term("number", lambda _: number)


def _both(left: Term, right: Term) -> Term:
    one, other = left.value, right.value
    return Term("bool", lambda session: one(session) and other(session))


def _either(left: Term, right: Term) -> Term:
    one, other = left.value, right.value
    return Term("bool", lambda session: one(session) or other(session))
