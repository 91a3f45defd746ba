"""What only the case sheet's templates need."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from makegood.base.languages import Text3
from makegood.base.moments import said
from makegood.desk import remedy_words
from makegood.incidents.progress import STAGES
from makegood.packs.remedying import remedy_policy
from makegood.packs.shapes import Item, Question
from makegood.promises import ledger
from makegood.remedies.menu import Choice

register = template.Library()
FOUND = {
    "order_no": _("Order number"),
    "amount": _("Amount"),
    "tracking": _("Tracking number"),
    "date": _("Date"),
    "urgency": _("Why it is urgent"),
}


@register.filter
def found(kind: str) -> Any:
    """What a marked stretch of a message is."""
    return FOUND.get(kind, kind)


@register.filter
def of_key(found: dict[Any, Any], key: Any) -> Any:
    """``{{ forms|of_key:row.pk }}``: the value of a dictionary by a key that is only known here."""
    return found.get(key) if found else None


@register.filter
def moment(at: datetime | None) -> str:
    """A moment with day and hour, in the reader's language and zone."""
    return said(at) if at else ""


@register.filter
def answered(answer: str, item: Item) -> str:
    """An answer to a question of the playbook as a person says it: the text of a choice, else the words."""
    choices = item.choices if isinstance(item, Question) else ()
    return str(next((c.text for c in choices if c.code == answer), answer))


@register.filter
def lasted(span: timedelta) -> str:
    """How long something took, as people say it: minutes below an hour, hours below two days, then days."""
    minutes = max(0, round(span.total_seconds() / 60))
    if minutes < 60:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    if minutes < 48 * 60:
        hours = round(minutes / 60)
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    days = round(minutes / 60 / 24)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


@register.filter
def stage(code: str) -> Any:
    """Where a case of an incident stands, in words."""
    return STAGES.get(code, code)


@register.filter
def to_whom(code: str) -> Any:
    """To whom something was promised."""
    return ledger.TO.get(code, code)


@register.filter
def plain(number: float) -> str:
    """A number as a drawing takes it, whatever the reader's language writes for the decimal point."""
    return f"{number:g}"


@register.filter
def remedy_reason(code: str) -> str:
    """Why the customer wants it, from the list that was shown to them."""
    found = remedy_policy().reasons.get(code)
    return str(found.name) if found else code


@register.filter
def remedy_code(code: str) -> str:
    """Why a shop refused, or why nobody knows."""
    return str(remedy_words.CODES.get(code, code))


@register.simple_tag
def spoken_rule(choice: Choice) -> str:
    """The policy in one sentence, in the active language."""
    return str(Text3.of(choice.sentence()))
