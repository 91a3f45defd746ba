"""What only the case sheet's templates need."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from makegood.base.moments import said
from makegood.packs.shapes import Item, Question

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
