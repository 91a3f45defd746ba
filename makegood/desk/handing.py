"""Handing a case over is a contract: a whole card, a receiver who restates it, and until then the giver owns the case.

Urgency, quotations, promises and clocks stay on the case and are not copied, so there is nothing to lose on the way;
``Handover.carried`` says what the receiver got to see, so that insight can count what arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.base.languages import speaking
from makegood.base.moments import said
from makegood.base.words import clean
from makegood.cases import links, pen
from makegood.cases.models import Case, CaseEvent, Fact, UrgencyEvidence
from makegood.cases.states import Status
from makegood.conversations import messages, outbox
from makegood.conversations.messages import Audience, Author
from makegood.desk import notices
from makegood.desk.verb import verb
from makegood.escalation import duty
from makegood.escalation.models import Handover
from makegood.packs import escalation
from makegood.people.actors import Actor
from makegood.people.models import STAFF, Role, Team, User
from makegood.promises import ledger
from makegood.promises.ledger import next_word_due

#: A line of this many characters can say an ask and a time; less is a nod.
SHORTEST_LINE = 12
_LEADS = (Role.LEAD, Role.MANAGER, Role.ADMIN)


@dataclass(frozen=True)
class Card:
    """What the giver writes; the rest of the card (facts, impact, quotations, next word) is the case's own."""

    customer_asks: str
    tried: str
    asked: str
    by_when: datetime


@verb("hand_over")
def hand_over(
    case: Case, card: Card, *, by: Actor, seen: int | None, team: Team, to: User | None = None
) -> CaseEvent:
    """Offer the case to another team, with its card complete. The giver owns it until somebody there has restated it."""
    case = pen.hold(case.pk, seen=seen)
    _refuse_ended(case)
    _refuse_not_the_giver(case, by)
    if Handover.objects.filter(case=case, state=Handover.State.OFFERED).exists():
        raise Refusal("offered", _("The case is offered to somebody already; take that back first."))
    if team.pk == case.team_id:
        raise Refusal("same_team", _("This team has the case; give it to a colleague instead."), field="team")
    if team.shops.exists() and not team.shops.filter(pk=case.shop_id).exists():
        raise Refusal("other_shops", _("That team does not serve this shop."), field="team")
    if to is not None and not to.teams.filter(pk=team.pk).exists():
        raise Refusal("not_in_team", _("This person is not in that team."), field="to")
    if to is not None and (to.role not in STAFF or not to.is_active or to.pk in duty.absent()):
        raise Refusal("not_there", _("This person is away or cannot own a case."), field="to")
    if not Fact.objects.filter(case=case, struck_at__isnull=True).exists():
        raise Refusal(
            "no_facts",
            _("Note what happened as a fact first: the receiver starts from facts."),
            field="facts",
        )
    now = clock.now()
    if card.by_when is None or card.by_when <= now:
        raise Refusal("bad_time", _("Say by when it should be done, ahead of now."), field="by_when")
    offered = Handover(
        case=case,
        giver_id=by.person,
        from_team_id=case.team_id,
        to_team=team,
        to=to,
        customer_asks=clean(card.customer_asks, limit=2000, field="customer_asks"),
        tried=clean(card.tried, limit=5000, field="tried"),
        asked=clean(card.asked, limit=2000, field="asked"),
        by_when=card.by_when,
        next_word_at=next_word_due(case),
        carried=carried(case),
        given_at=now,
        look_at=now + escalation().accept[case.urgency],
    )
    offered.save(force_insert=True)
    data = {"handover": offered.pk, "team": team.pk, "user": to.pk if to else None, "until": _iso(offered)}
    notices.notify(
        case,
        "handover_offered",
        to=[to.pk] if to else duty.on_duty(team, without=[by.person]) or duty.above(team),
        data={"until": _iso(offered)},
    )
    moves: dict[str, Any] = (
        {"status": Status.WORKING} if case.status in (Status.REPORTED, Status.TRIAGED) else {}
    )
    return pen.write(
        case,
        "handed_over",
        by=by,
        data=data,
        owner_id=case.owner_id or by.person,  # somebody owns it while it is between two teams
        **moves,
    )


