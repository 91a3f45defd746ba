"""Promises as those outside the desk see them: each kind by its own name, what is open, and how the earlier ones ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from makegood.base import clock
from makegood.base.moments import said
from makegood.cases.models import Case
from makegood.promises import ledger
from makegood.promises.models import WORDS, Promise

#: Whose promises a reader sees: what we promised to an authority or a colleague is no business of theirs.
CUSTOMER, MERCHANT = ("customer",), ("customer", "merchant")
MOST = 20


@dataclass(frozen=True)
class Word:
    """A promise; ``how`` is open, late, kept, broken, superseded or withdrawn. ``again`` is the time given since it broke."""

    due_at: datetime
    made_at: datetime
    how: str
    by: str
    what: str = ""
    basis: str = ""
    words: str = ""
    settled_at: datetime | None = None
    undone: bool = False
    again: str = ""

    @property
    def time(self) -> str:
        """The moment as the reader says it, in the zone that is active."""
        return said(self.due_at)

    @property
    def soon(self) -> bool:
        """Whether it lies within a day, so that 'in 3 hours' says more than the time."""
        return abs(self.due_at - clock.now()) < timedelta(days=1)


def next_word(case: Case) -> Word | None:
    """By when the customer hears from us; 'late' since a word that was due has not come, with the time given since."""
    words = list(ledger.standing(case, *WORDS).filter(to="customer").select_related("by")[:1])
    owed = ledger.next_word_due(case)
    if owed is None:
        return None
    if words and words[0].due_at == owed:
        return _word(words[0])
    again = said(words[0].due_at) if words and words[0].due_at > clock.now() else ""
    return Word(owed, owed, "late", "", again=again)


def standing(case: Case, to: tuple[str, ...]) -> tuple[Word, ...]:
    """The open promises beside the next word, due first."""
    found = ledger.standing(case).filter(to__in=to).exclude(what__in=WORDS, to="customer")
    return tuple(_word(p) for p in found.select_related("by"))


def ended(case: Case, to: tuple[str, ...]) -> tuple[Word, ...]:
    """How earlier promises ended, newest first."""
    found = Promise.objects.filter(case=case, to__in=to).exclude(state=Promise.State.OPEN)
    return tuple(_word(p) for p in found.select_related("by").order_by("-due_at", "-id")[:MOST])


def _word(promise: Promise) -> Word:
    how = str(promise.state)
    if promise.state == Promise.State.OPEN and promise.due_at < clock.now():
        how = "late"
    return Word(
        due_at=promise.due_at,
        made_at=promise.made_at,
        how=how,
        by=promise.by.name if promise.by else "",
        what=str(promise.get_what_display()),
        basis=str(promise.get_basis_display()),
        words=promise.words,
        settled_at=promise.settled_at,
        undone=promise.undone_by_id is not None,
    )
