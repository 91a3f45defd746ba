"""The legal clocks as data: which rule gives whom how long, from which event on, and what silence means.

    from makegood.packs.legal import clocks
    clocks().rule("kr.refund").length

Nothing here is legal advice: a row is ``verified`` only when somebody read the text itself, and a shop may switch
any row on or off (``promises/switches.py``). Where two clocks run, both are shown; they are never merged.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from makegood.base.calendar import BadCalendar, Calendar, Span
from makegood.packs.legal_shapes import (
    BASES,
    KINDS,
    KNOWN_FROM,
    PARTIES,
    UNITS,
    Clocks,
    Jurisdiction,
    Rule,
    Trigger,
)
from makegood.packs.loader import taxonomy
from makegood.packs.reading import Entry, locate, overlay, read, refuse_twice
from makegood.packs.shapes import Term


def clocks() -> Clocks:
    """The legal clocks of this site; raises PackError when the pack is wrong."""
    return _clocks(overlay())


@lru_cache(maxsize=8)
def _clocks(folder: str) -> Clocks:
    root = read(locate("clocks/words.toml", folder))
    root.only("jurisdiction", "trigger", "silence", "consequence", "evidence", "party")
    places = {j.code: j for j in map(_jurisdiction, _coded(root, "jurisdiction"))}
    found = Clocks(
        jurisdictions=MappingProxyType(places),
        triggers=MappingProxyType({t.code: t for t in map(_trigger, _coded(root, "trigger"))}),
        silences=_terms(root, "silence"),
        consequences=_terms(root, "consequence"),
        evidence=_terms(root, "evidence"),
        parties=_terms(root, "party"),
        rules=MappingProxyType({}),
    )
    if "none" not in found.silences:
        raise root.wrong("the silence 'none' is missing: it says that silence means nothing")
    for party in PARTIES:
        if party not in found.parties:
            raise root.wrong(f"the party '{party}' has no name")
    entries = [entry for place in places for entry in _rows(place, folder)]
    refuse_twice(entries)
    rules = {r.code: r for r in (_rule(e, found, taxonomy().types) for e in entries)}
    for entry in entries:
        beside = entry.raw.get("beside", "")
        if beside and (beside not in rules or rules[beside].beside != entry.raw["code"]):
            raise entry.wrong(f"'beside' names '{beside}', which is no rule that names this one back")
    return Clocks(
        **{**{f.name: getattr(found, f.name) for f in fields(found)}, "rules": MappingProxyType(rules)}
    )


def _rows(place: str, folder: str) -> list[Entry]:
    root = read(locate(f"clocks/{place}.toml", folder))
    root.only("rule")
    for entry in (entries := root.entries("rule", low=0)):
        if entry.raw.get("jurisdiction") != place:
            raise entry.wrong(f"'jurisdiction' must be '{place}' in this file")
    return entries


def _jurisdiction(entry: Entry) -> Jurisdiction:
    entry.only("code", "ko", "zh", "en", "zones", "currencies", "calendar", "zone", "months_from")
    zones = _strings(entry, "zones")
    home = _string(entry, "zone")
    for zone in (*zones, *([home] if home else [])):
        try:
            Calendar(zone, ((),) * 7)
        except BadCalendar as error:
            raise entry.wrong(str(error)) from None
    return Jurisdiction(
        code=entry.code(),
        name=entry.own_text(),
        zones=zones,
        currencies=_strings(entry, "currencies"),
        calendar=entry.one_of("calendar", ("kr", "cn", "weekdays"), "calendar"),
        zone=home,
        months_from=entry.one_of("months_from", ("event_day", "first_day"), "way of counting months"),
    )


def _trigger(entry: Entry) -> Trigger:
    entry.only("code", "ko", "zh", "en", "known_from")
    known = _choice(entry, "known_from", KNOWN_FROM, "source of a known moment")
    return Trigger(entry.code(), entry.own_text(), known)


def _rule(entry: Entry, known: Clocks, types: Mapping[str, object]) -> Rule:
    entry.only(
        "code", "ko", "zh", "en", *(f.name for f in fields(Rule) if f.name not in ("name", "months_from"))
    )
    kind = entry.one_of("kind", KINDS, "kind of rule")
    place = known.jurisdictions[entry.one_of("jurisdiction", known.jurisdictions, "jurisdiction")]
    who = entry.one_of("who_must_act", PARTIES, "party")
    certainty = entry.one_of("certainty", ("H", "M", "L"), "certainty")
    rule = Rule(
        code=entry.code(),
        name=entry.own_text(),
        says=entry.text("says"),
        kind=kind,
        jurisdiction=place.code,
        basis=entry.one_of("basis", BASES, "basis"),
        authority=_string(entry, "authority", needed=True),
        role=entry.one_of("role", PARTIES, "party"),
        who_must_act=who,
        types=entry.many_of("types", types, "problem type") if "types" in entry.raw else (),
        payments=_strings(entry, "payments"),
        unless=entry.many_of("unless", ("dispatched",), "known fact") if "unless" in entry.raw else (),
        months_from=place.months_from,
        silence=entry.one_of("silence", known.silences, "meaning of silence"),
        consequence=entry.one_of("consequence", known.consequences, "consequence"),
        evidence=entry.many_of("evidence", known.evidence, "evidence"),
        valid_from=_day(entry, "valid_from"),
        valid_to=_day(entry, "valid_to"),
        source=_string(entry, "source", needed=True),
        certainty=certainty,
        verified=entry.flag("verified"),
        itself=entry.flag("itself"),
        **(_count(entry, known) if kind == "deadline" else _no_count(entry)),
    )
    if rule.verified and certainty != "H":
        raise entry.wrong("a rule is verified only when its text was read (certainty 'H')")
    if rule.itself and not (rule.is_ours and known.triggers[rule.trigger].known_from):
        raise entry.wrong("a clock starts by itself only when we must act and its event may be known")
    if rule.valid_from and rule.valid_to and rule.valid_to < rule.valid_from:
        raise entry.wrong("'valid_to' lies before 'valid_from'")
    return rule


def _count(entry: Entry, known: Clocks) -> dict[str, Any]:
    unit = entry.one_of("unit", UNITS, "unit")
    within = _string(entry, "within")
    if bool(within) != (unit == "clock_hours"):
        raise entry.wrong("'within' (09:00-18:00) belongs to the unit 'clock_hours', and only to it")
    if within:
        try:
            Span.of(within)
        except BadCalendar as error:
            raise entry.wrong(str(error)) from None
    length = int(entry.above_zero("length", whole=True))
    if unit == "day_of_next_month" and length > 28:
        raise entry.wrong("'length' is a day that every month has, from 1 to 28")
    return {
        "trigger": entry.one_of("trigger", known.triggers, "trigger"),
        "start": entry.one_of("start", ("same", "next"), "first day"),
        "length": length,
        "unit": unit,
        "within": within,
        "roll_over": entry.one_of("roll_over", ("none", "next_working_day"), "roll-over"),
        "take": _choice(entry, "take", ("", "earliest", "latest"), "choice between two clocks"),
        "beside": _string(entry, "beside"),
    }


def _no_count(entry: Entry) -> dict[str, Any]:
    names = ("trigger", "start", "length", "unit", "within", "roll_over", "take", "beside")
    if given := [name for name in names if name in entry.raw]:
        raise entry.wrong(f"a note has no length: take out {', '.join(given)}")
    return {name: 0 if name == "length" else "" for name in names}


def _coded(root: Entry, key: str) -> list[Entry]:
    entries = root.entries(key)
    refuse_twice(entries)
    return entries


def _terms(root: Entry, key: str) -> Mapping[str, Term]:
    entries = _coded(root, key)
    for entry in entries:
        entry.only("code", "ko", "zh", "en")
    return MappingProxyType({e.code(): Term(e.code(), e.own_text()) for e in entries})


def _string(entry: Entry, key: str, *, needed: bool = False) -> str:
    value: str = entry.get(key, str, "text") if needed or key in entry.raw else ""
    if needed and not value.strip():
        raise entry.wrong(f"'{key}' is empty")
    return value


def _strings(entry: Entry, key: str) -> tuple[str, ...]:
    values = entry.get(key, list, "a list of texts") if key in entry.raw else []
    if not all(isinstance(v, str) and v for v in values):
        raise entry.wrong(f"'{key}' must be a list of texts, not {values!r}")
    return tuple(values)


def _choice(entry: Entry, key: str, known: tuple[str, ...], what: str) -> str:
    return entry.one_of(key, known, what) if key in entry.raw else ""


def _day(entry: Entry, key: str) -> datetime.date | None:
    if key not in entry.raw:
        return None
    day = entry.get(key, datetime.date, "a day such as 2026-12-25")
    if isinstance(day, datetime.datetime):
        raise entry.wrong(f"'{key}' must be a day without hours, not {day}")
    return datetime.date(day.year, day.month, day.day)
