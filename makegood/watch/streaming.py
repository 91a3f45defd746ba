"""A stream's body taken in: its good events as one chunk of the log, the others set aside by what is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from makegood.base import clock
from makegood.packs.watching import processes
from makegood.transactions import aside, chunks
from makegood.transactions.envelope import Bad, is_currency
from makegood.transactions.models import EventAside, Store, StoreFact
from makegood.watch import stream
from makegood.watch.stream import Aside
from makegood.watch.stream_words import Sender, Words


@dataclass(frozen=True)
class Outcome:
    """``new`` events were written; ``known`` ones were written when the same body came before."""

    new: int
    known: int
    aside: list[Aside]


def take(store: Store, body: bytes, *, headers: Mapping[str, str] | None = None) -> Outcome:
    """Store what a verified sender sent. Raises Bad only where nothing of it is an event; it is set aside then too."""
    try:
        taken = _read(store, body)
    except Bad as bad:
        aside.keep(store, body, bad.code, bad.detail, way=StoreFact.Way.STREAM, headers=headers)
        raise
    if taken.aside:
        with transaction.atomic():
            fresh = _kept(store, taken, body, headers)
    else:  # one statement by itself is whole or not at all
        fresh = _kept(store, taken, body, headers)
    count = taken.chunk.events if taken.chunk else 0
    return Outcome(count if fresh else 0, 0 if fresh else count, taken.aside)


def _kept(store: Store, taken: stream.Taken, body: bytes, headers: Mapping[str, str] | None) -> bool:
    """Write all of it; False where the same body came before."""
    # One row for all that is wrong in one way: a sender that sends nothing but that does not fill the table.
    for reason, some in stream.told_apart(taken.aside).items():
        lines = b"\n".join(one.body for one in some)
        aside.keep(store, lines, reason, some[0].detail, way=StoreFact.Way.STREAM, headers=headers)
    return chunks.append(store, taken.chunk, _digest(body)) if taken.chunk else True


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(b"stream\0" + body).digest()[:16]


def _read(store: Store, body: bytes) -> stream.Taken:
    sender = Sender(store.shop_id, store.pk, store.skew, tuple(store.currencies or ()))
    return stream.take(body, words(), sender, round(clock.now().timestamp() * 1_000_000), is_currency)


def words() -> Words:
    """What a stream may tell of: every process of the site, also one that is switched off today."""
    return Words.of(processes().values())


def replay(row: EventAside) -> str:
    """Try once more what was set aside: '' when all of it is taken now, else the code of what is still wrong with it."""
    try:
        taken = _read(row.store, bytes(row.body))
    except Bad as bad:
        return bad.code
    if taken.aside:
        return taken.aside[0].reason
    with transaction.atomic():
        if taken.chunk:
            chunks.append(row.store, taken.chunk, _digest(bytes(row.body)))
        aside.done(row, EventAside.State.REPLAYED)
    return ""
