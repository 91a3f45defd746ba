"""Learning at night from the logs of facts and of streams, with faults left out; what other limits would have told; what the promise was worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Count, F, Q
from django.db.models.functions import TruncMonth

from makegood.base import clock
from makegood.transactions import chunks
from makegood.transactions.models import Store, StoreFact
from makegood.watch import house
from makegood.watch.batch import Batch, concatenated, micros
from makegood.watch.chunks import BadChunk, open_chunk
from makegood.watch.deadlines import learned_dues
from makegood.watch.learn import Incident, learn
from makegood.watch.log_events import to_batch, unsigned, watched_types
from makegood.watch.model import Model, limits
from makegood.watch.models import Finding, WatchModel, WatchMonth, WatchName
from makegood.watch.pairing import History, pair
from makegood.watch.plan import Plan, compile_plan
from makegood.watch.sharing import share
from makegood.watch.tuning import cohorts
from makegood.watch.windows import learn_windows

#: How far back is learned, the newest so many facts, and as many events of streams, at most: they are held in memory at once (about 100 bytes each).
WINDOW, MOST = timedelta(days=120), 4_000_000
CHUNK = 20_000
#: The false alarms that a lead may compare before a limit is changed.
ALPHAS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
KEPT_MODELS, NAMES_KEPT = 14, timedelta(days=180)


def learn_anew() -> WatchModel | None:
    """Learn and put in force; None when nothing is watched or the log holds nothing that was finished."""
    watched = house.watched()
    if watched is None:
        return None
    plan, now = watched.plan, clock.now()
    log = read_log(plan, since=now - WINDOW)
    model = learn(plan, log, micros(now), incidents=known_faults(plan, now))
    if not len(model.cohort):
        return None
    history, chosen = pair(plan, log), house.processes_on()
    accepted = house.accepts(chosen)
    shared = share(
        compile_plan(chosen.values()), model, history, chosen, accepted, house.shared_out(), micros(now)
    )
    tried = what_if(plan, model, history, watched.process, shared)
    for code, part in shared.items():
        tried.setdefault(code, {})["shared"] = part
    for rule, window in learn_windows(plan, log).items():
        tried.setdefault(watched.process[rule], {}).setdefault("windows", {})[rule] = asdict(window)
    row = WatchModel.objects.create(
        plan=plan.version, codes=list(plan.codes), data=house.pack(model), facts=len(log),
        what_if=tried, learned_at=now,
    )  # fmt: skip
    _count_months(plan, history)
    old = WatchModel.objects.order_by("-id").values_list("id", flat=True)[KEPT_MODELS:]
    WatchModel.objects.filter(pk__in=list(old)).delete()
    open_now = Finding.objects.filter(state=Finding.State.RAISED).values("tx")
    WatchName.objects.filter(seen_at__lt=now - NAMES_KEPT).exclude(order_number="").exclude(
        key__in=open_now
    ).delete()
    return row


def read_log(plan: Plan, *, since: datetime) -> Batch:
    """The events of both logs that the plan watches, newest first as far as memory allows."""
    shops = dict(Store.objects.values_list("id", "shop_id"))
    found = StoreFact.objects.filter(came_at__gte=since, type__in=list(watched_types(plan)))
    names = ["id", "store_id", "type", "noun", "ref", "order_number", "at", "amount", "currency", "more"]
    parts, chunk = [], []
    for fact in found.only(*names).order_by("-came_at")[:MOST].iterator(chunk_size=CHUNK):
        chunk.append(fact)
        if len(chunk) == CHUNK:
            parts.append(to_batch(plan, chunk, shops)[0])
            chunk = []
    parts.append(to_batch(plan, chunk, shops)[0])
    return concatenated(plan, [*parts, *_streams(plan, since, shops)])


def _streams(plan: Plan, since: datetime, shops: dict[int, int]) -> Iterator[Batch]:
    """The events of chunks that the plan watches, the newest first."""
    left = MOST
    for kept in chunks.newest_first(since):
        if left <= 0:
            return
        try:
            opened = open_chunk(
                plan, kept.keys, kept.data, shop=shops.get(kept.store_id, 0), store=kept.store_id
            )
        except BadChunk:  # the runner has said so
            continue
        batch = opened.batch.take(opened.batch.event >= 0)
        left -= len(batch)
        yield batch


def known_faults(plan: Plan, now: datetime) -> list[Incident]:
    """Faults that the watch found: what was open in them teaches nothing about normal days."""
    faults = Finding.objects.filter(kind="systemic", found_at__gte=now - WINDOW, step__in=plan.codes)
    out = []
    for one in faults.exclude(state=Finding.State.DISMISSED):
        step = plan.codes.index(one.step)
        lane = unsigned(one.lane)
        whole = lane == int(plan.keys[step])
        out.append(Incident(micros(one.since), micros(one.ended_at or now), one.step, 0 if whole else lane))
    return out


def what_if(
    plan: Plan, model: Model, history: History, process: dict[str, str], shared: dict[str, dict[str, Any]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """process -> alpha -> what the known past would have seen: ``steps`` ended, ``false`` (told and ended in time), ``open`` told now."""
    best = cohorts(model, history)
    codes = np.array([process.get(code, "") for code in plan.codes])
    budget = _budgets(plan, shared)
    out: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    now = micros(clock.now())
    for alpha in ALPHAS:
        tried = replace(plan, alpha=np.minimum(alpha * budget, 0.5))
        dues = learned_dues(
            tried, model, limits(tried, model), history.step, history.opened, history.promise, best
        ).due
        fine = history.done & ((history.promise == 0) | (history.ended <= history.promise))
        waits = ~history.done & ~history.cancelled
        for code in sorted(set(codes[np.unique(history.step)].tolist()) - {""}):
            mine = codes[history.step] == code
            out[code][str(alpha)] = {
                "steps": int((mine & history.done).sum()),
                "false": int((mine & fine & (dues < history.ended)).sum()),
                "open": int((mine & waits & (dues <= now)).sum()),
            }
    return dict(out)


def _budgets(plan: Plan, shared: dict[str, dict[str, Any]]) -> np.ndarray:
    """What each step has of its process's false alarms: as shared out, else as written."""
    steps = {s.code: s.budget for p in house.processes_on().values() for s in p.steps.values()}
    for part in shared.values():
        steps |= {code: alpha / part["for"] for code, alpha in part["steps"].items()}
    return np.array([steps.get(code, 0.0) for code in plan.codes])


