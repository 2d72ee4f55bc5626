"""Names as tokens of NATS subjects, where dots, stars and spaces are syntax."""

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def token(name: str) -> str:
    """Write a name as one token: every byte that is no letter, digit, ``-`` or ``_`` becomes ``%XX``."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in name.encode())
