"""Writing what was found: under the kernel's own name of it, so that finding it again writes nothing new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction

from makegood.base import clock, rows
from makegood.watch import naming
from makegood.watch.detail import details
from makegood.watch.findings import PAST, RAISED, RECOVERED, Findings
from makegood.watch.house import Watched
from makegood.watch.log_events import Named, signed, unsigned
from makegood.watch.model import Model
from makegood.watch.plan import KINDS, SYSTEMIC, Plan
from makegood.watch.state import State
from makegood.watch.words import explain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OVER = """UPDATE makegood_finding AS f SET state = 'recovered', ended_at = 'epoch'::timestamptz + v.ended * interval '1 microsecond'
FROM unnest($1::bigint[], $2::bigint[]) AS v(uid, ended) WHERE f.uid = v.uid AND f.state = 'raised' RETURNING f.uid"""
_NAMES = """INSERT INTO makegood_watchname (key, shop_id, order_number, ref, currency, seen_at)
SELECT key, shop, number, ref, currency, $1 FROM json_to_recordset($2::json)
AS v(key bigint, shop bigint, number text, ref text, currency text) ON CONFLICT (key) DO NOTHING RETURNING key"""
_KNOWN = (
    "SELECT key, shop_id, order_number, ref, currency FROM makegood_watchname WHERE key = ANY($1::bigint[])"
)
#: What is written of a finding, with its type. As one JSON document: the ORM took a millisecond for each, which was nine tenths of following.
_WRITTEN: tuple[tuple[str, str], ...] = (
    ("uid", "bigint"), ("kind", "text"), ("process", "text"), ("step", "text"), ("state", "text"), ("shop_id", "bigint"),
    ("order_number", "text"), ("tx", "bigint"), ("lane", "bigint"), ("since", "timestamptz"), ("found_at", "timestamptz"),
    ("ended_at", "timestamptz"), ("promised_at", "timestamptz"), ("code", "text"), ("data", "jsonb"), ("amount", "numeric"),
    ("currency", "text"), ("confidence", "float8"), ("rank", "float8"), ("fault", "bigint"),
)  # fmt: skip
_BLANK = ("acted", "told", "dismissed_because", "dismissed_words")
_COLUMNS = ", ".join(name for name, _kind in _WRITTEN)
_PUT = f"""INSERT INTO makegood_finding ({_COLUMNS}, {", ".join(_BLANK)}) SELECT {_COLUMNS}, {", ".join("''" for _ in _BLANK)}
FROM json_to_recordset($1::json) AS v({", ".join(f"{name} {kind}" for name, kind in _WRITTEN)}) ON CONFLICT DO NOTHING RETURNING uid"""
#: Findings in one document, and the most money that its column holds: what a sender writes may be any number.
TOGETHER, MOST_MONEY = 2_000, 999_999_999_999_999.0


Told = tuple[Any, str, dict[str, Any]]


def write(watched: Watched, model: Model, state: State, found: Findings, names: Mapping[int, Named]) -> None:
    """The names of what came, and the findings: new ones, and the end of old ones. One transaction."""
    plan = watched.plan
    new = found[found["state"] != RECOVERED]
    told = [
        (one, *_explained(plan, one, more))
        for one, more in zip(records(new), details(plan, model, state, new), strict=True)
    ]
    put(watched, told, found, names, naming.wanted(plan, state, found))


def _explained(plan: Plan, one: Any, more: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    code, data = explain(plan, one)
    return code, data | more


def records(found: Findings) -> list[dict[str, Any]]:
    """Findings as plain values by name: a field of a numpy record costs ten times as much to read."""
    names = found.dtype.names or ()
    return [dict(zip(names, one, strict=True)) for one in found.tolist()]


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
        for low in range(0, len(told), TOGETHER):
            some = [_row(watched, *one, known) for one in told[low : low + TOGETHER]]
            rows.ask(_PUT, msgspec.json.encode(some).decode())
        # Read again with batches cut elsewhere, what was told in time may come as past: it is over all the same.
        _over(found[found["state"] != RAISED])


def name(names: Mapping[int, Named]) -> None:
    """Keep what the numbers of transactions and lanes mean."""
    if not names:
        return
    written = [
        {
            "key": signed(key),
            "shop": n.shop,
            "number": n.order_number,
            "ref": n.ref[:200],
            "currency": n.currency,
        }
        for key, n in sorted(names.items())
    ]
    rows.ask(_NAMES, clock.now(), msgspec.json.encode(written).decode())


def _names_of(keys: Iterable[int], fresh: Mapping[int, Named]) -> dict[int, Named]:
    wanted = set(keys)
    asked = [signed(key) for key in wanted - fresh.keys()]
    old = {unsigned(key): Named(*name) for key, *name in rows.ask(_KNOWN, asked)} if asked else {}
    return {**old, **{key: fresh[key] for key in wanted & fresh.keys()}}


def _over(ended: Findings) -> None:
    if len(ended):
        uids = [signed(int(uid)) for uid in ended["id"]]
        rows.ask(_OVER, uids, [_clipped(int(e["ended"] or e["due"] or e["at"])) for e in ended])


def _row(
    watched: Watched, one: Any, code: str, data: dict[str, Any], names: Mapping[int, Named]
) -> dict[str, Any]:
    step = data["step"]
    name = names.get(int(one["tx"])) or names.get(int(one["lane"]))
    if lane := names.get(int(one["lane"])):
        data["lane"] = lane.ref
    return {
        "uid": signed(int(one["id"])),
        "kind": KINDS[int(one["kind"])],
        "process": watched.process.get(step, ""),
        "step": step,
        "state": "past" if one["state"] == PAST else "raised",
        "shop_id": name.shop if name else None,
        "order_number": name.order_number if name and one["tx"] else "",
        "tx": signed(int(one["tx"])),
        "lane": signed(int(one["lane"])),
        "since": moment(int(one["since"])),
        "found_at": moment(int(one["at"])),
        "ended_at": moment(int(one["ended"])) if one["ended"] else None,
        "promised_at": moment(int(one["promise"])) if 0 < one["promise"] < 1 << 60 else None,
        "code": code,
        "data": data,
        "amount": min(round(float(one["amount"]), 3), MOST_MONEY),
        "currency": name.currency if name else "",
        "confidence": float(one["confidence"]),
        "rank": float(one["rank"]),
        "fault": signed(int(one["incident"])) if one["incident"] and one["kind"] != SYSTEMIC else None,
    }


def _clipped(micros: int) -> int:
    return min(max(micros, 0), 4_000_000_000_000_000)


def moment(micros: int) -> datetime:
    """µs since 1970 as a time."""
    return _EPOCH + timedelta(microseconds=_clipped(micros))
