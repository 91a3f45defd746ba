"""Ready-made replies (``/replies/``): the desk reads, leads write; and the signatures of teams and brands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from makegood.base.errors import NotThere, Refusal
from makegood.base.languages import CODES, LANGUAGES
from makegood.conversations.models import CannedReply
from makegood.desk import ready, signing
from makegood.people import roles
from makegood.people.models import Team
from makegood.text import canned
from makegood.web.signin import actor, may

#: Made-up people of the preview, by language.
SAMPLE = {
    "ko": {"customer": "김하은", "order": "HN-20261101", "number": "1798", "shop": "하늘", "agent": "박민지", "next_word": "11월 3일 14:20"},
    "zh-hans": {"customer": "李娜", "order": "MT-20261102", "number": "1798", "shop": "月茶", "agent": "王伟", "next_word": "11月3日 14:20"},
    "en": {"customer": "Alex", "order": "AX-20261103", "number": "1798", "shop": "Haneul", "agent": "Minji", "next_word": "Nov 3, 14:20"},
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A ready-made reply in the list: its name, and its text filled for a made-up customer in each language."""

    ready: ready.Ready
    name: str
    shown: list[tuple[str, str, str]]
    mine: bool


class ReplyForm(forms.Form):
    team = forms.TypedChoiceField(
        label=_("Team"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=_("Empty: for all teams (managers)."),
    )
    code = forms.CharField(
        label=_("Short code"), max_length=40, help_text=_("What is typed after / in the editor.")
    )
    off = forms.BooleanField(label=_("Hide the shipped reply of this code"), required=False)

    def __init__(self, *args: Any, teams: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].choices = [("", "—"), *teams]  # type: ignore[attr-defined]
        for code, language in LANGUAGES:
            name = forms.CharField(label=f"{gettext('Name')} · {language}", required=False, max_length=80)
            area = forms.Textarea(attrs={"rows": 6, "lang": code})
            text = forms.CharField(label=f"{gettext('Text')} · {language}", required=False, widget=area)
            self.fields[f"name_{code}"], self.fields[f"text_{code}"] = name, text

    def by_code(self, prefix: str) -> dict[str, str]:
        return {code: self.cleaned_data.get(f"{prefix}_{code}", "") for code in CODES}


def filled(texts: Any) -> list[tuple[str, str, str]]:
    """(code, language, text) of what is written, filled for the made-up customers."""
    return [
        (code, name, canned.fill(texts[code], SAMPLE[code])) for code, name in LANGUAGES if texts.get(code)
    ]


@may("see_queue")
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Every reply that the reader's team may use, filled for a made-up customer."""
    by = actor(request)
    teams = list(ready.teams_of(by))
    own = {row.pk for row in ready.kept(by)} if roles.may(by, "keep_replies") else set()
    here = ready.for_team(teams[0].pk if teams else None)
    known = {one.kept.pk for one in here if one.kept}
    others = [ready.Ready(r.code, r.names, r.texts, r) for r in ready.kept(by) if r.pk in own - known]
    rows = [
        Row(
            one,
            one.name(request.LANGUAGE_CODE or "en"),
            filled(one.texts),
            bool(one.kept and one.kept.pk in own),
        )
        for one in [*here, *others]
    ]
    context = {"here": "replies", "rows": rows, "keeps": roles.may(by, "keep_replies")}
    return render(request, "replies/list.html", context)


@may("keep_replies")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Write one: a new one, a team's own, or a team's own in the place of a shipped one (``?like=code``)."""
    by = actor(request)
    row = ready.kept(by).filter(pk=pk).first() if pk else None
    if pk and row is None:
        raise NotThere("no_reply", _("There is no such ready-made reply."))
    teams = [(team.pk, team.name) for team in ready.teams_of(by)]
    form = ReplyForm(
        request.POST or None, teams=teams, initial=first(row, request.GET.get("like", ""), teams)
    )
    previewed: list[tuple[str, str, str]] = []
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            if "preview" in request.POST:
                for code, text in form.by_code("text").items():
                    ready.refuse_wrong(text, f"text_{code}")
                previewed = filled(form.by_code("text"))
            else:
                team = Team.objects.filter(pk=data["team"]).first() if data["team"] else None
                names, texts = form.by_code("name"), form.by_code("text")
                ready.save(
                    row, by=by, team=team, code=data["code"], names=names, texts=texts, off=data["off"]
                )
                messages.success(request, gettext("Saved."), "good")
                return redirect("replies")
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    context = {"here": "replies", "form": form, "row": row, "previewed": previewed, "blanks": blanks()}
    return render(request, "replies/edit.html", context, status=422 if form.errors else 200)


def blanks() -> list[str]:
    return [f"{{{{{name}}}}}" for name in canned.NAMES]


def first(row: CannedReply | None, like: str, teams: list[tuple[int, str]]) -> dict[str, Any]:
    """The first values of the form: the row's, else those of the shipped reply that it is to stand for."""
    if row is not None:
        found, team = ready.Ready(row.code, row.names, row.texts, row), row.team_id
    else:
        shipped = {one.code: one for one in ready.for_team(None)}
        found, team = shipped.get(like, ready.Ready("", {}, {})), teams[0][0] if teams else None
    texts = {f"text_{code}": found.texts.get(code, "") for code in CODES}
    names = {f"name_{code}": found.names.get(code, "") for code in CODES}
    return {"team": team, "code": found.code, "off": bool(row and row.off), **names, **texts}


@may("keep_replies")
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    by = actor(request)
    row = ready.kept(by).filter(pk=pk).first()
    if row is None:
        raise NotThere("no_reply", _("There is no such ready-made reply."))
    ready.remove(row, by=by)
    messages.success(request, gettext("Taken away."), "good")
    return redirect("replies")


@may("keep_replies")
@require_http_methods(["GET", "HEAD", "POST"])
def signatures(request: HttpRequest) -> HttpResponse:
    """The lines under the letters of a team or a brand, in three languages."""
    by = actor(request)
    owners = signing.owners(by)
    wrong: dict[str, str] = {}
    if request.method == "POST":
        try:
            signing.save(request.POST.get("owner", ""), texts_of(request), by=by)
            messages.success(request, gettext("Saved."), "good")
            return redirect("signatures")
        except Refusal as refusal:
            wrong = {"owner": request.POST.get("owner", ""), "why": str(refusal)}
    context = {"here": "replies", "owners": owners, "wrong": wrong, "languages3": LANGUAGES}
    return render(request, "replies/signatures.html", context, status=422 if wrong else 200)


def texts_of(request: HttpRequest) -> dict[str, str]:
    return {code: request.POST.get(f"signature_{code}", "") for code in CODES}
