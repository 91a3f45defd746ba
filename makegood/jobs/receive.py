"""Reading the letters that came in and are due: each claimed and committed, then read outside every transaction."""

from __future__ import annotations

from collections.abc import Callable

from makegood.desk import receiving

#: Letters that one job reads before it makes room for others.
BATCH = 200


def read_due(stop: Callable[[], bool] = lambda: False) -> int:
    """Read what is due until nothing is, ``stop()`` says so, or a batch is full; returns how many were read."""
    count = 0
    while count < BATCH and not stop():
        letter = receiving.claim()
        if letter is None:
            break
        receiving.read_letter(letter)
        count += 1
    return count
