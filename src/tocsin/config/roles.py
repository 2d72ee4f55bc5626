"""What a process does: all of it, or a part of it beside others."""

from typing import Annotated, Final, Literal, get_args

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

Role = Literal["api", "gateway", "processor", "dispatcher", "sources"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


def _split(value: object) -> object:
    """Take a text apart at its commas."""
    return value.split(",") if isinstance(value, str) else value


Roles = Annotated[tuple[Role, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]
