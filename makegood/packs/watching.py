"""The processes that are watched, read and checked: ``packs/watch/*.toml``.

    from makegood.packs.watching import processes, read_process
    processes()["refund"].steps["refund.payout"].promise

A site's folder MAKEGOOD_PACKS may replace a shipped file and add files of its own below ``watch/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from makegood.base.languages import Text3
from makegood.packs import working_days
from makegood.packs.errors import PackError
from makegood.packs.legal import clocks
from makegood.packs.loader import names
from makegood.packs.reading import CODE, SHIPPED, Entry, locate, overlay, read, refuse_twice
from makegood.packs.shapes import Item
from makegood.packs.watch_shapes import (
    DETECTORS,
    MOST_CHAIN,
    MOST_EVENTS,
    MOST_KEY,
    MOST_STEPS,
    OWN,
    Duplicate,
    Need,
    Process,
    PromiseOf,
    Recurrence,
    Step,
)

SHIPPED_PROCESSES = ("order", "payment", "refund", "return", "exchange", "invoice", "settlement")


def processes() -> Mapping[str, Process]:
    """Every process of this site by its code; raises PackError when one is wrong."""
    return _processes(overlay())


@lru_cache(maxsize=8)
def _processes(folder: str) -> Mapping[str, Process]:
    own = sorted(p.name for p in Path(folder, "watch").glob("*.toml")) if folder else []
    names = [f"{code}.toml" for code in SHIPPED_PROCESSES]
    found: dict[str, Process] = {}
    for name in [*names, *(n for n in own if n not in names)]:
        process = read_process(locate(f"watch/{name}", folder))
        if process.code in found:
            raise PackError(locate(f"watch/{name}", folder), "", f"the code '{process.code}' is given twice")
        found[process.code] = process
    _once(
        {
            p.code: [*p.steps, *(d.code for d in p.duplicates), *(n.code for n in p.needs)]
            for p in found.values()
        }
    )
    return MappingProxyType(found)


def read_process(path: Path) -> Process:
    """One process from its file, checked; raises PackError with file, place and reason."""
    root = read(path)
    root.only(
        "code", "ko", "zh", "en", "version", "type", "alpha", "late_days", "memory_days", "attributes",
        "event", "step", "duplicate", "need", "recurrence",
    )  # fmt: skip
    attributes = _words(root, "attributes", None)
    events = _events(root)
    steps = _steps(root, events, attributes)
    if path.parent == SHIPPED / "watch" and root.code() != path.stem:
        raise root.wrong(f"the code must be that of the file, '{path.stem}'")
    return Process(
        code=root.code(),
        name=root.own_text(),
        version=int(root.above_zero("version", whole=True)),
        alpha=_share(root, "alpha", 0.5),
        late_days=_or(root, "late_days", 7),
        memory_days=_or(root, "memory_days", 60),
        attributes=attributes,
        events=events,
        steps=steps,
        duplicates=tuple(_duplicate(e, events, attributes) for e in _coded(root, "duplicate")),
        needs=tuple(_need(e, events) for e in _coded(root, "need")),
        recurrences=tuple(_recurrence(e, attributes) for e in _coded(root, "recurrence")),
        type=_listed(root, "type", set(names("type"))),
    )


def _listed(entry: Entry, key: str, known: set[str]) -> str:
    """A code of another pack, '' where the key is absent."""
    value = entry.raw.get(key, "")
    if value and value not in known:
        raise entry.wrong(f"'{key}': there is no '{value}'")
    return str(value)


def _once(codes: Mapping[str, list[str]]) -> None:
    """A finding names its step by code alone, so no two processes may share one."""
    seen: dict[str, str] = {}
    for process, own in codes.items():
        for code in own:
            if code in seen:
                raise PackError(
                    f"watch/{process}.toml", code, f"the process '{seen[code]}' has this code too"
                )
            seen[code] = process


def _coded(root: Entry, key: str, low: int = 0) -> list[Entry]:
    entries = root.entries(key, low=low)
    refuse_twice(entries)
    return entries


def _events(root: Entry) -> Mapping[str, Item]:
    entries = _coded(root, "event", low=1)
    if len(entries) > MOST_EVENTS:
        raise root.wrong(f"'event' has {len(entries)} entries, at most {MOST_EVENTS} can be watched")
    for entry in entries:
        entry.only("code", "ko", "zh", "en")
    return MappingProxyType({e.code(): Item(e.code(), e.own_text()) for e in entries})


def _steps(root: Entry, events: Mapping[str, Item], attributes: tuple[str, ...]) -> Mapping[str, Step]:
    entries = _coded(root, "step", low=1)
    if len(entries) > MOST_STEPS:
        raise root.wrong(f"'step' has {len(entries)} entries, at most {MOST_STEPS} can be watched")
    steps = {e.code(): _step(e, events, attributes) for e in entries}
    for entry, step in zip(entries, steps.values(), strict=True):
        whole = steps.get(step.of)
        if step.of and (whole is None or whole.promise is None or whole.of):
            raise entry.wrong(f"'of': no step '{step.of}' with a promise of its own")
        if whole and not set(step.open) & set(whole.open):
            raise entry.wrong(
                f"'of': '{step.of}' must begin with the same event, or the promise is not its own"
            )
    if sum(step.budget for step in steps.values()) > 1.0001:
        raise root.wrong("the budgets of the steps add up to more than 1")
    return MappingProxyType(steps)


def _step(entry: Entry, events: Mapping[str, Item], attributes: tuple[str, ...]) -> Step:
    entry.only(
        "code", "ko", "zh", "en", "open", "close", "cancel", "lane", "cohort", "promise", "of", "budget",
        "typical_hours", "span", "overtaken", "systemic", "foresee", "skill", "calendar",
    )  # fmt: skip
    opens, closes = _known(entry, "open", events), _known(entry, "close", events)
    cancels = _known(entry, "cancel", events) if "cancel" in entry.raw else ()
    if both := set(opens) & set(closes) or set(closes) & set(cancels) or set(opens) & set(cancels):
        raise entry.wrong(f"the event '{sorted(both)[0]}' may only open, close or cancel the step")
    promise = _promise(entry.table("promise")) if "promise" in entry.raw else None
    of = entry.code("of") if "of" in entry.raw else ""
    if of and promise:
        raise entry.wrong("has both 'of' and 'promise': it shares the promise of the other step")
    foresee = entry.flag("foresee")
    if foresee and not (promise or of):
        raise entry.wrong("'foresee' needs a promise")
    return Step(
        code=entry.code(), name=entry.own_text(), open=opens, close=closes, cancel=cancels,
        lane=_words(entry, "lane", attributes), cohort=_chain(entry, attributes),
        promise=promise, of=of, budget=_share(entry, "budget", 1.0),
        typical_hours=_or(entry, "typical_hours", 24), span=entry.flag("span"),
        overtaken=entry.flag("overtaken"), systemic=entry.flag("systemic"), foresee=foresee,
        skill=_listed(entry, "skill", set(names("party"))),
        calendar=_listed(entry, "calendar", set(working_days.CODES)),
    )  # fmt: skip


def _promise(entry: Entry) -> PromiseOf:
    entry.only("field", "hours", "law", "patience")
    law = entry.many_of("law", clocks().rules, "legal clock") if "law" in entry.raw else ()
    field = entry.code("field") if "field" in entry.raw else ""
    hours = entry.above_zero("hours") if "hours" in entry.raw else 0.0
    if not field and not hours:
        raise entry.wrong("needs a 'field' of the event, or 'hours'")
    patience = entry.above_zero("patience") if "patience" in entry.raw else 0.0
    return PromiseOf(field, hours, patience, law)


def _chain(entry: Entry, attributes: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Wide to narrow: each list must hold the one before it, or 'the parent' of a cohort would not be its own."""
    rows = entry.get("cohort", list, "a list of lists of attributes") if "cohort" in entry.raw else []
    chain = tuple(
        _words(Entry(entry.file, entry.place, {"cohort": row}), "cohort", attributes) for row in rows
    )
    if len(chain) > MOST_CHAIN:
        raise entry.wrong(f"'cohort' has {len(chain)} levels, at most {MOST_CHAIN}")
    for wide, narrow in zip(((), *chain), chain, strict=False):
        if not set(wide) < set(narrow):
            raise entry.wrong(f"'cohort': {list(narrow)} must hold {list(wide)} and more")
    return chain


