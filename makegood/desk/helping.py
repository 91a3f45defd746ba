"""The optional helper: a person asks for a summary or a draft, a worker gets it, the person decides what becomes of it.

It is off until the site says otherwise. What it writes is nobody's word: it makes no promise, remedy, type, signal or
confirmation, and reaches a customer only when a person has taken it into an answer and sent that, by the same form.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.connectors import circuit
from makegood.connectors.helper import Answer
from makegood.conversations.models import HelperTask
from makegood.desk import drafting
from makegood.desk.helper_words import Told
from makegood.desk.verb import verb
from makegood.people.actors import Actor
from makegood.text import machine
from makegood.text.redact import restore

log = logging.getLogger("makegood.helper")
What, State = HelperTask.What, HelperTask.State
#: After so long the page stops waiting and says so; a question that is still unasked then is never asked.
GIVE_UP = timedelta(seconds=60)
#: One person may ask so often an hour: each question costs money, and a stuck key must not cost a fortune.
AN_HOUR = 40
CIRCUIT = "helper"
_JOB, _LOCK = "makegood.jobs.tasks.help_out", "help_out"

_TRY_AGAIN = _("The helper could not be reached. Please try again in a moment, or go on without it.")
_KEEPER = _("The helper does not work as it is set up. Please tell whoever looks after this system.")
_DROPPED = _("What the helper wrote was of no use and was dropped.")
WHY: dict[str, Any] = {
    "late": _("The helper took too long. Nothing was written."),
    "slow": _("The helper took too long. Nothing was written."),
    "busy": _TRY_AGAIN,
    "broken": _TRY_AGAIN,
    "unreachable": _TRY_AGAIN,
    "resting": _("The helper failed several times in a row and is left alone for a few minutes."),
    "unsaid": _KEEPER,
    "off": _("The helper has been switched off."),
    "refused": _KEEPER,
    "redirected": _KEEPER,
    "garbage": _KEEPER,
    "huge": _KEEPER,
    "odd_form": _DROPPED,
    "empty": _DROPPED,
    "too_long": _("What the helper wrote was too long and was dropped."),
    "other_language": _("What the helper wrote was in another language than the case and was dropped."),
    "unknown_tag": _("The helper named personal data that it was never given. Its text was dropped."),
    "unknown_address": _(
        "The helper named a web address that stands nowhere in the case. Its text was dropped."
    ),
    "invented": _("The helper named personal data that it was never given. Its text was dropped."),
    "only_promises": _("The helper wrote nothing but promises. Its text was dropped."),
}


@dataclass(frozen=True)
class Seen:
    """One kind of help as the page shows it: ``task`` is the person's newest; ``why`` says why it has no text."""

    what: str
    name: Any
    task: HelperTask | None
    waiting: bool
    why: Any


def offered() -> tuple[str, ...]:
    """The kinds of help that this site has switched on; none by default."""
    if not settings.HELPER_URL:
        return ()
    on = ((What.SUMMARY, settings.HELPER_SUMMARY), (What.DRAFT, settings.HELPER_DRAFT))
    return tuple(str(what) for what, is_on in on if is_on)


@verb("ask_helper")
def ask_helper(case: Case, *, by: Actor, what: str) -> CaseEvent:
    """Ask for a summary or a draft. Raises Refusal when that is switched off, already asked, or asked too often."""
    case = pen.hold(case.pk)
    now = clock.now()
    if what not in offered():
        raise Refusal("helper_off", _("The helper is not switched on for this."), field="what")
    if what == What.DRAFT and not case.is_open:
        raise Refusal("case_ended", _("The case has ended; there is nothing to answer."), field="what")
    mine = HelperTask.objects.filter(user_id=by.person)
    if mine.filter(case=case, what=what, state=State.WAITING, asked_at__gt=now - GIVE_UP).exists():
        raise Refusal("already_asked", _("The helper is already writing this."), field="what")
    if mine.filter(asked_at__gt=now - timedelta(hours=1)).count() >= AN_HOUR:
        raise Refusal("too_often", _("You asked the helper very often. Please wait a while."), field="what")
    _overdue().filter(case=case, user_id=by.person, what=what).update(**_late())
    task = HelperTask.objects.create(case=case, user_id=by.person, what=what, asked_at=now)
    transaction.on_commit(nudge, robust=True)
    # A question to a machine is no work on the case: it must not look touched when nobody did anything for the customer.
    return pen.write(
        case, "helper_asked", by=by, data={"task": task.pk, "what": what}, touched_at=case.touched_at
    )


def nudge() -> None:
    """Wake the worker; it also looks by itself every minute (as ``conversations/outbox.py`` does, and why it says)."""
    if ProcrastinateJob.objects.filter(queueing_lock=_LOCK, status="todo").exists():
        return
    try:
        app.configure_task(_JOB, queueing_lock=_LOCK).defer()
    except AlreadyEnqueued:
        pass


