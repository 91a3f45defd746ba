"""People, teams and shops: three lists and three forms, for those who keep them."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from makegood.base.errors import DeskError, NotThere
from makegood.base.languages import EN, LANGUAGES
from makegood.desk import peopling
from makegood.people.calendars import Calendar
from makegood.people.models import STAFF, Role, Shop, Team, Tier, User
from makegood.web.me import zones
from makegood.web.signin import actor, may

MOST = 300


class Several(forms.ModelMultipleChoiceField):
    """Some of many, each with a box to tick."""

    widget = forms.CheckboxSelectMultiple


def calendar_field(otherwise: Any) -> forms.ModelChoiceField:
    """The calendar of a shop or a team; ``otherwise`` says what counts when none is chosen."""
    every = Calendar.objects.order_by("name")
    return forms.ModelChoiceField(label=_("Calendar"), queryset=every, required=False, empty_label=otherwise)


class UserForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    email = forms.EmailField(label=_("Email"), max_length=254)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    zone = forms.ChoiceField(label=_("Time zone"), choices=zones, initial="Asia/Seoul")
    active = forms.BooleanField(label=_("May sign in"), required=False, initial=True)

    model: ClassVar[type[Model]] = User
    save = staticmethod(peopling.save_user)


class TeamForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    tier = forms.TypedChoiceField(label=_("Tier"), choices=Tier.choices, coerce=int)
    skill = forms.CharField(
        label=_("Skill"),
        max_length=40,
        required=False,
        help_text=_("For example technology, finance, logistics."),
    )
    lead = forms.ModelChoiceField(label=_("Lead"), queryset=User.objects.none(), required=False)
    members = Several(label=_("Members"), queryset=User.objects.none(), required=False)
    shops = Several(
        label=_("Shops"),
        queryset=Shop.objects.order_by("name"),
        required=False,
        help_text=_("A team without shops serves all of them."),
    )
    calendar = calendar_field(_("As the shop of each case"))

    model: ClassVar[type[Model]] = Team
    save = staticmethod(peopling.save_team)

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        staff = User.objects.filter(role__in=STAFF).order_by("-is_active", "name")
        for name in ("lead", "members"):
            self.fields[name].queryset = staff  # type: ignore[attr-defined]


class ShopForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    code = forms.SlugField(
        label=_("Short code"),
        max_length=40,
        help_text=_("Stands in the address of the report form: letters, digits, hyphens."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    zone = forms.ChoiceField(label=_("Time zone"), choices=zones, initial="Asia/Seoul")
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, initial="KRW")
    calendar = calendar_field(_("As in its country"))
    merchants = Several(label=_("Merchants"), queryset=User.objects.none(), required=False)

    model: ClassVar[type[Model]] = Shop
    save = staticmethod(peopling.save_shop)

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        merchants = User.objects.filter(role=Role.MERCHANT).order_by("name")
        self.fields["merchants"].queryset = merchants  # type: ignore[attr-defined]


FORMS: dict[str, Any] = {"users": UserForm, "teams": TeamForm, "shops": ShopForm}
TITLES = {"users": _("People"), "teams": _("Teams"), "shops": _("Shops")}


@require_GET
@may("keep_people")
def lists(request: HttpRequest, what: str = "users") -> HttpResponse:
    asked = request.GET.get("q", "").replace("\x00", "")[:80].strip()
    rows = list(_rows(what, asked)[: MOST + 1])
    shown = {
        "here": "people",
        "what": what,
        "tabs": TITLES.items(),
        "rows": rows[:MOST],
        "q": asked,
        "more": len(rows) > MOST,
    }
    return render(request, "people/lists.html", shown)


def _rows(what: str, asked: str) -> QuerySet[Any]:
    if what == "teams":
        teams = Team.objects.filter(name__icontains=asked).select_related("lead").prefetch_related("shops")
        return teams.annotate(size=Count("members")).order_by("tier", "name")
    if what == "shops":
        shops = Shop.objects.filter(Q(name__icontains=asked) | Q(code__icontains=asked))
        return shops.prefetch_related("merchants").order_by("name")
    people = User.objects.filter(Q(name__icontains=asked) | Q(email__icontains=asked))
    return people.prefetch_related("teams").order_by("-is_active", "name")


@may("keep_people")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, what: str, pk: int | None = None) -> HttpResponse:
    """Add or change one person, team or shop."""
    row = _row(what, pk) if pk is not None else None
    form = FORMS[what](request.POST or None, initial=_initial(what, row))
    if request.method == "POST" and form.is_valid():
        try:
            saved = form.save(row, by=actor(request), **form.cleaned_data)
            messages.success(request, gettext("Saved."), "good")
            if what == "users" and row is None:
                return _link(request, saved)
            return redirect("people", what)
        except DeskError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    shown = {"here": "people", "what": what, "title": TITLES[what], "form": form, "row": row}
    return render(request, "people/edit.html", shown, status=422 if form.errors else 200)


@never_cache
@require_POST
@may("keep_people")
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """A new one-time link for somebody; those from before are void."""
    return _link(request, _row("users", pk))


def _link(request: HttpRequest, user: User) -> HttpResponse:
    """The link is on this one page and nowhere else: we keep only its digest."""
    secret = peopling.link_for(user, by=actor(request))
    address = settings.BASE_URL.rstrip("/") + reverse("welcome", args=[secret])
    return render(request, "people/link.html", {"here": "people", "person": user, "address": address})


def _row(what: str, pk: int) -> Any:
    row = FORMS[what].model.objects.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotThere("no_row", _("There is no such entry."))
    return row


def _initial(what: str, row: Any) -> dict[str, Any]:
    if row is None:
        return {"language": EN}
    named = {name: getattr(row, name) for name in FORMS[what].base_fields if hasattr(row, name)}
    several = {name: list(value.all()) for name, value in named.items() if hasattr(value, "all")}
    return {**named, **several, **({"active": row.is_active} if what == "users" else {})}
