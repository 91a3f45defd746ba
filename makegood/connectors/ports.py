"""What the house asks of a shop, a payment provider or a tax office, and the three ways in which that may end.

``done``     the other side has taken it; ``state`` says how far it is (``sent`` is not yet ``paid_out``)
``refused``  certain: nothing moved. ``code`` is one class of :data:`REFUSALS`; ``again`` says whether the same ask may be sent again
``unknown``  nobody knows. It is looked up (:meth:`Connector.look_up`), and never sent again

Whoever asks writes its own row first: no other side remembers a key as long as a case lives. All calls block (up to about a minute)
and belong outside of transactions. Nothing here raises for what the other side did; ``Never('unfit')`` is our own mistake in an ask.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from makegood.connectors.canon import Money, Told
from makegood.connectors.errors import Never

ACTIONS = ("refund", "cancel", "return_open", "replace", "credit", "invoice_correct", "freeze")

#: action -> the noun that it makes or changes, whose state an outcome tells.
MAKES: Mapping[str, str] = {
    "refund": "refund",
    "cancel": "order",
    "return_open": "return",
    "replace": "order",
    "credit": "credit",
    "invoice_correct": "invoice",
    "freeze": "payment",
}

#: Why something was refused. Each is certain: nothing moved.
REFUSALS = (
    "already_done",  # the whole was given back before, by whomever
    "over_balance",  # more than is left
    "no_partial",  # only the whole, or not one part more
    "too_late",  # the provider's own time is over
    "funds_short",  # the shop's own account holds too little
    "locked",  # a dispute, a freeze, a state that allows it no longer
    "payee_bad",  # the customer's account or card cannot take it
    "changed_meanwhile",  # the balance is not what we believed
    "not_there",  # no such order or payment; of a look-up: nothing of ours is there, and will not be
    "not_able",  # this connector or this shop has no such action
    "not_allowed",  # our key or role is not let in
    "unfit",  # the other side finds the ask wrong in itself
    "declined",  # refused, and no reason that we know
    "busy",  # at the door: another ask on the same payment is on its way, or too many at once
    "unreachable",  # at the door: nothing was sent
)

#: Why nobody knows.
UNKNOWNS = (
    "lost",  # no answer in time, or the line broke
    "broken",  # it answered with trouble of its own
    "strange",  # a code or an answer that we do not know
    "in_flight",  # the same ask is being sent by somebody else at this moment
    "not_there_yet",  # looked up too early to say that it will not come
    "behind",  # not in the shop, but the provider behind it may have moved all the same: a person asks there
)

#: The refusals after which the very same ask may be sent again as it is.
AGAIN = frozenset({"busy", "unreachable", "not_there"})

_OURS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{7,63}")


@dataclass(frozen=True)
class Line:
    """Part of an order by the shop's own reference of the line."""

    ref: str
    quantity: int


@dataclass(frozen=True)
class Ask:
    """One thing to be done once. ``ours``: our own reference, 8 to 64 of A-Z a-z 0-9 _ . -, put on everything that is sent.

    ``expected_left``: what we believe could still be given back, before this ask; another balance refuses it. ``reason``: a code or
    a few words, without personal data. ``sent_at``: when it was first sent; without it a look-up that finds nothing never says that
    nothing will come. ``was``: the last state that we knew of its result: money that came back after it was paid out is 'reversed'.
    """

    action: str
    ours: str
    order: str = ""
    payment: str = ""
    money: Money | None = None
    lines: Sequence[Line] = ()
    reason: str = ""
    expected_left: Money | None = None
    sent_at: datetime | None = None
    was: str = ""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS or not _OURS.fullmatch(self.ours):
            raise Never("unfit")
        if self.action in ("refund", "credit") and self.money is None:
            raise Never("unfit")  # 'all that is left' would be another sum the second time
        for money in (self.money, self.expected_left):
            if money and not (money.amount.is_finite() and money.amount >= 0):
                raise Never("unfit")
        if self.money and self.money.amount == 0:
            raise Never("unfit")
        if not (self.order or self.payment) or any(line.quantity < 1 for line in self.lines):
            raise Never("unfit")

    @property
    def key(self) -> str:
        """The idempotency key: 40 letters of ASCII, the same for the same ``action`` and ``ours`` for ever."""
        return "mg-" + hashlib.sha256(f"{self.action}\n{self.ours}".encode()).hexdigest()[:37]


@dataclass(frozen=True)
class Preview:
    """What an ask would do now. ``why``: a code of REFUSALS where it is not allowed. ``will``: codes of what it also does."""

    allowed: bool
    why: str = ""
    will: Sequence[str] = ()
    fee: Money | None = None
    left: Money | None = None
    left_after: Money | None = None


