"""Events on their way in: what was sent becomes facts, or is set aside with its reason; nothing is dropped in silence.

CloudEvents 1.0 structured (one), batch and, where the store allows it, binary; or a shop's own form, which its connector
verifies and translates. Stored, then answered, then worked on (applying.py).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from django.db import DatabaseError, transaction

from makegood.base import clock
from makegood.connectors.canon import Told
from makegood.connectors.errors import Never, OutsideError
from makegood.transactions import applying, aside, facts, sources, toread
from makegood.transactions.envelope import BATCH, BODY, Bad, check, parsed
from makegood.transactions.facts import CONFLICT, Fact
from makegood.transactions.fields import plain
from makegood.transactions.models import EventAside, Store, StoreFact

log = logging.getLogger("makegood.transactions")
ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"
ASIDE = "set_aside"


@dataclass(frozen=True)
class Result:
    """What became of one event: accepted, duplicate, or set aside (``reason``, ``detail``)."""

    id: str
    result: str
    reason: str = ""
    detail: str = ""


def is_cloud_event(headers: Mapping[str, str]) -> bool:
    """Whether it says that it is a CloudEvent; else it is in the shop's own form."""
    return _kind(headers).startswith("application/cloudevents") or "ce-specversion" in headers


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def take_events(store: Store, headers: Mapping[str, str], body: bytes) -> list[Result]:
    """Store what a verified sender sent. Raises Bad only where nothing of it is an event; it is set aside then too."""
    try:
        events = _events(store, headers, body)
    except Bad as bad:
        aside.keep(store, body, bad.code, bad.detail, headers=headers)
        raise
    return store_events(store, events, headers=headers)


def store_events(store: Store, events: Sequence[Any], *, headers: Mapping[str, str] | None = None) -> list[Result]:
    """Check each event and write the good ones; the bad ones are set aside. All or nothing is written."""
    results: list[Result | None] = [None] * len(events)
    good: list[tuple[int, Fact]] = []
    with transaction.atomic():
        for place, event in enumerate(events):
            try:
                good.append((place, check(event, store)))
            except Bad as bad:
                results[place] = _aside(store, event, bad, headers)
        outcomes = _append(store, [fact for _place, fact in good])
        for (place, fact), outcome in zip(good, outcomes, strict=True):
            if outcome in (CONFLICT, "cannot_store"):
                results[place] = _aside(store, events[place], Bad(outcome), headers)
            else:
                results[place] = Result(fact.event_id, outcome)
    return [result for result in results if result is not None]


def _append(store: Store, good: list[Fact]) -> list[str]:
    try:
        with transaction.atomic():
            return facts.append(store, good, way=StoreFact.Way.EVENT)
    except DatabaseError:
        if len(good) == 1:
            log.exception("an event of store %s cannot be stored", store.pk)
            return ["cannot_store"]
    return [outcome for fact in good for outcome in _append(store, [fact])]


def _aside(store: Store, event: Any, bad: Bad, headers: Mapping[str, str] | None) -> Result:
    body = json.dumps(event, ensure_ascii=True).encode()
    aside.keep(store, body, bad.code, bad.detail, headers=headers)
    id_ = event.get("id") if isinstance(event, dict) else None
    return Result(id_[:200] if isinstance(id_, str) else "", ASIDE, bad.code, bad.detail)


def _events(store: Store, headers: Mapping[str, str], body: bytes) -> list[Any]:
    if len(body) > BODY:
        raise Bad("too_large")
    kind = _kind(headers)
    if kind == MANY:
        batch = parsed(body)
        if not isinstance(batch, list):
            raise Bad("no_batch", "a batch is an array of events")
        if len(batch) > BATCH:
            raise Bad("too_many", f"at most {BATCH} events at once")
        return batch
    if kind == ONE:
        return [parsed(body)]
    if "ce-specversion" in headers and kind == "application/json":
        if not store.settings.get("binary"):
            # The signature covers the body alone: whoever sees one such message could make it say something else.
            raise Bad("binary", "binary mode leaves the attributes unsigned; send the structured one")
        attributes = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
        if headers.get("webhook-id") != attributes.get("id"):
            raise Bad("binary", "webhook-id must be the event's id")
        return [{**attributes, "data": parsed(body)}]
    raise Bad("content_type", kind[:80])


def take_native(store: Store, headers: Mapping[str, str], body: bytes) -> list[Result]:
    """Verify and translate what a shop sent in its own form, and store it.

    Raises Never('forged'), Never('stale'), Never('garbage') and Later like the connector: nothing is stored of a stranger's.
    What the connector breaks on is set aside.
    """
    source = sources.opened(store)
    try:
        told = source.told(headers, body)
    except OutsideError:
        raise
    except Exception as error:
        log.exception("an event of store %s cannot be translated", store.pk)
        way = StoreFact.Way.NATIVE
        aside.keep(store, body, "cannot_translate", type(error).__name__, way=way, headers=headers)
        return [Result("", ASIDE, "cannot_translate", type(error).__name__)]
    return store_native(store, told, body)


def store_native(store: Store, told: Sequence[Told], body: bytes) -> list[Result]:
    """Write what a connector translated; of a store that does not sign, it only makes us read."""
    if not store.believed:
        toread.ask_all({(store.pk, one.noun, one.ref): store for one in told})
        return [Result(one.ref, "will_be_read") for one in told]
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()
    made = [
        Fact(one, f"{digest}-{n}", "native", json.dumps(plain(one.raw), ensure_ascii=False).replace("\x00", ""))
        for n, one in enumerate(told)
    ]
    outcomes = facts.append(store, made, way=StoreFact.Way.NATIVE)
    return [Result(f.event_id, outcome) for f, outcome in zip(made, outcomes, strict=True)]


def replay(row: EventAside) -> str:
    """Try once more what was set aside: '' when it is taken now, else the code of what is still wrong with it."""
    body = bytes(row.body)
    if row.reason == "cannot_apply":
        return _apply_again(row)
    try:
        with transaction.atomic():
            if row.way == StoreFact.Way.NATIVE:
                # Its signature was made then, and is judged as of then.
                with clock.travel(row.last_at):
                    told = sources.opened(row.store).told(row.headers, body)
                store_native(row.store, told, body)
            else:
                again = parsed(body)
                made = [check(event, row.store) for event in (again if isinstance(again, list) else [again])]
                if CONFLICT in facts.append(row.store, made, way=StoreFact.Way.EVENT):
                    raise Bad(CONFLICT)
    except (Bad, Never) as error:
        return error.code
    except Exception as error:
        log.exception("event %s still cannot be taken", row.pk)
        return type(error).__name__
    aside.done(row, EventAside.State.REPLAYED)
    return ""


def _apply_again(row: EventAside) -> str:
    pk, _space, came_at = row.headers.get("fact", "").partition(" ")
    fact = StoreFact.objects.filter(pk=int(pk or 0), came_at=came_at or None).first()
    if fact is None:
        return "forgotten"
    try:
        with transaction.atomic():
            applying.apply([fact])
    except Exception as error:
        log.exception("fact %s still cannot be applied", pk)
        return type(error).__name__
    aside.done(row, EventAside.State.REPLAYED)
    return ""
