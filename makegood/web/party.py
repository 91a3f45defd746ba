"""The page of an outside party, behind its link and without an account. Only POST answers: programs that open links answer nothing."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from makegood.base.errors import DeskError, NotThere, Refusal
from makegood.base.languages import CODES, speaking
from makegood.base.moments import zone_said
from makegood.desk import party_answers, party_page
from makegood.parties.models import PartyAsk
from makegood.people import actors
from makegood.web.customer_files import uploads
from makegood.web.customer_link import gone, private


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, token: str) -> HttpResponse:
    """What is asked, and the answer to it; in the party's language unless the visitor chose one, and in the shop's time."""
    try:
        ask = party_page.ask_by_token(token)
    except NotThere:
        return gone(request)
    chosen = request.COOKIES.get("language", "")
    with speaking(chosen if chosen in CODES else ask.party.language) as language:
        request.LANGUAGE_CODE = language
        with timezone.override(ZoneInfo(ask.case.shop.zone)):
            response = _answer(request, ask, token) if request.method == "POST" else _page(request, ask)
    response["Content-Language"] = language
    return private(response)


def _answer(request: HttpRequest, ask: PartyAsk, token: str) -> HttpResponse:
    try:
        party_answers.answer_party(
            ask,
            by=actors.party(ask.party_id),
            answer=_known(request.POST.get("answer", "")),
            words=request.POST.get("words", ""),
            until=_moment(request.POST.get("until", "")),
            files=uploads(request),
        )
    except DeskError as error:
        return _page(request, party_page.ask_by_token(token), error)
    messages.success(request, _("We have your answer. Thank you."))
    return redirect("party", token=token)


def _known(answer: str) -> str:
    """The three answers of the page; what a letter says is no answer that a form may give."""
    return answer if answer in ("done", "by", "cannot") else ""


def _moment(raw: str) -> datetime | None:
    """A time as the browser's control gives it, in the shop's zone; None where there is none."""
    try:
        found = parse_datetime(raw[:40])
        return timezone.make_aware(found) if found and timezone.is_naive(found) else found
    except (ValueError, OverflowError):
        raise Refusal("bad_time", _("This is no time that we can read."), field="until") from None


def _page(request: HttpRequest, ask: PartyAsk, error: DeskError | None = None) -> HttpResponse:
    context = {
        "view": party_page.read(ask),
        "error": error,
        "kept": request.POST if isinstance(error, Refusal) else {},
        "files_lost": bool(error and request.FILES),
        "zone": zone_said(ask.due_at),
    }
    return render(request, "parties/answer.html", context, status=error.status if error else 200)
