"""A message of any shape, read as an alert by a mapping of the settings."""

from typing import Final

import msgspec

from tocsin.config import Mapping
from tocsin.errors import ConfigError, InvalidInputError
from tocsin.ingest.sources.template import Filling, Template, as_text
from tocsin.ports.source import Message

_TEXTS: Final = (
    "id",
    "title",
    "body",
    "severity",
    "category",
    "url",
    "icon",
    "collapse_key",
    "deliver_at",
    "expires_at",
)


class MessageMapping:
    """Reads messages whose body is JSON; what it makes is checked like any other alert.

    Raises:
        ConfigError: A template cannot be read, or nobody is named.
    """

    def __init__(self, said: Mapping) -> None:
        self._severities = said.severities
        self._texts = {name: Template(text) for name in _TEXTS if (text := getattr(said, name))}
        self._names = {"users": _templates(said.users), "topics": _templates(said.topics)}
        self._to_all = said.all
        self._data = None if said.data is None else Template(said.data)
        if self._to_all == any(self._names.values()):
            raise ConfigError("mapping: say who gets it, by users, topics or both; or all = true")
        if self._data is not None and not self._data.is_one_place:
            detail = f"mapping.data = {said.data!r} is not one place, e.g. {{}} or {{order}}"
            raise ConfigError(detail)

    def alert(self, message: Message) -> dict[str, object]:
        """Return the fields of the alert that a message is; what it leaves out is left out.

        Raises:
            InvalidInputError: The body is no JSON, or lacks what a template needs.
        """
        filling = Filling(_json(message.body), {k.lower(): v for k, v in message.headers.items()})
        values = {name: template.fill(filling) for name, template in self._texts.items()}
        fields: dict[str, object] = {
            name: _one(name, value) for name, value in values.items() if value is not None
        }
        if "severity" in fields:
            said = str(fields["severity"])
            fields["severity"] = self._severities.get(said, said)
        fields["to"] = {"all": True} if self._to_all else self._audience(filling)
        if self._data is not None:
            fields["data"] = self._data.fill(filling)
        return fields

    def _audience(self, filling: Filling) -> dict[str, list[str]]:
        return {
            name: [text for template in templates for text in _several(template.fill(filling))]
            for name, templates in self._names.items()
        }


def _templates(said: str | tuple[str, ...]) -> tuple[Template, ...]:
    return tuple(Template(text) for text in ((said,) if isinstance(said, str) else said))


def _json(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        detail = f"the body is not JSON in UTF-8: {error}"
        raise InvalidInputError(detail, code="invalid-json") from error


def _one(name: str, value: object) -> str:
    if isinstance(value, dict | list):
        detail = f"the mapping's {name} is a {'list' if isinstance(value, list) else 'table'} here"
        raise InvalidInputError(detail, code="invalid-field")
    return as_text(value)


def _several(value: object) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [_one("audience", each) for each in values]
