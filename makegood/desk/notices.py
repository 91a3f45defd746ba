"""What a person of the desk is told about a case: rows, a list at ``/notices/`` and a number in the navigation.

A notice is written in the transaction of what it tells of. It holds a code and data; the sentence is made for the reader.
How it leaves the page (letter, chat) is ``noticing.py``: rows of the same transaction, sent by the worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock, rows
from makegood.base.moments import said
from makegood.cases.models import Case, Notice
from makegood.desk import noticing
from makegood.incidents.models import CardField, RoomMember
from makegood.people.models import STAFF, Role, Team, User
from makegood.promises.models import Promise

#: kind -> its sentence; it may name %(what)s (a promise), %(until)s and %(n)s from the data.
KINDS = {
    "promise_near": _("A promise falls due at %(until)s: %(what)s."),
    "promise_broken": _("A promise was broken: %(what)s, due at %(until)s."),
    "letter_failed": _("A letter could not be delivered."),
    "letter_bounced": _("A letter came back: the customer has not read it."),
    "letter_stranger": _("Somebody who does not belong to the case wrote a letter about it."),
    "asked_in_vain": _(
        "The customer did not answer, however often they were asked. The case is yours again."
    ),
    "woken": _("The case that was put aside is awake again."),
    "reply_returned": _("Your answer was not sent. Its words are kept as your draft."),
    "call_now": _("Please call the customer and ask whether it is made good."),
    "urgency_dropped": _("The nightly audit found that the urgency of this case was lowered in silence."),
    "climbed": _("A case needs you: it reached rung %(n)s of its ladder."),
    "expedited": _("You are asked to hurry a case up: your part is due by %(until)s."),
    "handover_offered": _("A case is offered to you; accept it by %(until)s, or refuse it."),
    "handover_refused": _("A case that was offered was refused; it needs your decision."),
    "handover_passed_on": _("Nobody accepted a case that was offered in time."),
    "handed_back": _("A case came back to your team, since its owner is not there."),
    "handed_back_to_you": _("A case is yours now, since its owner is not there."),
    "room_wanted": _("A war room is needed, and nobody is free to lead it."),
    "rooms_full": _("A war room is needed, and every lead on duty leads as many as the rules allow."),
    "incident_room_wanted": _("Cases of incident No. %(n)s need a war room, and it has none yet."),
    "room_passed_to_you": _("You lead a war room now, since who led it is not there."),
    "room_lead_away": _(
        "Who leads a war room is not there, and no other lead has a hand free: somebody has to decide."
    ),
    "room_opened": _("A war room needs you: you lead it."),
    "room_role": _("You have a role in a war room: %(what)s."),
    "room_task": _("A task in a war room is yours, due by %(until)s."),
    "room_changed": _("The card of a war room changed: %(what)s."),
    "room_thanks": _("You were thanked for your help in a war room."),
    "room_review": _("Time to look back at what a war room was for."),
    "notice_lost": _(
        "%(n)s notices could not be delivered outside the page. Please look at the ways to reach you."
    ),
    "hook_off": _("A webhook was switched off, since it did not answer any more."),
    "incident_opened": _("One fault over many cases: an incident was opened with a case of yours."),
    "incident_suggested": _("%(n)s cases look like one fault; a lead decides whether it is one."),
    "incident_done": _("An act on all cases of an incident is through."),
    "approval_asked": _("A remedy waits for your approval, by %(until)s."),
    "approval_refused": _("A remedy of yours was not approved; the reason stands on the case."),
    "remedy_chosen": _("The customer has chosen how it is made good."),
    "remedy_countered": _("The customer proposed another way to make it good."),
    "offer_expired": _("An offer to the customer has ended without an answer."),
    "remedy_failed": _("A remedy was refused by the shop: nothing moved. It needs your decision."),
    "remedy_arrived": _("A remedy has arrived: tell the customer."),
    "remedy_came_back": _("A remedy that was done did not hold."),
    "remedy_stuck": _("A remedy is stuck at the shop; only a person can move it on."),
    "step_unknown": _("It is still not known what became of a remedy; look in the shop's own system."),
    "party_answered": _("%(name)s answered what you had asked."),
    "party_cannot": _("%(name)s cannot do what was asked; somebody has to decide."),
    "party_late": _("%(name)s has not done by %(until)s what was asked."),
    "party_silent": _("%(name)s does not answer, however often we remind them; due since %(until)s."),
    "party_unreached": _("What was asked could not be delivered to %(name)s."),
    "restricted": _("There is a new case of fraud or security. Only a few see it; it needs an owner."),
    "freeze": _("Stop the use of an account or a payment by %(until)s."),
    "freeze_by_hand": _("The shop's own system did not stop the use: do it by hand, now."),
    "security_check": _("Time to look whether a case of security is still secure."),
    "poisoned": _("Something on this case could not be worked through by itself; it is tried again later."),
}
#: What %(what)s is, where it is no promise.
_WHAT = {"room_changed": CardField.Field, "room_role": RoomMember.Role}
_PRESENT = "SELECT id FROM makegood_user WHERE id = ANY($1) AND is_active AND role = ANY($2) ORDER BY id"
_LEAD = """SELECT u.id FROM makegood_team t JOIN makegood_user u ON u.id = t.lead_id
  WHERE t.id = $1 AND u.is_active"""
MOST = 100
MOST_COUNTED = 99


@dataclass(frozen=True)
class Told:
    """One notice as its reader sees it."""

    notice: Notice
    sentence: str

    @property
    def room(self) -> int | None:
        """The war room that it is about."""
        return room_of(self.notice)


def room_of(notice: Notice) -> int | None:
    """The id of the war room that a notice is about; None: of none."""
    found = notice.data.get("room")
    return found if isinstance(found, int) else None


@dataclass(frozen=True)
class Ask:
    """That these people be told (ids of users; None is skipped, each once, only who may still sign in).

    ``case`` is None for what belongs to none (a letter that could not be read).
    """

    case: Case | None
    kind: str
    to: Iterable[int | None]
    data: dict[str, Any] = field(default_factory=dict)


def notify(
    case: Case | None, kind: str, *, to: Iterable[int | None], data: dict[str, Any] | None = None
) -> list[int]:
    """:class:`Ask`, one; returns who was told."""
    return notify_all([Ask(case, kind, to, data or {})])[0]


def notify_all(asks: Sequence[Ask]) -> list[list[int]]:
    """Tell all of these in a few statements; for each who was told."""
    for ask in asks:
        if ask.kind not in KINDS:
            raise LookupError(f"{ask.kind} stands in no row of desk/notices.py")
    wanted = noticing.with_stand_ins(
        [(ask.case, ask.kind, {user for user in ask.to if user is not None}) for ask in asks]
    )
    everybody = sorted(set().union(*wanted))
    there = {pk for (pk,) in rows.ask(_PRESENT, everybody, list(STAFF))} if everybody else set()
    users, now = [sorted(people & there) for people in wanted], clock.now()
    told = [
        [Notice(user_id=user, case=ask.case, kind=ask.kind, data=ask.data, at=now) for user in people]
        for ask, people in zip(asks, users, strict=True)
    ]
    Notice.objects.bulk_create(notice for one in told for notice in one)
    noticing.send_out([(one, ask.case, ask.kind) for one, ask in zip(told, asks, strict=True)])
    return users


def about(promise: Promise) -> dict[str, Any]:
    """The data of a notice about a promise."""
    return {"promise": promise.pk, "what": promise.what, "until": promise.due_at.isoformat()}


def owner_of(case: Case) -> list[int]:
    """Who must hear of it: the owner; with none, the leads."""
    return [case.owner_id] if case.owner_id else leads_of(case)


def leads_of(case: Case) -> list[int]:
    """The rung above the owner: the lead of the case's team; with no owner or no such lead, all leads who serve the shop."""
    if case.owner_id and case.team_id and (found := rows.ask(_LEAD, case.team_id)):
        return [found[0][0]]
    return leads_serving(case.shop_id)


