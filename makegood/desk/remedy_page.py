"""What the pages show of remedies: the block of the sheet, the customer's choices, what a merchant reads. Reading only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import prefetch_related_objects

from makegood.base import clock
from makegood.cases.models import Case
from makegood.connectors.ports import MAKES
from makegood.desk import remedy_menu, remedy_words
from makegood.desk.law import Around, Law
from makegood.desk.remedy_approving import may_approve
from makegood.desk.remedy_menu import Menu
from makegood.desk.remedy_settling import LOOKS_IN_VAIN
from makegood.desk.remedying import named
from makegood.packs.remedying import remedy_policy
from makegood.packs.shapes import Term
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.promises.models import Promise
from makegood.remedies.models import Offer, Remedy, Step


@dataclass(frozen=True)
class StepSeen:
    """One row of the ledger as people read it."""

    step: Step
    action: str
    there: str
    why: str
    may_say: bool


@dataclass(frozen=True)
class Seen:
    """One remedy with its steps, and what this person may do with it now."""

    remedy: Remedy
    what: str
    means: str
    until: datetime | None
    steps: tuple[StepSeen, ...]
    may_carry: bool
    may_approve: bool
    may_withdraw: bool
    may_look: bool


@dataclass(frozen=True)
class Remedies:
    """The block of the sheet. ``menu`` is None while nothing can be offered."""

    rows: list[Seen]
    menu: Menu | None
    offer: Offer | None

    @property
    def is_silent(self) -> bool:
        return not self.rows and self.menu is None


def of_case(case: Case, *, by: Actor, around: Around, known: Law, promises: Iterable[Promise]) -> Remedies:
    """The block, newest remedy first; what the sheet has read already is not read again. Four queries at most."""
    due = {p.pk: p.due_at for p in promises}
    rows = list(
        Remedy.objects.filter(case=case).select_related("offer", "approval", "by", "payment").order_by("-id")
    )
    steps: dict[int, list[Step]] = {}
    for step in Step.objects.filter(case=case).order_by("n") if rows else ():
        steps.setdefault(step.remedy_id, []).append(step)
    prefetch_related_objects(around.payments, "remedies")
    sorted_ = case.is_open and bool(case.type)
    offer = next((r.offer for r in rows if r.offer and r.offer.state in ("waiting", "open")), None)
    return Remedies(
        rows=[_seen(row, steps.get(row.pk, []), by, due.get(row.promise_id or 0)) for row in rows],
        menu=remedy_menu.read(case, by=by, around=around, known=known) if sorted_ else None,
        offer=offer,
    )


def _seen(row: Remedy, steps: list[Step], by: Actor, until: datetime | None) -> Seen:
    rule = remedy_policy().rules.get(row.rule)
    moving = any(s.state in Step.ON_ITS_WAY or (s.state == "planned" and s.look_at) for s in steps)
    sent = any(s.state not in ("planned", "dropped", "refused") for s in steps)
    approval = getattr(row, "approval", None)
    return Seen(
        remedy=row,
        what=named(row),
        means=str(rule.means) if rule else "",
        until=until,
        steps=tuple(step_seen(s, by) for s in steps),
        may_carry=row.is_open and not moving and roles.may(by, "carry_out"),
        may_approve=row.state == "waiting" and approval is not None and may_approve(approval, by),
        may_withdraw=row.state in ("waiting", "offered", *Remedy.OPEN) and not sent,
        may_look=row.state in ("waiting", "offered", *Remedy.OPEN)
        and not sent
        and not moving
        and roles.may(by, "read_store"),
    )


def step_seen(step: Step, by: Actor) -> StepSeen:
    lost = step.state == Step.State.UNKNOWN and (step.looked >= LOOKS_IN_VAIN or step.code == "behind")
    return StepSeen(
        step=step,
        action=str(remedy_words.ACTIONS.get(step.action, step.action)),
        there=remedy_words.there(step.there, MAKES[step.action]) if step.there else "",
        why=str(remedy_words.CODES.get(step.code, step.code)),
        may_say=lost and roles.may(by, "settle_by_hand"),
    )


@dataclass(frozen=True)
class Option:
    """One choice of the customer: what it is, what it means, by when it is there."""

    id: int
    kind: str
    what: str
    means: str
    by_when: datetime


@dataclass(frozen=True)
class ForCustomer:
    """The customer's part: an open offer with its choices, and how earlier remedies stand."""

    offer: Offer | None
    options: tuple[Option, ...]
    reasons: tuple[Term, ...]
    standing: tuple[Seen, ...]


_TOLD = ("accepted", "carrying", "done", "arrived", "came_back", "failed")


def for_customer(case: Case, by: Actor) -> ForCustomer:
    """What the page of the customer, and of the merchant, shows. Three queries."""
    from makegood.desk.remedy_rows import promised_by

    rows = list(Remedy.objects.filter(case=case).select_related("offer").order_by("id"))
    steps: dict[int, list[Step]] = {}
    for step in Step.objects.filter(case=case).order_by("n") if rows else ():
        steps.setdefault(step.remedy_id, []).append(step)
    now = clock.now()
    open_ = [
        r
        for r in rows
        if r.state == "offered" and r.offer and r.offer.state == "open" and r.offer.until > now
    ]
    policy = remedy_policy()
    due = dict(
        Promise.objects.filter(pk__in=[r.promise_id for r in rows if r.promise_id]).values_list(
            "pk", "due_at"
        )
    )
    return ForCustomer(
        offer=open_[0].offer if open_ else None,
        options=tuple(
            Option(
                r.pk,
                r.kind,
                named(r),
                str(policy.rules[r.rule].means) if r.rule in policy.rules else "",
                promised_by(case, r),
            )
            for r in open_
        ),
        reasons=tuple(policy.reasons.values()),
        standing=tuple(
            _seen(r, steps.get(r.pk, []), by, due.get(r.promise_id or 0)) for r in rows if r.state in _TOLD
        ),
    )
