"""How a thing of a transaction stands, in a definite word: queued, held for review (by whom, until when), failed, stuck, done.

An agent who reads it never has to say 'maybe'. Pure; the words are made in the active language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from makegood.base.moments import said
from makegood.connectors.canon import STATES
from makegood.transactions.models import Thing

QUEUED, HELD, FAILED, STUCK, DONE, ENDED = "queued", "held", "failed", "stuck", "done", "ended"

#: The word of each, and how it is drawn (a colour of the house's).
WORDS = {
    QUEUED: gettext_lazy("Queued"),
    HELD: gettext_lazy("Held for review"),
    FAILED: gettext_lazy("Failed"),
    STUCK: gettext_lazy("Stuck"),
    DONE: gettext_lazy("Done"),
    ENDED: gettext_lazy("Called off"),
}
TONES = {QUEUED: "wait", HELD: "warn", FAILED: "bad", STUCK: "bad", DONE: "good", ENDED: "off"}

#: noun -> state -> how it stands. A test asks that no state is missing.
STANDS: Mapping[str, Mapping[str, str]] = {
    "order": {"open": QUEUED, "cancelled": ENDED, "closed": DONE},
    "payment": {
        "awaiting": QUEUED,
        "held": QUEUED,
        "taken": DONE,
        "failed": FAILED,
        "voided": ENDED,
        "expired": FAILED,
    },
    "refund": {
        "asked": HELD,
        "approved": QUEUED,
        "declined": FAILED,
        "sent": QUEUED,
        "paid_out": DONE,
        "refused": FAILED,
        "stuck": STUCK,
        "reversed": FAILED,
        "withdrawn": ENDED,
    },
    "dispute": {
        "warned": HELD,
        "needs_answer": STUCK,
        "in_review": HELD,
        "won": DONE,
        "lost": FAILED,
        "settled": DONE,
    },
    "shipment": {
        "label": QUEUED,
        "collected": QUEUED,
        "moving": QUEUED,
        "out_for_delivery": QUEUED,
        "attempt_failed": FAILED,
        "ready_for_pickup": QUEUED,
        "delivered": DONE,
        "coming_back": QUEUED,
        "came_back": FAILED,
        "exception": STUCK,
        "silent": STUCK,
        "cancelled": ENDED,
    },
    "return": {
        "asked": HELD,
        "approved": QUEUED,
        "declined": FAILED,
        "on_its_way": QUEUED,
        "part_received": QUEUED,
        "received": DONE,
        "closed": DONE,
        "withdrawn": ENDED,
    },
    "invoice": {
        "asked": QUEUED,
        "drafted": QUEUED,
        "issued": QUEUED,
        "filed": DONE,
        "filing_failed": FAILED,
        "cancelled": ENDED,
        "correction_waiting": HELD,
        "corrected": DONE,
    },
    "credit": {"granted": DONE, "used": DONE, "expired": ENDED, "revoked": ENDED},
}
#: The day or moment by which a thing that is queued or held should have moved on.
_DUE = {
    "refund": "expected_by",
    "shipment": "promised_by",
    "invoice": "file_by",
    "return": "answer_by",
    "dispute": "answer_by",
}


@dataclass(frozen=True)
class Standing:
    """``code`` is one of WORDS; ``sentence`` says by whom, until when, and what is late."""

    code: str
    sentence: str

    @property
    def word(self) -> str:
        return str(WORDS[self.code])

    @property
    def tone(self) -> str:
        return TONES[self.code]


def standing(noun: str, thing: Thing, *, now: datetime, today: date) -> Standing:
    """How it stands by what was last told of it."""
    state = getattr(thing, "state", "")
    code = STANDS[noun].get(state, HELD if state else QUEUED)
    who, until = thing.more.get("held_by"), _moment(thing.more.get("held_until"))
    if code == QUEUED and (who or until):
        code = HELD
    if code == HELD:
        return Standing(code, _held(who, until or _moment(getattr(thing, "answer_by", None)), now))
    due = getattr(thing, _DUE.get(noun, ""), None)
    return Standing(code, _waits(noun, state, code, due, now, today))


def _held(who: Any, until: datetime | None, now: datetime) -> str:
    names = {"who": str(who or ""), "at": said(until) if until else ""}
    if until and until < now:
        return (
            _("Held for review by %(who)s; the decision was due %(at)s.") % names
            if who
            else _("Held for review; the decision was due %(at)s.") % names
        )
    if who and until:
        return _("Held for review by %(who)s until %(at)s.") % names
    if who:
        return _("Held for review by %(who)s; nobody said until when.") % names
    if until:
        return _("Held for review until %(at)s.") % names
    return _("Held for review; nobody said by whom or until when.")


def _waits(noun: str, state: str, code: str, due: Any, now: datetime, today: date) -> str:
    if code == STUCK:
        return _("Stuck: it moves only when a person acts.")
    if not state:
        return _("We heard of it, but not how it stands.")
    if code == QUEUED and due:
        late = due < now if isinstance(due, datetime) else due < today
        day = {"day": said(due) if isinstance(due, datetime) else f"{due:%Y-%m-%d}"}
        return _("Late: it was due by %(day)s.") % day if late else _("Due by %(day)s.") % day
    if (noun, state) == ("refund", "sent"):
        return _("Sent to the bank; it has not said yet that it paid.")
    if (noun, state) == ("refund", "reversed"):
        return _("The money came back to the shop after it was paid out.")
    return ""


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None


def of_state(noun: str, state: str) -> str:
    """How a state stands, by its code alone."""
    if state not in STATES[noun]:
        raise LookupError(f"{noun} has no state {state}")
    return STANDS[noun][state]