def _duplicate(entry: Entry, events: Mapping[str, Item], attributes: tuple[str, ...]) -> Duplicate:
    entry.only("code", "ko", "zh", "en", "events", "key", "window_hours", "least_hours", "most_hours")
    key = _words(entry, "key", (*attributes, *OWN))
    if not key or len(key) > MOST_KEY:
        raise entry.wrong(f"'key' needs 1 to {MOST_KEY} of {', '.join((*OWN, *attributes))}")
    window = _or(entry, "window_hours", 0)
    if not window and "tx" not in key:
        raise entry.wrong(
            "'window_hours' is needed where the key is not that of one transaction: customers buy again"
        )
    least, most = _or(entry, "least_hours", 0), _or(entry, "most_hours", 0)
    if (least or most) and not 0 < least <= window <= most:
        raise entry.wrong(
            "a learned window needs 'least_hours', 'window_hours' and 'most_hours', each as long as the last or longer"
        )
    return Duplicate(
        entry.code(), entry.own_text(), _known(entry, "events", events), key, window, least, most
    )


def _need(entry: Entry, events: Mapping[str, Item]) -> Need:
    entry.only("code", "ko", "zh", "en", "when", "needs", "grace_hours")
    when, needs = _known(entry, "when", events), _known(entry, "needs", events)
    if set(when) & set(needs):
        raise entry.wrong("an event cannot need itself")
    return Need(entry.code(), entry.own_text(), when, needs, entry.above_zero("grace_hours"))


