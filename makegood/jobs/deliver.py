"""Sending the letters that are due, one row a transaction; nothing slow happens inside one (law 6).

At least once, never 'perhaps not at all': the row is claimed and committed, the letter is sent outside every
transaction, then the outcome is written. A worker killed between sending and writing leaves the row waiting: the
letter goes out again, with the same Message-ID, when the claim has run out.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable

from django.conf import settings

from makegood.conversations.models import Delivery
from makegood.desk import delivering
from makegood.jobs.letters import compose
from makegood.people import actors

log = logging.getLogger("makegood.jobs")
#: Letters that one job sends before it makes room for others.
BATCH = 200


def send_due(stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due until nothing is, ``stop()`` says so, or a batch is full; returns how many were tried.

    Without EMAIL_HOST nothing is tried: the letters stay 'waiting', as their rows and pages say.
    """
    tried = 0
    while settings.EMAIL_HOST and tried < BATCH and not stop():
        delivery = delivering.claim()
        if delivery is None:
            break
        send(delivery)
        tried += 1
    return tried


def send(delivery: Delivery) -> None:
    """Send one claimed letter and write down how it went. One bad letter stops nobody."""
    by = actors.system("worker")
    try:
        compose(delivery).send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("letter %s not sent: %s", delivery.pk, _brief(error))
        delivering.undelivered(delivery, _brief(error), by=by, for_good=refused(error))
    except Exception as error:
        # A letter that cannot even be written: no later try would go better, and people must see it.
        log.exception("letter %s cannot be made", delivery.pk)
        delivering.undelivered(delivery, _brief(error), by=by, for_good=True)
    else:
        delivering.delivered(delivery)


def refused(error: Exception) -> bool:
    """Whether the mail server refused this recipient for good (5xx): trying again for a day would only hide it."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return False
    return bool(error.recipients) and all(code >= 500 for code, _said in error.recipients.values())


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
