"""The log of facts in tests: its cursor skips nothing that may still commit, so another run on the same server holds it up."""

from __future__ import annotations

import time

from makegood.transactions import chunks, facts
from makegood.transactions.models import StoreFact, StreamChunk


def seen_by_readers() -> None:
    """Whoever runs a long transaction anywhere in the server holds readers of the log up: wait for that, not for us."""
    last, until = StoreFact.objects.order_by("tx", "id").last(), time.monotonic() + 120
    assert last is not None, "nothing was told"
    while not facts.after((last.tx, last.pk - 1), 1):
        assert time.monotonic() < until, "a transaction in this server holds the log up"
        time.sleep(0.05)


def chunks_seen_by_readers() -> None:
    """The same for the log of chunks."""
    last, until = StreamChunk.objects.order_by("tx", "id").last(), time.monotonic() + 120
    assert last is not None, "nothing was told"
    while not chunks.after((last.tx, last.pk - 1), 1)[0]:
        assert time.monotonic() < until, "a transaction in this server holds the log up"
        time.sleep(0.05)
