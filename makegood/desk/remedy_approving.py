"""The second person: what somebody may not decide alone is approved or refused by another, of the role that the policy names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.access import cases_for
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.desk import notices, remedying
from makegood.desk.remedy_rows import in_words
from makegood.desk.verb import verb
from makegood.packs.remedying import RANK
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.remedies.models import Approval, Offer, Remedy


@verb("approve_remedy")
def approve_remedy(case: Case, remedy_id: int, *, by: Actor, seen: int | None, words: str = "") -> CaseEvent:
    """Approve what another person wants to give. The last approval of an offer sends it; that of a decision carries it on."""
    case = pen.hold(case.pk, seen=seen)
    row, asked = _asked(case, remedy_id, by)
    with in_words():
        _answer(asked, Approval.State.GIVEN, by, clean(words, limit=2000, field="words", required=False))
    if row.offer is None:
        return remedying.decided(case, row, by=by)
    waiting = Approval.objects.filter(remedy__offer=row.offer, state=Approval.State.WAITING).count()
    if waiting:
        data = {"remedy": row.kind, "remedy_id": row.pk}
        return pen.write(case, "remedy_approved", by=by, data=data)
    if row.offer.until <= clock.now():
        raise Refusal("offer_over", _("The time of this offer is over. Offer it anew."), field="remedy")
    with in_words():
        Remedy.objects.filter(offer=row.offer, state=Remedy.State.WAITING).update(state=Remedy.State.OFFERED)
    Offer.objects.filter(pk=row.offer.pk).update(state=Offer.State.OPEN)
    return remedying.send_offer(case, row.offer, by=by)


@verb("approve_remedy")
def refuse_approval(case: Case, remedy_id: int, *, by: Actor, seen: int | None, reason: str) -> CaseEvent:
    """Not so: with the reason as a note, and a notice to whoever asked. An offer of which a part is refused goes back whole."""
    case = pen.hold(case.pk, seen=seen)
    row, asked = _asked(case, remedy_id, by)
    words = clean(reason, limit=2000, field="reason")
    _answer(asked, Approval.State.REFUSED, by, words)
    note = messages.store(case, by=by, author=Author.STAFF, audience=Audience.STAFF, body=words)
    now = clock.now()
    Remedy.objects.filter(pk=row.pk).update(state=Remedy.State.NOT_APPROVED, settled_at=now)
    if row.offer_id:
        rest = Remedy.objects.filter(offer=row.offer, state=Remedy.State.WAITING)
        Approval.objects.filter(remedy__in=rest, state=Approval.State.WAITING).update(state="dropped")
        rest.update(state=Remedy.State.WITHDRAWN, settled_at=now)
        Offer.objects.filter(pk=row.offer_id).update(
            state=Offer.State.WITHDRAWN, settled_at=now, look_at=None
        )
    notices.notify(case, "approval_refused", to=[asked.asked_by_id])
    data = {"remedy": row.kind, "remedy_id": row.pk, "message": note.pk}
    return pen.write(case, "remedy_not_approved", by=by, data=data, due_at=ledger.next_due(case))


def may_approve(asked: Approval, by: Actor) -> bool:
    """Of the role or above, and not the one who asked."""
    return (
        roles.may(by, "approve_remedy")
        and by.role in RANK
        and RANK.index(by.role) >= RANK.index(asked.role)
        and by.user_id != asked.asked_by_id
    )


def _asked(case: Case, remedy_id: int, by: Actor) -> tuple[Remedy, Approval]:
    row = remedying.remedy_of(case, remedy_id)
    asked = Approval.objects.filter(remedy=row, state=Approval.State.WAITING).first()
    if asked is None or row.state != Remedy.State.WAITING:
        raise Refusal("not_asked", _("This waits for nobody's approval."), field="remedy")
    if by.user_id == asked.asked_by_id or by.user_id == row.by_id:
        raise Refusal("oneself", _("Nobody approves what they decided themselves."), field="remedy")
    if not may_approve(asked, by):
        raise NotAllowed("not_allowed", _("Your role does not allow this."))
    return row, asked


def _answer(asked: Approval, state: str, by: Actor, words: str) -> None:
    asked.state, asked.by_id, asked.at, asked.words = state, by.person, clock.now(), words
    asked.save(update_fields=["state", "by", "at", "words"])


@dataclass(frozen=True)
class Waiting:
    """One approval that waits, as the list of a lead shows it."""

    approval: Approval
    remedy: Remedy
    case: Case
    what: str
    late: bool
    mine: bool


def waiting(by: Actor) -> list[Waiting]:
    """The approvals that wait on cases that ``by`` may see, due first; ``mine``: this person may decide it."""
    rows = (
        Approval.objects.filter(state=Approval.State.WAITING, remedy__case__in=cases_for(by))
        .select_related("remedy__case__shop", "remedy__case__customer", "asked_by", "remedy__offer")
        .order_by("due_at", "id")[:200]
    )
    now: datetime = clock.now()
    return [
        Waiting(a, a.remedy, a.remedy.case, remedying.named(a.remedy), a.due_at < now, may_approve(a, by))
        for a in rows
    ]