def _recurrence(entry: Entry, attributes: tuple[str, ...]) -> Recurrence:
    entry.only("code", "ko", "zh", "en", "subject", "of", "window_days", "usual", "alpha")
    return Recurrence(
        code=entry.code(), name=entry.own_text(), subject=entry.one_of("subject", attributes, "attribute"),
        of=entry.many_of("of", DETECTORS[:4], "detector"), window_days=entry.above_zero("window_days"),
        usual=entry.above_zero("usual"), alpha=_share(entry, "alpha", 0.5),
    )  # fmt: skip


def _known(entry: Entry, key: str, events: Mapping[str, Item]) -> tuple[str, ...]:
    return entry.many_of(key, events, "event")


def _words(entry: Entry, key: str, known: tuple[str, ...] | None) -> tuple[str, ...]:
    """A list of words of ``known`` (None: of any codes), each once; missing means none."""
    values = entry.get(key, list, "a list of attributes") if key in entry.raw else []
    for value in values:
        if (
            not isinstance(value, str)
            or not CODE.fullmatch(value)
            or (known is not None and value not in known)
        ):
            raise entry.wrong(f"'{key}': no attribute has the code {value!r}")
        if known is None and value in OWN:
            raise entry.wrong(f"'{key}': '{value}' is a part of every event, not an attribute")
    if len(set(values)) < len(values):
        raise entry.wrong(f"'{key}' names an attribute twice")
    return tuple(values)


def _or(entry: Entry, key: str, otherwise: float) -> float:
    return entry.above_zero(key) if key in entry.raw else otherwise


def _share(entry: Entry, key: str, most: float) -> float:
    value = entry.above_zero(key)
    if value > most:
        raise entry.wrong(f"'{key}' must be above 0 and at most {most}, not {value}")
    return value


def names_of(process: Process) -> dict[str, Text3]:
    """Code -> name of the steps, rules and events of a process: what sentences and pages call them."""
    rows = (*process.steps.values(), *process.duplicates, *process.needs, *process.recurrences)
    return {**{i.code: i.text for i in process.events.values()}, **{row.code: row.name for row in rows}}
