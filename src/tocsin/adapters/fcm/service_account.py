"""The file with which Google lets a program in: a service account's key, read and checked once, at the start."""

import re
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tocsin.errors import ConfigError

SETTING: Final = "push.fcm_service_account"
_LARGEST: Final = 65_536
_LEAST_BITS: Final = 2_048
# By http only the outbound settings' own hosts are called.
_TOKEN_URI: Final = re.compile("https?://")
_PROJECT: Final = re.compile(r"[a-z0-9][a-z0-9.:-]{2,62}")


class ServiceAccount(msgspec.Struct, frozen=True):
    """Who we are to Google; ``key`` signs, and is in no text that this makes."""

    project_id: str
    client_email: str
    private_key_id: str
    token_uri: str
    key: RSAPrivateKey

    def __repr__(self) -> str:
        """Name the account without its key."""
        return f"ServiceAccount({self.client_email!r})"


class _File(msgspec.Struct, frozen=True):
    type: str
    project_id: str
    client_email: str
    private_key_id: str
    private_key: str
    token_uri: str


def read_service_account(path: Path) -> ServiceAccount:
    """Read the file that the Firebase console gives out.

    Raises:
        ConfigError: It cannot be read, or is none; the detail names the fault and no secret.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST)
    except OSError as error:
        raise _fault(path, f"it cannot be read ({error.strerror})") from error
    try:
        said = msgspec.json.decode(text, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _fault(path, f"it is no service account's key file ({error})") from error
    if said.type != "service_account":
        raise _fault(path, f"its type is {said.type[:40]!r} and not 'service_account'")
    if not _PROJECT.fullmatch(said.project_id):
        raise _fault(path, f"project_id {said.project_id[:80]!r} is no project's")
    if not _TOKEN_URI.match(said.token_uri):
        raise _fault(path, f"token_uri {said.token_uri[:80]!r} is no https URL")
    return ServiceAccount(
        said.project_id,
        said.client_email,
        said.private_key_id,
        said.token_uri,
        _key(path, said.private_key),
    )


def _key(path: Path, pem: str) -> RSAPrivateKey:
    try:
        key: Any = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError) as error:
        raise _fault(path, "its private_key is no PEM key without a password") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise _fault(path, f"its private_key is no RSA key of {_LEAST_BITS} bits or more")
    return key


def _fault(path: Path, fault: str) -> ConfigError:
    return ConfigError(
        f"{SETTING} = {path}: {fault}; make a new key for the service account in the Firebase console "
        "(project settings, service accounts), and name its JSON file"
    )
