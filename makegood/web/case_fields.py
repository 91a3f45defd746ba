"""Fields that the forms of a case share: files, a number of a case, and the time of the next word."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.words import file_name
from makegood.conversations.messages import Upload
from makegood.packs import names, policy, taxonomy

Choices = list[tuple[str, Any]]


class ManyFiles(forms.ClearableFileInput):
    """A control that takes several files."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"

    def value_from_datadict(self, data: Any, files: MultiValueDict[str, UploadedFile], name: str) -> Any:
        return files.getlist(name) if hasattr(files, "getlist") else files.get(name) or []


class Files(forms.Field):
    """Several files as ``Upload``; each one that is too large is named with its reason, and the words stay."""

    widget = ManyFiles

    def clean(self, value: list[UploadedFile]) -> list[Upload]:
        wrong = [f for f in value if (f.size or 0) > settings.ATTACHMENT_BYTES]
        if wrong:
            raise forms.ValidationError(
                [
                    _("%(name)s is too large: at most %(limit)s MB a file.")
                    % {"name": file_name(f.name or ""), "limit": settings.ATTACHMENT_BYTES // 2**20}
                    for f in wrong
                ]
            )
        return [Upload(f.name or "", f.content_type or "", f.read()) for f in value]


class Ids(forms.Field):
    """Row ids from checkboxes of one name; the desk decides which of them may be."""

    widget = forms.SelectMultiple

    def clean(self, value: Iterable[str]) -> list[int]:
        return [int(v) for v in value or [] if v.isascii() and v.isdigit() and len(v) < 18]


def lines(label: Any, *, required: bool = True, rows: int = 3, help_text: Any = "") -> forms.CharField:
    """A few lines of text; the desk cleans it and knows its limit."""
    return forms.CharField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows, "class": "short" if rows < 5 else ""}),
    )


def line(label: Any, *, required: bool = False, help_text: Any = "") -> forms.CharField:
    """One line of text."""
    return forms.CharField(label=label, required=required, help_text=help_text)


def case_number(label: Any) -> forms.IntegerField:
    """The number of another case."""
    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(label=label, min_value=1, max_value=10**15, widget=widget)


def moment(label: Any, *, required: bool = False, help_text: Any = "") -> forms.DateTimeField:
    """A moment in the agent's own zone."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=required, help_text=help_text, widget=widget)


def codes(vocabulary: str, blank: Any = "—") -> Choices:
    """The names of a vocabulary of the packs, in the active language, after a blank one."""
    return [("", blank), *((code, str(name)) for code, name in names(vocabulary).items())]


def types(blank: Any = "—") -> list[tuple[str, Any]]:
    """The problem types, grouped by family."""
    found: list[tuple[str, Any]] = [("", blank)]
    for code, family in taxonomy().families.items():
        found.append((str(family.name), [(t.code, str(t.name)) for t in taxonomy().types_of(code)]))
    return found


def quick_times(span: timedelta) -> list[tuple[str, Any, datetime]]:
    """Code, name and moment of the quick choices for a next word; ``span`` is what the policy says for the level."""
    now = clock.now()
    local = timezone.localtime(now)
    evening = datetime.combine(local.date(), time(18), local.tzinfo)
    noon = datetime.combine(local.date() + timedelta(days=1), time(12), local.tzinfo)
    found: list[tuple[str, Any, datetime]] = [
        ("rule", _("By our rule"), now + span),
        ("30m", _("In 30 minutes"), now + timedelta(minutes=30)),
        ("2h", _("In 2 hours"), now + timedelta(hours=2)),
    ]
    if evening - now > timedelta(minutes=10):
        found.append(("evening", _("Today, 18:00"), evening))
    return [*found, ("noon", _("Tomorrow, noon"), noon)]


def waits_for_word() -> timedelta:
    """The time until the customer is asked again for their word, and the night and weekend that may lie before it."""
    asks = policy().confirmation.after
    return (asks[1] if len(asks) > 1 else policy().confirmation.over) + timedelta(days=3)
