"""What the pages of the watch show: the processes, one of them step by step, one finding with its picture; and what is wanted of them.

Over 300 lines: most of it are the shapes that the three pages draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import log
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases.access import shops_served
from makegood.desk import watching
from makegood.packs.watch_shapes import Process, Step
from makegood.packs.watching import processes
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.watch.models import Finding, WatchModel, WatchMonth, WatchName, WatchSetting, WatchState
from makegood.watch.relearn import ALPHAS
from makegood.watch.runner import ROW
from makegood.watch.words import confidence, duration

SHOWN = 50
#: Slower than this share of its usual pace a lane is said to be slow.
SLOW = 0.6


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
class ProcessPage:
    process: Process
    bars: list[Bar]
    height: int
    findings: list[tuple[Finding, str]]
    alpha: float
    what_if: list[WhatIf]
    learned_at: datetime | None
    on: bool
    shops: list[tuple[Shop, WatchSetting | None]]
    may_keep: bool
    kept_at: datetime | None

    @property
    def per_thousand(self) -> str:
        """The false alarms that are accepted now, of 1,000."""
        return f"{1000 * self.alpha:g}"


@dataclass(frozen=True)
class Tick:
    """A share of its like on the line of time: ``x`` 0 to 100."""

    x: float
    share: str
    after: str


@dataclass(frozen=True)
class FindingPage:
    finding: Finding
    said: str
    process: str
    step: str
    ticks: list[Tick]
    here: float
    like: int
    confidence: str
    children: int
    reasons: list[tuple[str, Any]]


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
        raise watching.NotThere("no_process", _("There is no such process."))
    seen, kept_at = _seen()
    settings = {s.shop_id: s for s in WatchSetting.objects.filter(process=code)}
    house, model = settings.get(None), WatchModel.objects.order_by("-id").first()
    alpha = house.alpha if house and house.alpha is not None else process.alpha
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
        findings=[(f, watching.said(f)) for f in waiting],
        alpha=alpha,
        what_if=_what_if(model, code, alpha),
        learned_at=model.learned_at if model else None,
        on=not house or house.on,
        shops=[(shop, settings.get(shop.pk)) for shop in shops] if keep else [],
        may_keep=keep,
        kept_at=kept_at,
    )


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
        row = known.get(step.code) or {
            "open": 0,
            "late": 0,
            "oldest": 0,
            "pace": 1.0,
            "usual": {},
            "lanes": [],
        }
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


def finding_page(by: Actor, pk: int) -> FindingPage:
    """One finding with its place among its like."""
    one = watching.finding_for(by, pk)
    like = one.data.get("like") or {}
    until = one.ended_at or clock.now()
    age = max((until - one.since).total_seconds(), 1.0)
    done = [(share, max(seconds, 1.0)) for share, seconds in like.get("done", [])]
    longest = max([age, *(seconds for _share, seconds in done)]) * 1.3
    shortest = min([age, *(seconds for _share, seconds in done)]) / 1.5
    process = processes().get(one.process)

    def x(seconds: float) -> float:
        return round(100 * log(seconds / shortest) / log(longest / shortest), 1)

    return FindingPage(
        finding=one,
        said=watching.said(one),
        process=str(process.name) if process else one.process,
        step=watching.step_name(one),
        ticks=[Tick(x(seconds), f"{100 * share:g}", duration(seconds)) for share, seconds in done],
        here=x(age),
        like=like.get("count", 0),
        confidence=confidence(one.confidence),
        children=Finding.objects.filter(fault=one.uid).count() if one.kind == "systemic" else 0,
        reasons=list(Finding.Reason.choices),
    )


def of_case(case_id: int) -> list[tuple[Finding, str]]:
    """The findings on a case, each with its sentence: one query."""
    rows = Finding.objects.filter(case=case_id).order_by("-rank", "id")[:5]
    return [(one, watching.said(one)) for one in rows]


def keep(process: str, *, by: Actor, on: bool, alpha: str, shops: dict[int, tuple[bool, bool]]) -> None:
    """What is wanted of a process: on or off, its false alarms (a share as text, '' as the process says), and by shop
    (on, told first). Raises Refusal."""
    roles.check(by, "keep_watch")
    if process not in processes():
        raise Refusal("unknown_code", _("This is not in the list."), field="process")
    wanted = _share(alpha)
    served = shops_served(by)
    changed = {"changed_by_id": by.person, "changed_at": clock.now()}
    with transaction.atomic():
        WatchSetting.objects.update_or_create(
            process=process, shop=None, defaults={"on": on, "alpha": wanted, **changed}
        )
        for shop in Shop.objects.filter(pk__in=shops):
            if served is None or shop.pk in served:
                here, first = shops[shop.pk]
                WatchSetting.objects.update_or_create(
                    process=process, shop=shop, defaults={"on": here, "tell_first": first, **changed}
                )


def _share(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        per_thousand = float(text.replace(",", "."))
    except ValueError:
        per_thousand = -1.0
    if not 0 <= per_thousand <= 500:
        raise Refusal(
            "bad_share", _("Say how many of 1,000 steps may be told in vain: 0 to 500."), field="alpha"
        )
    return per_thousand / 1000
