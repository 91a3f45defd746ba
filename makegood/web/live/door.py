"""The address of the streams, below Django: whoever may not hear is told so by a number, and their page goes on by asking."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import parse_qs

from makegood.desk.live import Wish
from makegood.web.live import guests
from makegood.web.live.hub import Hub
from makegood.web.live.pages import Receive, Scope, Send
from makegood.web.live.stream import Stream

#: Streams of one person, and of everybody, in one process.
MOST_OF_ONE, MOST = 20, 4000


class Wrong(Exception):
    """``args[0]``: the status that says why there is no stream."""


async def serve(hub: Hub, scope: Scope, receive: Receive, send: Send) -> None:
    """One request for a stream, from its first byte to its end."""
    try:
        stream = await _admit(hub, scope)
    except Wrong as wrong:
        return await _refuse(send, wrong.args[0])
    except Exception as error:  # the database is away: the page asks, and comes back later
        hub.trouble(error)
        return await _refuse(send, 503)
    gone = asyncio.ensure_future(_hung_up(receive, stream))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        async for frame in stream.frames():
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        with suppress(OSError, RuntimeError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    except (OSError, RuntimeError):  # the page was closed between two words
        pass
    finally:
        gone.cancel()
        hub.drop(stream)
    return None


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx and its like would collect the stream until their buffer is full.
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


async def _admit(hub: Hub, scope: Scope) -> Stream:
    if scope["method"] != "GET":
        raise Wrong(405)
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b"; " + value if name in headers else value
    wish = _wish(scope["query_string"].decode("latin-1"))
    found = await hub.ask(guests.guest, headers.get(b"cookie", b"").decode("latin-1"))
    if found is None:
        raise Wrong(401)
    if hub.of(found.actor.person) >= MOST_OF_ONE:
        raise Wrong(429)
    if len(hub.streams) >= MOST:
        raise Wrong(503)
    stream = Stream(found, wish, headers.get(b"last-event-id", b"").decode("latin-1"))
    if not await hub.add(stream):
        raise Wrong(404)
    if hub.of(found.actor.person) > MOST_OF_ONE:  # others of theirs came in while the database was asked
        hub.drop(stream)
        raise Wrong(429)
    return stream


def _wish(query: str) -> Wish:
    """What the address asks for; raises Wrong(404) where it names what can not be."""
    asked = parse_qs(query[:500], keep_blank_values=True)

    def number(name: str) -> int | None:
        raw = asked.get(name, [""])[0]
        if not raw:
            return None
        if not (raw.isascii() and raw.isdigit() and len(raw) < 19):
            raise Wrong(404)
        return int(raw)

    return Wish(case=number("case"), room=number("room"), queue="queue" in asked)


async def _hung_up(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end("gone")


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    if status in (429, 503):
        headers.append((b"retry-after", b"60"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
