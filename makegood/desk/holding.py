"""Ten seconds in which an answer can be taken back: held as a row, then sent exactly once, by its page or by the sweep.

Not verbs: a held answer is nobody's word yet. What sends it is the verb itself (``reply``, ``tell``), with all its rules.
Locks are taken case first, then the held row, as the sweep does; the other way round the two would wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import DeskError, NotThere, Refusal
from makegood.cases import vault
from makegood.cases.models import Case, CaseEvent
from makegood.conversations.messages import Upload
from makegood.conversations.models import Draft, HeldFile, HeldReply
from makegood.desk import drafting, notices, talking, telling
from makegood.desk.saying import GivenTime
from makegood.people import actors
from makegood.people.actors import Actor

HOLD = timedelta(seconds=10)
#: The page counts by its own clock: its call may come this much early.
EARLY = timedelta(seconds=2)
VERBS: dict[str, Callable[..., CaseEvent]] = {"reply": talking.reply, "tell": telling.tell}


class _Tried(Exception):
    """The verb went through; what it wrote is rolled back."""


def hold(
    case: Case,
    verb: str,
    *,
    by: Actor,
    seen: int | None,
    text: str,
    next_word_at: datetime | None,
    files: Sequence[Upload] = (),
    promises: Sequence[GivenTime] = (),
    justified: Mapping[str, str] | None = None,
    declined: Sequence[str] = (),
    decides: bool = False,
) -> HeldReply:
    """Hold what ``verb`` would send. Raises what the verb raises (it is tried and rolled back): a refusal comes now."""
    with transaction.atomic():
        text = vault.taken(case, text, by=by)
    fields: dict[str, Any] = {
        "text": text,
        "next_word_at": next_word_at,
        "promises": promises,
        "justified": justified,
        "declined": declined,
        **({"decides": decides} if verb == "reply" else {}),
    }
    with transaction.atomic():
        _lock(case.pk)
        if HeldReply.objects.filter(case=case, user_id=by.person, state=HeldReply.State.HELD).exists():
            raise Refusal(
                "held", _("Your last answer is just going out: wait some seconds, or take it back.")
            )
        try:
            with transaction.atomic():
                VERBS[verb](case, by=by, seen=seen, files=files, **fields)
                raise _Tried
        except _Tried:
            pass
        held = HeldReply.objects.create(
            case=case,
            user_id=by.person,
            verb=verb,
            text=text,
            seen=seen,
            look_at=clock.now() + HOLD,
            payload=_packed(fields),
        )
        HeldFile.objects.bulk_create(
            [HeldFile(held=held, name=f.name, content_type=f.content_type, content=f.content) for f in files]
        )
        Draft.objects.filter(case=case, user_id=by.person).delete()
    return held


def of(case: Case) -> list[HeldReply]:
    """What is about to go out on a case."""
    held = HeldReply.objects.filter(case=case, state=HeldReply.State.HELD)
    return list(held.select_related("user").order_by("id"))


def mine(held_id: int, *, by: Actor) -> HeldReply:
    """A held reply of this person; raises NotThere for anybody else's."""
    found = HeldReply.objects.filter(pk=held_id, user_id=by.user_id or 0).select_related("case").first()
    if found is None:
        raise NotThere("no_held_reply", _("There is no such answer."))
    return found


def send(held_id: int) -> tuple[HeldReply, DeskError | None]:
    """Send it if its time has come and nobody did; returns it as it now stands, and why the verb refused it.

    Refused (somebody worked on the case meanwhile, say), its words become a draft again and the writer is told.
    """
    with transaction.atomic():
        held = _held(held_id)
        if held.state != HeldReply.State.HELD or (held.look_at and held.look_at > clock.now() + EARLY):
            return held, None
        by = actors.user(held.user)
        try:
            with transaction.atomic():
                if not held.user.is_active:
                    raise Refusal("inactive", _("This person may not sign in."))
                VERBS[held.verb](held.case, by=by, seen=_seen(held), files=_files(held), **_unpacked(held))
        except DeskError as error:
            drafting.put_back(held.case, held.user_id, held.text)
            _settle(held, HeldReply.State.RETURNED, error.code)
            notices.notify(held.case, "reply_returned", to=[held.user_id])
            return held, error
        _settle(held, HeldReply.State.SENT)
    return held, None


def fire(held: HeldReply) -> None:
    """The sweep's turn: the page is gone."""
    send(held.pk)


def undo(held_id: int, *, by: Actor) -> HeldReply:
    """Take it back: its words are the draft again. Too late is no error: the answer says what became of it."""
    mine(held_id, by=by)
    with transaction.atomic():
        held = _held(held_id)
        if held.state == HeldReply.State.HELD:
            drafting.put_back(held.case, held.user_id, held.text)
            _settle(held, HeldReply.State.UNDONE)
    return held


def _lock(case_id: int) -> None:
    Case.objects.select_for_update(no_key=True).values_list("pk").get(pk=case_id)


def _held(held_id: int) -> HeldReply:
    _lock(HeldReply.objects.values_list("case_id", flat=True).get(pk=held_id))
    return HeldReply.objects.select_for_update(of=("self",)).select_related("case", "user").get(pk=held_id)


def _settle(held: HeldReply, state: str, why: str = "") -> None:
    """What was held is words of the message or of the draft now: no second copy of them is kept."""
    held.state, held.why, held.look_at, held.text, held.payload = state, why, None, "", {}
    held.save(update_fields=["state", "why", "look_at", "text", "payload"])
    held.files.all().delete()


def _seen(held: HeldReply) -> int | None:
    """The version that the writer knows: what they did themselves meanwhile (a note) is no surprise to them."""
    if held.seen is None:
        return None
    others = CaseEvent.objects.filter(case=held.case, seq__gt=held.seen).exclude(actor_id=held.user_id)
    return (
        held.seen if others.exists() else Case.objects.values_list("version", flat=True).get(pk=held.case_id)
    )


def _files(held: HeldReply) -> list[Upload]:
    return [Upload(f.name, f.content_type, bytes(f.content)) for f in held.files.order_by("id")]


def _packed(fields: Mapping[str, Any]) -> dict[str, Any]:
    at = fields["next_word_at"]
    return {
        "next_word_at": at.isoformat() if at else None,
        "promises": [[p.what, p.due_at.isoformat(), p.words] for p in fields["promises"]],
        "justified": dict(fields["justified"] or {}),
        "declined": list(fields["declined"]),
        **({"decides": fields["decides"]} if "decides" in fields else {}),
    }


def _unpacked(held: HeldReply) -> dict[str, Any]:
    kept = held.payload
    at = kept["next_word_at"]
    return {
        "text": held.text,
        "next_word_at": datetime.fromisoformat(at) if at else None,
        "promises": [
            GivenTime(what, datetime.fromisoformat(due), words) for what, due, words in kept["promises"]
        ],
        "justified": kept["justified"],
        "declined": kept["declined"],
        **({"decides": kept["decides"]} if "decides" in kept else {}),
    }
