"""What the pages of the watch show: the processes, and one of them step by step. One finding: ``watch_finding.py``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere
from makegood.cases.access import shops_served
from makegood.desk import watch_cases, watch_learned
from makegood.packs.watch_shapes import Process, Step
from makegood.packs.watching import processes
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.watch.models import Finding, WatchModel, WatchMonth, WatchName, WatchSetting, WatchState
from makegood.watch.relearn import ALPHAS
from makegood.watch.runner import ROW
from makegood.watch.words import duration

SHOWN = 50
NOTHING: dict[str, Any] = {"open": 0, "late": 0, "oldest": 0, "pace": 1.0, "usual": {}, "lanes": []}
#: Slower than this share of its usual pace a lane is said to be slow.
SLOW = 0.6
#: How far back the findings of a shop are counted beside its limit.
VAIN = timedelta(days=30)


@dataclass(frozen=True)
class Bar:
    """One step as it stands now. ``share`` and ``late_share``: the lengths of its two bars, 0 to 100; ``y``: where it is drawn."""

    step: Step
    open: int
    late: int
    oldest: datetime | None
    pace: int
    usual: str
    most: str
    learned: int
    false: str
    lanes: list[Lane]
    share: float = 0
    late_share: float = 0
    y: int = 0

    @property
    def slow(self) -> bool:
        return self.pace < SLOW * 100

    @property
    def mark(self) -> float:
        """Where its pace lies on a line of 0 to 200 %."""
        return min(self.pace, 200) / 2


@dataclass(frozen=True)
class Lane:
    name: str
    open: int
    late: int
    pace: int


@dataclass(frozen=True)
class Line:
    """One process in the list."""

    process: Process
    on: bool
    open: int
    late: int
    raised: int
    slow: int


@dataclass(frozen=True)
class WhatIf:
    """What a limit would have told of the known past: per 1,000 steps, and how many are open beyond it now."""

    alpha: float
    per_thousand: float
    told: str
    open: int
    now: bool


@dataclass(frozen=True)
class Wish:
    """What one shop wants of a process; ``alpha``: its own false alarms of 1,000, '' for the house's; ``told``: findings here
    that were in vain in the last 30 days, of all."""

    shop: Shop
    on: bool
    tell_first: bool
    alpha: str
    vain: int
    found: int


@dataclass(frozen=True)
class ProcessPage:
    process: Process
    bars: list[Bar]
    height: int
    findings: list[tuple[Finding, str]]
    alpha: float
    what_if: list[WhatIf]
    learned_at: datetime | None
    on: bool
    shops: list[Wish]
    may_keep: bool
    kept_at: datetime | None
    twice: list[watch_learned.Twice]
    shared: watch_learned.Shared | None
    kept: int
    told: int

    @property
    def per_thousand(self) -> str:
        """The false alarms that are accepted now, of 1,000."""
        return f"{1000 * self.alpha:g}"

    @property
    def realised(self) -> str:
        """Those that there were in the newest month that was counted; '' before there was one."""
        return f"{1000 * self.told / self.kept:.1f}" if self.kept else ""


def lines(by: Actor) -> tuple[list[Line], datetime | None]:
    """Every process with its numbers, and when they were read."""
    roles.check(by, "see_watch")
    seen, kept_at = _seen()
    off = set(WatchSetting.objects.filter(shop=None, on=False).values_list("process", flat=True))
    raised = dict(mine(by).filter(state="raised").values_list("process").annotate(n=Count("id")))
    out = []
    for code, process in processes().items():
        steps = [seen[s] for s in process.steps if s in seen]
        # A span holds what its steps hold: counted once, by the step in which most is open.
        out.append(
            Line(
                process,
                code not in off,
                max((s["open"] for s in steps), default=0),
                max((s["late"] for s in steps), default=0),
                raised.get(code, 0),
                sum(s["pace"] < SLOW for s in steps),
            )
        )
    return out, kept_at


def process_page(by: Actor, code: str) -> ProcessPage:
    """One process. Raises NotThere for a code that nobody knows."""
    roles.check(by, "see_watch")
    process = processes().get(code)
    if process is None:
        raise NotThere("no_process", _("There is no such process."))
    seen, kept_at = _seen()
    settings = {s.shop_id: s for s in WatchSetting.objects.filter(process=code)}
    own, model = settings.get(None), WatchModel.objects.order_by("-id").first()
    alpha = own.alpha if own and own.alpha is not None else process.alpha
    rows = mine(by).filter(process=code).select_related("shop", "case")
    waiting = list(rows.filter(state="raised").order_by("-rank")[:SHOWN])
    keep = roles.may(by, "keep_watch")
    served = shops_served(by)
    shops = (
        Shop.objects.order_by("name")
        if served is None
        else Shop.objects.filter(pk__in=served).order_by("name")
    )
    return ProcessPage(
        process=process,
        bars=_bars(process, seen),
        height=len(process.steps) * 44 + 8,
        findings=[(f, watch_cases.said(f)) for f in waiting],
        alpha=alpha,
        what_if=_what_if(model, code, alpha),
        learned_at=model.learned_at if model else None,
        on=not own or own.on,
        shops=_wishes(code, list(shops), settings) if keep else [],
        may_keep=keep,
        kept_at=kept_at,
        twice=watch_learned.twice(process),
        shared=watch_learned.shared(code, alpha),
        **_worth(process),
    )


def _worth(process: Process) -> dict[str, int]:
    """Steps that were kept in the newest month that was counted, and how many of them had been told in vain."""
    rows = WatchMonth.objects.filter(step__in=process.steps)
    month = rows.order_by("-month").values_list("month", flat=True).first()
    if month is None:
        return {"kept": 0, "told": 0}
    sums = rows.filter(month=month).aggregate(kept=Sum("kept"), told=Sum("told"))
    return {name: value or 0 for name, value in sums.items()}


def _wishes(process: str, shops: list[Shop], settings: dict[int | None, WatchSetting]) -> list[Wish]:
    since = clock.now() - VAIN
    vain = Q(state="recovered") & (Q(promised_at=None) | Q(ended_at__lte=F("promised_at")))
    vain |= Q(state="dismissed", dismissed_because="usual")
    rows = Finding.objects.filter(process=process, found_at__gte=since, shop__in=shops).values("shop")
    counted: dict[int | None, Any] = {
        r["shop"]: dict(r) for r in rows.annotate(found=Count("id"), vain=Count("id", filter=vain))
    }
    out = []
    for shop in shops:
        own = settings.get(shop.pk)
        seen: dict[str, int] = counted.get(shop.pk, {})
        alpha = f"{1000 * own.alpha:g}" if own and own.alpha is not None else ""
        out.append(
            Wish(
                shop,
                not own or own.on,
                bool(own and own.tell_first),
                alpha,
                seen.get("vain", 0),
                seen.get("found", 0),
            )
        )
    return out


def mine(by: Actor) -> QuerySet[Finding]:
    """The findings of the shops that the actor serves, and those of no shop."""
    served = shops_served(by)
    return (
        Finding.objects.all() if served is None else Finding.objects.filter(Q(shop=None) | Q(shop__in=served))
    )


def _seen() -> tuple[dict[str, Any], datetime | None]:
    row = WatchState.objects.filter(pk=ROW).values_list("seen", "kept_at").first()
    return (row[0].get("steps", {}), row[1]) if row else ({}, None)


def _bars(process: Process, seen: dict[str, Any]) -> list[Bar]:
    known = {code: seen[code] for code in process.steps if code in seen}
    keys = [int(lane["key"]) for row in known.values() for lane in row["lanes"]]
    names = WatchName.objects.in_bulk(keys)
    shops = dict(Shop.objects.values_list("id", "name"))
    month = WatchMonth.objects.filter(step__in=process.steps).order_by("step", "-month")
    worth = {m.step: m for m in reversed(month)}
    most = max((row["open"] for row in known.values()), default=0) or 1
    out = []
    for n, step in enumerate(process.steps.values()):
        row = known.get(step.code) or dict(NOTHING)
        usual, own = row["usual"], worth.get(step.code)
        out.append(
            Bar(
                step=step,
                open=row["open"],
                late=row["late"],
                oldest=datetime.fromtimestamp(row["oldest"] / 1e6, UTC) if row["oldest"] else None,
                pace=round(row["pace"] * 100),
                usual=duration(usual["half"]) if usual else "",
                most=duration(usual["most"]) if usual and usual["most"] < 10 * 365 * 86400 else "",
                learned=usual.get("count", 0),
                false=f"{1000 * own.told / own.kept:.1f}" if own and own.kept else "",
                lanes=[_lane(lane, names, shops) for lane in row["lanes"]] if step.lane else [],
                share=100 * row["open"] / most,
                late_share=100 * row["late"] / most,
                y=n * 44,
            )
        )
    return out


def _lane(lane: dict[str, Any], names: dict[int, WatchName], shops: dict[int, str]) -> Lane:
    name = names.get(int(lane["key"]))
    ref = name.ref if name else "?"
    if name and ref == str(name.shop_id):
        ref = shops.get(int(ref), ref)
    return Lane(ref or "—", lane["open"], lane["late"], round(lane["pace"] * 100))


def _what_if(model: WatchModel | None, code: str, alpha: float) -> list[WhatIf]:
    tried = model.what_if.get(code, {}) if model else {}
    nearest = min(ALPHAS, key=lambda a: abs(log(a / alpha))) if alpha > 0 else None
    return [
        WhatIf(
            a,
            1000 * a,
            f"{1000 * row['false'] / row['steps']:.1f}" if row["steps"] else "—",
            row["open"],
            a == nearest,
        )
        for a in ALPHAS
        if (row := tried.get(str(a)))
    ]
