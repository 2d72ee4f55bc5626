"""The one way in: reading the settings, and refusing what cannot work."""

import os
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tocsin.config.roles import ROLES
from tocsin.config.settings import CONFIG_FILE, ENV_PREFIX, Settings
from tocsin.errors import ConfigError

# Read by the command line itself, to talk to a server elsewhere.
CLIENT_VARIABLES = {"TOCSIN_URL", "TOCSIN_KEY"}
_POSTGRES = re.compile(r"postgres(ql)?://")
_NATS = re.compile(r"(nats|tls)://[^/]+(/[^/]*)?")


def load(overrides: Mapping[str, Any]) -> Settings:
    """Read the settings; ``overrides`` are those of the command line (None means: not given).

    Raises:
        ConfigError: A value cannot work, or a name is unknown; the detail names it and the remedy.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    _refuse_unknown_variables()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error
    except ValueError as error:  # the file is no TOML
        detail = f"{CONFIG_FILE} cannot be read: {error}"
        raise ConfigError(detail) from error
    _check_store(settings)
    _check_queue(settings)
    _check_fanout(settings)
    _check_roles(settings)
    _check_tls(settings)
    _check_issuers(settings)
    return settings


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            remedy = "take it out, and `tocsin check-config` prints all there are"
            lines.append(f"{name}: there is no such setting; {remedy}")
        else:
            lines.append(f"{name} = {fault['input']!r}: {fault['msg']}")
    return "\n".join(lines)


def _refuse_unknown_variables() -> None:
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields} | CLIENT_VARIABLES
    for variable in sorted(os.environ):
        if variable.startswith(ENV_PREFIX) and variable.split("__")[0] not in known:
            detail = f"{variable}: there is no such setting; remove it from the environment"
            raise ConfigError(detail)


def _check_store(settings: Settings) -> None:
    """See that the store is one that there is; its URL may have a password, so it is in no message."""
    if settings.store is not None and not _POSTGRES.match(settings.store.get_secret_value()):
        detail = (
            "store is no URL of a PostgreSQL database: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
            "or leave it out to keep everything in data_dir"
        )
        raise ConfigError(detail)


def _check_queue(settings: Settings) -> None:
    """See that the queue is one that there is; its URL may have a password, so it is in no message."""
    named = settings.queue
    if named != "store" and not _NATS.fullmatch(named.get_secret_value()):
        detail = (
            "queue is neither store nor the URL of NATS servers: "
            "write nats://USER:PASSWORD@HOST:PORT,HOST:PORT/DEPLOYMENT, or leave it out to keep it in the store"
        )
        raise ConfigError(detail)


def _check_fanout(settings: Settings) -> None:
    """See that the fan-out is one that there is; its URL may have a password, so it is in no message."""
    named = settings.fanout
    if named != "memory" and not _NATS.fullmatch(named.get_secret_value()):
        detail = (
            "fanout is neither memory nor the URL of NATS servers: "
            "write nats://USER:PASSWORD@HOST:PORT,HOST:PORT/DEPLOYMENT, or leave it out for a single node"
        )
        raise ConfigError(detail)


def _check_roles(settings: Settings) -> None:
    """See that a process which leaves a part to others shares with them what the parts need."""
    left = [role for role in ROLES if role not in settings.roles]
    if "sources" in left and not settings.sources:
        left.remove("sources")  # there is nothing to be done
    lacking = []
    if settings.store is None:
        lacking.append("a PostgreSQL database in store (SQLite is for one process)")
    if not settings.has_peers:
        lacking.append("NATS servers in fanout (memory is for one process)")
    if left and lacking:
        detail = (
            f"roles leaves out {', '.join(left)}, which other processes have to do, and they share nothing: "
            f"set {' and '.join(lacking)}, or leave roles out"
        )
        raise ConfigError(detail)


def _check_issuers(settings: Settings) -> None:
    """See that a token of an issuer is for one hub."""
    known: dict[tuple[str, str], str] = {}
    for name, hub in settings.hubs.items():
        if hub.issuer is not None:
            other = known.setdefault((hub.issuer.issuer, hub.issuer.audience), name)
            if other != name:
                detail = (
                    f"hubs.{other}.issuer and hubs.{name}.issuer have the same issuer and audience, so their "
                    "tokens could not be told apart: give each hub an audience of its own"
                )
                raise ConfigError(detail)


def _check_tls(settings: Settings) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        msg = "tls_cert and tls_key go together: give both, or none"
        raise ConfigError(msg)
    for path in (settings.tls_cert, settings.tls_key):
        if path is not None and not path.is_file():
            detail = f"{path}: there is no such file; tls_cert and tls_key name PEM files"
            raise ConfigError(detail)
