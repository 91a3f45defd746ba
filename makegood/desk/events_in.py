"""The intake of events for the doors: who may send, who may look at what was set aside, and who may ask for a reading.

These are not verbs of a case: they write no case event.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Count, Max
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from makegood.base import clock, webhooks
from makegood.base.errors import NotThere, Refusal
from makegood.base.seal import Broken, unseal
from makegood.connectors.errors import Later, Never
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.transactions import applying, aside, intake
from makegood.transactions.envelope import Bad
from makegood.transactions.models import EventAside, Store, StoreFact, StreamChunk
from makegood.watch import streaming

#: The jobs, named and not imported: jobs stand above. The second one waits for other people's machines.
APPLY, READ = "makegood.jobs.tasks.apply_facts", "makegood.jobs.tasks.read_stores"

#: Why an event was set aside, by the code of its row.
REASONS = {
    "not_json": _("It is not JSON."),
    "too_deep": _("It is nested too deeply."),
    "too_large": _("It is too large."),
    "too_many": _("The batch holds too many events."),
    "no_batch": _("The batch is not a list of events."),
    "no_object": _("It is not an event."),
    "bad_text": _("It holds characters that cannot be stored."),
    "specversion": _("It is not a CloudEvent of version 1.0."),
    "no_id": _("It has no id."),
    "no_source": _("It does not say where it comes from."),
    "no_type": _("It has no type."),
    "no_subject": _("It does not say what it is about."),
    "no_time": _("It has no time."),
    "too_long": _("One of its texts is too long."),
    "unknown_type": _("We do not know this type of event."),
    "bad_time": _("Its time cannot be read."),
    "from_the_future": _("Its time lies in the future: the sender's clock is wrong."),
    "sequence": _("Its version is not a whole number."),
    "datacontenttype": _("What it tells is not JSON."),
    "attribute": _("It has an attribute that a CloudEvent cannot have."),
    "schema": _("What it tells does not fit the schema of its type."),
    "currency": _("This store does not use that currency."),
    "decimals": _("The amount has more decimals than its currency."),
    "binary": _("It was sent in binary mode, whose attributes are not signed."),
    "content_type": _("Its content type is none that we take."),
    "same_id_other_content": _("An event with the same id told something else before."),
    "cannot_store": _("It could not be stored."),
    "cannot_apply": _("It is in the log, but could not be applied."),
    "cannot_translate": _("The connector could not translate it."),
    "no_tx": _("It does not say which transaction it belongs to."),
    "unknown_event": _("No process of the watch knows this event."),
    "unknown_field": _("It has a field that no process of the watch knows."),
    "bad_value": _("One of its values is not what its name asks for."),
}
_TOO_MUCH = frozenset({"too_large", "too_many"})
_NOT_OURS = frozenset({"content_type", "binary"})


@dataclass(frozen=True)
class Answer:
    """What the sender is told: the status and the JSON."""

    status: int
    content: dict[str, Any]


_UNSIGNED = Answer(
    401, {"error": "signature", "detail": "no signature that we know, or its time is not near"}
)


def take_in(code: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Store what was sent to the store ``code`` (``headers`` by lower-case names). Raises NotThere."""
    store = _store(code)
    if not intake.is_cloud_event(headers) and store.kind != "generic":
        return _native(store, headers, body)
    if not webhooks.signed(_secrets(bytes(store.hook_secret)), headers, body):
        return _UNSIGNED
    try:
        results = intake.take_events(store, headers, body)
    except Bad as bad:
        return _refused(bad)
    return _accepted(results)


