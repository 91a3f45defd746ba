"""The war rooms: the list, one room, what changed since (polled), and one way in for every verb (409 and 422 keep the words)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal, Stale
from makegood.desk import presence, room_card, room_page, room_work, rooming
from makegood.desk.room_page import RoomPage
from makegood.incidents.models import CardField, Room
from makegood.people.actors import Actor
from makegood.people.models import User
from makegood.web.case import staff_page
from makegood.web.room_forms import FORMS, EditCard, RoomForm

Data = dict[str, Any]
#: Verbs after which only their form and the live parts are drawn; after the others the whole room is.
IN_PLACE = ("card", "say", "decide")
SINCE = {
    "1h": (1, _("the last hour only")),
    "24h": (24, _("the last day only")),
    "all": (0, _("everything from the beginning")),
}


def _who(data: Data, field: str) -> User | None:
    return User.objects.filter(pk=data[field]).first() if data[field] else None


CALLS: dict[str, Callable[[Room, Actor, Data], object]] = {
    "card": lambda room, by, d: room_card.edit_card(
        room, by=by, field=d["field"], n=d["n"], text=d["text"], to_merchant=d.get("to_merchant", False)
    ),
    "say": lambda room, by, d: room_work.say(room, by=by, text=d["text"]),
    "task": lambda room, by, d: room_work.give_task(
        room, by=by, owner=_who(d, "owner"), what=d["what"], due_at=d["due_at"]
    ),
    "finish": lambda room, by, d: room_work.finish_task(room, d["task"], by=by, words=d["words"]),
    "decide": lambda room, by, d: room_work.decide(
        room, by=by, who=_who(d, "who"), what=d["what"], why=d["why"]
    ),
    "role": lambda room, by, d: rooming.give_role(room, by=by, user=_who(d, "user"), role=d["role"]),
    "thank": lambda room, by, d: room_work.thank(room, by=by, to=d["to"], words=d["words"]),
    "join": lambda room, by, d: rooming.join_room(room, by=by),
    "leave": lambda room, by, d: rooming.leave_room(room, by=by),
    "close": lambda room, by, d: rooming.close_room(room, by=by, review_at=d["review_at"]),
}


@staff_page
@require_GET
def rooms(request: HttpRequest, by: Actor) -> HttpResponseBase:
    """The open rooms, the most urgent first."""
    mine = request.GET.get("view") == "mine"
    shown = {"here": "rooms", "rooms": room_page.rooms(by, mine=mine), "mine": mine}
    return render(request, "rooms/rooms.html", shown)


@staff_page
@require_GET
def show(request: HttpRequest, by: Actor, pk: int) -> HttpResponseBase:
    """One room: its card, what changed since the reader's last visit (or ``?since=``), the chat."""
    room = rooming.room_for(by, pk)
    before = room_page.visit(room, by.user_id or 0)
    page = room_page.read(room, by=by, since=since(request, before))
    return render(request, "rooms/room.html", drawn(page))


@staff_page
@require_GET
def now(request: HttpRequest, by: Actor, pk: int) -> HttpResponseBase:
    """The poll: 204 while nothing changed since ``?version=``, else the parts that live."""
    room = rooming.room_for(by, pk)
    shown_there = request.GET.get("version", "")
    if room_page.unchanged(shown_there, room):
        return HttpResponse(status=204)
    said = room_page.only_said(shown_there, room)
    if said is not None:
        version = f"{room_page.version(room)}.{said[-1].pk}"
        return render(request, "rooms/_said.html", {"room": room, "said_now": said, "version": version})
    before = room_page.visit(room, by.user_id or 0)
    shown = drawn(room_page.read(room, by=by, since=since(request, before)), live=True)
    return render(request, "rooms/_live.html", shown)


@staff_page
@require_POST
def here(request: HttpRequest, by: Actor, pk: int) -> HttpResponseBase:
    """Say that I look at the room (and whether I am writing), and learn who else does."""
    room = rooming.room_for(by, pk)
    presence.be_here(
        room.case_id, by.person, place=presence.ROOM, writing=request.POST.get("writing", "") == "1"
    )
    return render(request, "rooms/_here.html", {"here": presence.in_room(room.case_id)})