def _count_months(plan: Plan, history: History) -> None:
    """By step and month: how many were kept, and how many of those had been told."""
    fine = history.done & ((history.promise == 0) | (history.ended <= history.promise))
    kept: dict[tuple[str, date], int] = defaultdict(int)
    months = history.ended[fine].astype("datetime64[us]").astype("datetime64[M]")
    for step in np.unique(history.step[fine]).tolist():
        mine = months[history.step[fine] == step]
        for month, count in zip(*np.unique(mine, return_counts=True), strict=True):
            kept[plan.codes[step], month.astype("datetime64[D]").item()] += int(count)
    false = Q(state="recovered") & (Q(promised_at=None) | Q(ended_at__lte=F("promised_at")))
    told = (
        Finding.objects.filter(kind__in=["stuck", "overtaken"])
        .filter(false | Q(state="dismissed", dismissed_because="usual"))
        .annotate(month=TruncMonth("found_at", tzinfo=UTC))
        .values_list("step", "month")
        .annotate(n=Count("id"))
    )
    alarms = {(step, month.date()): n for step, month, n in told}
    WatchMonth.objects.bulk_create(
        [
            WatchMonth(step=step, month=month, kept=n, told=alarms.get((step, month), 0), counted_at=clock.now())
            for (step, month), n in kept.items()
        ],
        update_conflicts=True, unique_fields=["step", "month"], update_fields=["kept", "told", "counted_at"],
    )  # fmt: skip