def take_stream(code: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Store a body of a stream that was sent to the store ``code``, for the watch alone. Raises NotThere.

    Answered: how many were taken now and how many an earlier sending of the same body brought, and each one that was set aside.
    """
    store = _store(code)
    if not webhooks.signed(_secrets(bytes(store.hook_secret)), headers, body):
        return _UNSIGNED
    try:
        taken = streaming.take(store, body, headers=headers)
    except Bad as bad:
        return _refused(bad)
    told = [{"index": one.index, "reason": one.reason, "detail": one.detail} for one in taken.aside]
    return Answer(202, {"accepted": taken.new, "duplicate": taken.known, "set_aside": told})


def _store(code: str) -> Store:
    store = Store.objects.filter(code=code, active=True).first()
    if store is None:
        raise NotThere("no_store", _("There is no such store."))
    return store


def _refused(bad: Bad) -> Answer:
    status = 413 if bad.code in _TOO_MUCH else 415 if bad.code in _NOT_OURS else 400
    return Answer(status, {"error": bad.code, "detail": bad.detail})


def _native(store: Store, headers: Mapping[str, str], body: bytes) -> Answer:
    try:
        return _accepted(intake.take_native(store, headers, body))
    except Never as error:
        # 'secret' and 'no_connector' are ours: the sender tries again while somebody mends it.
        ours = error.code in ("secret", "no_connector")
        return Answer(503 if ours else 400 if error.code == "garbage" else 401, {"error": error.code})
    except Later as error:
        return Answer(503, {"error": error.code})


def _accepted(results: list[intake.Result]) -> Answer:
    nudge(APPLY)
    told = [{name: value for name, value in asdict(one).items() if value} for one in results]
    return Answer(202, {"results": told})


@lru_cache(maxsize=256)
def _secrets(sealed: bytes) -> tuple[str, ...]:
    """The secrets that a store signs by now; none when they cannot be opened."""
    try:
        return tuple(value for value in unseal(sealed).values() if value)
    except Broken:
        return ()


def nudge(job: str) -> None:
    """Wake the worker; only a nudge, since it looks by itself every minute."""
    lock = job.rpartition(".")[2]
    if ProcrastinateJob.objects.filter(queueing_lock=lock, status="todo").exists():
        return
    with suppress(AlreadyEnqueued):
        app.configure_task(job, queueing_lock=lock).defer()


# What was set aside.


@dataclass(frozen=True)
class Heap:
    """All that was set aside for one reason."""

    reason: str
    sentence: str
    count: int
    last_at: Any


def sentence(reason: str) -> str:
    """A reason in words."""
    return str(REASONS.get(reason, _("Something went wrong on our side.")))


def heaps(*, by: Actor) -> list[Heap]:
    """What is set aside, by reason, the largest heap first."""
    roles.check(by, "keep_stores")
    rows = EventAside.objects.filter(state=EventAside.State.ASIDE).values("reason")
    counted = rows.annotate(n=Count("id"), last=Max("last_at")).order_by("-n", "reason")
    return [Heap(r["reason"], sentence(r["reason"]), r["n"], r["last"]) for r in counted]


@dataclass(frozen=True)
class Row:
    """One that is set aside, with its reason in words and the beginning of what came."""

    event: EventAside
    sentence: str
    body: str


#: How much of what came is shown, and of how many.
_SHOWN, _ROWS = 4000, 50


def newest(*, by: Actor, reason: str = "") -> list[Row]:
    """The newest that are set aside, of one reason or of all."""
    roles.check(by, "keep_stores")
    rows = (
        EventAside.objects.filter(state=EventAside.State.ASIDE)
        .select_related("store")
        .order_by("-last_at", "-id")
    )
    if reason:
        rows = rows.filter(reason=reason)
    return [
        Row(row, sentence(row.reason), bytes(row.body)[:_SHOWN].decode("utf-8", "replace"))
        for row in rows[:_ROWS]
    ]


@dataclass(frozen=True)
class Telling:
    """A store and when it last told something, in the last seven days."""

    store: Store
    last_at: Any


def stores(*, by: Actor) -> list[Telling]:
    """Every store that is connected."""
    roles.check(by, "keep_stores")
    week = clock.now() - timedelta(days=7)
    last: dict[int, Any] = {}
    for log in (StoreFact, StreamChunk):
        told = log.objects.filter(came_at__gt=week).values("store_id").annotate(last=Max("came_at"))
        for store_id, at in told.values_list("store_id", "last"):
            last[store_id] = max(at, last.get(store_id, at))
    rows = Store.objects.select_related("shop").order_by("shop__name", "name")
    return [Telling(row, last.get(row.pk)) for row in rows]


def behind() -> Any:
    """When the oldest event came that waits to be applied for more than a minute; None when none does."""
    late = applying.behind()
    return clock.now() - late if late and late > timedelta(minutes=1) else None


#: So many are replayed at once; the button says how many are left.
AT_ONCE = 500


def replay(*, by: Actor, pk: int | None = None, reason: str = "") -> tuple[int, int]:
    """Try one row again, or all of a reason: how many are taken now, how many are not. Raises NotThere, Refusal."""
    roles.check(by, "keep_stores")
    taken = left = 0
    for row in _rows(pk, reason):
        good = not (streaming.replay if row.way == StoreFact.Way.STREAM else intake.replay)(row)
        taken, left = taken + good, left + (not good)
    if taken:
        nudge(APPLY)
    return taken, left


def let_go(*, by: Actor, pk: int) -> None:
    """Take a row off the page: it stays stored, and comes back when it is sent again. Raises NotThere."""
    roles.check(by, "keep_stores")
    aside.done(_rows(pk, "")[0], EventAside.State.LET_GO)


def _rows(pk: int | None, reason: str) -> list[EventAside]:
    rows = (
        EventAside.objects.select_related("store__shop").filter(state=EventAside.State.ASIDE).order_by("id")
    )
    if pk is not None:
        found = list(rows.filter(pk=pk)) if pk < 2**63 else []
        if not found:
            raise NotThere("no_row", _("There is no such entry."))
        return found
    if reason not in REASONS:
        raise Refusal("unknown_code", _("This is not in the list."), field="reason")
    return list(rows.filter(reason=reason)[:AT_ONCE])
