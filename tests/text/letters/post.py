"""Letters as the programs of our customers write them, made here: bytes in, nothing that anybody really sent."""

from __future__ import annotations

import base64

HEAD = """From: Jiwoo <jiwoo@mail.example>
To: Haneul <help@haneul.example>
Subject: Re: refund
Date: Fri, 20 Nov 2026 10:00:00 +0900
Message-ID: <reply-1@mail.example>
MIME-Version: 1.0
"""


def letter(
    body: str = "", *, kind: str = "text/plain; charset=utf-8", more: str = "", head: str = HEAD
) -> bytes:
    """A letter of one part in UTF-8. ``more`` are further header lines, each ending in a line break."""
    return f"{head}{more}Content-Type: {kind}\nContent-Transfer-Encoding: 8bit\n\n{body}".replace(
        "\n", "\r\n"
    ).encode()


def coded(body: bytes, *, kind: str, how: str = "8bit", head: str = HEAD) -> bytes:
    """A letter whose body are these bytes."""
    if how == "base64":
        body = base64.encodebytes(body)
    return (
        f"{head}Content-Type: {kind}\nContent-Transfer-Encoding: {how}\n\n".replace("\n", "\r\n").encode()
        + body
    )


def several(*parts: tuple[str, bytes], kind: str = "multipart/mixed", head: str = HEAD) -> bytes:
    """A letter of several parts: header lines of each, and its bytes."""
    out = [f'{head}Content-Type: {kind}; boundary="edge"\n\n'.encode()]
    for lines, body in parts:
        out.append(f"--edge\n{lines}\n\n".encode() + body + b"\n")
    return b"".join(out) + b"--edge--\n"
