"""The policy of remedies (``remedies/*.toml``): what may be given for which problem, by whom, and what the law demands at least.

    from makegood.packs.remedying import remedy_policy
    remedy_policy().rules["refund.damaged"].limit("agent", "KRW")

A policy that goes under a floor of the law is refused when it is loaded. The examples beside each row (``tried``) are its tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from makegood.base.languages import Text3
from makegood.packs.errors import PackError, UnknownCode
from makegood.packs.legal import clocks
from makegood.packs.loader import taxonomy
from makegood.packs.reading import SHIPPED, Entry, locate, overlay, read, refuse_twice
from makegood.packs.shapes import Term

FILES = ("remedies/refund.toml", "remedies/goods.toml", "remedies/amends.toml")
OTHER_FILES = ("remedies/floors.toml", "remedies/reasons.toml")
#: From the customer to the owner: who stands above whom in deciding about money.
RANK = ("agent", "specialist", "lead", "manager", "admin")
APPROVERS = ("lead", "manager", "admin")
SINCE = ("ordered", "paid", "received")
ACTIONS = ("refund", "cancel", "return_open", "replace", "credit", "invoice_correct", "freeze")
_TRIED = (
    "type",
    "responsibility",
    "shop",
    "days",
    "before",
    "delivered",
    "law",
    "paid",
    "currency",
    "role",
    "gives",
    "up_to",
)


@dataclass(frozen=True)
class Tried:
    """An example: a situation, and what the row must give to that role ('' nothing), up to how much, alone or with whom."""

    given: Mapping[str, Any]
    gives: str
    up_to: Decimal | None
    alone: bool
    approver: str


@dataclass(frozen=True)
class RemedyRule(Term):
    """One row of the policy; ``name`` is its reason in a few words. Empty tuples: any. Amounts are in major units."""

    remedy: str
    means: Text3
    types: tuple[str, ...]
    responsibility: tuple[str, ...]
    shops: tuple[str, ...]
    law: tuple[str, ...]
    within_days: int
    since: str
    most_before: int | None
    undelivered: bool
    share: int
    up_to: Mapping[str, Decimal]
    limits: Mapping[str, Mapping[str, Decimal] | None]
    approves: str
    approve_hours: int
    arrives_days: int
    steps: tuple[str, ...]
    budgeted: bool
    tried: tuple[Tried, ...] = field(default=(), compare=False)

    def limit(self, role: str, currency: str) -> Decimal | None:
        """Up to how much ``role`` decides alone; None: without limit. A role or a currency that is not named: nought."""
        found = self.limits.get(role, {})
        return None if found is None else found.get(currency, Decimal(0))


@dataclass(frozen=True)
class Floor:
    """What a clock of the law demands while it stands; ``chooses``: among several, the customer chooses."""

    clock: str
    types: tuple[str, ...]
    demands: tuple[str, ...]
    chooses: bool


@dataclass(frozen=True)
class RemedyPolicy:
    """Every row by its code in the order of the files, the floors by their clock, the reasons that are collected."""

    rules: Mapping[str, RemedyRule]
    floors: Mapping[str, Floor]
    reasons: Mapping[str, Term]
    #: Who of the house has read the limits; empty: they are a proposal.
    read_by: str = ""

    def rule(self, code: str) -> RemedyRule:
        if code not in self.rules:
            raise UnknownCode("row of the remedy policy", code)
        return self.rules[code]


def remedy_policy() -> RemedyPolicy:
    """The policy of this site; raises PackError when a file is wrong or goes under a floor of the law."""
    return _policy(overlay())


@lru_cache(maxsize=8)
def _policy(folder: str) -> RemedyPolicy:
    entries = []
    for name in FILES:
        root = read(locate(name, folder))
        root.only("rule")
        entries += root.entries("rule", low=0)
    refuse_twice(entries)
    rules = {rule.code: rule for rule in map(_rule, entries)}
    reasons = read(locate(OTHER_FILES[1], folder))
    reasons.only("reason", "read_by")
    read_by = reasons.get("read_by", str, "a text") if "read_by" in reasons.raw else ""
    named = reasons.entries("reason")
    refuse_twice(named)
    floors = _floors(folder)
    found = RemedyPolicy(
        MappingProxyType(rules),
        MappingProxyType({f.clock: f for f in floors}),
        MappingProxyType({e.code(): _reason(e) for e in named}),
        read_by.strip(),
    )
    for floor in floors:
        _refuse_below(found, floor, folder)
    if folder:
        for code in _policy("").reasons:
            if code not in found.reasons:
                raise PackError(reasons.file, "reason", f"the code '{code}' is missing; cases may hold it")
    return found


def _floors(folder: str) -> list[Floor]:
    """The floors as shipped, and those that a site adds: an edited copy may add some and lose none."""
    root = read(locate(OTHER_FILES[0], folder))
    root.only("floor")
    entries = root.entries("floor", name="clock")
    refuse_twice(entries, "clock")
    found = [_floor(entry) for entry in entries]
    if root.file.parent.parent != SHIPPED:
        for old in _floors(""):
            new = next((f for f in found if f.clock == old.clock), None)
            if new is None or not set(old.demands) <= set(new.demands) or old.chooses > new.chooses:
                raise root.wrong(f"the floor of '{old.clock}' may not be taken away or lowered")
    return found


def _floor(entry: Entry) -> Floor:
    entry.only("clock", "types", "demands", "chooses")
    rule = clocks().rules.get(entry.get("clock", str, "a code"))
    if rule is None:
        raise entry.wrong(f"'clock': no legal clock has the code {entry.raw['clock']!r}")
    types = entry.many_of("types", taxonomy().types, "problem type") if "types" in entry.raw else rule.types
    if rule.types and not set(types) <= set(rule.types):
        raise entry.wrong("'types' names a problem that the clock is not for")
    demands = entry.many_of("demands", taxonomy().remedies, "remedy")
    return Floor(rule.code, types, demands, entry.flag("chooses"))


def _refuse_below(policy: RemedyPolicy, floor: Floor, folder: str) -> None:
    """Each thing that the law demands has a row that gives it in full to everybody, however the rest is narrowed."""
    for remedy in floor.demands:
        rows = [r for r in policy.rules.values() if r.remedy == remedy and floor.clock in r.law]
        if not rows:
            where = locate(OTHER_FILES[0], folder)
            raise PackError(
                where, floor.clock, f"no row of the policy gives '{remedy}', which the law demands"
            )


def _reason(entry: Entry) -> Term:
    entry.only("code", "ko", "zh", "en")
    return Term(entry.code(), entry.own_text())


_KEYS = ("code", "remedy", "ko", "zh", "en", "means", "types", "responsibility", "shops", "law", "within_days", "since",
         "most_before", "undelivered", "share", "up_to", "limits", "approves", "approve_hours", "arrives_days", "steps",
         "budgeted", "tried")  # fmt: skip
_NARROW = (
    "types",
    "responsibility",
    "shops",
    "within_days",
    "most_before",
    "undelivered",
    "share",
    "up_to",
    "budgeted",
)


def _rule(entry: Entry) -> RemedyRule:
    entry.only(*_KEYS)
    words = taxonomy()
    law = entry.many_of("law", clocks().rules, "legal clock") if "law" in entry.raw else ()
    if law and (narrow := [key for key in _NARROW if key in entry.raw]):
        raise entry.wrong(f"the law demands it in full: a row with 'law' takes no {', '.join(narrow)}")
    share = int(entry.above_zero("share", whole=True)) if "share" in entry.raw else 100
    if share > 100:
        raise entry.wrong(f"'share' is at most 100 percent, not {share}")
    since = entry.one_of("since", SINCE, "moment") if "since" in entry.raw else ""
    days = int(entry.above_zero("within_days", whole=True)) if "within_days" in entry.raw else 0
    if bool(since) != bool(days):
        raise entry.wrong("'within_days' and 'since' belong together")
    return RemedyRule(
        code=entry.code(),
        name=entry.own_text(),
        remedy=entry.one_of("remedy", words.remedies, "remedy"),
        means=entry.text("means"),
        types=_some(entry, "types", words.types, "problem type"),
        responsibility=_some(entry, "responsibility", words.responsibilities, "responsibility"),
        shops=tuple(entry.get("shops", list, "a list of shops")) if "shops" in entry.raw else (),
        law=law,
        within_days=days,
        since=since,
        most_before=_whole(entry, "most_before"),
        undelivered=entry.flag("undelivered"),
        share=share,
        up_to=_amounts(entry.table("up_to")) if "up_to" in entry.raw else MappingProxyType({}),
        limits=_limits(entry),
        approves=entry.one_of("approves", APPROVERS, "role"),
        approve_hours=int(entry.above_zero("approve_hours", whole=True)),
        arrives_days=int(entry.above_zero("arrives_days", whole=True)),
        steps=entry.many_of("steps", ACTIONS, "action"),
        budgeted=entry.flag("budgeted"),
        tried=tuple(_tried(e) for e in entry.entries("tried", low=0, name="type")),
    )


def _some(entry: Entry, key: str, known: Any, what: str) -> tuple[str, ...]:
    return entry.many_of(key, known, what) if key in entry.raw else ()


def _whole(entry: Entry, key: str) -> int | None:
    if key not in entry.raw:
        return None
    value: int = entry.get(key, int, "a whole number")
    if value < 0:
        raise entry.wrong(f"'{key}' is not below nought")
    return value


def _limits(entry: Entry) -> Mapping[str, Mapping[str, Decimal] | None]:
    table = entry.table("limits")
    table.only(*RANK)
    found: dict[str, Mapping[str, Decimal] | None] = {}
    for role, value in table.raw.items():
        if value == "any":
            found[role] = None
        elif isinstance(value, dict):
            found[role] = _amounts(table.table(role))
        else:
            raise table.wrong(f"'{role}' must be a table of currencies, or \"any\"")
    return MappingProxyType(found)


def _amounts(entry: Entry) -> Mapping[str, Decimal]:
    found = {}
    for currency, value in entry.raw.items():
        if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            raise entry.wrong(f"'{currency}' is no currency")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 10**12:
            raise entry.wrong(f"'{currency}' must be an amount above 0, not {value!r}")
        found[currency] = Decimal(str(value))
    return MappingProxyType(found)


def _tried(entry: Entry) -> Tried:
    entry.only(*_TRIED, "alone", "approver")
    gives = entry.get("gives", str, "a remedy, or ''")
    if gives and gives not in taxonomy().remedies:
        raise entry.wrong(f"'gives': no remedy has the code '{gives}'")
    up_to = Decimal(str(entry.raw["up_to"])) if "up_to" in entry.raw else None
    return Tried(
        MappingProxyType(dict(entry.raw)), gives, up_to, entry.flag("alone"), entry.raw.get("approver", "")
    )
