"""Letters leave through rows written with the event (law 6): an undelivered reply is seen, never lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from makegood.base import clock, rows
from makegood.cases.models import Case, CaseLink
from makegood.conversations.models import AsksDeclined, Delivery, Letter, Mailbox, Message
from makegood.people.models import User

#: The job that sends what is due. It is named, not imported: jobs stand above.
JOB, LOCK = "makegood.jobs.tasks.deliver", "deliver"
#: Letters that only ask: a customer may decline them (List-Unsubscribe). Answers, promised words and outcomes are never among them.
DECLINABLE = frozenset({Delivery.What.ASK, Delivery.What.QUESTION, Delivery.What.FOLLOW_UP})


def letter(case: Case, what: str, *, link: CaseLink, message: Message | None = None) -> Delivery | None:
    """Put a letter to the customer into the outbox, in their language; None when no address is known."""
    if not case.customer.email:
        return None
    # The first letter of a case has none before it; asking would be one more query of every report.
    after = None if what == Delivery.What.RECEIVED else _last_wait(case)
    delivery = Delivery(
        case=case,
        message=message,
        link=link,
        what=what,
        to=case.customer.email,
        language=case.language,
        look_at=max(clock.now(), after) if after else clock.now(),
    )
    rows.add(delivery)
    transaction.on_commit(nudge, robust=True)
    return delivery


def letters(
    cases: Sequence[Case], what: str, links: Mapping[int, CaseLink], messages: Mapping[int, Message]
) -> int:
    """:func:`letter` for many cases at once (links and messages by the case's id); how many have an address."""
    ids, now = [case.pk for case in cases], clock.now()
    waiting = Delivery.objects.filter(case__in=ids, state=Delivery.State.WAITING).order_by().values("case")
    waits = dict(waiting.annotate(at=Max("look_at")).values_list("case", "at"))
    made = Delivery.objects.bulk_create(
        Delivery(
            case=case,
            message=messages[case.pk],
            link=links[case.pk],
            what=what,
            to=case.customer.email,
            language=case.language,
            look_at=max(now, waits.get(case.pk) or now),
        )
        for case in cases
        if case.customer.email
    )
    if made:
        transaction.on_commit(nudge, robust=True)
    return len(made)


def once_more(old: Delivery, case: Case, *, link: CaseLink, by: User | int | None) -> Delivery:
    """A letter that did not arrive, again, to the address that the customer has now. The old row stays as it ended."""
    after = _last_wait(case)
    delivery = Delivery.objects.create(
        case=case,
        message=old.message,
        link=link,
        what=old.what,
        to=case.customer.email,
        language=old.language,
        look_at=max(clock.now(), after) if after else clock.now(),
        by_id=by.pk if isinstance(by, User) else by,
        again_of=old,
    )
    transaction.on_commit(nudge, robust=True)
    return delivery


def _last_wait(case: Case) -> datetime | None:
    """When the last letter of the case that still waits is tried: a later one is not looked at in vain before."""
    waiting = Delivery.objects.filter(case=case, state=Delivery.State.WAITING)
    at: datetime | None = waiting.aggregate(at=Max("look_at"))["at"]
    return at


def mailbox_for(case: Case) -> Mailbox | None:
    """In whose name we write: the mailbox by which the customer wrote last, else the shop's first; None: the site's address."""
    wrote = (
        Letter.objects.filter(case=case, mailbox__active=True, mailbox__shop=case.shop_id)
        .select_related("mailbox")
        .order_by("-id")
        .first()
    )
    if wrote is not None:
        return wrote.mailbox
    return Mailbox.objects.filter(shop=case.shop_id, active=True, first=True).first()


def declined(case: Case) -> bool:
    """Whether the customer wants to be asked no more in this round."""
    return AsksDeclined.objects.filter(case=case, round=case.round).exists()


def can_send() -> bool:
    """Whether this site sends letters at all: by a mail server, or by a provider (makegood/mail_settings.py)."""
    return bool(settings.EMAIL_HOST) or settings.EMAIL_BACKEND.startswith("anymail.")


def nudge() -> None:
    """Wake the worker; only a nudge, since it looks by itself every minute.

    After the commit, not in it: the queue's lock is a unique index, and two cases opened at once would wait for
    each other's commit on it. A job that is still queued will see our row, so one is enough.
    """
    if not can_send() or ProcrastinateJob.objects.filter(queueing_lock=LOCK, status="todo").exists():
        return
    with suppress(AlreadyEnqueued):
        app.configure_task(JOB, queueing_lock=LOCK).defer()
