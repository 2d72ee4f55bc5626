"""The kinds of content that Web PubSub's messages and events have."""

from typing import Literal

DataType = Literal["json", "text", "binary", "protobuf"]
