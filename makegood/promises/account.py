"""What the ledger says of a case: its open and broken promises, read once; the rest is arithmetic. Pure but for :func:`read_all`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from makegood.base import rows
from makegood.promises.models import PARTNER, WORDS, Promise

_READ = """SELECT case_id, id, what, basis, "to", state, due_at, proof_id IS NOT NULL OR proof_event_id IS NOT NULL
  FROM makegood_promise WHERE case_id = ANY($1) AND state IN ('open', 'broken') ORDER BY due_at, id"""
_OPEN, _BROKEN = Promise.State.OPEN.value, Promise.State.BROKEN.value


@dataclass(frozen=True)
class Entry:
    """One promise of a case; ``answered``: something stands beside it (what kept it, or the word that came late)."""

    id: int
    what: str
    basis: str
    to: str
    state: str
    due_at: datetime
    answered: bool = False

    @property
    def is_open(self) -> bool:
        return self.state == _OPEN

    @property
    def is_word(self) -> bool:
        """Whether it is a word to the customer, which only a message keeps."""
        return self.what in WORDS and self.to == "customer"

    @property
    def is_owed(self) -> bool:
        """A word that was broken and has not come since."""
        return self.is_word and self.state == _BROKEN and not self.answered


@dataclass(frozen=True)
class Account:
    """The open and broken promises of one case."""

    entries: tuple[Entry, ...]

    def broke(self, promise_id: int) -> Account:
        """As it stands once this one is broken."""
        found = (replace(e, state=_BROKEN) if e.id == promise_id else e for e in self.entries)
        return Account(tuple(found))

    def without(self, promise_ids: Iterable[int]) -> Account:
        """As it stands once these were replaced or withdrawn."""
        gone = set(promise_ids)
        return Account(tuple(e for e in self.entries if e.id not in gone))

    def gave(self, promise: Promise) -> Account:
        """As it stands once this one was given."""
        new = Entry(promise.pk, promise.what, promise.basis, promise.to, promise.state, promise.due_at)
        return Account((*self.entries, new))

    @property
    def broken(self) -> int:
        """How many promises of ours were broken so far; what an outside party owes is no word of ours."""
        return sum(e.state == _BROKEN and e.to != PARTNER for e in self.entries)

    @property
    def unanswered(self) -> int:
        """How many next words were broken and have not come since."""
        return sum(e.what == "next_word" and e.state == _BROKEN and not e.answered for e in self.entries)

    @property
    def word_stands(self) -> bool:
        """Whether the customer has an open word from us."""
        return any(e.is_open and e.is_word for e in self.entries)

    @property
    def next_due(self) -> datetime | None:
        """When the earliest open promise falls due, or since when a word is owed that was broken."""
        return min((e.due_at for e in self.entries if e.is_open or e.is_owed), default=None)

    def decisions_after(self, moment: datetime) -> list[Entry]:
        """Open decisions of our own rule that fall due later than this."""
        ours = (e for e in self.entries if e.is_open and e.what == "decision" and e.basis == "policy")
        return [e for e in ours if e.due_at > moment]


def read(case_id: int) -> Account:
    """The account of a case that is held."""
    return read_all([case_id])[case_id]


def read_all(case_ids: Iterable[int]) -> dict[int, Account]:
    """The accounts of these cases, that are held, by their ids."""
    found: dict[int, list[Entry]] = {case_id: [] for case_id in case_ids}
    for case_id, *entry in rows.ask(_READ, list(found)):
        found[case_id].append(Entry(*entry))
    return {case_id: Account(tuple(entries)) for case_id, entries in found.items()}