@dataclass(frozen=True)
class Outcome:
    """How an ask ended, or where it stands. ``ref`` and ``state`` are of the noun in MAKES; ``theirs``: their code, for the record."""

    result: str
    code: str = ""
    ref: str = ""
    state: str = ""
    money: Money | None = None
    left: Money | None = None
    theirs: str = ""
    at: datetime | None = None

    @property
    def done(self) -> bool:
        return self.result == "done"

    @property
    def refused(self) -> bool:
        return self.result == "refused"

    @property
    def unknown(self) -> bool:
        return self.result == "unknown"

    @property
    def again(self) -> bool:
        """Whether the very same ask may be sent again: a second question, which 'refused' alone does not answer."""
        return self.refused and self.code in AGAIN


def done(
    ref: str, state: str, money: Money | None = None, left: Money | None = None, at: datetime | None = None
) -> Outcome:
    return Outcome("done", "", ref, state, money, left, "", at)


def refused(
    code: str, theirs: str = "", *, ref: str = "", state: str = "", left: Money | None = None
) -> Outcome:
    if code not in REFUSALS:
        raise ValueError(code)
    return Outcome("refused", code, ref, state, None, left, theirs[:80])


def unknown(code: str, theirs: str = "") -> Outcome:
    if code not in UNKNOWNS:
        raise ValueError(code)
    return Outcome("unknown", code, theirs=theirs[:80])


@dataclass(frozen=True)
class Clock:
    """A time limit of the platform's own: what happens by itself, on which noun and state, after how many hours."""

    name: str
    noun: str
    state: str
    hours: int


@dataclass(frozen=True)
class Capabilities:
    """What this shop can do, read from it where it tells (``read_at`` None: nothing could be read; what stands here is the least).

    ``actions``: those of ACTIONS that :meth:`Connector.do` sends. ``partial``: part of a payment. ``without_return``: money back
    though the goods stay. ``slow_refunds``: a refund may be 'sent' for days. ``finds_ours``: :meth:`Connector.look_up` can tell.
    ``proves_absence``: what it cannot find did not happen; a shop that sends refunds on to a provider and keeps its row only when all
    went well proves nothing.     ``keeps_keys_hours``: how long it remembers an idempotency key; 0 never, None for good. ``checks_left``: it compares the balance
    that we send with its own, in one step. ``tells_reversal``: it says when money that was paid out comes back. ``reasons``: the only
    reasons that it takes (empty: any). ``clocks``: its own time limits. ``nouns``: what :meth:`Connector.read` reads. ``pushes``: how
    :meth:`Connector.told` knows its sender: 'signed', 'nudge' (unsigned: read before it is believed) or ''. ``settles_after``:
    seconds after which an ask that cannot be found will not come. ``decimals``: of its money, where it tells.
    """

    actions: frozenset[str]
    partial: bool = False
    without_return: bool = False
    slow_refunds: bool = False
    finds_ours: bool = False
    proves_absence: bool = False
    keeps_keys_hours: int | None = 0
    checks_left: bool = False
    tells_reversal: bool = False
    reasons: Sequence[str] = ()
    clocks: Sequence[Clock] = ()
    nouns: Sequence[str] = ()
    pushes: str = ""
    settles_after: int = 120
    decimals: int | None = None
    read_at: datetime | None = None
    more: Mapping[str, str] = field(default_factory=dict)


class Connector(Protocol):
    """One shop or provider account. Made by :func:`makegood.connectors.registry.open`; keeps no state between calls."""

    kind: str

    def capabilities(self) -> Capabilities:
        """Read from the other side where it tells. Raises Later or Never when it cannot be asked at all."""

    def preview(self, ask: Ask) -> Preview:
        """What ``do`` would meet now. Sends nothing that changes anything. Raises Later or Never."""

    def do(self, ask: Ask) -> Outcome:
        """Send it, once. Raises nothing for what the other side did, and RuntimeError inside a transaction."""

    def look_up(self, ask: Ask) -> Outcome:
        """What became of it, found by ``ours``. Never sends it again."""

    def read(self, noun: str, ref: str) -> list[Told]:
        """The thing as it is now, and what hangs on it (a payment's refunds). Empty: not there. Raises Later or Never."""

    def told(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        """A native webhook, verified and translated; what does not concern us is empty.

        Raises Never('forged'), Never('stale') or Never('garbage'); Later where it must read first and cannot.
        """


def after(was: str, state: str) -> str:
    """The state of a refund, knowing what it was: providers say 'failed' both of what never went and of what came back."""
    return "reversed" if was in ("paid_out", "reversed") and state in ("refused", "withdrawn") else state
