"""Stopping use at once: an account or a payment of a security case, by people within minutes, and by the shop's own system where its
connector can (``freeze_asks.py``: the task stays beside it until one of them has stopped it).
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean, clean_line
from makegood.cases import pen
from makegood.cases.access import is_restricted
from makegood.cases.models import Case, CaseEvent, Freeze
from makegood.cases.urgency import Evidence
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.desk import notices
from makegood.desk.verb import verb
from makegood.escalation import duty
from makegood.packs import outside
from makegood.people.actors import Actor
from makegood.people.models import Shop, Team
from makegood.promises import ledger


@verb("freeze")
def freeze(case: Case, *, by: Actor, what: str, which: str = "", why: str = "") -> CaseEvent:
    """Stop the use of an account or a payment now. Never collides: nobody with a stolen account waits for a fresh form.

    The team for security (else technology) has minutes (``packs/outside.toml``); the case becomes critical.
    """
    case = pen.hold(case.pk)
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
    if not is_restricted(case):
        raise Refusal(
            "not_security", _("Sort it as a case of fraud or security first: then only a few see it.")
        )
    if what not in Freeze.What.values:
        raise Refusal("unknown_code", _("This is not in the list."), field="what")
    name = clean_line(which, limit=120, field="which", required=False)
    if Freeze.objects.filter(case=case, what=what, which=name, released_at__isnull=True).exists():
        raise Refusal("asked", _("This is being stopped already, or stands still."), field="what")
    words = clean(why, limit=2000, field="why", required=False)
    team = team_for(case.shop)
    people = on_duty(team)
    until = clock.now() + outside().freeze
    promise = ledger.give(
        case,
        due_at=until,
        by=people[0] if people else case.owner_id,
        what="other",
        basis="policy",
        to="staff",
        words=words or str(dict(Freeze.What.choices)[what]),
        policy={"minutes": outside().freeze.total_seconds() / 60},
    )
    row = Freeze.objects.create(
        case=case, what=what, which=name, asked_at=clock.now(), asked_by_id=by.user_id, promise=promise
    )
    told = {*people, *notices.leads_of(case), case.owner_id} - {by.user_id}
    notices.notify(case, "freeze", to=told, data={"until": until.isoformat()})
    data: dict[str, Any] = {
        "freeze": row.pk,
        "frozen": what,
        "promise": promise.pk,
        "until": until.isoformat(),
        "user": promise.by_id,
        "team": team.pk if team else None,
    }
    return pen.write(
        case, "freeze_asked", by=by, data=data, evidence=[Evidence(5, "freeze")], due_at=ledger.next_due(case)
    )


@verb("frozen")
def frozen(case: Case, freeze_id: int, *, by: Actor, proof: str) -> CaseEvent:
    """It is stopped; ``proof`` says where that can be seen. In time it keeps the promise; late it is broken, and stopped all the same."""
    case = pen.hold(case.pk)
    return stopped(case, _of(case, freeze_id, "asked"), proof, by=by)


def stopped(case: Case, row: Freeze, proof: str, *, by: Actor) -> CaseEvent:
    """The row, the note with its proof, the promise and the event; by a person, or by the shop's own system (``freeze_asks.py``)."""
    note = _noted(case, by, proof, "proof")
    Freeze.objects.filter(pk=row.pk).update(frozen_at=clock.now(), frozen_by_id=by.user_id, proof=note)
    mine = [row.promise_id] if row.promise_id else []
    moves: dict[str, Any] = (
        {"due_at": ledger.next_due(case, without=mine) or case.due_at} if case.is_open else {}
    )
    in_time = row.promise is not None and clock.now() <= row.promise.due_at
    data = {"freeze": row.pk, "frozen": row.what, "message": note, "in_time": in_time}
    event = pen.write(case, "frozen", by=by, data=data, **moves)
    ledger.keep(mine, proof_event=event)
    return event


@verb("release")
def release(case: Case, freeze_id: int, *, by: Actor, reason: str) -> CaseEvent:
    """Use is allowed again: by a lead, a specialist or above, with the reason why it is safe."""
    case = pen.hold(case.pk)
    row = _of(case, freeze_id, "frozen")
    note = _noted(case, by, reason, "reason")
    Freeze.objects.filter(pk=row.pk).update(released_at=clock.now(), released_by_id=by.user_id)
    return pen.write(case, "released", by=by, data={"freeze": row.pk, "frozen": row.what, "message": note})


def team_for(shop: Shop) -> Team | None:
    """The team that stops use for this shop: of the first skill that has one, those that serve the shop first."""
    for skill in outside().freeze_skills:
        teams = list(Team.objects.filter(skill=skill).prefetch_related("shops").order_by("id"))
        serving = [t for t in teams if not t.shops.all() or shop in t.shops.all()]
        if serving:
            return serving[0]
    return None


def on_duty(team: Team | None) -> list[int]:
    """Who of the team is on duty, the least loaded first; nobody: those who answer for it."""
    return (duty.on_duty(team) if team else []) or duty.above(team)


def _of(case: Case, freeze_id: int, state: str) -> Freeze:
    row = Freeze.objects.select_related("promise").filter(case=case, pk=freeze_id).first()
    if row is None or row.state != state:
        raise Refusal("no_freeze", _("There is nothing of this kind to do on this case."), field="freeze")
    return row


def _noted(case: Case, by: Actor, words: str, field: str) -> int:
    body = clean(words, limit=5000, field=field)
    return messages.store(case, by=by, author=Author.STAFF, audience=Audience.STAFF, body=body).pk
