"""The stores: which systems of the shops are connected, a form for each kind, and a button that asks what it can do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from makegood.base.errors import DeskError, NotThere
from makegood.connectors.registry import KINDS, Kind
from makegood.desk import events_in, remedy_words, stores
from makegood.people.models import Shop
from makegood.transactions.models import Store
from makegood.web.signin import actor, may

#: Names of the connectors' settings, as people read them.
LABELS = {
    "address": _("Address of the shop's system"),
    "key": _("Key"),
    "secret": _("Secret by which it signs"),
    "account_id": _("Account id"),
    "user": _("User"),
    "password": _("Password"),
    "store": _("Store id at the provider"),
}
#: What a store can do or tells, as people read it.
FLAGS = {
    "partial": _("Part of a payment can go back"),
    "without_return": _("Money can go back though the goods stay"),
    "slow_refunds": _("A refund may be on its way for days"),
    "finds_ours": _("What became of something can be looked up"),
    "proves_absence": _("What it cannot find did not happen"),
    "checks_left": _("It compares what is left with what we believe, in the same step"),
    "tells_reversal": _("It tells when money that was paid out comes back"),
}


class StoreForm(forms.Form):
    """One store of one kind. What is secret is typed in and never drawn again."""

    code = forms.SlugField(label=_("Code"), max_length=40, help_text=_("Part of its address here."))
    shop = forms.ModelChoiceField(label=_("Shop"), queryset=Shop.objects.order_by("name"))
    name = forms.CharField(label=_("Name"), max_length=120)
    readable = forms.BooleanField(
        label=_("We may ask it for the state of a thing"), required=False, initial=True
    )
    believed = forms.BooleanField(label=_("Its events are signed"), required=False, initial=True)
    active = forms.BooleanField(label=_("In use"), required=False, initial=True)
    currencies = forms.CharField(label=_("Currencies"), required=False, max_length=60, help_text=_("For example KRW, USD. Empty: any."))  # fmt: skip
    skew = forms.IntegerField(label=_("Its clock is ahead by so many seconds"), required=False, initial=0)
    read_after = forms.IntegerField(label=_("Seconds to wait before reading after an event"), required=False, initial=0, min_value=0)  # fmt: skip

    def __init__(self, kind: Kind, row: Store | None, data: Any = None) -> None:
        self.kind, self.row = kind, row
        super().__init__(data, initial=_initial(row) if row else {})
        if row is not None:
            del self.fields["code"], self.fields["shop"]
        for setting in kind.settings:
            label = LABELS.get(setting.name, setting.name)
            name = f"set_{setting.name}"
            if setting.secret:
                widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
                needed = setting.needed and row is None
                self.fields[name] = forms.CharField(
                    label=label, required=needed, max_length=8000, widget=widget
                )
            else:
                self.fields[name] = forms.CharField(
                    label=label, required=setting.needed, max_length=500,
                    initial=row.settings.get(setting.name, "") if row else "",
                )  # fmt: skip

    def parts(self) -> dict[str, list[forms.BoundField]]:
        """The fields as the page groups them."""
        ticks = ("readable", "believed", "active")
        rest = ("currencies", "skew", "read_after")
        return {
            "who": [self[n] for n in ("code", "shop", "name") if n in self.fields],
            "settings": [self[n] for n in self.fields if n.startswith("set_")],
            "ticks": [self[n] for n in ticks],
            "rest": [self[n] for n in rest],
        }

    def given(self) -> dict[str, Any]:
        """What the desk takes of it."""
        d = self.cleaned_data
        currencies = [c for c in d["currencies"].replace(",", " ").split() if c]
        values = {s: d.get(f"set_{s.name}", "") for s in self.kind.settings}
        return {
            "name": d["name"],
            "readable": d["readable"],
            "believed": d["believed"],
            "skew": d["skew"] or 0,
            "read_after": d["read_after"] or 0,
            "currencies": currencies,
            "settings": {s.name: value for s, value in values.items() if not s.secret},
            "secrets": {s.name: value for s, value in values.items() if s.secret and value},
        }

    def refuse(self, error: DeskError) -> None:
        """What the desk said, beside its control."""
        names = (error.field, f"set_{error.field}")
        self.add_error(next((n for n in names if n in self.fields), None), str(error.reason))


@never_cache
@may("keep_stores")
@require_http_methods(["GET", "HEAD"])
def lists(request: HttpRequest) -> HttpResponse:
    """Every store, when it last told something, and what is wrong with it."""
    rows = [(row, stores.told(row.store)) for row in events_in.stores(by=actor(request))]
    return render(request, "stores/lists.html", {"here": "stores", "rows": rows, "kinds": KINDS.values()})


@sensitive_post_parameters()
@never_cache
@may("keep_stores")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """Connect a system of this kind; its secret for events is shown once, on the page that follows."""
    known = KINDS.get(kind)
    if known is None:
        raise NotThere("no_row", _("There is no such entry."))
    form = StoreForm(known, None, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            code, shop = form.cleaned_data["code"], form.cleaned_data["shop"]
            secret = stores.make(code, by=actor(request), shop=shop.code, kind=kind, **form.given())
            return _page(request, stores.of(code), secret=secret)
        except DeskError as error:
            form.refuse(error)
    shown = {"here": "stores", "form": form, "kind": known}
    return render(request, "stores/new.html", shown, status=422 if form.errors else 200)


@sensitive_post_parameters()
@never_cache
@may("keep_stores")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, code: str) -> HttpResponse:
    """One store: what it can do, when it last told something, and its settings."""
    row = stores.of(code)
    if request.method != "POST":
        return _page(request, row)
    form = StoreForm(_kind(row), row, request.POST)
    if form.is_valid():
        try:
            stores.change(code, by=actor(request), active=form.cleaned_data["active"], **form.given())
            messages.success(request, gettext("Saved."), "good")
            return redirect("store", code)
        except DeskError as error:
            form.refuse(error)
    return _page(request, row, form=form)


@require_POST
@may("keep_stores")
def test(request: HttpRequest, code: str) -> HttpResponse:
    """Ask it what it can do, and say how it went."""
    row = stores.try_store(code, by=actor(request))
    wrong = stores.told(row)
    if wrong:
        messages.error(request, wrong, "bad")
    elif row.able.get("read"):
        messages.success(request, gettext("It works: the shop answered what it can do."), "good")
    else:
        told = gettext(
            "It can be opened. This provider tells nothing of an account: the first real question will show it."
        )
        messages.success(request, told, "good")
    return redirect("store", code)


@never_cache
@require_POST
@may("keep_stores")
def secret(request: HttpRequest, code: str) -> HttpResponse:
    """A new secret for its events, shown once; or (``drop``) the one before it ends now."""
    by = actor(request)
    if "drop" in request.POST:
        stores.drop_old_secret(code, by=by)
        messages.success(request, gettext("The old secret is taken no more."), "good")
        return redirect("store", code)
    return _page(request, stores.of(code), secret=stores.new_secret(code, by=by))


def _page(
    request: HttpRequest, row: Store, *, form: StoreForm | None = None, secret: str = ""
) -> HttpResponse:
    by = actor(request)
    able: dict[str, Any] = row.able
    shown = {
        "here": "stores",
        "row": row,
        "kind": _kind(row),
        "form": form or StoreForm(_kind(row), row),
        "wrong": stores.told(row),
        "last_at": next((one.last_at for one in events_in.stores(by=by) if one.store.pk == row.pk), None),
        "actions": [
            str(remedy_words.ACTIONS[name])
            for name in able.get("actions", ())
            if name in remedy_words.ACTIONS
        ],
        "flags": [(label, bool(able.get(name))) for name, label in FLAGS.items()] if able else [],
        "hook": f"{settings.BASE_URL}/events/{row.code}/",
        "new": secret,
    }
    return render(request, "stores/edit.html", shown, status=422 if form and form.errors else 200)


def _kind(row: Store) -> Kind:
    return KINDS.get(row.kind) or Kind(row.kind, row.kind, "", ())


def _initial(row: Store) -> dict[str, Any]:
    plain = ("name", "believed", "active", "skew", "read_after")
    return {
        **{name: getattr(row, name) for name in plain},
        "readable": row.told_by == Store.ToldBy.READING,
        "currencies": ", ".join(row.currencies),
    }
