"""Letters that came in: those that wait for a person's decision, and what became of the others."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from makegood.base.errors import DeskError, Refusal
from makegood.conversations.models import Letter
from makegood.desk import letter_hands
from makegood.desk.letter_told import because, left_out, preview
from makegood.web.signin import actor, may

PAGE = 50
VIEWS = {"aside": _("Set aside"), "limited": _("Too many from a sender"), "all": _("All")}


@require_safe
@may("see_letters")
def lists(request: HttpRequest, view: str = "aside") -> HttpResponse:
    by = actor(request)
    rows = letter_hands.letters_for(by)
    if view == "aside":
        rows = rows.filter(state=Letter.State.SET_ASIDE)
    elif view == "limited":
        rows = rows.filter(outcome=Letter.Outcome.LIMITED)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.order_by("-id")[: PAGE + 1])
    shown = {
        "here": "letters",
        "view": view,
        "tabs": VIEWS.items(),
        "rows": [{"letter": row, "because": because(row)} for row in found[:PAGE]],
        "before": found[PAGE - 1].pk if len(found) > PAGE else None,
    }
    return render(request, "letters_in/lists.html", shown)


@require_safe
@may("see_letters")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, letter_hands.letter_for(actor(request), pk))


def _page(request: HttpRequest, letter: Letter, error: DeskError | None = None) -> HttpResponse:
    shown = {
        "here": "letters",
        "letter": letter,
        "because": because(letter),
        "left_out": left_out(letter),
        "preview": preview(letter),
        "may_decide": letter_hands.may_decide(letter),
        "error": error,
        "typed": request.POST,
    }
    return render(request, "letters_in/letter.html", shown, status=error.status if error else 200)


@require_safe
@may("see_letters")
def source(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter as it came, to be saved: no browser shows it."""
    by = actor(request)
    letter = letter_hands.letter_for(by, pk)
    response = HttpResponse(letter_hands.source_of(letter, by=by), content_type="application/octet-stream")
    response["Content-Disposition"] = (
        content_disposition_header(True, f"letter-{letter.pk}.eml") or "attachment"
    )
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@may("see_letters")
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """One decision on one letter."""
    by = actor(request)
    letter = letter_hands.letter_for(by, pk)
    sent: dict[str, Any] = request.POST.dict()
    try:
        if verb == "read":
            letter = letter_hands.read_again(letter, by=by)
            if letter.state != Letter.State.DONE:
                messages.warning(request, gettext("It could not be read this time either."))
                return redirect("letter", pk)
            return redirect("case", letter.case.number) if letter.case else redirect("letter", pk)
        if verb == "away":
            letter_hands.put_away(letter, by=by, reason=sent.get("reason", ""))
            messages.success(request, gettext("Put away."), "good")
            return redirect("letters")
        if verb == "open":
            case = letter_hands.open_from(
                letter, by=by, name=sent.get("name", ""), email=sent.get("email", "")
            )
        else:
            case = letter_hands.join_to(letter, _number(sent.get("number", "")), by=by)
    except Refusal as error:
        return _page(request, letter_hands.letter_for(by, pk), error)
    return redirect("case", case.number)


def _number(raw: str) -> int:
    digits = "".join(c for c in raw if c.isascii() and c.isdigit())
    return int(digits[:19]) if digits else 0
