"""Joining and parting cases: merge, split, parent and child, related. Urgency goes along as max(parent, own) (law 3)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean_line
from makegood.cases import pen
from makegood.cases.access import is_restricted
from makegood.cases.models import Case, CaseEvent, Ending, Relation
from makegood.cases.states import Status
from makegood.cases.urgency import Evidence
from makegood.conversations import messages
from makegood.conversations.models import Message, SearchEntry
from makegood.desk import breaking, owing
from makegood.desk.verb import verb
from makegood.packs import policy
from makegood.people.actors import Actor
from makegood.promises import appointments, clocks, ledger
from makegood.promises.models import Promise


def hold_both(one: Case, other: Case, *, seen: int | None) -> tuple[Case, Case]:
    """Lock two cases, the older first, so that two merges that cross do not wait for each other for ever."""
    if one.pk == other.pk:
        raise Refusal("same_case", _("This is the same case."), field="other")
    held = {
        c.pk: pen.hold(c.pk, seen=seen if c.pk == one.pk else None)
        for c in sorted((one, other), key=lambda c: c.pk)
    }
    return held[one.pk], held[other.pk]


@verb("merge")
def merge(case: Case, into: Case, *, by: Actor, seen: int | None) -> CaseEvent:
    """End ``case`` as merged into ``into``: of the same customer only, so that nobody reads a stranger's words.

    The survivor keeps the higher urgency with its evidence, the earlier promise, and the conversation of both; the old
    number leads to it. Returns the 'absorbed' event of the survivor.
    """
    case, into = hold_both(case, into, seen=seen)
    if not case.is_open or not into.is_open:
        raise Refusal("ended", _("The case has already ended."), field="other")
    if case.customer_id != into.customer_id:
        raise Refusal("other_customer", _("These cases are of different customers."), field="other")
    if is_restricted(case) and not is_restricted(into):
        raise Refusal(
            "restricted",
            _("A restricted case is merged into a restricted one only: everybody would read it otherwise."),
            field="other",
        )
    if Case.objects.filter(parent=case).exclude(status=Status.ENDED).exists():
        raise Refusal("open_children", _("A case below this one is still open."), field="other")
    if into.parent_id == case.pk:
        raise Refusal("own_child", _("A case is not merged into its own child."), field="other")
    breaking.overdue(case)
    due = min(d for d in (case.due_at, into.due_at) if d)
    inherit_promise(case, into)
    appointments.drop(case)
    ledger.release(case, Promise.State.SUPERSEDED)
    Ending.objects.filter(survivor=case).update(survivor=into)
    ending = Ending.objects.create(
        case=case, round=case.round, kind="merged", survivor=into, by_id=by.user_id, at=clock.now()
    )
    pen.write(
        case,
        "ended",
        by=by,
        data={"ending": ending.pk, "ended_as": "merged"},
        status=Status.ENDED,
        ended_as="merged",
        ended_at=clock.now(),
        due_at=None,
        waiting_for="",
        snoozed_until=None,
    )
    return pen.write(
        into,
        "absorbed",
        by=by,
        data={"case": case.number},
        due_at=due,
        evidence=[Evidence(case.urgency, f"inherited:{case.number}")],
    )


def inherit_promise(case: Case, into: Case) -> None:
    """What was promised on a merged case stays promised on its survivor, to the minute."""
    now = clock.now()
    standing = Promise.objects.filter(case=case, state=Promise.State.OPEN, due_at__gt=now)
    for old in standing.filter(what=Promise.What.LEGAL):
        clocks.inherit(old, into)
    for old in standing.exclude(what=Promise.What.LEGAL):
        ledger.give(
            into,
            due_at=old.due_at,
            by=old.by_id,
            what=old.what,
            basis=old.basis,
            to=old.to,
            words=old.words,
            policy=old.policy,
            calendar=old.calendar,
            rule=old.rule,
            trigger_at=old.trigger_at,
            given_in=old.given_in_id,
        )


@verb("split")
def split(case: Case, message_ids: list[int], *, by: Actor, seen: int | None, subject: str) -> CaseEvent:
    """Move messages of the customer into a new case of theirs. It inherits the urgency; returns 'split_off' of the old case."""
    case = pen.hold(case.pk, seen=seen)
    moved = list(Message.objects.filter(case=case, pk__in=message_ids, author="customer").order_by("id"))
    if not moved or len(moved) != len(set(message_ids)):
        raise Refusal("no_message", _("Choose messages of the customer to move."), field="messages")
    if not Message.objects.filter(case=case, author="customer").exclude(pk__in=message_ids).exists():
        raise Refusal("all_messages", _("At least one message must stay."), field="messages")
    subject = clean_line(subject, limit=200, field="subject")
    now = clock.now()
    first_word = policy().times(case.urgency).first_word
    evidence = [Evidence(case.urgency, f"inherited:{case.number}")]
    new = Case(
        shop_id=case.shop_id,
        customer_id=case.customer_id,
        order_id=case.order_id,
        order_number=case.order_number,
        subject=subject,
        kind=case.kind if is_restricted(case) else "",
        language=case.language,
        opened_at=now,
        due_at=now + first_word,
        customer_wrote_at=case.customer_wrote_at,
    )
    pen.begin(new, evidence=evidence)
    Message.objects.filter(pk__in=message_ids).update(case=new)
    SearchEntry.objects.filter(message_id__in=message_ids).update(case=new)
    for message in moved:
        message.attachments.update(case=new)
        message.references.update(case=new)
    messages.index(new, None, [(str(new.number), "A"), (subject, "A")], staff_only=False)
    promise = owing.by_rule(new, "first_word", level=case.urgency, since=now)
    Relation.objects.create(case=new, other=case, what=Relation.What.SPLIT_FROM)
    data = {
        "message": moved[0].pk,
        "level": new.urgency,
        "promise": promise.pk,
        "until": promise.due_at.isoformat(),
    }
    pen.opened(new, by=by, data=data, evidence=evidence, evidence_message=moved[0].pk)
    return pen.write(case, "split_off", by=by, data={"case": new.number})


@verb("link")
def link(case: Case, other: Case, *, by: Actor, seen: int | None, relation: str) -> CaseEvent:
    """Link two cases: 'child' puts ``case`` below ``other``, 'parent' above it, 'related' beside it."""
    case, other = hold_both(case, other, seen=seen)
    if relation == "related":
        if (
            Relation.objects.filter(case=case, other=other).exists()
            or Relation.objects.filter(case=other, other=case).exists()
        ):
            raise Refusal("linked", _("These cases are linked already."), field="other")
        Relation.objects.create(case=case, other=other)
    elif relation in ("child", "parent"):
        below, above = (case, other) if relation == "child" else (other, case)
        if not above.is_open:
            raise Refusal("ended", _("The case has already ended."), field="other")
        if below.parent_id:
            raise Refusal("has_parent", _("It has a case above it already."), field="other")
        if below.pk in line_of(above):
            raise Refusal("circle", _("This would make a circle."), field="other")
        evidence = (
            [Evidence(above.urgency, f"inherited:{above.number}")] if above.urgency > below.urgency else []
        )
        flip = {"child": "parent", "parent": "child"}
        if below.pk != case.pk:
            pen.write(
                below,
                "linked",
                by=by,
                data={"case": above.number, "relation": flip[relation]},
                parent_id=above.pk,
                evidence=evidence,
            )
            return pen.write(case, "linked", by=by, data={"case": other.number, "relation": relation})
        pen.write(above, "linked", by=by, data={"case": below.number, "relation": flip[relation]})
        return pen.write(
            case,
            "linked",
            by=by,
            data={"case": above.number, "relation": relation},
            parent_id=above.pk,
            evidence=evidence,
        )
    else:
        raise Refusal("unknown_code", _("This is not in the list."), field="relation")
    pen.write(other, "linked", by=by, data={"case": case.number, "relation": relation})
    return pen.write(case, "linked", by=by, data={"case": other.number, "relation": relation})


def line_of(case: Case) -> set[int]:
    """The case and all above it."""
    seen: set[int] = set()
    at: int | None = case.pk
    while at and at not in seen:
        seen.add(at)
        at = Case.objects.values_list("parent_id", flat=True).get(pk=at)
    return seen


@verb("unlink")
def unlink(case: Case, other: Case, *, by: Actor, seen: int | None) -> CaseEvent:
    """Take a link away again; the urgency that came with it stays (the ratchet)."""
    case, other = hold_both(case, other, seen=seen)
    gone = (
        Relation.objects.filter(case=case, other=other).delete()[0]
        + Relation.objects.filter(case=other, other=case).delete()[0]
    )
    if other.parent_id == case.pk:
        pen.write(other, "unlinked", by=by, data={"case": case.number}, parent_id=None)
        return pen.write(case, "unlinked", by=by, data={"case": other.number})
    if case.parent_id == other.pk:
        pen.write(other, "unlinked", by=by, data={"case": case.number})
        return pen.write(case, "unlinked", by=by, data={"case": other.number}, parent_id=None)
    if not gone:
        raise Refusal("not_linked", _("These cases are not linked."), field="other")
    pen.write(other, "unlinked", by=by, data={"case": case.number})
    return pen.write(case, "unlinked", by=by, data={"case": other.number})
