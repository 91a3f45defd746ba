"""Remedies: offered to the customer, decided, withdrawn. What the policy says stands in ``remedies/menu.py``.

Nothing is sent to a shop here: a remedy that is decided is carried out by ``desk/remedy_steps.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.languages import speaking
from makegood.base.moments import said
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.conversations.models import Message
from makegood.desk import remedy_lines, remedy_menu, saying
from makegood.desk.remedy_rows import Wish, accept, ask_approval, make, priced, promised_by, weigh
from makegood.desk.verb import verb
from makegood.packs import taxonomy
from makegood.packs.legal import clocks
from makegood.packs.remedying import remedy_policy
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.promises.models import Promise
from makegood.remedies.menu import below_law, money
from makegood.remedies.models import Approval, Offer, Remedy, Step

MOST_CHOICES = 6
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=30)
_S = Remedy.State


@verb("offer_remedy")
def offer_remedy(
    case: Case,
    *,
    by: Actor,
    seen: int | None,
    options: Sequence[Wish],
    until: datetime | None,
    words: str = "",
    deviation: str = "",
) -> CaseEvent:
    """Offer the customer a choice, until when. What needs a second person waits for them first, and the customer is told by when.

    Refused beside 'options' where the law demands something that the offer lacks, beside 'deviation' where it departs from the
    policy and nobody says why.
    """
    case = _ready(case, seen)
    if not 1 <= len(options) <= MOST_CHOICES or len({wish.kind for wish in options}) < len(options):
        raise Refusal("bad_choices", _("Offer one to six different things."), field="options")
    now = clock.now()
    if until is None or not now + SHORTEST <= until <= now + LONGEST:
        raise Refusal(
            "bad_time", _("The offer must stand for at least an hour, and at most 30 days."), field="until"
        )
    if Offer.objects.filter(case=case, state__in=("waiting", "open")).exists():
        raise Refusal("offer_stands", _("An offer stands already. Withdraw it first."))
    found = remedy_menu.read(case, by=by)
    options = [priced(wish, found) for wish in options]
    lacking = below_law({w.kind: w.amount for w in options}, found.situation, remedy_policy())
    if lacking:
        floor, remedy = lacking[0]
        raise Refusal(
            "below_law",
            _("The law demands at least this: %(remedy)s in full (%(law)s). Offer it too.")
            % {"remedy": taxonomy().remedies[remedy].name, "law": clocks().rule(floor.clock).authority},
            field="options",
        )
    reason = clean(deviation, limit=2000, field="deviation", required=False)
    weighed = [weigh(case, wish, found, by=by, deviation=reason) for wish in options]
    waits = any(w.approver for w in weighed)
    offer = Offer.objects.create(
        case=case,
        round=case.round,
        state=Offer.State.WAITING if waits else Offer.State.OPEN,
        until=until,
        look_at=until,
        words=clean(words, limit=5000, field="words", required=False),
        by_id=by.person,
    )
    # What another person has to approve cannot be offered yet; what needs nobody waits with it, for it is one offer.
    rows = [make(case, w, by=by, state=_S.WAITING if waits else _S.OFFERED, offer=offer) for w in weighed]
    if waits:
        return ask_approval(case, [(r, w) for r, w in zip(rows, weighed, strict=True) if w.approver], by=by)
    return send_offer(case, offer, by=by)


def send_offer(case: Case, offer: Offer, *, by: Actor) -> CaseEvent:
    """The offer goes to the customer: a message with the choices, and the event."""
    rows = list(Remedy.objects.filter(offer=offer).order_by("id"))
    with speaking(case.language):
        lines = [_line(row) for row in rows]
        text = "\n".join(
            [
                *([offer.words, ""] if offer.words else []),
                spoken("You can choose how we make it good:"),
                *(f"{n}. {line}" for n, line in enumerate(lines, 1)),
                "",
                spoken(
                    "Please choose on your page until %(until)s. You may also propose something else there."
                )
                % {"until": said(offer.until)},
            ]
        )
    word = saying.say(case, "reply", text, offer.until, by=by)
    ledger.keep(_decisions(case), proof_id=word.message_id)
    data = {
        **word.data,
        "offer": offer.pk,
        "until": offer.until.isoformat(),
        "remedies": [r.kind for r in rows],
    }
    return pen.write(case, "remedy_offered", by=by, data=data, due_at=ledger.next_due(case))


@verb("decide_remedy")
def decide_remedy(
    case: Case,
    *,
    by: Actor,
    seen: int | None,
    wish: Wish,
    reason: str,
    deviation: str = "",
    agreed: str = "",
    other_route: str = "",
) -> CaseEvent:
    """Decide one remedy without an offer: the customer asked for just this, or agreed to it (``agreed``: in which words).

    ``reason`` is a code of the reasons. ``other_route``: the customer's agreement to money another way than they paid. Where the law
    demands more or lets the customer choose, their own wish or agreement is needed.
    """
    case = _ready(case, seen)
    if reason not in remedy_policy().reasons:
        raise Refusal("unknown_code", _("Say why, from the list."), field="reason")
    found = remedy_menu.read(case, by=by)
    agreement = clean(agreed, limit=2000, field="agreed", required=False)
    wish = priced(wish, found)
    lacking = below_law({wish.kind: wish.amount}, found.situation, remedy_policy())
    if lacking and not agreement and case.asked_remedy != wish.kind:
        raise Refusal(
            "customer_chooses",
            _(
                "Here the customer chooses (%(law)s). Offer the choices, or write down in which words they agreed."
            )
            % {"law": clocks().rule(lacking[0][0].clock).authority},
            field="agreed",
        )
    weighed = weigh(
        case, wish, found, by=by, deviation=clean(deviation, limit=2000, field="deviation", required=False)
    )
    route = clean(other_route, limit=1000, field="other_route", required=False)
    if agreement:
        _note(case, by, agreement)
    first = _S.WAITING if weighed.approver else _S.ACCEPTED
    row = make(case, weighed, by=by, state=first, reason=reason, other_route=route)
    if weighed.approver:
        return ask_approval(case, [(row, weighed)], by=by)
    return decided(case, row, by=by)


def decided(case: Case, row: Remedy, *, by: Actor) -> CaseEvent:
    """It stands: the day by which it arrives is promised, and the customer is told both."""
    promise = accept(case, row, by=by)
    with speaking(case.language):
        text = "\n".join(
            [
                spoken("We have decided how we make it good: %(what)s") % {"what": _line(row)},
                spoken("It reaches you by %(until)s.") % {"until": said(promise.due_at)},
            ]
        )
    word = saying.say(case, "reply", text, promise.due_at, by=by)
    ledger.keep(_decisions(case), proof_id=word.message_id)
    data = {"remedy": row.kind, "remedy_id": row.pk, "given": promise.pk, **word.data}
    return pen.write(case, "remedy_decided", by=by, data=data, due_at=ledger.next_due(case))


@verb("withdraw_remedy")
def withdraw_remedy(case: Case, remedy_id: int, *, by: Actor, seen: int | None, reason: str) -> CaseEvent:
    """Take a remedy, or the whole offer that it stands in, back: only while nothing of it was sent. The reason stands as a note."""
    case = pen.hold(case.pk, seen=seen)
    row = remedy_of(case, remedy_id)
    if row.state not in (_S.WAITING, _S.OFFERED, _S.ACCEPTED, _S.CARRYING):
        raise Refusal("settled", _("This remedy has ended already."), field="remedy")
    if Step.objects.filter(remedy=row).exclude(state__in=("planned", "dropped", "refused")).exists():
        raise Refusal(
            "sent", _("Something of it was sent already. It cannot be taken back here."), field="remedy"
        )
    now, note = clock.now(), _note(case, by, clean(reason, limit=2000, field="reason"))
    # A worker that takes one of these at this very moment wins: then fewer are dropped than stood there.
    planned = Step.objects.filter(remedy=row, state="planned")
    if planned.count() != planned.update(state="dropped", look_at=None, settled_at=now):
        raise Refusal(
            "sent", _("Something of it was sent already. It cannot be taken back here."), field="remedy"
        )
    rows = Remedy.objects.filter(offer=row.offer) if row.offer_id and row.state != _S.ACCEPTED else None
    every = (rows or Remedy.objects.filter(pk=row.pk)).filter(
        state__in=(_S.WAITING, _S.OFFERED, *Remedy.OPEN)
    )
    Approval.objects.filter(remedy__in=every, state="waiting").update(state="dropped")
    every.update(state=_S.WITHDRAWN, settled_at=now)
    Offer.objects.filter(pk=row.offer_id or 0, state__in=("waiting", "open")).update(
        state=Offer.State.WITHDRAWN, settled_at=now, look_at=None
    )
    _release(row)
    data = {"remedy": row.kind, "remedy_id": row.pk, "message": note.pk}
    return pen.write(case, "remedy_withdrawn", by=by, data=data, due_at=ledger.next_due(case))


def remedy_of(case: Case, remedy_id: int) -> Remedy:
    """A remedy of this case; raises Refusal beside 'remedy'."""
    row = Remedy.objects.select_related("offer", "payment", "order").filter(case=case, pk=remedy_id).first()
    if row is None:
        raise Refusal("no_remedy", _("There is no such remedy on this case."), field="remedy")
    return row


def named(row: Remedy) -> str:
    """'Refund 19,500 KRW (Blue tea cup × 1)', in the language that is active."""
    name = taxonomy().remedies.get(row.kind)
    words = str(name.name) if name else row.kind
    if row.amount is not None:
        words = f"{words} {money(row.amount, row.currency)}"
    return f"{words} ({remedy_lines.in_words(row.lines)})" if row.lines else words


def _line(row: Remedy) -> str:
    rule = remedy_policy().rules.get(row.rule)
    return f"{named(row)}. {rule.means}" if rule else named(row)


def _release(row: Remedy) -> None:
    """The day that was promised for it goes with it; one that has passed stays broken."""
    promise = Promise.objects.filter(pk=row.promise_id or 0, state=Promise.State.OPEN).first()
    if promise is not None:
        ledger.withdraw(promise)


def _decisions(case: Case) -> list[int]:
    return list(ledger.standing(case, "decision").filter(to="customer").values_list("pk", flat=True))


def _note(case: Case, by: Actor, words: str) -> Message:
    return messages.store(case, by=by, author=Author.STAFF, audience=Audience.STAFF, body=words)


def _ready(case: Case, seen: int | None) -> Case:
    case = pen.hold(case.pk, seen=seen)
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
    if not case.type:
        raise Refusal("not_sorted", _("Sort the case first: say what kind of problem it is."), field="type")
    return case


__all__ = ["Wish", "decide_remedy", "decided", "named", "offer_remedy", "promised_by", "remedy_of", "send_offer",
           "withdraw_remedy"]  # fmt: skip
