"""Notices on their way, one message a way: claimed with all that is due, worded for the reader, then reported as sent or not.

At least once: a claim pushes the way ahead before anything is sent, so a worker that dies in the middle loses nothing. A
service that is down is asked by one way at a time and seldom: a way rests after each failure, and a service that fails
three times in a row is left alone for some minutes by all (``connectors/circuit.py``). Nothing is lost meanwhile: rows wait.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.connectors import circuit
from makegood.connectors.models import Circuit
from makegood.conversations.outbox import can_send
from makegood.desk import notices
from makegood.packs import notices as rules
from makegood.ways import times
from makegood.ways.models import NoticeOut, Way

#: How long one worker may hold a way: longer than a slow mail server or chat tool takes.
CLAIM = timedelta(minutes=3)
#: How many departures of a way are remembered, for the rule of how many may leave.
_REMEMBERED = 40
_State = NoticeOut.State


@dataclass(frozen=True)
class Line:
    """One notice as its reader sees it outside: the case's number (0: none), the sentence, the address of its page."""

    number: int
    sentence: str
    link: str
    urgent: bool


@dataclass(frozen=True)
class Packet:
    """One message: the newest ``lines`` of ``total`` notices. ``mark`` stays the same when it is sent again."""

    way: Way
    id: uuid.UUID
    lines: tuple[Line, ...]
    total: int
    mark: str
    language: str

    @property
    def urgent(self) -> bool:
        return any(line.urgent for line in self.lines)


def claim() -> Packet | None:
    """Take one way with all that is due by it, for this worker alone; None when nothing is due anywhere."""
    while True:
        with transaction.atomic():
            way = _next_way()
            if way is None:
                return None
            due = _prepared(way)
            if due is not None:
                return _packet(way, due)


def _next_way() -> Way | None:
    now = clock.now()
    due = NoticeOut.objects.filter(way=OuterRef("pk"), state=_State.WAITING, look_at__lte=now)
    ways = Way.objects.select_for_update(skip_locked=True, of=("self",)).select_related("user__quiet", "team")
    if not can_send():
        ways = ways.exclude(kind=Way.Kind.LETTER)
    return ways.filter(Exists(due), look_at__lte=now).order_by("look_at", "id").first()


def _prepared(way: Way) -> QuerySet[NoticeOut] | None:
    """What leaves now; None when it turned out that nothing does: then it is written down when to look again."""
    now = clock.now()
    due = NoticeOut.objects.filter(way=way, state=_State.WAITING, look_at__lte=now)
    if way.user is not None and not way.user.is_active:
        due.delete()  # who may not sign in any more is told nothing
        return None
    resting = Circuit.objects.filter(name=service_key(way), open_until__gt=now).values_list(
        "open_until", flat=True
    )
    if until := resting.first():
        Way.objects.filter(pk=way.pk).update(look_at=until)
        return None
    if way.user is not None:
        due.filter(notice__seen_at__isnull=False).update(state=_State.SEEN, done_at=now)
        _respect_quiet(way, due)
    for urgent in (False, True):
        # Too many have left already: what is due waits, and then leaves as one message.
        free = times.free_at(way.sent, urgent=urgent, now=now, rules=rules())
        if free > now:
            due.filter(urgent=urgent).update(look_at=free)
    return due if due.exists() else None


def _respect_quiet(way: Way, due: QuerySet[NoticeOut]) -> None:
    """A retry, or a service that came back in the night, wakes nobody either."""
    quiet, now = getattr(way.user, "quiet", None), clock.now()
    if quiet is None or way.user is None:
        return
    zone = times.zone_of(way.user.zone, settings.TIME_ZONE)
    if quiet.ends is not None and times.quiet(now, quiet.starts, quiet.ends, zone):
        due.filter(urgent=False).update(look_at=times.next_at(quiet.ends, now, zone))


def _packet(way: Way, due: QuerySet[NoticeOut]) -> Packet:
    now, name = clock.now(), uuid.uuid4()
    first = due.order_by("id").values_list("pk", flat=True)[0]
    total = due.update(packet=name, tries=F("tries") + 1)
    Way.objects.filter(pk=way.pk).update(look_at=now + CLAIM)
    newest = NoticeOut.objects.filter(packet=name).select_related("notice__case").order_by("-urgent", "-id")
    language = way.user.language if way.user else way.language
    with speaking(language), _in_zone(way):
        lines = tuple(_line(row) for row in newest[: rules().lines])
    return Packet(way, name, lines, total, f"{way.pk}.{first}", language)


