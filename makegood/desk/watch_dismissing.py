"""Saying that a finding is no trouble, and why: what people dismiss as usual teaches the limits (watch/house.py)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.base.words import clean_line
from makegood.cases import pen
from makegood.cases.access import shops_served
from makegood.cases.models import Case, CaseEvent
from makegood.desk.verb import verb
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.watch.models import Finding

State = Finding.State


def dismiss(finding: Finding, *, by: Actor, reason: str, words: str = "") -> Finding:
    """Say that a finding is none, and why. 'Usual here' lowers the limit of its step after some of them (watch/house.py)."""
    roles.check(by, "dismiss_finding")
    if reason not in Finding.Reason.values:
        raise Refusal("unknown_code", _("Choose why it is no trouble."), field="reason")
    words = clean_line(words, limit=500, field="words", required=False)
    with transaction.atomic():
        held = Finding.objects.select_for_update(of=("self",)).select_related("case").get(pk=finding.pk)
        if held.state == State.DISMISSED:
            raise Refusal("dismissed", _("Somebody has dismissed it already."))
        held.state, held.dismissed_because, held.dismissed_words = State.DISMISSED, reason, words
        held.dismissed_by_id, held.dismissed_at = by.person, clock.now()
        held.save(
            update_fields=["state", "dismissed_because", "dismissed_words", "dismissed_by", "dismissed_at"]
        )
        if held.case and held.case.is_open:
            note_dismissed(held.case, held, by=by)
    return held


@verb("dismiss_finding")
def note_dismissed(case: Case, finding: Finding, *, by: Actor) -> CaseEvent:
    """A person says on the case that what the watch noticed is no trouble; the case itself is theirs to end."""
    case = pen.hold(case.pk)
    return pen.write(case, "watch_dismissed", by=by, data={"finding": finding.pk, "watched": finding.step})


def finding_for(actor: Actor, pk: int) -> Finding:
    """The finding with this id; NotThere unless the actor serves its shop."""
    roles.check(actor, "see_watch")
    found = Finding.objects.select_related("shop", "case", "incident", "dismissed_by").filter(pk=pk).first()
    served = shops_served(actor)
    if found is None or (found.shop_id and served is not None and found.shop_id not in served):
        raise NotThere("no_finding", _("There is no such finding."))
    return found
