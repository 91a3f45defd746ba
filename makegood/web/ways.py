"""How one hears of notices outside the page: one's own ways, those of one's teams, and a button that sends a test."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from makegood.base.errors import DeskError
from makegood.base.languages import LANGUAGES
from makegood.connectors import chat
from makegood.desk import ways
from makegood.people.actors import Actor
from makegood.ways.models import MORNING, Quiet, Way
from makegood.web.case import staff_page

GROUPS = ("urgent", "mine", "others")


def _time(label: Any, **more: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **more
    )


class QuietForm(forms.Form):
    starts = _time(_("Quiet from"), required=False)
    ends = _time(_("Quiet until"), required=False)
    digest_at = _time(_("Collected notices come at"), initial=MORNING)


class ChatForm(forms.Form):
    """``team`` stands only where the person leads one."""

    url = forms.CharField(
        label=_("Address of the chat"),
        max_length=chat.LONGEST,
        # Whoever has it may write into that chat: it is never drawn again, not even after a mistake.
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        help_text=_(
            "The webhook's address as the tool gives it out, or in the form of apprise (tgram://…, mmosts://…)."
        ),
    )
    name = forms.CharField(label=_("Name"), max_length=80, required=False)
    team = forms.TypedChoiceField(label=_("For"), coerce=int, empty_value=None, required=False)
    language = forms.ChoiceField(label=_("Language of a team's chat"), choices=LANGUAGES, required=False)

    def __init__(self, *args: Any, by: Actor, language: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["language"].initial = language
        teams = [(str(team.pk), team.name) for team in ways.teams(by)]
        if teams:
            self.fields["team"].choices = [("", _("Me")), *teams]  # type: ignore[attr-defined]
        else:
            del self.fields["team"], self.fields["language"]


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, by: Actor) -> HttpResponse:
    """One's quiet hours, and for each way when notices of each group leave by it."""
    ways.letter_of(by)
    mine = ways.mine(by)
    quiet = Quiet.objects.filter(user_id=by.person).first() or Quiet(user_id=by.person)
    start = {name: getattr(quiet, name) for name in QuietForm.base_fields}
    form = QuietForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            ways.save_ways({one.way.pk: _chosen(request, one.way) for one in mine}, by=by)
            ways.save_quiet(by=by, **form.cleaned_data)
            messages.success(request, gettext("Saved."), "good")
            return redirect("my_ways")
        except DeskError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    return _drawn(request, by, form, _chat_form(request, by), mine, status=422 if form.errors else 200)


def _chosen(request: HttpRequest, way: Way) -> dict[str, str]:
    return {g: request.POST[f"{g}_{way.pk}"] for g in GROUPS if f"{g}_{way.pk}" in request.POST}


@sensitive_post_parameters("url")
@staff_page
@require_POST
def add(request: HttpRequest, by: Actor) -> HttpResponse:
    """Add a chat, for oneself or for a team."""
    form = ChatForm(request.POST, by=by, language=request.user.language)  # type: ignore[union-attr]
    if form.is_valid():
        try:
            way = ways.add_chat(by=by, **form.cleaned_data)
            messages.success(request, gettext("Added. Send a test to see whether it arrives."), "good")
            return redirect(f"/me/notices/#way-{way.pk}")
        except DeskError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    quiet = Quiet.objects.filter(user_id=by.person).first() or Quiet(user_id=by.person)
    start = {name: getattr(quiet, name) for name in QuietForm.base_fields}
    return _drawn(request, by, QuietForm(initial=start), form, ways.mine(by), status=422)


@staff_page
@require_POST
def test(request: HttpRequest, by: Actor, pk: int) -> HttpResponse:
    """Send a test now, and say what the tool or the mail server said."""
    trouble = ways.try_way(pk, by=by)
    if trouble:
        messages.error(request, ways.said(trouble), "bad")
    else:
        messages.success(request, gettext("It was taken. Please look whether it arrived."), "good")
    return redirect(f"/me/notices/#way-{pk}")


@staff_page
@require_POST
def remove(request: HttpRequest, by: Actor, pk: int) -> HttpResponse:
    ways.remove(pk, by=by)
    messages.success(request, gettext("Removed."), "good")
    return redirect("my_ways")


@staff_page
@require_safe
def undelivered(request: HttpRequest, by: Actor) -> HttpResponse:
    """Whose notices do not arrive, for leads (their teams) and managers (everybody)."""
    return render(request, "notices/undelivered.html", {"here": "notices", "rows": ways.in_trouble(by)})


def _chat_form(request: HttpRequest, by: Actor) -> ChatForm:
    return ChatForm(by=by, language=request.user.language)  # type: ignore[union-attr]


def _drawn(
    request: HttpRequest,
    by: Actor,
    form: QuietForm,
    chat_form: ChatForm,
    mine: list[ways.Shown],
    *,
    status: int,
) -> HttpResponse:
    names = {"urgent": _("Urgent"), "mine": _("Mine"), "others": _("Of the team")}
    rows = [
        {
            "one": one,
            "groups": [
                (group, name, getattr(one.way, group))
                for group, name in names.items()
                if not (group == "mine" and one.way.team_id)
            ],
        }
        for one in mine
    ]
    context = {
        "here": "me", "form": form, "chat": chat_form, "rows": rows, "when": Way.When.choices, "tools": chat.NAMES,
    }  # fmt: skip
    return render(request, "me/notices.html", context, status=status)
