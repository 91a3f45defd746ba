"""The work that is left: the steps of the loop, the playbook's list with its ticks, and the suggested type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.cases.closing import ClosingFacts
from makegood.cases.models import Case, CaseEvent, Tick
from makegood.conversations.models import Message
from makegood.desk import suggesting
from makegood.packs import playbook, taxonomy
from makegood.packs.shapes import Item


@dataclass(frozen=True)
class Step:
    """One step of the loop; ``state`` is done, now or ahead."""

    code: str
    name: Any
    state: str


@dataclass(frozen=True)
class Line:
    """An item of the playbook and its tick, if it has one."""

    item: Item
    tick: Tick | None


@dataclass(frozen=True)
class Section:
    """One part of the playbook's list: questions, facts, causes or aftercare."""

    code: str
    name: Any
    lines: list[Line]

    @property
    def done(self) -> int:
        return sum(line.tick is not None for line in self.lines)


@dataclass(frozen=True)
class Choice:
    """A suggested type; ``percent`` is its probability in whole percent."""

    type: str
    percent: int


@dataclass(frozen=True)
class Suggested:
    """What the model thinks of an unsorted case; not ``sure`` means: a person chooses among ``choices``."""

    sure: bool
    choices: list[Choice]
    reasons: list[str]
    reported_as: str = ""  # what whoever reported chose; '' when they did not know


_STEPS = (
    ("reported", _("Reported")),
    ("sorted", _("Sorted")),
    ("owned", _("Owned")),
    ("fixed", _("Fixed")),
    ("verified", _("Verified")),
    ("told", _("Told")),
    ("confirmed", _("Confirmed")),
)
_SECTIONS = (
    ("questions", _("To ask the customer")),
    ("facts", _("To find out")),
    ("causes", _("To rule out")),
    ("aftercare", _("Afterwards")),
)


def steps(case: Case, found: ClosingFacts) -> list[Step]:
    """The loop as a line of steps; the first one that is not done is where the case stands."""
    done = {
        "reported": True,
        "sorted": found.sorted,
        "owned": found.owned,
        "fixed": found.fixed,
        "verified": found.verified,
        "told": found.told,
        "confirmed": found.answer == "all_good",
    }
    at = next((code for code, _name in _STEPS if not done[code]), "") if case.is_open else ""
    return [
        Step(code, name, "now" if code == at else "done" if done[code] else "ahead") for code, name in _STEPS
    ]


def checklist(case: Case) -> list[Section]:
    """The playbook of the case's type with its ticks; one query. Empty while the case is not sorted."""
    if case.type not in taxonomy().types:
        return []
    ticks = {t.item: t for t in Tick.objects.filter(case=case).select_related("by")}
    book = playbook(case.type)
    parts: Iterable[tuple[str, Any, Iterable[Item]]] = (
        (code, name, getattr(book, code)) for code, name in _SECTIONS
    )
    return [Section(code, name, [Line(i, ticks.get(i.code)) for i in items]) for code, name, items in parts]


def suggested(case: Case) -> Suggested | None:
    """What the model thinks of the first words of an unsorted case; None when it is sorted or has ended."""
    if case.type or not case.is_open:
        return None
    message = Message.objects.filter(case=case, author__in=("customer", "merchant")).order_by("id").first()
    if message is None:
        return None
    guess = suggesting.suggest(message)
    known = taxonomy().types
    return Suggested(
        sure=guess.sure,
        choices=[Choice(g.type, round(g.probability * 100)) for g in guess.top if g.type in known],
        reasons=[r.quote for r in guess.reasons if r.quote.strip()],
        reported_as=CaseEvent.objects.get(case=case, seq=1).data.get("type", ""),
    )
