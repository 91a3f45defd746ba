"""The forms of a war room. A form parses; what may be is for the desk to say, beside the control."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import DeskError
from makegood.desk.room_card import Conflict
from makegood.desk.room_page import Line, RoomPage
from makegood.incidents.models import RoomMember
from makegood.web.case_fields import Ids, lines, moment


class RoomForm(forms.Form):
    """One verb of a room; ``key`` is its place on the page, ``conflict`` the other's text when both wrote."""

    verb = ""
    press: Any = ""
    conflict: Conflict | None = None

    def __init__(self, *args: Any, page: RoomPage, **kwargs: Any) -> None:
        self.page = page
        kwargs.setdefault("auto_id", f"{self.key}_%s")
        super().__init__(*args, **kwargs)
        self.prepare()

    @property
    def key(self) -> str:
        return self.verb

    def prepare(self) -> None:
        """Choices that depend on the room."""

    def refuse(self, error: DeskError) -> None:
        """Put what the desk said beside its control, or over the form where it has none."""
        self.cleaned_data = getattr(self, "cleaned_data", {})
        self.add_error(error.field if error.field in self.fields else None, str(error.reason))

    def people(self, field: str) -> None:
        """Offer everybody of the desk."""
        self.fields[field].choices = [("", "—"), *self.page.colleagues]  # type: ignore[attr-defined]

    @property
    def over(self) -> list[str]:
        """The errors that stand over the form (those of hidden controls too)."""
        hidden = [e for field in self.hidden_fields() for e in field.errors]
        return [*self.errors.get(NON_FIELD_ERRORS, []), *hidden]


def person(label: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(label=label, required=False, coerce=int, empty_value=None)


class EditCard(RoomForm):
    """One field of the card; ``n`` is the version that the text was drawn from."""

    verb, press = "card", _("Save")
    field = forms.CharField(widget=forms.HiddenInput)
    n = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=10**6)
    text = lines(_("Text"), required=False, rows=4)
    to_merchant = forms.BooleanField(label=_("Write this to the merchant too"), required=False)

    def __init__(self, *args: Any, line: Line, **kwargs: Any) -> None:
        self.line = line
        kwargs.setdefault("initial", {"field": line.field, "n": line.n, "text": line.text})
        super().__init__(*args, **kwargs)

    @property
    def key(self) -> str:
        return f"card-{self.line.field}"

    def prepare(self) -> None:
        self.fields["text"].label = self.line.label
        if not self.line.told:
            del self.fields["to_merchant"]

    @property
    def drawn_from(self) -> int:
        """The version that goes out with the form: a refused one keeps its own, unless the reader is shown what stands there now."""
        if self.conflict:
            return self.conflict.theirs.n
        sent = str(self.data.get("n", "")) if self.is_bound else ""
        return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 7 else self.line.n


class Say(RoomForm):
    verb, press = "say", _("Send")
    text = lines(_("To everybody in the room"), required=False, rows=2)


class GiveTask(RoomForm):
    verb, press = "task", _("Give the task")
    owner = person(_("Who does it"))
    what = lines(_("What exactly"), required=False, rows=2)
    due_at = moment(_("By when"))

    def prepare(self) -> None:
        self.people("owner")


class FinishTask(RoomForm):
    verb, press = "finish", _("It is done")
    task = forms.TypedChoiceField(label=_("Task"), coerce=int)
    words = lines(_("What was done"), required=False, rows=2)

    def prepare(self) -> None:
        tasks = self.page.open_tasks
        self.fields["task"].choices = [  # type: ignore[attr-defined]
            (str(t.pk), f"{t.owner.name}: {t.what[:80]}") for t in tasks
        ]


class Decide(RoomForm):
    verb, press = "decide", _("Note the decision")
    who = person(_("Who decided"))
    what = lines(_("What was decided"), required=False, rows=2)
    why = lines(_("Why"), required=False, rows=2)

    def prepare(self) -> None:
        self.people("who")


class GiveRole(RoomForm):
    verb, press = "role", _("Give the role")
    user = person(_("Person"))
    role = forms.ChoiceField(label=_("Role"), choices=RoomMember.Role.choices[::-1])

    def prepare(self) -> None:
        self.people("user")


class Thank(RoomForm):
    verb, press = "thank", _("Thank them")
    to = Ids(label=_("Whom"), required=False)
    words = lines(_("For what"), required=False, rows=2)

    @property
    def choices(self) -> list[tuple[int, str, bool]]:
        """Who helped, and whether they are ticked: all at first, then as they were sent."""
        sent = self.data.getlist("to") if hasattr(self.data, "getlist") else []
        return [(pk, name, not self.is_bound or str(pk) in sent) for pk, name in self.page.unthanked]


class Join(RoomForm):
    verb, press = "join", _("Join the room")


class Leave(RoomForm):
    verb, press = "leave", _("Leave the room")


class Close(RoomForm):
    verb, press = "close", _("Close the room")
    review_at = moment(_("Look back at it at"))


FORMS: dict[str, type[RoomForm]] = {
    form.verb: form
    for form in (EditCard, Say, GiveTask, FinishTask, Decide, GiveRole, Thank, Join, Leave, Close)
}
