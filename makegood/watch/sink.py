"""Writing what was found: under the kernel's own name of it, so that finding it again writes nothing new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import connection, transaction

from makegood.base import clock
from makegood.watch import naming
from makegood.watch.detail import detail
from makegood.watch.findings import PAST, RAISED, RECOVERED, Findings
from makegood.watch.house import Watched
from makegood.watch.log_events import Named, signed
from makegood.watch.model import Model
from makegood.watch.models import Finding, WatchName
from makegood.watch.plan import KINDS, SYSTEMIC
from makegood.watch.state import State
from makegood.watch.words import explain

_OVER = """UPDATE makegood_finding AS f SET state = 'recovered', ended_at = v.ended
FROM unnest(%s::bigint[], %s::timestamptz[]) AS v(uid, ended) WHERE f.uid = v.uid AND f.state = 'raised'"""
_NAMES = """INSERT INTO makegood_watchname (key, shop_id, order_number, ref, currency, seen_at)
SELECT key, shop, number, ref, currency, %s FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[])
AS v(key, shop, number, ref, currency) ON CONFLICT (key) DO NOTHING"""


Told = tuple[Any, str, dict[str, Any]]


def write(watched: Watched, model: Model, state: State, found: Findings, names: Mapping[int, Named]) -> None:
    """The names of what came, and the findings: new ones, and the end of old ones. One transaction."""
    plan, told = watched.plan, list[Told]()
    for one in found[found["state"] != RECOVERED]:
        code, data = explain(plan, one)
        told.append((one, code, data | detail(plan, model, state, one)))
    put(watched, told, found, names, naming.wanted(plan, state, found))


def put(
    watched: Watched,
    told: list[Told],
    found: Findings,
    names: Mapping[int, Named],
    wanted: Mapping[int, int] | None = None,
) -> None:
    """The same for findings that were explained where they were found (a shard of Spark). ``told``: (finding, code, data);
    ``wanted``: the transactions whose names they need, with their beginnings (``naming.wanted``)."""
    began = naming.wanted(watched.plan, None, found) if wanted is None else wanted
    keys = {int(one[key]) for one, _code, _data in told for key in ("tx", "lane")} - {0} | began.keys()
    known = _names_of(keys, names)
    # Of a stream no name is kept before it is asked for; one that is not found leaves its finding without.
    fresh = naming.resolved({key: at for key, at in began.items() if key not in known})
    known |= fresh
    with transaction.atomic():
        name({**names, **fresh})
        if not len(found):
            return
        Finding.objects.bulk_create(
            [_row(watched, *one, known) for one in told], ignore_conflicts=True, batch_size=500
        )
        # Read again with batches cut elsewhere, what was told in time may come as past: it is over all the same.
        _over(found[found["state"] != RAISED])


def name(names: Mapping[int, Named]) -> None:
    """Keep what the numbers of transactions and lanes mean."""
    if not names:
        return
    rows = [
        (signed(key), n.shop, n.order_number, n.ref[:200], n.currency) for key, n in sorted(names.items())
    ]
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, [clock.now(), *(list(column) for column in zip(*rows, strict=True))])


def _names_of(keys: Iterable[int], fresh: Mapping[int, Named]) -> dict[int, Named]:
    wanted = set(keys)
    rows = WatchName.objects.in_bulk([signed(key) for key in wanted - fresh.keys()])
    old = {
        key: Named(
            rows[signed(key)].shop_id,
            rows[signed(key)].order_number,
            rows[signed(key)].ref,
            rows[signed(key)].currency,
        )
        for key in wanted
        if signed(key) in rows
    }
    return {**old, **{key: fresh[key] for key in wanted & fresh.keys()}}


def _over(ended: Findings) -> None:
    if len(ended):
        uids = [signed(int(uid)) for uid in ended["id"]]
        moments = [moment(int(e["ended"] or e["due"] or e["at"])) for e in ended]
        with connection.cursor() as cursor:
            cursor.execute(_OVER, [uids, moments])


def _row(watched: Watched, one: Any, code: str, data: dict[str, Any], names: Mapping[int, Named]) -> Finding:
    step = data["step"]
    name = names.get(int(one["tx"])) or names.get(int(one["lane"]))
    if lane := names.get(int(one["lane"])):
        data["lane"] = lane.ref
    return Finding(
        uid=signed(int(one["id"])),
        kind=KINDS[int(one["kind"])],
        process=watched.process.get(step, ""),
        step=step,
        state=Finding.State.PAST if one["state"] == PAST else Finding.State.RAISED,
        shop_id=name.shop if name else None,
        order_number=name.order_number if name and one["tx"] else "",
        tx=signed(int(one["tx"])),
        lane=signed(int(one["lane"])),
        since=moment(int(one["since"])),
        found_at=moment(int(one["at"])),
        ended_at=moment(int(one["ended"])) if one["ended"] else None,
        promised_at=moment(int(one["promise"])) if 0 < one["promise"] < 1 << 60 else None,
        code=code,
        data=data,
        amount=Decimal(str(round(float(one["amount"]), 3))),
        currency=name.currency if name else "",
        confidence=float(one["confidence"]),
        rank=float(one["rank"]),
        fault=signed(int(one["incident"])) if one["incident"] and one["kind"] != SYSTEMIC else None,
    )


def moment(micros: int) -> datetime:
    """µs since 1970 as a time."""
    return datetime.fromtimestamp(int(np.clip(micros, 0, 4_000_000_000_000_000)) / 1e6, UTC)
