"""Frames as a client sends them: masked."""

MASK = bytes((0x11, 0x22, 0x33, 0x44))


def client_frame(opcode: int, payload: bytes, *, final: bool = True, mask: bytes = MASK) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((final << 7 | opcode, 0x80 | size))
    elif size < 65_536:
        head = bytes((final << 7 | opcode, 0x80 | 126)) + size.to_bytes(2)
    else:
        head = bytes((final << 7 | opcode, 0x80 | 127)) + size.to_bytes(8)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
