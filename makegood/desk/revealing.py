"""Reading what was masked: a named role, a reason, a row before anything is shown. And erasing the originals for good."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.base.seal import Broken
from makegood.base.words import clean_line
from makegood.cases import pen, vault
from makegood.cases.access import whole
from makegood.cases.models import Case, CaseEvent, MaskedValue, Reveal
from makegood.desk.verb import verb
from makegood.people.actors import Actor


@verb("reveal")
def reveal(case: Case, masked_id: int, *, by: Actor, reason: str) -> CaseEvent:
    """Write down that this person reads a masked value, and why. The value is in no event: :func:`value_of` gives it, once."""
    case = pen.hold(case.pk)
    row = _row(case, masked_id)
    why = vault.taken(case, clean_line(reason, limit=500, field="reason"), by=by)
    try:
        vault.opened(row)
    except Broken:
        raise Refusal(
            "sealed", _("It was sealed with a key that this site has no longer."), field="reason"
        ) from None
    Reveal.objects.create(masked=row, by_id=by.person, at=clock.now(), reason=why)
    return pen.write(
        case, "revealed", by=by, data={"masked": row.pk, "masked_as": row.kind}, touched_at=case.touched_at
    )


def value_of(event: CaseEvent, *, by: Actor) -> str:
    """The value of a reveal that this very person has just made; raises NotThere for anybody and anything else."""
    if event.kind != "revealed" or event.actor_id != by.user_id:
        raise NotThere("no_value", _("There is no such entry."))
    return vault.opened(MaskedValue.objects.get(pk=event.data["masked"]))


@verb("erase_masked")
def erase_masked(case: Case, *, by: Actor, seen: int | None) -> CaseEvent:
    """The originals are gone for good, also for us; the texts stay masked as they are."""
    case = pen.hold(case.pk, seen=seen)
    gone = sum(vault.erase(one, by=by) for one in Case.objects.filter(pk__in=whole(case)))
    if not gone:
        raise Refusal("nothing", _("Nothing is kept masked on this case."))
    return pen.write(case, "masked_erased", by=by, data={"n": gone})


def of_case(cases: list[int]) -> list[MaskedValue]:
    """What is masked on a case, oldest first, with who read it."""
    rows = MaskedValue.objects.filter(case__in=cases).prefetch_related("reveals__by")
    return list(rows.order_by("at", "id")[:100])


def _row(case: Case, masked_id: int) -> MaskedValue:
    row = MaskedValue.objects.filter(case__in=whole(case), pk=masked_id).first()
    if row is None or row.erased_at is not None:
        raise Refusal("no_masked", _("There is no such masked value, or it was erased."), field="masked")
    return row
