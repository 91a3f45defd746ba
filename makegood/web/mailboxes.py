"""The shops' mailboxes: a list with how each is, a form, and a button that tries the connection."""

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

from makegood.base.errors import DeskError, NotThere
from makegood.conversations.models import Mailbox
from makegood.desk import mailboxes
from makegood.people.models import Shop
from makegood.web.signin import actor, may

SECRETS = ("password", "token_url", "client_id", "client_secret", "refresh_token", "scope")


def _hidden(label: Any, **more: Any) -> forms.CharField:
    # Never drawn again with what was typed: a page in a browser's history must not hold it.
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, required=False, max_length=8000, widget=widget, **more)


class MailboxForm(forms.Form):
    shop = forms.ModelChoiceField(label=_("Shop"), queryset=Shop.objects.order_by("name"))
    address = forms.EmailField(label=_("Address"), max_length=254)
    name = forms.CharField(
        label=_("Sender's name"), max_length=120, help_text=_("The brand that customers see.")
    )
    way = forms.ChoiceField(label=_("How letters come in"), choices=Mailbox.Way.choices, initial="imap")
    active = forms.BooleanField(label=_("In use"), required=False, initial=True)
    first = forms.BooleanField(label=_("First address of the shop"), required=False)
    plus = forms.BooleanField(
        label=Mailbox._meta.get_field("plus").verbose_name,
        help_text=Mailbox._meta.get_field("plus").help_text,
        required=False,
    )
    host = forms.CharField(label=_("IMAP server"), max_length=200, required=False)
    port = forms.IntegerField(label=_("Port"), initial=993, required=False)
    security = forms.ChoiceField(
        label=_("Security"), choices=[("tls", "TLS"), ("starttls", "STARTTLS"), ("none", _("none"))]
    )
    user = forms.CharField(
        label=_("User"), max_length=200, required=False, help_text=_("Left empty, it is the address.")
    )
    folder = forms.CharField(label=_("Folder"), max_length=200, initial="INBOX", required=False)
    auth = forms.ChoiceField(label=_("Sign-in"), choices=[("password", _("Password")), ("oauth2", "OAuth2")])
    password = _hidden(_("Password"))
    token_url = forms.URLField(
        label=_("Token address"), required=False, max_length=500, assume_scheme="https",
        help_text=_("Where the provider gives access, for example https://oauth2.googleapis.com/token."),
    )  # fmt: skip
    client_id = forms.CharField(label=_("Client id"), required=False, max_length=500)
    client_secret = _hidden(_("Client secret"))
    refresh_token = _hidden(_("Refresh token"))
    scope = forms.CharField(label=_("Scope"), required=False, max_length=500)

    def parts(self) -> dict[str, list[forms.BoundField]]:
        """The fields as the page groups them."""
        groups = {
            "who": ("shop", "address", "name", "way"),
            "imap": ("host", "port", "security", "user", "folder", "auth"),
            "password": ("password",),
            "oauth2": SECRETS[1:],
            "ticks": ("active", "first", "plus"),
        }
        return {group: [self[name] for name in names] for group, names in groups.items()}


@require_safe
@may("keep_mailboxes")
def lists(request: HttpRequest) -> HttpResponse:
    rows = Mailbox.objects.select_related("shop").order_by("shop__name", "-first", "address")
    shown = [{"box": row, "told": mailboxes.told(row.trouble)} for row in rows]
    return render(request, "mailboxes/lists.html", {"here": "mailboxes", "rows": shown})


@sensitive_post_parameters(*SECRETS)
@may("keep_mailboxes")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change one mailbox. What is secret is typed in here and never shown again."""
    row = _row(pk) if pk is not None else None
    form = MailboxForm(request.POST or None, initial=_initial(row))
    if request.method == "POST" and form.is_valid():
        try:
            saved = mailboxes.save_mailbox(row, by=actor(request), **form.cleaned_data)
            messages.success(request, gettext("Saved."), "good")
            return redirect("mailbox", saved.pk)
        except DeskError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    told = mailboxes.told(row.trouble) if row else ("", "")
    shown = {"here": "mailboxes", "form": form, "row": row, "told": told}
    return render(request, "mailboxes/edit.html", shown, status=422 if form.errors else 200)


@require_POST
@may("keep_mailboxes")
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign in now, and say how it went."""
    sentence, detail = mailboxes.told(mailboxes.try_mailbox(_row(pk), by=actor(request)))
    if not sentence:
        messages.success(request, gettext("It works: we signed in and found the folder."), "good")
    else:
        messages.error(request, f"{sentence} {detail}".strip(), "bad")
    return redirect("mailbox", pk)


def _row(pk: int) -> Mailbox:
    row = Mailbox.objects.select_related("shop").filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotThere("no_row", _("There is no such entry."))
    return row


def _initial(row: Mailbox | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {name: getattr(row, name) for name in MailboxForm.base_fields if hasattr(row, name)}