def _line(row: NoticeOut) -> Line:
    case, room = row.notice.case, notices.room_of(row.notice)
    path = reverse("notices")
    if case is not None:
        path = reverse("room", args=[room]) if room else reverse("case", args=[case.number])
    number = case.number if case is not None and case.number else 0
    return Line(number, notices.sentence(row.notice), settings.BASE_URL.rstrip("/") + path, row.urgent)


def worded(packet: Packet) -> tuple[str, str]:
    """Subject and body in the reader's language: numbers, sentences and links; never a customer's name or words."""
    with speaking(packet.language), _in_zone(packet.way):
        if packet.total == 1:
            (line,) = packet.lines
            subject = f"[{line.number}] {line.sentence}" if line.number else line.sentence
        else:
            subject = gettext("Makegood: %(n)s notices") % {"n": packet.total}
        if packet.urgent:
            subject = gettext("Urgent: %(subject)s") % {"subject": subject}
        parts = [
            f"{f'[{line.number}] ' if line.number else ''}{line.sentence}\n{line.link}"
            for line in packet.lines
        ]
        if more := packet.total - len(packet.lines):
            every = settings.BASE_URL.rstrip("/") + reverse("notices")
            parts.append(gettext("And %(n)s more.") % {"n": more} + f"\n{every}")
    return subject, "\n\n".join(parts)


@contextmanager
def _in_zone(way: Way) -> Iterator[None]:
    with timezone.override(
        times.zone_of(way.user.zone if way.user else settings.TIME_ZONE, settings.TIME_ZONE)
    ):
        yield


def service_key(way: Way) -> str:
    """The name of the way's service in the table of circuits (40 characters hold no server's address)."""
    return "notice:" + hashlib.sha256(way.service.encode()).hexdigest()[:32]


def arrived(packet: Packet) -> None:
    """The tool or the mail server has taken it."""
    now = clock.now()
    circuit.succeeded(service_key(packet.way))
    with transaction.atomic():
        _rows(packet).update(state=_State.SENT, done_at=now)
        _reached(packet.way)


def _reached(way: Way) -> None:
    now = clock.now()
    sent = [*way.sent, now][-_REMEMBERED:]
    Way.objects.filter(pk=way.pk).update(look_at=now, failures=0, trouble="", failed_at=None, sent=sent)


def failed(packet: Packet, why: str, *, theirs: bool) -> None:
    """It did not arrive. ``theirs``: the service is down, so that others need not try either; else it refused this way alone.

    Tried again later; what was tried often and is old (or was refused often) is given up, and people hear of that.
    """
    now, table = clock.now(), rules()
    if theirs:
        circuit.failed(service_key(packet.way))
    with transaction.atomic():
        lost = _rows(packet).filter(tries__gte=table.tries)
        if theirs:
            lost = lost.filter(notice__at__lt=now - table.give_up)
        urgent, count = lost.filter(urgent=True).exists(), lost.update(state=_State.DEAD, done_at=now)
        failures = packet.way.failures + 1
        Way.objects.filter(pk=packet.way.pk).update(
            failures=failures,
            trouble=why[:300],
            failed_at=now,
            look_at=now + table.rest(failures),
        )
        if count:
            _tell_of_loss(packet.way, count, urgent=urgent)


def _tell_of_loss(way: Way, count: int, *, urgent: bool) -> None:
    """In the page of whoever should have got it; of urgent ones the keepers hear too, and the lead of a team."""
    people = [way.user_id, way.team.lead_id if way.team else None]
    notices.notify(
        None, "notice_lost", to=[*people, *(notices.keepers() if urgent else [])], data={"n": count}
    )


def _rows(packet: Packet) -> QuerySet[NoticeOut]:
    # Only what this claim took: another worker may have taken the way again after our claim had run out.
    return NoticeOut.objects.filter(packet=packet.id, state=_State.WAITING)


def undelivered(ways: Q) -> QuerySet[Way]:
    """Ways in trouble, or with notices that never arrived, the newest trouble first."""
    dead = NoticeOut.objects.filter(way=OuterRef("pk"), state=_State.DEAD)
    found = Way.objects.filter(ways).filter(Q(failures__gt=0) | Exists(dead))
    return found.select_related("user", "team").order_by(F("failed_at").desc(nulls_last=True), "-id")
