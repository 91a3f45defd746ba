"""Writing what was found: under the kernel's own name of it, so that finding it again writes nothing new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import connection, transaction

from makegood.base import clock
from makegood.watch import curves
from makegood.watch.findings import PAST, RAISED, RECOVERED, Findings
from makegood.watch.house import Watched
from makegood.watch.log_events import Named, signed
from makegood.watch.model import Model
from makegood.watch.models import Finding, WatchName
from makegood.watch.opening import step_keys
from makegood.watch.plan import KINDS, SYSTEMIC, Plan
from makegood.watch.state import State, transactions
from makegood.watch.words import explain

#: So many of the transactions that wait in a fault are named with it, the longest wait first.
AFFECTED = 200
#: The shares of its like that the small picture shows.
PICTURE = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_OVER = """UPDATE makegood_finding AS f SET state = 'recovered', ended_at = v.ended
FROM unnest(%s::bigint[], %s::timestamptz[]) AS v(uid, ended) WHERE f.uid = v.uid AND f.state = 'raised'"""
_NAMES = """INSERT INTO makegood_watchname (key, shop_id, order_number, ref, currency, seen_at)
SELECT key, shop, number, ref, currency, %s FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[])
AS v(key, shop, number, ref, currency) ON CONFLICT (key) DO NOTHING"""


def write(watched: Watched, model: Model, state: State, found: Findings, names: Mapping[int, Named]) -> None:
    """The names of what came, and the findings: new ones, and the end of old ones. One transaction."""
    with transaction.atomic():
        _name(names)
        if not len(found):
            return
        new = found[found["state"] != RECOVERED]
        known = _names_of({*new["tx"].tolist(), *new["lane"].tolist()} - {0}, names)
        Finding.objects.bulk_create(
            [_row(watched, model, state, one, known) for one in new], ignore_conflicts=True, batch_size=500
        )
        # Read again with batches cut elsewhere, what was told in time may come as past: it is over all the same.
        _over(found[found["state"] != RAISED])


def _name(names: Mapping[int, Named]) -> None:
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


def _row(watched: Watched, model: Model, state: State, one: Any, names: Mapping[int, Named]) -> Finding:
    plan = watched.plan
    code, data = explain(plan, one)
    step = data["step"]
    name = names.get(int(one["tx"])) or names.get(int(one["lane"]))
    data["rare"], data["paced"] = float(one["rare"]), float(one["paced"])
    if lane := names.get(int(one["lane"])):
        data["lane"] = lane.ref
    if one["kind"] == SYSTEMIC:
        data["affected"] = _affected(plan, state, one)
    elif picture := _picture(plan, model, state, one):
        data["like"] = picture
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


def _affected(plan: Plan, state: State, one: Any) -> list[str]:
    """The transactions that wait in the lane of a fault, as texts (JavaScript and JSON know no 64 bits)."""
    step = int(one["rule"])
    rows = np.flatnonzero(state.rows["step"] == step)
    if one["lane"] != plan.keys[step]:
        lane = state.lanes.index.find(np.array([one["lane"]], np.uint64))[0]
        rows = rows[state.rows["lane"][rows] == lane]
    rows = rows[np.argsort(state.rows["first"][rows], kind="stable")][:AFFECTED]
    keys = transactions(plan, state.rows.index.keys[rows], state.rows["step"][rows])
    return [str(signed(int(key))) for key in keys]


def _picture(plan: Plan, model: Model, state: State, one: Any) -> dict[str, Any]:
    """How long its like takes: share done -> seconds, as far as it was seen; {} where nothing was learned."""
    step = int(one["rule"])
    if step >= len(plan.codes) or not one["tx"]:
        return {}
    key = step_keys(plan, np.array([one["tx"]], np.uint64), np.array([step]))
    row = int(state.rows.index.find(key)[0])
    place = int(state.rows["cohort"][row]) if row >= 0 else -1
    cohort = int(state.known[place]) if 0 <= place < len(state.known) else -1
    if cohort < 0:
        return {}
    curve = model.curve[cohort]
    done = [
        [share, float(curves.upper(int(np.argmax(curve <= 1 - share)))) / 1e6]
        for share in PICTURE
        if curve[-1] <= 1 - share
    ]
    return {"done": done, "count": int(model.count[cohort])} if done else {}


def moment(micros: int) -> datetime:
    """µs since 1970 as a time."""
    return datetime.fromtimestamp(int(np.clip(micros, 0, 4_000_000_000_000_000)) / 1e6, UTC)
