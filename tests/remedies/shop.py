"""A shop's payment system in memory, as the connectors see one (``connectors/ports.py``), with switches for what goes wrong.

It keeps refunds by our reference and remembers no key of ours but that: what it is asked twice it does twice, so that a test which
counts its refunds finds out who asked twice.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from makegood.base import clock
from makegood.connectors.canon import Money, Told
from makegood.connectors.ports import (
    ACTIONS,
    MAKES,
    Ask,
    Capabilities,
    Outcome,
    Preview,
    done,
    refused,
    unknown,
)

STATES = {"refund": "sent", "cancel": "cancelled", "return_open": "approved", "replace": "open", "credit": "granted",
          "invoice_correct": "issued", "freeze": "voided"}  # fmt: skip


@dataclass
class Shop:
    """``lose``: how many of the next answers get lost after it was done; ``refuse``: codes for the next asks."""

    kind: str = "memory"
    lose: int = 0
    refuse: list[str] = field(default_factory=list)
    state: str = ""
    done: list[tuple[str, str, Decimal | None]] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    before_answer: object = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def capabilities(self) -> Capabilities:
        return Capabilities(frozenset(ACTIONS), partial=True, without_return=True, finds_ours=True)

    def preview(self, ask: Ask) -> Preview:
        return Preview(True)

    def do(self, ask: Ask) -> Outcome:
        with self.lock:
            self.asked.append(ask)
            if self.refuse:
                return refused(self.refuse.pop(0))
            self.done.append((ask.action, ask.ours, ask.money.amount if ask.money else None))
            outcome = self._outcome(ask.action, len(self.done), ask.money)
        if callable(self.before_answer):
            self.before_answer(ask)
        if self.lose:
            self.lose -= 1
            return unknown("lost")
        return outcome

    def look_up(self, ask: Ask) -> Outcome:
        self.looked.append(ask.ours)
        for n, (action, ours, _amount) in enumerate(self.done, 1):
            if ours == ask.ours:
                return self._outcome(action, n, ask.money)
        return refused("not_there")

    def read(self, noun: str, ref: str) -> list[Told]:
        return []

    def told(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        return []

    def _outcome(self, action: str, n: int, money: Money | None) -> Outcome:
        return done(f"{MAKES[action]}-{n}", self.state or STATES[action], money, at=clock.now())

    @property
    def refunds(self) -> Sequence[str]:
        return [ours for action, ours, _amount in self.done if action == "refund"]
