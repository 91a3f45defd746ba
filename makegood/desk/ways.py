"""Keeping the ways by which one hears of notices: one's own, and those of the teams that one leads. No verbs of a case.

The address of a chat goes in and never comes out: it is sealed, and pages show it without its secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.base.languages import CODES, speaking
from makegood.base.seal import Broken, seal, unseal
from makegood.base.words import clean_line
from makegood.connectors import chat
from makegood.connectors.errors import Never, OutsideError
from makegood.desk import notice_letters, packets
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Role, Team
from makegood.ways.models import MORNING, NoticeOut, Quiet, Way

#: A person or a team may have so many: each one more is one more message for every notice.
MOST = 10
#: Why a message did not arrive, by its code; a code without a row is a status that the tool gave.
TROUBLE = {
    "bad_url": _("This is not the address of a chat tool that we know."),
    "private": _("The address leads into a private network, where we do not send."),
    "unknown_host": _("There is no server of this name."),
    "unreachable": _("The server did not answer, or not in time."),
    "secret": _("The stored address cannot be opened, since the site's key has changed. Add it again."),
    "mail": _("The mail server did not take the letter."),
    "mail_refused": _("The mail server refuses this address."),
    "no_mail": _("This site sends no letters: neither a mail server nor a provider is set."),
}


@dataclass(frozen=True)
class Shown:
    """A way with what is wrong with it as a sentence ('' when nothing is), and how many notices wait or were lost."""

    way: Way
    trouble: str
    waiting: int
    dead: int


def said(trouble: str) -> str:
    """What went wrong as a sentence; '' for none."""
    if not trouble:
        return ""
    return str(TROUBLE.get(trouble) or _("The tool refused the message (%(code)s).") % {"code": trouble})


def teams(by: Actor) -> list[Team]:
    """The teams whose ways this person keeps: those that they lead; managers and administrators keep all."""
    if by.role in (Role.MANAGER, Role.ADMIN):
        return list(Team.objects.order_by("name"))
    return list(Team.objects.filter(lead_id=by.person).order_by("name"))


def mine(by: Actor) -> list[Shown]:
    """One's own ways and those of one's teams."""
    return shown(Q(user_id=by.person) | Q(team__in=teams(by)))


def in_trouble(by: Actor) -> list[Shown]:
    """Everybody's ways that fail, or by which notices were lost, for those who may see what was not delivered."""
    roles.check(by, "see_outbox")
    everybody = (
        Q()
        if by.role in (Role.MANAGER, Role.ADMIN)
        else Q(team__lead=by.person) | Q(user__teams__lead=by.person)
    )
    return shown(Q(pk__in=packets.undelivered(everybody).values("pk")), most=200)


def shown(which: Q, most: int = 100) -> list[Shown]:
    ways = (
        Way.objects.filter(which)
        .select_related("user", "team")
        .order_by("team__name", "kind", "id")
        .distinct()[:most]
    )
    counted = (
        NoticeOut.objects.filter(way__in=[way.pk for way in ways], state__in=("waiting", "dead"))
        .values_list("way_id", "state")
        .annotate(n=Count("id"))
        .order_by()
    )
    counts = {(way, state): n for way, state, n in counted}
    return [
        Shown(way, said(way.trouble), counts.get((way.pk, "waiting"), 0), counts.get((way.pk, "dead"), 0))
        for way in ways
    ]


def letter_of(by: Actor) -> Way:
    """One's letters; made with the first look, since everybody has an address."""
    way, _new = Way.objects.get_or_create(
        user_id=by.person, kind=Way.Kind.LETTER, defaults={"service": "letters"}
    )
    return way


