"""What only the case sheet's templates need."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from makegood.base.moments import said
from makegood.packs.shapes import Item, Question
from makegood.promises import ledger

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
def moment(at: datetime | None) -> str:
    """A moment with day and hour, in the reader's language and zone."""
    return said(at) if at else ""


@register.filter
def answered(answer: str, item: Item) -> str:
    """An answer to a question of the playbook as a person says it: the text of a choice, else the words."""
    choices = item.choices if isinstance(item, Question) else ()
    return str(next((c.text for c in choices if c.code == answer), answer))


@register.filter
def to_whom(code: str) -> Any:
    """To whom something was promised."""
    return ledger.TO.get(code, code)


@register.filter
def plain(number: float) -> str:
    """A number as a drawing takes it, whatever the reader's language writes for the decimal point."""
    return f"{number:g}"
