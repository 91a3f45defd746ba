"""The queue page: its address is its whole state, so it can be kept as a bookmark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from makegood.base.errors import DeskError, Refusal
from makegood.base.languages import LANGUAGES
from makegood.cases.access import case_for
from makegood.cases.models import Case
from makegood.cases.states import Status
from makegood.desk import handling, queue
from makegood.desk.queue import Ask
from makegood.packs import policy, taxonomy
from makegood.people.models import STAFF, Role, Shop, Team, User
from makegood.web.signin import actor, may, signed_in

VIEWS = {
    "mine": _("Mine"),
    "offered": _("Offered to me"),
    "team": _("My team's"),
    "due": _("Next due"),
    "snoozed": _("Put aside"),
    "waiting": _("Waiting for confirmation"),
    "untouched": _("Urgent and untouched"),
    "open": _("All open"),
    "unconfirmed": _("Unconfirmed"),
    "everything": _("Everything"),
}
SORTS = {
    "urgent": _("Most urgent first"),
    "due": _("Next due first"),
    "newest": _("Newest first"),
    "ended": _("Ended last first"),
}
MOST_AT_ONCE = queue.PAGE


@require_GET
@signed_in
def show(request: HttpRequest) -> HttpResponse:
    if not actor(request).is_staff:
        return redirect("merchant")
    usual = "open" if actor(request).role in (Role.MANAGER, Role.ADMIN) else "mine"
    page = queue.read(actor(request), asked(request.GET, usual))
    whole = not request.htmx or request.htmx.history_restore_request  # type: ignore[attr-defined]
    shown = {
        "here": "queue",
        "page": page,
        "views": [(name, title, page.counts[name], address(Ask(view=name))) for name, title in VIEWS.items()],
        "most": queue.MOST_COUNTED,
        "choices": choices(page.ask),
        "next": address(page.ask, page.next) if page.next else "",
        "back": address(page.ask, page.back) if page.back else "",
        "first": address(page.ask),
        "plain": address(Ask(view=page.ask.view)),
        "levels": policy().levels,
    }
    response = render(request, "queue/queue.html" if whole else "queue/_list.html", shown)
    # The same address is once the page and once its list: a cache must not answer one with the other.
    patch_vary_headers(response, ["HX-Request"])
    return response


def asked(given: QueryDict, usual: str = "mine") -> Ask:
    """What the address asks for; what makes no sense in it is as if it were not there."""
    ask = Ask(
        view=view if (view := given.get("view", usual)) in queue.VIEWS else usual,
        sort=given.get("sort", ""),
        shop=_number(given.get("shop")),
        type=given.get("type", "")[:40].replace("\x00", ""),
        status=given.get("status", "")[:10].replace("\x00", ""),
        urgency=_number(given.get("urgency"), most=5),
        language=given.get("language", "")[:10].replace("\x00", ""),
        owner=_number(given.get("owner")),
        team=_number(given.get("team")),
        cursor=given.get("page", "")[:300],
    )
    return ask.settled()


def address(ask: Ask, cursor: str = "") -> str:
    """The address of this queue, with nothing in it that goes without saying."""
    named = {
        name: getattr(ask, name)
        for name in ("shop", "type", "status", "urgency", "language", "owner", "team")
    }
    usual = not ask.sort or ask.sort == queue.VIEWS[ask.view][1][0]
    parts: dict[str, Any] = {"view": ask.view, "sort": "" if usual else ask.sort, **named, "page": cursor}
    return "?" + urlencode({name: value for name, value in parts.items() if value not in (None, "")})


def choices(ask: Ask) -> dict[str, Any]:
    """What the filters offer."""
    return {
        "sorts": [(sort, SORTS[sort]) for sort in queue.VIEWS[ask.view][1]],
        "shops": Shop.objects.order_by("name").values_list("pk", "name")[:500],
        "types": [(code, found.name) for code, found in taxonomy().types.items()],
        "statuses": [
            (code, name) for code, name in Status.choices if code != Status.ENDED or ask.view == "everything"
        ],
        "languages": LANGUAGES,
        "owners": User.objects.filter(role__in=STAFF, is_active=True)
        .order_by("name")
        .values_list("pk", "name")[:500],
        "teams": Team.objects.order_by("tier", "name").values_list("pk", "name")[:200],
        "chosen": any(
            value not in (None, "")
            for value in (ask.shop, ask.type, ask.status, ask.urgency, ask.language, ask.owner, ask.team)
        ),
    }


@require_POST
@may("see_queue")
def many(request: HttpRequest) -> HttpResponse:
    """One verb over the cases that were ticked, one by one: what one case refuses stops no other."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = "/"
    ticked = [pair.partition("-") for pair in request.POST.getlist("case")[:MOST_AT_ONCE]]
    done, refused = 0, []
    for raw, _dash, version in ticked:
        try:
            case = case_for(actor(request), int(raw) if raw.isdecimal() and len(raw) < 19 else 0)
            _act(request, case, int(version) if version.isdecimal() and len(version) < 10 else None)
            done += 1
        except DeskError as error:
            refused.append(gettext("%(number)s: %(reason)s") % {"number": raw[:20], "reason": error})
    if done:
        messages.success(
            request, ngettext("%(n)s case done.", "%(n)s cases done.", done) % {"n": done}, "good"
        )
    for line in refused:
        messages.warning(request, line, "warn")
    if not ticked:
        messages.warning(request, gettext("Tick the cases first."), "warn")
    return redirect(back)


def _act(request: HttpRequest, case: Case, seen: int | None) -> None:
    verb: Callable[..., object] | None = {"take": _take, "assign": _assign, "raise": _raise}.get(
        request.POST.get("do", "")
    )
    if verb is None:
        raise Refusal("unknown_code", _("Say what to do."), field="do")
    verb(request, case, seen)


def _take(request: HttpRequest, case: Case, seen: int | None) -> None:
    handling.take(case, by=actor(request), seen=seen)


def _assign(request: HttpRequest, case: Case, seen: int | None) -> None:
    owner, team = _number(request.POST.get("to_owner")), _number(request.POST.get("to_team"))
    handling.assign(
        case,
        by=actor(request),
        seen=seen,
        owner=User.objects.filter(pk=owner).first() if owner else None,
        team=Team.objects.filter(pk=team).first() if team else None,
    )


def _raise(request: HttpRequest, case: Case, seen: int | None) -> None:
    level = _number(request.POST.get("level")) or 0
    handling.raise_urgency(case, by=actor(request), level=level, reason=request.POST.get("reason", ""))


def _number(raw: str | None, most: int = 2**31) -> int | None:
    """A whole number of an address, or None: an id that no row can have asks for nothing."""
    return (
        int(raw) if raw and raw.isascii() and raw.isdecimal() and len(raw) < 11 and int(raw) <= most else None
    )
