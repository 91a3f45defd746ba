"""Sending the letters that are due, one row a transaction; nothing slow happens inside one (law 6).

At least once, never 'perhaps not at all': the row is claimed and committed, the letter is sent outside every
transaction, then the outcome is written. A worker killed between sending and writing leaves the row waiting: the
letter goes out again, with the same Message-ID, when the claim has run out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from makegood.conversations.models import Delivery
from makegood.conversations.outbox import can_send
from makegood.desk import delivering
from makegood.jobs.letters import compose
from makegood.jobs.refusals import judge
from makegood.people import actors

log = logging.getLogger("makegood.jobs")
#: Letters that one job sends before it makes room for others.
BATCH = 200


def send_due(stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due until nothing is, ``stop()`` says so, or a batch is full; returns how many were tried.

    Without a mail server or provider nothing is tried: the letters stay 'waiting', as their rows and pages say.
    """
    tried = 0
    while can_send() and tried < BATCH and not stop():
        delivery = delivering.claim()
        if delivery is None:
            break
        send(delivery)
        tried += 1
    return tried


def send(delivery: Delivery) -> None:
    """Send one claimed letter and write down how it went. One bad letter stops nobody."""
    by = actors.system("worker")
    if delivering.marked(delivery):
        delivering.undelivered(delivery, delivering.MARKED, by=by, for_good=True)
        return
    try:
        compose(delivery).send()
    except Exception as error:
        verdict = judge(error)
        log.warning("letter %s not sent: %s", delivery.pk, _brief(error), exc_info=verdict.for_good)
        delivering.undelivered(
            delivery,
            _brief(error),
            by=by,
            for_good=verdict.for_good,
            address_is_wrong=verdict.address_is_wrong,
        )
    else:
        delivering.delivered(delivery)


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
