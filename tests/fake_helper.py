"""A helper in this process that speaks ``/chat/completions``: as well or as badly as a test tells it to.

It keeps every body that came, so that a test can say what never arrived.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeHelper:
    """``how``: well, slow, drip, error, busy, forbidden, garbage, no_choice, huge, redirect, hang_up, or no_json (200, plain words)."""

    def __init__(self) -> None:
        self.how = "well"
        self.says: str | Callable[[dict[str, Any]], str] = "Thank you for your message."
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.slowness = 5.0
        self.redirect_to = ""
        self.url = ""

    def told(self) -> dict[str, Any]:
        """The data of the last question."""
        return json.loads(self.bodies[-1]["messages"][1]["content"])

    def everything(self) -> str:
        """All that ever arrived, as text."""
        return json.dumps([self.bodies, self.headers], ensure_ascii=False)

    def content(self) -> str:
        said = self.says(self.told()) if callable(self.says) else self.says
        return said if said.startswith(("{", "```", "[")) else json.dumps({"text": said}, ensure_ascii=False)


@contextmanager
def running() -> Iterator[FakeHelper]:
    """A fake that listens on a free port of this machine, until the block ends."""
    fake = FakeHelper()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fake.bodies.append(json.loads(body))
            fake.headers.append(dict(self.headers))
            try:
                _answer(self, fake)
            except OSError:
                pass  # the asker hung up, as some of these tests want

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(to: BaseHTTPRequestHandler, fake: FakeHelper) -> None:
    match fake.how:
        case "slow":
            time.sleep(fake.slowness)
            _send(to, 200, _completion(fake))
        case "drip":
            to.send_response(200)
            to.end_headers()
            for _ in range(int(fake.slowness * 20)):
                to.wfile.write(b" ")
                to.wfile.flush()
                time.sleep(0.05)
        case "error":
            _send(to, 500, b"Internal Server Error")
        case "busy":
            _send(to, 429, b'{"error": "slow down"}')
        case "forbidden":
            _send(to, 401, b'{"error": "bad key"}')
        case "garbage":
            _send(to, 200, b"<html>a login page</html>")
        case "no_choice":
            _send(to, 200, b'{"choices": []}')
        case "huge":
            _send(to, 200, b'{"choices": [{"message": {"content": "' + b"a" * 2_000_000 + b'"}}]}')
        case "redirect":
            _send(to, 307, b"", Location=fake.redirect_to)
        case "hang_up":
            to.close_connection = True
            to.connection.close()
        case _:
            _send(to, 200, _completion(fake))


def _completion(fake: FakeHelper) -> bytes:
    answer = {
        "id": "chatcmpl-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": fake.content()}}],
        "usage": {"prompt_tokens": 321, "completion_tokens": 45},
    }
    return json.dumps(answer, ensure_ascii=False).encode()


def _send(to: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    to.send_response(status)
    for name, value in headers.items():
        to.send_header(name, value)
    to.send_header("Content-Length", str(len(body)))
    to.end_headers()
    to.wfile.write(body)
