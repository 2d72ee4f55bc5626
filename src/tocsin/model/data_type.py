"""The kinds of content that Web PubSub's messages and events have."""

from typing import Final, Literal

import msgspec

from tocsin.model.protobuf_wire import is_any

DataType = Literal["json", "text", "binary", "protobuf"]
_skim_json: Final = msgspec.json.Decoder(msgspec.Raw).decode


def is_of(data_type: DataType, data: bytes) -> bool:
    """Whether ``data`` is what it is said to be: a message with any other would break those who get it.

    JSON and text are UTF-8; ``protobuf`` is a packed ``google.protobuf.Any``.
    """
    if data_type == "binary":
        return True
    if data_type == "protobuf":
        return is_any(data)
    try:
        data.decode()
        if data_type == "json":
            _skim_json(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False
    return True