@verb("answer_handover")
def accept_handover(
    case: Case, *, by: Actor, seen: int | None, restated: str, next_word_at: datetime | None
) -> CaseEvent:
    """Take the case over, by restating in one line what is asked, and when the customer hears next. Then, only then, it is yours.

    The customer is told who has it now, in their language; no promise is kept or moved by that.
    """
    case = pen.hold(case.pk, seen=seen)
    offered = standing(case)
    _refuse_not_the_receiver(offered, by)
    if duty.is_away(by.user_id):
        raise Refusal("away", _("You are entered as away: end your absence first."))
    line = clean(restated, limit=1000, field="restated")
    if len(line) < SHORTEST_LINE or line.casefold() == offered.asked.casefold():
        raise Refusal("not_restated", _("Say in your own words what is asked of you."), field="restated")
    promised = next_word_due(case)
    if promised and (next_word_at is None or abs(next_word_at - promised) >= timedelta(minutes=1)):
        raise Refusal(
            "other_next_word",
            _("The customer was promised a word by %(time)s. Restate that time.") % {"time": said(promised)},
            field="next_word_at",
        )
    _answer(offered, Handover.State.ACCEPTED, by, restated=line)
    message = _tell_the_customer(case, offered, by)
    return pen.write(
        case,
        "handover_accepted",
        by=by,
        data={
            "handover": offered.pk,
            "user": by.user_id,
            "team": offered.to_team_id,
            "was_user": case.owner_id,
            "was_team": offered.from_team_id,
            "message": message,
        },
        owner_id=by.user_id,
        team_id=offered.to_team_id,
        # Accepting is not working on it: the hop ends with the first thing that is done.
        touched_at=None,
    )


@verb("answer_handover")
def refuse_handover(case: Case, *, by: Actor, seen: int | None, reason: str) -> CaseEvent:
    """Refuse it with a reason. The giver keeps the case, and the leads of both teams hear why."""
    case = pen.hold(case.pk, seen=seen)
    offered = standing(case)
    _refuse_not_the_receiver(offered, by)
    _answer(offered, Handover.State.REFUSED, by, reason=clean(reason, limit=2000, field="reason"))
    data = {"handover": offered.pk, "team": offered.to_team_id}
    leads = [team.lead_id for team in (offered.from_team, offered.to_team) if team]
    notices.notify(case, "handover_refused", to=[offered.giver_id, *(leads or notices.leads_of(case))])
    return pen.write(case, "handover_refused", by=by, data=data, touched_at=None)


@verb("hand_over")
def withdraw_handover(case: Case, *, by: Actor, seen: int | None) -> CaseEvent:
    """Take the offer back: by who gave it, or by a lead."""
    case = pen.hold(case.pk, seen=seen)
    offered = standing(case)
    if offered.giver_id != by.user_id and by.role not in _LEADS:
        raise NotAllowed("not_yours", _("Only who offered it, or a lead, takes it back."))
    _answer(offered, Handover.State.WITHDRAWN, by)
    return pen.write(case, "handover_withdrawn", by=by, data={"handover": offered.pk})


@verb("pass_on")
def pass_on(case: Case, *, by: Actor) -> CaseEvent:
    """Nobody accepted in time, or to whom it was offered is gone: to the next on duty; after some passes to who answers for the team."""
    case = pen.hold(case.pk)
    offered = standing(case)
    now = clock.now()
    gone = duty.is_away(offered.to_id) or (offered.to is not None and not offered.to.is_active)
    if offered.look_at is None or (offered.look_at > now and not gone):
        raise Refusal("not_due", _("It is not time yet."))
    tried = {u for u in (offered.to_id, offered.giver_id, case.owner_id) if u}
    next_ones = duty.on_duty(offered.to_team, without=tried)
    if offered.passes + 1 >= escalation().passes or not next_ones:
        next_ones = [u for u in duty.above(offered.to_team) if u != offered.to_id] or next_ones
    receiver = (next_ones or duty.above(None) or [offered.giver_id])[0]
    offered.to_id, offered.passes = receiver, offered.passes + 1
    offered.look_at = now + escalation().accept[case.urgency]
    offered.save(update_fields=["to", "passes", "look_at"])
    data = {"handover": offered.pk, "user": receiver, "until": _iso(offered)}
    notices.notify(case, "handover_offered", to=[receiver], data={"until": _iso(offered)})
    hear = {offered.giver_id, *duty.above(offered.to_team)} - {receiver}
    notices.notify(case, "handover_passed_on", to=sorted(hear))
    return pen.write(case, "handover_passed_on", by=by, data=data)


