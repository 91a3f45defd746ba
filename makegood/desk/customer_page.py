"""What the customer's own page shows: where their problem stands in plain words, promises, the conversation. Reading only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from makegood.cases.models import Case, Confirmation, Ending, Telling
from makegood.cases.states import Status
from makegood.conversations.messages import readable_by
from makegood.conversations.models import Attachment, Message
from makegood.desk.following_up import asks_whether_it_held
from makegood.desk.handling import kind_of, task_of
from makegood.desk.promised import CUSTOMER, Word, ended, next_word, standing
from makegood.people.actors import Actor


@dataclass(frozen=True)
class Step:
    """One step of the loop; ``state`` is done, now or todo."""

    name: str
    state: str


@dataclass(frozen=True)
class Said:
    """One message; ``who`` is 'you', 'shop' or 'us', ``name`` the person of ours who wrote it."""

    id: int
    who: str
    name: str
    body: str
    language: str
    at: datetime
    files: tuple[Attachment, ...]
    to_customer: bool = True


@dataclass(frozen=True)
class CustomerPage:
    headline: str
    steps: tuple[Step, ...]
    owner: str
    team: str
    next_word: Word | None
    promises: tuple[Word, ...]
    earlier: tuple[Word, ...]
    said: tuple[Said, ...]
    telling_id: int | None
    told: Said | None
    answer: str
    ended_as: str
    outside_route: str
    held: bool


def read(case: Case, by: Actor) -> CustomerPage:
    """Everything on the page of ``case``, in the active language; nothing of any other case of the same customer."""
    telling, answer = standing_question(case)
    route = Ending.objects.filter(case=case).values_list("outside_route", flat=True).first() or ""
    conversed = conversation(case, by)
    message = Telling.objects.values_list("message_id", flat=True).get(pk=telling) if telling else None
    return CustomerPage(
        headline=headline(case, answer),
        steps=steps(case),
        owner=case.owner.name if case.owner else "",
        team=case.team.name if case.team else "",
        next_word=next_word(case),
        promises=standing(case, CUSTOMER),
        earlier=ended(case, CUSTOMER),
        said=conversed,
        telling_id=telling,
        told=next((s for s in conversed if s.id == message), None),
        answer=answer,
        ended_as=case.ended_as,
        outside_route=route,
        held=asks_whether_it_held(case),
    )


def standing_question(case: Case) -> tuple[int | None, str]:
    """The id of the telling that still waits for the customer's word (None: none does), and the last word on it."""
    if case.status != Status.TOLD:
        return None, ""
    telling = Telling.objects.filter(case=case, round=case.round).order_by("-id").first()
    if telling is None:
        return None, ""
    said = Confirmation.objects.filter(telling=telling).order_by("-id").first()
    return (None if said and said.answer == "all_good" else telling.pk), said.answer if said else ""


def steps(case: Case) -> tuple[Step, ...]:
    """The loop as the customer sees it; empty when it ended in another way than made good."""
    names = (
        _("Reported"),
        _("Somebody has it"),
        _("Being put right"),
        _("Checked by proof"),
        _("You were told"),
        _("Your own word"),
    )
    at = {Status.FIXED: 3, Status.VERIFIED: 4, Status.TOLD: 5, Status.ENDED: len(names)}.get(
        Status(case.status), 2 if case.owner_id else 1
    )
    if case.status == Status.ENDED and case.ended_as != "made_good":
        return ()
    return tuple(
        Step(name, "done" if n < at else "now" if n == at else "todo") for n, name in enumerate(names)
    )


def headline(case: Case, answer: str) -> str:
    """Where it stands, in one sentence, without our internal words."""
    if case.status == Status.ENDED:
        return _ended(case.ended_as)
    if case.status == Status.TOLD:
        if answer == "all_good":
            return _(
                "Thank you. Your words sound as if something is still missing, so a person reads them first."
            )
        return _("We believe that it is made good. Only you can say so.")
    if case.status == Status.VERIFIED:
        return _("It has been put right and checked. We are about to write to you.")
    if case.status == Status.FIXED:
        return _("Something was done to put it right. We are checking that it holds.")
    if case.status == Status.WAITING:
        task = task_of(case, case.waiting_for)
        return _waiting(kind_of(task) if task else case.waiting_for)
    if case.owner:
        return _("We are working on it.")
    return _("We have your report. Nobody has taken it on yet.")


def _waiting(whom: str) -> str:
    return {
        "customer": _("To go on, we need an answer from you."),
        "merchant": _("We are waiting for an answer from the shop."),
        "carrier": _("We are waiting for an answer from the carrier."),
        "payment_provider": _("We are waiting for an answer from the payment provider."),
        "specialist": _("A specialist is looking at it."),
        "party": _("We are waiting for an answer from somebody outside whom we asked."),
    }.get(whom, _("We are working on it."))


def _ended(ended_as: str) -> str:
    return {
        "made_good": _("Made good. You said so yourself."),
        "unconfirmed": _("Ended without your word: we asked several times and did not hear from you."),
        "disagreed": _("Ended, and we do not agree. Another way is open to you."),
        "withdrawn": _("Ended: you took your report back."),
    }.get(ended_as, _("Ended."))


def conversation(case: Case, by: Actor) -> tuple[Said, ...]:
    """What this reader may read of what was said, oldest first, with the files."""
    messages = readable_by(by, case).select_related("by").prefetch_related("attachments")
    return tuple(_said(m) for m in messages)


def _said(message: Message) -> Said:
    who = {"customer": "you", "merchant": "shop"}.get(message.author, "us")
    return Said(
        id=message.pk,
        who=who,
        name=message.by.name if message.by else "",
        body=message.body,
        language=message.language,
        at=message.at,
        files=tuple(sorted(message.attachments.all(), key=lambda a: a.pk)),
        to_customer=message.audience == Message.Audience.CUSTOMER,
    )
