"""Which request is a stream, which is a page; and what happens when the server starts and stops."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from makegood.web.live.pages import Pages, Receive, Scope, Send

if TYPE_CHECKING:
    from makegood.web.live.hub import Hub

STREAMS = "/live/"


class Front:
    """The ASGI application. ``pages``: Django's WSGI application; ``threads``: how many of its views run at once."""

    def __init__(self, pages: Callable[..., Iterable[bytes]], threads: int) -> None:
        self._pages = Pages(pages, threads)
        self._hub: Hub | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"] == STREAMS:
                # Here and not above: a site whose settings know no cases (tests/supervise) has pages all the same.
                from makegood.web.live import door
                from makegood.web.live.hub import Hub

                if self._hub is None:
                    self._hub = Hub()
                    _end_with_the_server(self._hub)
                await door.serve(self._hub, scope, receive, send)
            else:
                await self._pages(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def _end_with_the_server(hub: Hub) -> None:
    """End all streams as soon as the server is told to stop.

    granian waits for requests that run and says 'lifespan.shutdown' only after them: it would wait for the streams until it is
    killed. Its own handler is asyncio's, which is woken through a file whatever Python function stands for the signal.
    """
    loop = asyncio.get_running_loop()

    def stop(_number: int, _frame: Any) -> None:
        loop.call_soon_threadsafe(hub.end_all, "over")

    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(
            ValueError
        ):  # not in the main thread: then the streams are cut, and browsers come back all the same
            signal.signal(number, stop)
            signal.siginterrupt(number, False)