def add_chat(*, by: Actor, url: str, name: str = "", team: int | None = None, language: str = "") -> Way:
    """Add a chat for oneself, or for a team that one leads. Raises Refusal with the field, NotThere for another's team."""
    if team is not None and team not in {one.pk for one in teams(by)}:
        raise NotThere("no_team", _("There is no such entry."), field="team")
    url = clean_line(url, limit=chat.LONGEST, field="url")
    owner: dict[str, Any] = {"team_id": team} if team is not None else {"user_id": by.person}
    try:
        found = chat.place(url)
    except Never:
        raise Refusal("bad_url", TROUBLE["bad_url"], field="url") from None
    if team is not None and language not in CODES:
        raise Refusal("unknown_code", _("This is not in the list."), field="language")
    with transaction.atomic():
        if Way.objects.select_for_update().filter(**owner).count() >= MOST:
            raise Refusal("too_many", _("There are enough ways already. Remove one first."), field="url")
        return Way.objects.create(
            **owner,
            kind=Way.Kind.CHAT,
            name=clean_line(name, limit=80, field="name", required=False),
            sealed=seal({"url": url}),
            tool=found.tool,
            service=found.service[:300],
            shown=found.shown,
            language=language or "en",
            mine=Way.When.NOW,
            made_by_id=by.person,
        )


def save_ways(choices: dict[int, dict[str, str]], *, by: Actor) -> None:
    """For each way (its id) when each group leaves. Raises Refusal for an unknown choice, NotThere for a stranger's way."""
    with transaction.atomic():
        for pk, groups in choices.items():
            way = _own(pk, by)
            for group in ("urgent", "mine", "others"):
                value = groups.get(group, getattr(way, group))
                if value not in Way.When.values:
                    raise Refusal("unknown_code", _("This is not in the list."), field=group)
                setattr(way, group, value)
            way.save(update_fields=["urgent", "mine", "others"])


def save_quiet(*, by: Actor, starts: time | None, ends: time | None, digest_at: time = MORNING) -> None:
    """One's quiet hours (none: both empty) and the time of the daily collection. Raises Refusal."""
    if (starts is None) != (ends is None):
        raise Refusal(
            "half",
            _("Quiet hours need a beginning and an end."),
            field="starts" if starts is None else "ends",
        )
    if starts is not None and starts == ends:
        raise Refusal("empty_span", _("Quiet hours must end at another time than they begin."), field="ends")
    Quiet.objects.update_or_create(
        user_id=by.person, defaults={"starts": starts, "ends": ends, "digest_at": digest_at}
    )


def remove(pk: int, *, by: Actor) -> None:
    """Remove a chat; what waited for it goes with it. Letters stay: they are switched to 'never' instead."""
    way = _own(pk, by)
    if way.kind == Way.Kind.LETTER:
        raise Refusal("letters_stay", _("Letters are not removed; choose when they are sent."))
    way.delete()


def try_way(pk: int, *, by: Actor) -> str:
    """Send a test now; '' when it arrived, else the code of what went wrong. Slow: outside every transaction."""
    way = _own(pk, by)
    with speaking(way.user.language if way.user else way.language):
        title, body = (
            gettext("A test from Makegood"),
            gettext("If you can read this, notices reach you here."),
        )
    trouble = ""
    try:
        deliver(way, title, body)
    except OutsideError as error:
        trouble = error.code
    if trouble:
        Way.objects.filter(pk=way.pk).update(trouble=trouble[:300], failed_at=clock.now())
    else:
        # It works again: what waited for the end of a rest need not.
        Way.objects.filter(pk=way.pk).update(trouble="", failed_at=None, failures=0, look_at=clock.now())
    return trouble


def deliver(way: Way, title: str, body: str, mark: str = "test") -> None:
    """Send one message by a way. Raises Later (the service does not work now) or Never (it refuses). Slow."""
    if way.kind == Way.Kind.LETTER:
        notice_letters.send(way, title, body, mark)
    else:
        chat.send(address_of(way), title, body)


def address_of(way: Way) -> str:
    """The sealed address. Raises Never('secret') when the site's key has changed."""
    try:
        return unseal(way.sealed)["url"]
    except (Broken, KeyError):
        raise Never("secret") from None


def _own(pk: int, by: Actor) -> Way:
    found = Way.objects.select_related("user", "team").filter(
        Q(user_id=by.person) | Q(team__in=teams(by)), pk=pk if 0 < pk < 2**63 else 0
    )
    way = found.first()
    if way is None:
        raise NotThere("no_row", _("There is no such entry."))
    return way
