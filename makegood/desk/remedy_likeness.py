"""Like cases, unlike remedies: where the same problem was answered differently, and every departure from the policy. For leads."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from makegood.base import clock
from makegood.cases.access import cases_for
from makegood.desk.remedying import named
from makegood.packs import names
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.remedies.models import Remedy

LOOKED_BACK = timedelta(days=90)
MOST = 2000
_GIVEN = ("accepted", "carrying", "done", "arrived", "came_back", "failed")
#: Shares of what was paid that count as alike: none, up to a third, up to nearly all, all.
BANDS = (Decimal("0.34"), Decimal("0.95"))


@dataclass(frozen=True)
class Given:
    """One remedy as it is compared."""

    remedy: Remedy
    what: str
    share: int | None


@dataclass(frozen=True)
class Group:
    """Cases alike by type, responsibility and shop, that were answered in more than one way."""

    type: str
    responsibility: str
    shop: str
    ways: tuple[tuple[str, tuple[Given, ...]], ...]

    @property
    def count(self) -> int:
        return sum(len(given) for _way, given in self.ways)


@dataclass(frozen=True)
class Likeness:
    groups: list[Group]
    deviations: list[Given]


def read(by: Actor) -> Likeness:
    """Of the last 90 days, among the cases that ``by`` may see: the groups with most of them first, deviations newest first."""
    roles.check(by, "compare_remedies")
    rows = list(
        Remedy.objects.filter(state__in=_GIVEN, at__gte=clock.now() - LOOKED_BACK, case__in=cases_for(by))
        .select_related("case__shop", "payment", "by")
        .order_by("-id")[:MOST]
    )
    alike: dict[tuple[str, str, str], dict[str, list[Given]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        key = (row.case.type, row.case.responsibility, row.case.shop.name)
        alike[key][_way(row)].append(_given(row))
    groups = [
        Group(
            str(names("type").get(type_, type_)),
            str(names("responsibility").get(whose, whose)),
            shop,
            tuple(sorted(((way, tuple(given)) for way, given in ways.items()), key=lambda w: -len(w[1]))),
        )
        for (type_, whose, shop), ways in alike.items()
        if len(ways) > 1
    ]
    deviations = [_given(row) for row in rows if row.deviation]
    return Likeness(sorted(groups, key=lambda g: -g.count), deviations)


def _way(row: Remedy) -> str:
    """The kind, and for money back how much of what was paid, in bands."""
    share = _share(row)
    band = "" if share is None else str(sum(share > bound for bound in BANDS))
    name = str(names("remedy").get(row.kind, row.kind))
    return (
        name
        if not band or (row.kind == "refund" and band == "2")
        else f"{name} ({['≤ 33 %', '34–95 %', '> 95 %'][int(band)]})"
    )


def _share(row: Remedy) -> Decimal | None:
    if row.payment is None or not row.payment.amount or row.amount is None:
        return None
    return row.amount / row.payment.amount


def _given(row: Remedy) -> Given:
    share = _share(row)
    return Given(row, named(row), None if share is None else round(share * 100))
