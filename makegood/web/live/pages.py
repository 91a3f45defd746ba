"""Every page but the streams: Django under WSGI as before, in a fixed number of threads.

Django's own ASGI handler would run each synchronous view through several hops and one thread for each request; here a usual answer
takes one hop to a thread and one back. What is sent in is read as the view asks for it; what is long goes out piece by piece.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from a2wsgi.wsgi import Body, build_environ

#: Up to so many bytes an answer is sent whole; beyond, piece by piece, with the thread waiting for whoever reads slowly.
WHOLE = 256 * 1024
Message = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Pages:
    """``application``: WSGI. ``threads``: how many views run at once; the others wait in line."""

    def __init__(self, application: Callable[..., Iterable[bytes]], threads: int) -> None:
        self._application = application
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="page")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        loop = asyncio.get_running_loop()
        scope = {**scope, "headers": _one_cookie(scope["headers"])}

        # granian's answers can be awaited, but are no coroutines, which is what crosses threads.
        async def hear() -> Message:
            return await receive()

        async def speak(message: Message) -> None:
            await send(message)

        environ: dict[str, Any] = dict(build_environ(scope, Body(loop, hear)))  # type: ignore[arg-type]

        def say(message: Message) -> None:
            asyncio.run_coroutine_threadsafe(speak(message), loop).result()

        for message in await loop.run_in_executor(self._pool, self._answer, environ, say):
            await send(message)

    def _answer(self, environ: dict[str, Any], say: Callable[[Message], None]) -> list[Message]:
        """Run the view; returns what is still to be sent (all of it, where the answer is not long)."""
        head: Message = {}

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], None]:
            sent = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            head.update(type="http.response.start", status=int(status.split(" ", 1)[0]), headers=sent)
            return pieces.append

        pieces: list[bytes] = []
        begun, size = False, 0
        answer = self._application(environ, start)
        try:
            for piece in answer:
                pieces.append(piece)
                size += len(piece)
                if size > WHOLE:
                    if not begun:
                        say(head)
                        begun = True
                    say(_body(b"".join(pieces), more=True))
                    pieces.clear()
                    size = 0
        finally:
            getattr(answer, "close", lambda: None)()
        rest = _body(b"".join(pieces), more=False)
        return [rest] if begun else [head, rest]


def _body(content: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


def _one_cookie(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """HTTP/2 may send each cookie in a header of its own; joined by a comma, as other headers are, they would be unreadable."""
    cookies = [value for name, value in headers if name == b"cookie"]
    if len(cookies) < 2:
        return headers
    return [*((n, v) for n, v in headers if n != b"cookie"), (b"cookie", b"; ".join(cookies))]
