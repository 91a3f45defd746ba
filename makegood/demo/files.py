"""Small attachments, made of nothing: a PNG of coloured bands that stands for a photo, and a receipt as text."""

from __future__ import annotations

import struct
import zlib

from makegood.conversations.messages import Upload


def photo(name: str, seed: int) -> Upload:
    """A valid PNG of 96 by 64 pixels whose bands depend on ``seed``."""
    width, height = 96, 64
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            band = (x // 12 + y // 16 + seed) % 7
            rows += bytes(((band * 31 + seed * 17) % 200 + 40, (band * 53) % 190 + 50, (y * 3) % 210 + 30))
    content = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return Upload(name, "image/png", content)


def text(name: str, words: str) -> Upload:
    return Upload(name, "text/plain; charset=utf-8", words.encode())
