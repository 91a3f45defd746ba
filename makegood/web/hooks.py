"""Webhooks out: the endpoints, what was sent to each and what it answered, sent once more, its secret shown once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from makegood.base.errors import DeskError, NotThere
from makegood.cases import events
from makegood.connectors.post import LONGEST_URL
from makegood.desk import hooks
from makegood.people.models import Shop
from makegood.web.signin import actor, may
from makegood.webhooks.models import HookCall

MOST = 50


class HookForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    url = forms.CharField(
        label=_("Address"), max_length=LONGEST_URL, widget=forms.URLInput,
        help_text=_("It begins with https and leads to your own server."),
    )  # fmt: skip
    shop = forms.ModelChoiceField(
        label=_("Shop"), queryset=Shop.objects.order_by("name"), required=False, empty_label=_("All shops")
    )
    kinds = forms.MultipleChoiceField(
        label=_("Events"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(code, code) for code in sorted(events.KINDS)], help_text=_("Without a tick: all of them."),
    )  # fmt: skip


class SinceForm(forms.Form):
    since = forms.DateTimeField(
        label=_("Send all since"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )


@require_safe
@may("keep_webhooks")
def lists(request: HttpRequest) -> HttpResponse:
    return render(request, "webhooks/lists.html", {"here": "people", "rows": hooks.every(actor(request))})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@may("keep_webhooks")
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change one. The secret of a new one is on the page that answers, and on no other."""
    by = actor(request)
    hook = hooks.one(pk, by) if pk is not None else None
    start = {name: getattr(hook, name) for name in HookForm.base_fields} if hook else None
    form = HookForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            if hook is not None:
                hooks.change(hook.pk, by=by, **form.cleaned_data)
                messages.success(request, gettext("Saved."), "good")
                return redirect("hook", hook.pk)
            made, secret = hooks.make(by=by, **form.cleaned_data)
            return _secret(request, made.pk, secret)
        except DeskError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    context = {"here": "people", "form": form, "hook": hook}
    return render(request, "webhooks/edit.html", context, status=422 if form.errors else 200)


def _secret(request: HttpRequest, pk: int, secret: str) -> HttpResponse:
    """The secret is on this one answer and nowhere else: we keep it sealed."""
    return render(request, "webhooks/secret.html", {"here": "people", "pk": pk, "secret": secret})


@require_safe
@may("keep_webhooks")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The endpoint and its calls, the newest first; ``state`` filters, ``before`` pages."""
    return _shown(request, pk, SinceForm())


def _shown(request: HttpRequest, pk: int, since: SinceForm, status: int = 200) -> HttpResponse:
    hook = hooks.one(pk, actor(request))
    state, before = request.GET.get("state", ""), request.GET.get("before", "")
    calls = HookCall.objects.filter(hook=hook).select_related("event__case").order_by("-id")
    if state in HookCall.State.values:
        calls = calls.filter(state=state)
    if before.isascii() and before.isdigit() and len(before) < 18:
        calls = calls.filter(pk__lt=int(before))
    rows = list(calls[: MOST + 1])
    context = {
        "here": "people",
        "hook": hook,
        "calls": rows[:MOST],
        "more": rows[MOST - 1].pk if len(rows) > MOST else None,
        "state": state,
        "states": HookCall.State.choices,
        "since": since,
    }
    return render(request, "webhooks/hook.html", context, status=status)


@require_safe
@may("keep_webhooks")
def call(request: HttpRequest, pk: int, call_id: int) -> HttpResponse:
    """One call with every attempt."""
    hook = hooks.one(pk, actor(request))
    found = HookCall.objects.filter(hook=hook, pk=call_id if call_id < 2**63 else 0)
    row = found.select_related("event__case").first()
    if row is None:
        raise NotThere("no_call", _("There is no such entry."))
    tries = [(one, hooks.TROUBLE.get(one.error, one.error)) for one in row.attempts.order_by("-id")]
    return render(
        request, "webhooks/call.html", {"here": "people", "hook": hook, "call": row, "tries": tries}
    )


@never_cache
@require_POST
@may("keep_webhooks")
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """What a button of the page does."""
    by = actor(request)
    try:
        if verb == "rotate":
            return _secret(request, pk, hooks.rotate(pk, by=by))
        if verb == "replay":
            return _replay(request, pk)
        done = _do(verb, pk, request, by)
        messages.success(request, done, "good")
    except NotThere:
        raise
    except DeskError as error:
        messages.error(request, str(error), "bad")
    return redirect("hooks") if verb == "remove" else redirect("hook", pk)


def _do(verb: str, pk: int, request: HttpRequest, by: Any) -> str:
    if verb in ("on", "off"):
        hooks.switch(pk, by=by, on=verb == "on")
        return gettext("Switched on.") if verb == "on" else gettext("Switched off.")
    if verb == "test":
        hooks.ask_for_test(pk, by=by)
        return gettext("A test is on its way; its answer appears in the list below.")
    if verb == "again":
        asked = request.POST.get("call", "")
        hooks.once_more(
            pk, int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0, by=by
        )
        return gettext("On its way again.")
    hooks.remove(pk, by=by)
    return gettext("Removed.")


def _replay(request: HttpRequest, pk: int) -> HttpResponse:
    form = SinceForm(request.POST)
    if form.is_valid():
        try:
            count = hooks.replay(pk, by=actor(request), since=form.cleaned_data["since"])
            messages.success(request, gettext("On their way again: %(n)s events.") % {"n": count}, "good")
            return redirect("hook", pk)
        except NotThere:
            raise
        except DeskError as error:
            form.add_error("since", str(error))
    return _shown(request, pk, form, status=422)
