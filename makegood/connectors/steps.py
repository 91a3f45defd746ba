"""How every connector does one thing once: look, send, look again. A connector fills in how its shop is looked at and what is sent.

Look first: what bears our reference already is the answer, also when the other side has long forgotten the key, and another balance
than the expected one refuses before anything moves. Look again after every answer that is not a plain yes: an error may have had
its effect (Vendure answers 'cannot change state' and leaves a refund behind that is on its way).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

from makegood.base import clock
from makegood.connectors.canon import Money, Told
from makegood.connectors.claims import claimed
from makegood.connectors.errors import Later, Never
from makegood.connectors.ports import (
    Ask,
    Capabilities,
    Outcome,
    Preview,
    after,
    done,
    refused,
    unknown,
)
from makegood.connectors.wire import Lost, NotSent

#: What reading an answer raises that is not shaped as its documents say.
MISSHAPEN = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


#: Codes of Never that are raised before anything leaves the house.
_BEFORE = frozenset({"unfit", "address", "inside", "secret"})


class Nothing(Exception):
    """The order or payment of the ask is not there: certain, the other side said so."""


@dataclass(frozen=True)
class Seen:
    """What a look showed. ``ours``: what became of this ask, where it is there. ``left``: what can still be given back (None: unsaid).

    ``why``: a code of REFUSALS where the other side's state forbids it already. ``will``: what it also does. ``more``: for ``_send``.
    """

    ours: Outcome | None = None
    left: Money | None = None
    why: str = ""
    will: tuple[str, ...] = ()
    fee: Money | None = None
    more: Any = None


class Steps(ABC):
    """The four calls of the port, over ``_look`` and ``_send``."""

    kind: ClassVar[str]
    #: Tells one account of one kind from another, for the claim.
    account: str

    @abstractmethod
    def capabilities(self) -> Capabilities: ...

    def read(self, noun: str, ref: str) -> list[Told]:
        try:
            return self._reads(noun, ref)
        except MISSHAPEN:
            raise Later("garbage") from None

    def told(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        try:
            return self._hears(headers, body)
        except MISSHAPEN:
            raise Never("garbage") from None

    @abstractmethod
    def _reads(self, noun: str, ref: str) -> list[Told]: ...

    @abstractmethod
    def _hears(self, headers: Mapping[str, str], body: bytes) -> list[Told]: ...

    @abstractmethod
    def _look(self, ask: Ask) -> Seen:
        """Reads only. Raises Nothing, Later (cannot be asked now), Never (an answer that is none, a key that is refused)."""

    @abstractmethod
    def _send(self, ask: Ask, seen: Seen) -> Outcome:
        """Sends once. Raises NotSent, Lost, and Never('unfit') before anything was sent."""

    def _seen(self, ask: Ask) -> Seen:
        try:
            return self._look(ask)
        except MISSHAPEN:
            raise Later("garbage") from None

    #: The actions that ``_send`` knows; what the shop itself cannot do, ``_look`` refuses.
    ACTIONS: ClassVar[frozenset[str]]

    def preview(self, ask: Ask) -> Preview:
        if ask.action not in self.ACTIONS:
            return Preview(False, "not_able")
        try:
            seen = self._seen(ask)
        except Nothing:
            return Preview(False, "not_there")
        why = "already_done" if seen.ours else self._bar(ask, seen)
        moves = ask.money if ask.action == "refund" and not seen.ours else None
        rest = (
            Money(seen.left.amount - moves.amount, seen.left.currency)
            if seen.left and moves and not why
            else None
        )
        return Preview(not why, why, seen.will, seen.fee, seen.left, rest)

    def do(self, ask: Ask) -> Outcome:
        if ask.action not in self.ACTIONS:
            return refused("not_able")
        with claimed(self.kind, self.account, ask.key) as mine:
            if not mine:
                return unknown("in_flight")
            # Two agents with two asks on one payment: the second finds another balance, if it waits for the first.
            with claimed(self.kind, self.account, ask.payment or ask.order) as free:
                return self._once(ask) if free else refused("busy")

    def _once(self, ask: Ask) -> Outcome:
        try:
            seen = self._seen(ask)
        except Nothing:
            return refused("not_there")
        except Never as wrong:
            return refused("not_allowed" if wrong.code == "not_allowed" else "unfit", wrong.code)
        except Later as trouble:
            return refused(
                "unreachable", trouble.code
            )  # certain: a look moves nothing, and nothing else was sent
        if seen.ours:
            return _known(seen.ours, ask)
        if why := self._bar(ask, seen):
            return refused(why, left=seen.left)
        try:
            outcome = self._send(ask, seen)
        except NotSent as trouble:
            return refused("unreachable", trouble.code)
        except Lost as trouble:
            outcome = unknown("lost", trouble.code)
        except Never as wrong:
            if wrong.code in _BEFORE:
                return refused("unfit", wrong.code)
            outcome = unknown("strange", wrong.code)
        except (Later, *MISSHAPEN):
            outcome = unknown("strange", "garbage")  # it was sent, and what came back says nothing
        return outcome if outcome.done else self._after_all(ask, outcome)

    def _after_all(self, ask: Ask, outcome: Outcome) -> Outcome:
        """The look after an answer that was no plain yes."""
        try:
            ours = self._seen(ask).ours
        except (Nothing, Later, Never):
            return outcome
        return _known(replace(ours, theirs=outcome.theirs), ask) if ours else outcome

    def look_up(self, ask: Ask) -> Outcome:
        try:
            ours = self._seen(ask).ours
        except Nothing:
            ours = None
        except Later as trouble:
            return unknown("lost", trouble.code)
        except Never as wrong:
            return unknown("strange", wrong.code)
        if ours:
            return _known(ours, ask)
        if ask.was:
            return unknown("strange", "gone")  # it was there once: a person looks, nobody sends
        age = clock.now() - ask.sent_at if ask.sent_at else timedelta(0)
        if age < timedelta(seconds=self.SETTLES):
            return unknown("not_there_yet")
        if not self.PROVES:
            return unknown("behind")
        return refused("not_there")

    #: Whether what cannot be found did not happen (``Capabilities.proves_absence``).
    PROVES: ClassVar[bool] = True
    #: Seconds after which a call of ours that left no trace will leave none: our own patience, and as much again.
    SETTLES: ClassVar[int] = 120

    def _bar(self, ask: Ask, seen: Seen) -> str:
        """Why it must not be sent, as a code; '' when it may."""
        if seen.why:
            return seen.why
        if ask.action != "refund" or not seen.left or not ask.money:
            return ""
        if ask.money.currency != seen.left.currency:
            return "unfit"
        if ask.expected_left and ask.expected_left != seen.left:
            return "changed_meanwhile"
        if ask.money.amount > seen.left.amount:
            return "over_balance" if seen.left.amount else "already_done"
        return ""


def _known(ours: Outcome, ask: Ask) -> Outcome:
    """Our own thing as it stands, knowing what it was."""
    state = after(ask.was, ours.state) if ask.action == "refund" else ours.state
    if state == "reversed":
        return replace(ours, result="done", code="", state=state)
    return replace(ours, state=state)


def refund_outcome(
    ref: str, state: str, money: Money | None, left: Money | None, theirs: str = ""
) -> Outcome:
    """A refund that is there: done as far as its state says, or refused when it failed at once."""
    if state in ("refused", "withdrawn", "declined"):
        return refused("declined", theirs, ref=ref, state=state, left=left)
    return replace(done(ref, state, money, left), theirs=theirs[:80])


def judged(code: object, classes: Mapping[str, str]) -> Outcome:
    """An error by its code, never by its status. What is not in the table is unknown, not refused."""
    theirs = code if isinstance(code, str) else ""
    found = classes.get(theirs, "")
    if not found:
        return unknown("strange", theirs)
    return unknown("broken", theirs) if found == "unknown" else refused(found, theirs)


def sum_left(total: Money, gone: list[Money]) -> Money:
    """What is left of a payment by our own count, where the other side does not say."""
    return Money(total.amount - sum((one.amount for one in gone), total.amount * 0), total.currency)


def mark(ours: str, reason: str, limit: int) -> str:
    """A reason that carries our reference, for providers that keep no other field of ours: 'damaged [mg:R-1042-7]'."""
    tail = f"[mg:{ours}]"
    return f"{reason[: limit - len(tail) - 1]} {tail}".strip()


def marked(text: object, ours: str) -> bool:
    """Whether a reason carries our reference."""
    return isinstance(text, str) and f"[mg:{ours}]" in text