def drop(case: Case) -> None:
    """The case ended or was merged: an offer that stands is taken back by the house."""
    Handover.objects.filter(case=case, state=Handover.State.OFFERED).update(
        state=Handover.State.WITHDRAWN, look_at=None, answered_at=clock.now()
    )


@verb("expedite")
def expedite(
    case: Case, *, by: Actor, seen: int | None, who: User | None, what: str, due_at: datetime | None
) -> CaseEvent:
    """Hurry a case up: who does what by when, as a promise with a clock. Without these three it would only comfort, and is refused."""
    case = pen.hold(case.pk, seen=seen)
    _refuse_ended(case)
    if who is None or who.role not in STAFF or not who.is_active or who.pk in duty.absent():
        raise Refusal(
            "nobody", _("Say who does it: somebody who is here. 'We hurry' helps nobody."), field="who"
        )
    words = clean(what, limit=2000, field="what")
    if due_at is None or due_at <= clock.now():
        raise Refusal("bad_time", _("Say by when it is done, ahead of now."), field="due_at")
    promise = ledger.give(
        case,
        due_at=due_at,
        by=who.pk,
        what="other",
        basis="promised",
        to="staff",
        words=words,
        field="due_at",
    )
    data = {"user": who.pk, "promise": promise.pk, "until": due_at.isoformat()}
    notices.notify(case, "expedited", to=[who.pk], data={"until": due_at.isoformat()})
    return pen.write(case, "expedited", by=by, data=data, due_at=ledger.next_due(case))


def standing(case: Case) -> Handover:
    """The offer that stands on this case; raises Refusal when there is none (it was answered meanwhile)."""
    offered = (
        Handover.objects.select_for_update(of=("self",))
        .select_related("to_team", "from_team", "to")
        .filter(case=case, state=Handover.State.OFFERED)
        .first()
    )
    if offered is None:
        raise Refusal("not_offered", _("The case is not offered to anybody."))
    return offered


def carried(case: Case) -> dict[str, Any]:
    """What travels with the case, as numbers: its level, how many quotations and facts, its impact, what is asked for."""
    return {
        "level": case.urgency,
        "quotes": UrgencyEvidence.objects.filter(case=case).exclude(quote="").count(),
        "facts": Fact.objects.filter(case=case, struck_at__isnull=True).count(),
        "money": str(case.money_lost) if case.money_lost is not None else None,
        "currency": case.currency,
        "orders_blocked": case.orders_blocked,
        "campaign": case.campaign_at_risk,
        "asks": case.asked_remedy,
    }


def may_answer(offered: Handover, user_id: int | None) -> bool:
    """Whether this person may accept or refuse: somebody of the receiving team, or to whom it was passed; never the giver."""
    if user_id is None or user_id == offered.giver_id:
        return False
    return user_id == offered.to_id or offered.to_team.members.filter(pk=user_id).exists()


def _answer(offered: Handover, state: str, by: Actor, **words: str) -> None:
    Handover.objects.filter(pk=offered.pk).update(
        state=state, look_at=None, answered_by_id=by.person, answered_at=clock.now(), **words
    )


def _tell_the_customer(case: Case, offered: Handover, by: Actor) -> int:
    """Say in the customer's language who has it now. A word of the house, not of a person: it keeps no promise."""
    name = User.objects.values_list("name", flat=True).get(pk=by.person)
    with speaking(case.language):
        words = spoken(
            "Your report is now with %(name)s of %(team)s. Everything you told us went along: you need not tell it again."
        ) % {"name": name, "team": offered.to_team.name}
    message = messages.store(
        case, by=by, author=Author.SYSTEM, audience=Audience.CUSTOMER, body=words, language=case.language
    )
    outbox.letter(case, "moved", link=links.standing(case), message=message)
    return message.pk


def _refuse_not_the_giver(case: Case, by: Actor) -> None:
    if case.owner_id not in (None, by.user_id) and by.role not in _LEADS:
        raise NotAllowed("not_yours", _("Only its owner, or a lead, hands a case over."))


def _refuse_not_the_receiver(offered: Handover, by: Actor) -> None:
    if not may_answer(offered, by.user_id):
        raise NotAllowed("not_for_you", _("The case is offered to somebody else."))


def _refuse_ended(case: Case) -> None:
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))


def _iso(offered: Handover) -> str:
    return offered.look_at.isoformat() if offered.look_at else ""
