"""The string map that may ride on a message; it becomes HTTP header fields towards event handlers.

Source:  the bounds are those of Microsoft's emulator for Web PubSub.
"""

import re
from collections.abc import Mapping
from typing import Final

from tocsin.realtime.message import size_of
from tocsin.realtime.request import MalformedError

_MAX_KEY: Final = 256
_MAX_VALUE: Final = 1024
_MAX_TOTAL: Final = 8 * 1024
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\x20-\x7e]*")


def check_metadata(metadata: Mapping[str, str]) -> Mapping[str, str]:
    """Return the map with its keys in lower case.

    Raises:
        MalformedError: A key is no HTTP token or longer than 256 characters, a value is not printable ASCII or longer
            than 1024, or all together have more than 8 KiB.
    """
    if not metadata:
        return metadata
    for key, value in metadata.items():
        if len(key) > _MAX_KEY or _TOKEN.fullmatch(key) is None:
            msg = f"the metadata key {key[:40]!r} is no HTTP token of at most {_MAX_KEY} characters"
            raise MalformedError(msg)
        if len(value) > _MAX_VALUE or _VALUE.fullmatch(value) is None:
            msg = f"the metadata of {key!r} is not ASCII of at most {_MAX_VALUE} characters"
            raise MalformedError(msg)
    total = size_of(metadata)
    if total > _MAX_TOTAL:
        msg = f"the metadata has {total} bytes; at most {_MAX_TOTAL} are allowed"
        raise MalformedError(msg)
    return {key.lower(): value for key, value in metadata.items()}
