"""All open streams of this process, one connection that listens for them all, and what has to be looked after meanwhile.

Everything runs in the event loop but for questions to the database, which go to two threads of their own: five hundred
screens that come back at once must not keep a page waiting.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from django.db import connection, connections

from makegood.desk import live, presence
from makegood.desk.presence import Here
from makegood.web.live import guests
from makegood.web.live.stream import Stream

_log = logging.getLogger("makegood.live")
T = TypeVar("T")
#: Seconds: how often the right to hear is checked, how often presences are kept alive, how long a closed page counts as open (it
#: may only be loaded again), how long a silent connection is trusted, and the longest pause before it is opened anew.
CHECK, KEEP, LINGER, TRUST, LONGEST_PAUSE = 60.0, 20.0, 3.0, 15.0, 10.0


class Hub:
    """Made once a process; starts to listen with its first stream."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self.listening = False
        self._topics: dict[str, set[Stream]] = defaultdict(set)
        self._here: Counter[Here] = Counter()
        self._doubted: set[Stream] = set()
        self._counting: set[int] = set()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="live")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._started = False

    async def ask(self, function: Callable[..., T], *args: Any) -> T:
        """Run what asks the database in a thread of the hub; the connection goes back to the pool."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _asked, function, args)

    def of(self, user: int) -> int:
        """How many streams this person has open here."""
        return sum(stream.guest.actor.user_id == user for stream in self.streams)

    async def add(self, stream: Stream) -> bool:
        """Take it in: first the topics, then the database, so that nothing falls between them. False: not there for this person."""
        if not self._started:
            self._started = True
            self.background(self._listen())
            self.background(self._chores())
        first = (await self.ask(live.look, [(stream.guest.actor, stream.wish)]))[0]
        if first is None:
            return False
        self.streams.add(stream)
        self._subscribe(stream, stream.learn(first))
        # What was written between that look and these topics is seen by a second one; from now on it is told.
        second = (await self.ask(live.look, [(stream.guest.actor, stream.wish)]))[0]
        if second is None or stream not in self.streams:
            self.drop(stream)
            return False
        self._subscribe(stream, stream.learn(second))
        for target in ("queue",) * stream.wish.queue + ("presence",) * bool(stream.here):
            stream.look_again(target)
        if stream.here:
            self._here[stream.here] += 1
            self.background(self.ask(_arrive, stream.here))
        return True

    def drop(self, stream: Stream) -> None:
        """It is over, however it ended."""
        if stream not in self.streams:
            return
        self.streams.discard(stream)
        self._subscribe(stream, frozenset())
        here = stream.here
        if here and self._here[here] > 0:
            self._here[here] -= 1
            self.background(self._leave(here))

    def end_all(self, why: str) -> None:
        """The server stops: everybody comes back by themselves, to whoever answers then."""
        for stream in self.streams:
            stream.end(why)

    def heard(self, payload: str) -> None:
        """One notification of laws/live.sql."""
        kind, *words = payload.split(" ")
        if kind == "*":
            self._doubted |= self.streams
            return
        if kind == "o":
            self._doubted |= self._topics.get(f"o{words[0]}", set())
            return
        ids = [int(word) for word in words]
        if kind == "c":
            self._case(*ids)
        elif kind == "r":
            for stream in self._topics.get(f"r{ids[0]}", ()):
                stream.reached("room", 0, ids[1])
        elif kind == "p":
            for stream in self._topics.get(f"p{ids[0]}", ()):
                stream.look_again("presence")
        elif kind == "n" and f"n{ids[0]}" in self._topics:
            self._counting.add(ids[0])
        elif kind == "u":
            self._doubted |= self._topics.get(f"u{ids[0]}", set())

    def trouble(self, error: Exception) -> None:
        _log.warning("live: %s: %s", type(error).__name__, error)

    def background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _case(self, pk: int, number: int, version: int, shop: int, owner: int, owner_before: int) -> None:
        for stream in self._topics.get(f"c{pk}", ()):
            if stream.sight.case and stream.sight.case.id == pk:
                stream.reached("case", 0, version)
            room = stream.sight.room
            if room and room.stands_on.id == pk:
                stream.reached("room", 1, version)
            elif room:
                self._doubted.add(stream)  # the case that it was opened on: it may have been merged away
        for stream in {
            one
            for topic in ("q*", f"q{shop}", f"qo{owner}", f"qo{owner_before}")
            for one in self._topics.get(topic, ())
        }:
            stream.look_again("queue", number)

    def _subscribe(self, stream: Stream, topics: frozenset[str]) -> None:
        for topic in stream.topics - topics:
            self._topics[topic].discard(stream)
            if not self._topics[topic]:
                del self._topics[topic]
        for topic in topics - stream.topics:
            self._topics[topic].add(stream)
        stream.topics = topics

    async def _leave(self, here: Here) -> None:
        await asyncio.sleep(LINGER)
        if not self._here[here]:
            del self._here[here]
            await self.ask(presence.be_gone, here)

    async def _listen(self) -> None:
        pause = 0.5
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    **_how_to_connect(), autocommit=True
                ) as found:
                    await found.execute("LISTEN makegood")
                    # What was sent while nobody listened is lost: from here on everybody compares with the database.
                    self._doubted |= self.streams
                    for stream in self.streams:
                        if stream.wish.queue:
                            stream.look_again("queue")
                    self.listening, pause = True, 0.5
                    while True:
                        async for notify in found.notifies(timeout=TRUST):
                            self.heard(notify.payload)
                        await asyncio.wait_for(found.execute("SELECT 1"), TRUST)
            except (psycopg.Error, OSError, TimeoutError) as error:
                _log.warning(
                    "live: the database does not answer (%s); again in %.1f s", type(error).__name__, pause
                )
            except Exception:
                _log.exception("live: what was heard could not be understood")
            self.listening = False
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _chores(self) -> None:
        now = asyncio.get_running_loop().time
        checked = kept = now()
        while True:
            await asyncio.sleep(1.0)
            try:
                if self._counting:
                    await self._count()
                if now() - checked > CHECK:
                    checked = now()
                    self._doubted |= self.streams
                if self._doubted and self.listening:
                    await self._check()
                if now() - kept > KEEP:
                    kept = now()
                    await self.ask(presence.still_here, [here for here, n in self._here.items() if n])
            except Exception as error:
                self.trouble(error)

    async def _check(self) -> None:
        """Who is doubted: may they still hear, and how far is the database? In parts, for a page waits for the interpreter too."""
        doubted = [stream for stream in self._doubted if stream in self.streams]
        for part in (doubted[n : n + 50] for n in range(0, len(doubted), 50)):
            self._doubted -= set(part)
            try:
                await self._check_part(part)
            except Exception:
                self._doubted |= set(part)
                raise
        self._doubted &= self.streams

    async def _check_part(self, part: list[Stream]) -> None:
        people = await self.ask(guests.still, {stream.guest for stream in part})
        left = []
        for stream in part:
            if found := people[stream.guest]:
                stream.guest = found
                left.append(stream)
            else:
                stream.end("access")
        sights = await self.ask(live.look, [(stream.guest.actor, stream.wish) for stream in left])
        for stream, sight in zip(left, sights, strict=True):
            if sight is None:
                stream.end("access")
            elif stream in self.streams:
                self._subscribe(stream, stream.learn(sight))

    async def _count(self) -> None:
        asked, self._counting = self._counting, set()
        unseen = await self.ask(live.unseen_of, asked)
        for user in asked:
            for stream in self._topics.get(f"n{user}", ()):
                stream.count(unseen.get(user, 0))


def _how_to_connect() -> dict[str, Any]:
    """As Django connects, but for its pool and its cursors; a cut cable is noticed."""
    found = dict(connection.get_connection_params())
    for name in ("pool", "cursor_factory", "context", "prepare_threshold", "server_side_binding"):
        found.pop(name, None)
    return {"connect_timeout": 10, "keepalives_idle": 30, **found}


def _arrive(here: Here) -> None:
    presence.be_here(here.case_id, here.user_id, place=here.place)


def _asked(function: Callable[..., T], args: Iterable[Any]) -> T:
    try:
        return function(*args)
    finally:
        connections.close_all()


async def _logged(work: Any) -> None:
    try:
        await work
    except Exception as error:
        _log.warning("live: %s: %s", type(error).__name__, error)