def leads_serving(shop_id: int) -> list[int]:
    """Everybody of the role 'lead' whose teams serve the shop; a lead without a team, or with one without shops, serves all."""
    elsewhere = Team.objects.exclude(shops=None).exclude(shops=shop_id)
    here = Team.objects.filter(Q(shops=None) | Q(shops=shop_id))
    leads = User.objects.filter(role=Role.LEAD, is_active=True)
    away = leads.filter(Q(teams__in=elsewhere) | Q(leads__in=elsewhere))
    served = leads.filter(Q(teams__in=here) | Q(leads__in=here)).values_list("pk", flat=True)
    anywhere = leads.exclude(pk__in=away.values("pk")).values_list("pk", flat=True)
    return sorted({*served, *anywhere})


def managers() -> list[int]:
    return list(
        User.objects.filter(role=Role.MANAGER, is_active=True).order_by("id").values_list("pk", flat=True)
    )


def keepers() -> list[int]:
    """Who keeps the house running: the administrators; with none, the managers."""
    admins = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("id")
    return list(admins.values_list("pk", flat=True)) or managers()


def read(user_id: int) -> list[Told]:
    """The newest notices of a person, those not seen yet first, in the active language and zone."""
    mine = Notice.objects.filter(user_id=user_id).select_related("case")
    new = list(mine.filter(seen_at__isnull=True).order_by("-id")[:MOST])
    old = list(mine.filter(seen_at__isnull=False).order_by("-id")[: MOST - len(new)])
    return [Told(notice, sentence(notice)) for notice in new + old]


def sentence(notice: Notice) -> str:
    """What the notice says; a kind that nobody knows any more is shown as its code."""
    told = KINDS.get(notice.kind)
    if told is None:
        return notice.kind
    data = {"what": "", "until": "", "n": "", "name": "", **notice.data}
    words: Any = _WHAT.get(notice.kind, Promise.What)
    if data["what"] in words.values:
        data["what"] = str(words(data["what"]).label)
    if data["until"]:
        data["until"] = said(datetime.fromisoformat(data["until"]))
    return str(told) % data


def unseen(user_id: int) -> int:
    """How many the person has not seen; MOST_COUNTED means that many or more. One look at an index."""
    return Notice.objects.filter(user_id=user_id, seen_at__isnull=True)[:MOST_COUNTED].count()


def mark_seen(user_id: int, ids: Iterable[int] | None = None) -> int:
    """The person has seen these of their own (None: all); how many were new."""
    mine = Notice.objects.filter(user_id=user_id, seen_at__isnull=True)
    return (mine if ids is None else mine.filter(pk__in=list(ids))).update(seen_at=clock.now())
