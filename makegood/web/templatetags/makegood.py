"""What templates need of ours: names of codes in the reader's language, times in the reader's zone, levels drawn."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from makegood.base import clock
from makegood.base.moments import said
from makegood.cases.models import Ending
from makegood.packs import names, policy

register = template.Library()


@register.filter
def named(code: str, vocabulary: str) -> str:
    """The name of a code of the packs: ``{{ case.type|named:'type' }}``; an unknown code is shown as it is."""
    if not code:
        return ""
    name = names(vocabulary).get(code)
    return str(name) if name else code


@register.filter
def ending(code: str) -> str:
    """How a case ended, in words; '' while it is open."""
    return _("Made good") if code == "made_good" else str(dict(Ending.Kind.choices).get(code, code))


@register.simple_tag
def urgency(level: int) -> SafeString:
    """A level as five bars with its name: ``{% urgency case.urgency %}``."""
    return _bars(level, str(policy().level(level).name))


@lru_cache(maxsize=64)
def _bars(level: int, name: str) -> SafeString:
    # A list draws the same few again and again; a template for each was a tenth of the queue's time.
    return mark_safe(render_to_string("_urgency.html", {"level": level, "name": name}).strip())


@register.simple_tag
def options(pairs: Iterable[tuple[Any, Any]], chosen: Any = None) -> SafeString:
    """The options of a select: ``{% options choices.owners page.ask.owner %}``; as template loops they cost ten times as much."""
    return format_html_join(
        "\n",
        '<option value="{}"{}>{}</option>',
        ((code, mark_safe(" selected") if code == chosen else "", name) for code, name in pairs),
    )


@register.filter(name="said")
def said_moment(moment: datetime | None) -> str:
    """A moment with day and hour, to stand within a sentence."""
    return said(moment) if moment else ""


@register.filter
def when(moment: datetime | None) -> str | SafeString:
    """A moment as people say it, with the exact one in the title: '3 hours ago', 'in 20 minutes', 'Nov 3, 14:20'."""
    if moment is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), said(moment), spoken(moment)
    )


def spoken(moment: datetime) -> str:
    """How far a moment is from now, in words; the day and time when it is more than a day away."""
    gap = moment - clock.now()
    ahead, span = gap > timedelta(0), abs(gap)
    if span < timedelta(minutes=1):
        return _("now")
    if span < timedelta(hours=1):
        n = round(span.total_seconds() / 60)
        if ahead:
            return ngettext("in %(n)s minute", "in %(n)s minutes", n) % {"n": n}
        return ngettext("%(n)s minute ago", "%(n)s minutes ago", n) % {"n": n}
    if span < timedelta(hours=24):
        n = round(span.total_seconds() / 3600)
        if ahead:
            return ngettext("in %(n)s hour", "in %(n)s hours", n) % {"n": n}
        return ngettext("%(n)s hour ago", "%(n)s hours ago", n) % {"n": n}
    return said(moment)


@register.filter
def money(amount: Any, currency: str = "") -> str:
    """An amount with its currency: KRW without decimals, others with two."""
    if amount is None or amount == "":
        return ""
    digits = 0 if currency in {"KRW", "JPY"} else 2
    return f"{amount:,.{digits}f} {currency}".strip()


@register.filter
def as_typed(text: str) -> SafeString:
    """Words that may hold the braces of a blank, written as entities: no reader of the page takes them for a template's."""
    return mark_safe(escape(text).replace("{", "&#123;").replace("}", "&#125;"))


@register.simple_tag
def overdue(moment: datetime | None) -> bool:
    """Whether a moment lies behind us."""
    return moment is not None and moment < clock.now()
