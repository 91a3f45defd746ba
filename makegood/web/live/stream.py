"""One open stream: what it has been told of and what it still has to be told. Nothing here asks the database.

A nudge says only how far something is; the page fetches the rest for itself, in its reader's language and right. So nudges may be
put together, and one too many is harmless; only the last of a target must never be lost.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

from makegood.desk.live import Sight, Wish
from makegood.desk.presence import ROOM, SHEET, Here
from makegood.web.live.guests import Guest

#: Seconds. A target is told at most once in GAP; a silent stream says in every BEAT that it lives; none grows older than AGE.
GAP, BEAT, AGE = 1.0, 15.0, 1800.0
#: Numbers of cases that one nudge of the queue names; beyond them the page is only told that there is something.
MOST_NAMED = 50


class Stream:
    """``last``: the Last-Event-ID of a browser that comes back: what it was told before the break ('' for a new page)."""

    def __init__(self, guest: Guest, wish: Wish, last: str = "") -> None:
        self.guest = guest
        self.wish = wish
        self.topics: frozenset[str] = frozenset()
        self.sight = Sight()
        self._versions: dict[str, tuple[int, ...]] = {}
        self._said = dict(part.split("=", 1) for part in last[:200].split(";") if "=" in part)
        self._due: set[str] = set()
        self._told_at: dict[str, float] = {}
        self._cases: set[int] = set()
        self._any = False
        self._wake = asyncio.Event()
        self._end = ""

    @property
    def here(self) -> Here | None:
        """Where its person is while it is open."""
        user = self.guest.actor.person
        if self.sight.room:
            return Here(self.sight.room.case, user, ROOM)
        return Here(self.sight.case.id, user, SHEET) if self.sight.case else None

    def learn(self, sight: Sight) -> frozenset[str]:
        """Compare with what the database says; returns the topics that it hears of from now on."""
        self.sight = sight
        topics = {f"n{self.guest.actor.person}", f"u{self.guest.actor.person}", f"o{self.guest.mark}"}
        if sight.case:
            topics |= {f"c{sight.case.id}", f"p{sight.case.id}"}
            self.reached("case", 0, sight.case.version)
        if sight.room:
            room = sight.room
            topics |= {f"r{room.id}", f"c{room.stands_on.id}", f"c{room.case}", f"p{room.case}"}
            self.reached("room", 0, room.version)
            self.reached("room", 1, room.stands_on.version)
        if self.wish.queue:
            shops = ["q*"] if sight.shops is None else [f"q{shop}" for shop in sight.shops]
            topics |= {*shops, f"qo{self.guest.actor.person}"}
        self.count(sight.unseen)
        return frozenset(topics)

    def reached(self, target: str, part: int, version: int) -> None:
        """A target (a part of it) is at this version; what is not newer than what is known is no news."""
        known = self._versions.get(target, (0, 0))
        if version > known[part]:
            self._versions[target] = (version, known[1]) if part == 0 else (known[0], version)
            self._mark(target)

    def count(self, unseen: int) -> None:
        """So many notices are not seen."""
        if self._versions.get("notices") != (unseen,):
            self._versions["notices"] = (unseen,)
            self._mark("notices")

    def look_again(self, target: str, case: int | None = None) -> None:
        """Something changed that has no version: who is here, or the queue (by the number of a case; None: nobody knows which)."""
        if target == "queue":
            self._any = self._any or case is None or len(self._cases) >= MOST_NAMED
            self._cases.add(case or 0)
            if self._any:
                self._cases.clear()
        self._mark(target)

    def end(self, why: str) -> None:
        """The last word: 'over' (come back), 'access' (do not), 'gone' (nobody is there any more)."""
        self._end = self._end or why
        self._wake.set()

    async def frames(self) -> AsyncIterator[bytes]:
        """The text of the stream, until it ends."""
        now = asyncio.get_running_loop().time
        # A server that starts again, or a network that comes back, must not be asked by everybody at once.
        yield f"retry: {random.randint(1000, 5000)}\n\n".encode()
        dies, beat = now() + AGE * random.uniform(0.8, 1.0), now() + BEAT
        while not self._end:
            self._wake.clear()
            moment = now()
            ready = [t for t in sorted(self._due) if moment - self._told_at.get(t, -GAP) >= GAP]
            if ready:
                beat = moment + BEAT
                yield "".join(self._tell(target, moment) for target in ready).encode()
                continue
            if moment >= dies:
                self.end("over")
                break
            if moment >= beat:
                beat = moment + BEAT
                yield b": here\n\n"
            wait = min([beat, dies, *(self._told_at[t] + GAP for t in self._due)]) - moment
            try:
                await asyncio.wait_for(self._wake.wait(), max(wait, 0.01))
            except TimeoutError:
                pass
        if self._end != "gone":
            yield f'event: end\ndata: {{"why": "{self._end}"}}\n\n'.encode()

    def _mark(self, target: str) -> None:
        if target in self._versions and self._said.get(target) == self._state(target):
            return  # the break is over, and nothing happened to this one meanwhile
        self._said.pop(target, None)
        self._due.add(target)
        self._wake.set()

    def _state(self, target: str) -> str:
        return ".".join(map(str, self._versions[target]))

    def _tell(self, target: str, moment: float) -> str:
        self._due.discard(target)
        self._told_at[target] = moment
        data: dict[str, Any] = {}
        if target == "case" and self.sight.case:
            data = {"number": self.sight.case.number, "version": self._versions["case"][0]}
        elif target == "room" and self.sight.room:
            data = {"id": self.sight.room.id, "version": self._state("room")}
        elif target == "notices":
            data = {"unseen": self._versions["notices"][0]}
        elif target == "queue":
            data = {"cases": sorted(self._cases)}
            self._cases.clear()
            self._any = False
        mark = ";".join(f"{t}={self._state(t)}" for t in sorted(self._versions) if t not in self._due)
        return f"id: {mark}\nevent: {target}\ndata: {json.dumps(data)}\n\n"