@staff_page
@require_GET
def history(request: HttpRequest, by: Actor, pk: int, field: str) -> HttpResponseBase:
    """Every version of one field of the card."""
    room = rooming.room_for(by, pk)
    if field not in CardField.Field.values:
        raise NotThere("no_room", _("There is no such war room."))
    shown = {
        "here": "rooms",
        "room": room,
        "label": CardField.Field(field).label,
        "versions": room_card.history(room, field),
    }
    return render(request, "rooms/history.html", shown)


@staff_page
def act(request: HttpRequest, by: Actor, pk: int, verb: str) -> HttpResponseBase:
    """Do a verb of the room. What is refused comes back with what was typed and the reason, or with both texts."""
    if verb not in FORMS:
        raise NotThere("no_room", _("There is no such war room."))
    room = rooming.room_for(by, pk)
    if request.method != "POST":  # the address of a refused form, loaded again
        return HttpResponseRedirect(reverse("room", args=[pk]))
    page = room_page.read(room, by=by, since=since(request, None))
    form = _form(verb, page, request)
    status = 422
    try:
        if form.is_valid():
            CALLS[verb](room, by, form.cleaned_data)
            return done(request, by, room, form)
    except (Stale, Refusal, NotAllowed) as error:
        form.conflict = error if isinstance(error, room_card.Conflict) else None
        form.refuse(error)
        status = error.status
    if _htmx(request):
        return render(request, "rooms/_verb.html", {"form": form, "page": page, "open": True}, status=status)
    return render(request, "rooms/room.html", drawn(page, tried=form), status=status)


def done(request: HttpRequest, by: Actor, room: Room, form: RoomForm) -> HttpResponseBase:
    """After a verb: in place where the rest of the page may hold half a sentence, else the room anew."""
    address = reverse("room", args=[room.pk])
    if not _htmx(request):
        response = HttpResponseRedirect(f"{address}#verb-{form.key}")
        response.status_code = 303
        return response
    if form.verb not in IN_PLACE:
        return HttpResponseClientRedirect(address)
    fresh = room_page.read(rooming.room_for(by, room.pk), by=by, since=None)
    empty = _empty(form.verb, fresh, form.line.field if isinstance(form, EditCard) else "")
    return render(request, "rooms/_live.html", {**drawn(fresh, live=True), "form": empty, "in_place": True})


def drawn(page: RoomPage, *, tried: RoomForm | None = None, live: bool = False) -> dict[str, Any]:
    """The context of a room: the page that was read, and its forms, of which ``tried`` is the refused one.

    ``live``: of the forms only the card's, for the parts that a poll brings.
    """
    others = [verb for verb in FORMS if verb != "card" and page.room.is_open and not live]
    forms = {verb: FORMS[verb](page=page) for verb in others}
    if tried is not None and tried.verb != "card":
        forms[tried.verb] = tried
    fields = [
        (line, tried if tried and tried.key == f"card-{line.field}" else EditCard(page=page, line=line))
        for line in page.card
    ]
    return {
        "here": "rooms",
        "page": page,
        "room": page.room,
        "present": presence.in_room(page.room.case_id),
        "fields": fields,
        "forms": forms,
        "tried": tried,
        "spans": [(code, name) for code, (_hours, name) in SINCE.items()],
    }


def since(request: HttpRequest, before: datetime | None) -> datetime | None:
    """The moment that the address asks for (1h, 24h, all, or a moment), else that of the last visit; nonsense is as if not asked."""
    raw = request.GET.get("since", "")
    if raw in SINCE:
        hours = SINCE[raw][0]
        return clock.now() - timedelta(hours=hours) if hours else None
    try:
        found = parse_datetime(raw)
        if found is not None and timezone.is_naive(found):
            found = timezone.make_aware(found)
    except (ValueError, OverflowError):
        found = None
    return found if found is not None and 1971 <= found.year <= 2999 else before


def _form(verb: str, page: RoomPage, request: HttpRequest) -> RoomForm:
    if verb != "card":
        return FORMS[verb](request.POST, page=page)
    line = next((line for line in page.card if line.field == request.POST.get("field")), None)
    if line is None:
        raise NotThere("no_room", _("There is no such war room."))
    return EditCard(request.POST, page=page, line=line)


def _empty(verb: str, page: RoomPage, field: str) -> RoomForm:
    if verb != "card":
        return FORMS[verb](page=page)
    return EditCard(page=page, line=next(line for line in page.card if line.field == field))


def _htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))