def claim() -> HelperTask | None:
    """The oldest question that nobody asks yet, for this worker alone; None when there is none. Late ones are given up."""
    _overdue().update(**_late())
    with transaction.atomic():
        task = (
            HelperTask.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("case__shop", "case__customer", "case__order")
            .filter(state=State.WAITING, taken_at=None)
            .order_by("asked_at", "id")
            .first()
        )
        if task is not None:
            task.taken_at = clock.now()
            task.save(update_fields=["taken_at"])
    return task


def seconds_left(task: HelperTask) -> float:
    """How long somebody still waits for it."""
    return (task.asked_at + GIVE_UP - clock.now()).total_seconds()


def answered(task: HelperTask, answer: Answer, told: Told, *, model: str) -> None:
    """Judge what came back; store it as it may be shown, or why it was dropped. Content is never logged."""
    circuit.succeeded(CIRCUIT)
    fields: dict[str, Any] = {
        "prompt_version": told.version,
        "model": model[:200],
        "asked_tokens": answer.asked_tokens,
        "answered_tokens": answer.answered_tokens,
    }
    try:
        text, struck = _fit(task, answer.content, told)
        fields |= {"state": State.DONE, "text": text, "struck": struck}
    except machine.Unfit as unfit:
        fields |= {"state": State.REFUSED, "error": unfit.code}
    _end(task, fields)


def failed(task: HelperTask, code: str, *, model: str = "", counts: bool = True) -> None:
    """It could not be asked, or did not answer; ``counts`` towards leaving it alone for a while."""
    if counts:
        circuit.failed(CIRCUIT)
    _end(task, {"state": State.FAILED, "error": code, "model": model[:200]})


def _fit(task: HelperTask, content: str, told: Told) -> tuple[str, int]:
    """The words as they may be shown, with what the tags stand for, and how many sentences were struck. Raises Unfit."""
    language = task.case.language
    text = machine.read(content.replace("\x00", ""))
    machine.check(text, language, given=told.given, tags=told.tags)
    if task.what != What.DRAFT:
        return restore(text, told.tags), 0
    struck = machine.strike(text, language)
    # Once more with the words back in: a customer may call himself 'We will refund you'.
    again = machine.strike(restore(struck.text, told.tags), language)
    if not again.text:
        raise machine.Unfit("only_promises")
    return again.text, struck.count + again.count


def _end(task: HelperTask, fields: dict[str, Any]) -> None:
    changed = HelperTask.objects.filter(pk=task.pk, state=State.WAITING).update(done_at=clock.now(), **fields)
    log.info(
        "helper task %s (%s): %s, model %s, prompt %s, tokens %s + %s",
        task.pk,
        task.what,
        (fields.get("error") or fields["state"]) if changed else "came too late",
        fields.get("model") or "-",
        fields.get("prompt_version") or "-",
        fields.get("asked_tokens", 0),
        fields.get("answered_tokens", 0),
    )


def _overdue() -> QuerySet[HelperTask]:
    return HelperTask.objects.filter(state=State.WAITING, asked_at__lte=clock.now() - GIVE_UP)


def _late() -> dict[str, Any]:
    return {"state": State.FAILED, "error": "late", "done_at": clock.now()}


def seen(case: Case, user_id: int) -> list[Seen]:
    """What the page shows of the helper to this person; empty, and no query, while it is off."""
    kinds = [k for k in offered() if k == What.SUMMARY or case.is_open]
    if not kinds:
        return []
    newest = {
        t.what: t
        for t in HelperTask.objects.filter(case=case, user_id=user_id, what__in=kinds)
        .order_by("what", "-id")
        .distinct("what")
    }
    return [_seen(kind, newest.get(kind)) for kind in kinds]


def _seen(what: str, task: HelperTask | None) -> Seen:
    late = bool(task and task.state == State.WAITING and seconds_left(task) <= 0)
    code = "late" if late else task.error if task else ""
    return Seen(
        what=what,
        name=What(what).label,
        task=task,
        waiting=bool(task and task.state == State.WAITING and not late),
        why=WHY.get(code, _DROPPED) if code else "",
    )


def use(case: Case, user_id: int, task_id: int, *, typed: str | None = None) -> None:
    """Put the machine's draft below what the person has written so far (``typed``; None: as it was kept).

    No verb: a draft is nobody's word. Raises NotThere when it is not this person's, Refusal when it does not fit.
    """
    task = HelperTask.objects.filter(
        pk=task_id, case=case, user_id=user_id, what=What.DRAFT, state=State.DONE
    ).first()
    if task is None or not task.text:
        raise NotThere("no_suggestion", _("There is no such suggestion any more."))
    present = (drafting.of(case, user_id) if typed is None else typed).replace("\r\n", "\n").strip()
    if task.text not in present:
        drafting.keep(case, user_id, f"{present}\n\n{task.text}".strip())


def still_machine(shown: list[Seen], draft: str) -> bool:
    """Whether the draft holds a machine's text as it was written: it stays marked until a person has changed it."""
    written = draft.replace("\r\n", "\n")
    return any(s.what == What.DRAFT and s.task and s.task.text and s.task.text in written for s in shown)
