"""What the numbers of a stream are called: looked up in the log when a finding needs it, and kept from then on (``WatchName``).

To keep the name of every transaction costs more than all else that is done with its events, and one in a hundred is ever told of.
A finding says when its trouble began, and that is the time of an event: the chunks that hold that moment are few.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from makegood.transactions import chunks
from makegood.transactions.chunks import Kept
from makegood.transactions.models import MODELS, Store
from makegood.watch.chunks import BadChunk, Opened, transactions, written
from makegood.watch.detail import AFFECTED, affected
from makegood.watch.findings import RECOVERED, Findings
from makegood.watch.keys import U64
from makegood.watch.log_events import OF_THE_STORE, Named
from makegood.watch.opening import step_keys
from makegood.watch.plan import SYSTEMIC, Plan
from makegood.watch.state import State

#: Chunks that are looked into for the names of one batch of findings, at most; and spans that one question asks for.
MOST, SPANS = 4_000, 200
#: Moments that are nearer than this are looked for together.
NEAR = 1_000_000
#: An event a moment beside the beginning of the trouble is the same one: times are kept to the microsecond on both sides.
_LEAST, _ORDER = timedelta(microseconds=1), 60


def wanted(plan: Plan, state: State | None, found: Findings) -> dict[int, int]:
    """Transaction -> when it began (µs), for what the findings tell of: their own, and who waits in a fault."""
    new = found[found["state"] != RECOVERED]
    own = new[new["tx"] != 0]
    out = dict(zip(own["tx"].tolist(), own["since"].tolist(), strict=True))
    if state is None:  # a shard of Spark told it: who waits stands there
        return out
    for fault in new[new["kind"] == SYSTEMIC]:
        out |= _waiting(plan, state, fault)
    return out


def _waiting(plan: Plan, state: State, fault: Any) -> dict[int, int]:
    """The transactions that detail.py names as affected, with their beginnings."""
    keys = np.array([int(key) for key in affected(plan, state, fault)[:AFFECTED]], np.int64).view(np.uint64)
    rows = state.rows.index.find(step_keys(plan, keys, np.full(len(keys), int(fault["rule"]))))
    there = rows >= 0
    return dict(zip(keys[there].tolist(), state.rows["first"][rows[there]].tolist(), strict=True))


def resolved(wanted: Mapping[int, int]) -> dict[int, Named]:
    """The names of these transactions, as far as chunks of the log hold an event of theirs at that moment."""
    left = dict(wanted)
    names: dict[int, Named] = {}
    looked: set[int] = set()
    spans = _spans(sorted(set(left.values())))
    for low in range(0, len(spans), SPANS):
        if not left or len(looked) >= MOST:
            break
        some = chunks.covering(spans[low : low + SPANS], MOST - len(looked))
        hits = {
            one.id: one
            for one in some
            if one.id not in looked and np.isin(transactions(one.keys), _keys(left)).any()
        }
        looked |= {one.id for one in some}
        texts = chunks.texts([(one.id, one.came_at) for one in hits.values()])
        shops = dict(Store.objects.values_list("id", "shop_id"))
        for id_, packed in texts.items():
            found = _named(hits[id_].keys, packed, left, shops.get(hits[id_].store_id))
            names |= found
            left = {key: at for key, at in left.items() if key not in found}
    return names


def _keys(left: Iterable[int]) -> U64:
    return np.array(list(left), np.uint64)


def _spans(moments: list[int]) -> list[tuple[datetime, datetime]]:
    """Moments (rising) as spans; those that lie near one another are one."""
    out: list[tuple[int, int]] = []
    for at in moments:
        if out and at - out[-1][1] <= NEAR:
            out[-1] = (out[-1][0], at)
        else:
            out.append((at, at))
    return [(_moment(low) - _LEAST, _moment(high) + _LEAST) for low, high in out]


def _moment(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=min(max(micros, 0), 4_000_000_000_000_000)
    )


def _named(keys: bytes, packed: bytes, wanted: Mapping[int, int], shop: int | None) -> dict[int, Named]:
    try:
        texts = written(packed)
    except BadChunk:
        return {}  # the finding is told without a name
    every = transactions(keys)
    money = texts.get("currency")
    out = {}
    for place in np.flatnonzero(np.isin(every, _keys(wanted))).tolist():
        ref = texts["tx"][place]
        out[int(every[place])] = Named(shop, order_of(ref), ref, money[place] if money else "")
    return out


def order_of(tx: str) -> str:
    """The order's number that the name of a transaction is; '' where it says that it is another thing ('payment:P-7')."""
    noun, colon, _ = tx.partition(":")
    return "" if len(tx) > _ORDER or (colon and noun in MODELS) else tx


def lanes(
    plan: Plan, kept: Kept, opened: Opened, found: Mapping[int, tuple[int, tuple[int, ...]]], shop: int
) -> dict[int, Named]:
    """The names of lanes that events of a chunk open (``found``: by lane, the event and its attributes)."""
    try:
        texts = written(chunks.texts([(kept.id, kept.came_at)])[kept.id])
    except (BadChunk, KeyError):
        texts = {}

    def value(attribute: str, event: int) -> str:
        if attribute == "shop":
            return str(shop)
        told = ""
        if f"a:{attribute}" in texts and attribute in opened.place:
            told = texts[f"a:{attribute}"][int(opened.place[attribute][event])]
        return told or (f"store:{kept.store_id}" if attribute in OF_THE_STORE else "")

    return {
        lane: Named(shop or None, "", " · ".join(value(plan.attributes[c], event) for c in columns)[:200])
        for lane, (event, columns) in found.items()
    }
