"""Promises that fall due in the same minute are broken in one batch; nobody may tell it from one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from makegood.base import clock
from makegood.cases.models import Case, CaseEvent, Notice, UrgencyEvidence
from makegood.desk import promising, talking
from makegood.desk.handling import assign
from makegood.desk.snoozing import snooze
from makegood.escalation.models import Climb
from makegood.jobs import sweep
from makegood.promises.models import Appointment, Promise
from tests import cast as stages
from tests.desk.test_parties import carrier_asked

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
ALONE = (replace(sweep.SOURCES[0], size=1, many=None), *sweep.SOURCES[1:])


def call_back(cast: stages.Cast, case: Case, due_at: datetime, what: str = "call_back") -> None:
    promising.promise(
        case, by=cast.by(cast.minji), seen=None, what=what, due_at=due_at, words="I will call you."
    )


def a_bad_hour(cast: stages.Cast, due_at: datetime) -> list[Case]:
    """Seven cases of Minji's on which something falls due at the same moment, and one on which two things do."""
    plain, grave, asleep, outside, twice, passed = (stages.answered(cast) for _ in range(6))
    late = stages.owned(cast)
    talking.reply(
        late, by=cast.by(cast.minji), seen=None, text="We look into it until then.", next_word_at=due_at
    )
    for case in (plain, grave, asleep, twice, twice, passed):
        call_back(cast, case, due_at)
    call_back(cast, grave, due_at + 40 * timedelta(days=1), what="decision")
    carrier_asked(cast, outside, due_at=due_at)
    snooze(
        asleep, by=cast.by(cast.minji), seen=None, until=due_at + 9 * HOUR, reason="Waits.", next_word_at=due_at + 12 * HOUR
    )  # fmt: skip
    assign(passed, by=cast.by(cast.sujin), seen=None, owner=cast.jun, team=None)
    return [plain, grave, asleep, outside, twice, passed, late]


def told(case: Case) -> dict[str, Any]:
    """All that a break leaves on a case, its own ids taken out."""
    case = stages.fresh(case)

    def said(data: Any) -> Any:
        own = {"promise", "renewed", "decision", "ask", "message", "party"}
        return {k: bool(v) if k in own else v for k, v in data.items()}

    events = CaseEvent.objects.filter(case=case).order_by("seq")
    notices = Notice.objects.filter(case=case).order_by("kind", "user_id", "id")
    promises = Promise.objects.filter(case=case).order_by("id")
    climb = Climb.objects.get(case=case)
    return {
        "case": (case.urgency, case.urgency_floor, case.version, case.due_at, case.snoozed_until, case.status),
        "events": [(e.seq, e.kind, said(e.data), e.true_at, e.cause and e.cause.kind, e.door) for e in events],
        "notices": [(n.kind, n.user_id, said(n.data)) for n in notices],
        "promises": [(p.what, p.state, p.due_at, p.settled_at, p.warned, p.policy) for p in promises],
        "evidence": list(UrgencyEvidence.objects.filter(case=case).order_by("seq", "id").values_list("level", "source")),
        "climb": (climb.level, climb.rungs, climb.since, climb.fired, climb.highest, climb.look_at),
        "asleep": Appointment.objects.filter(case=case, state="open").count(),
    }  # fmt: skip


def test_what_breaks_together_leaves_what_it_leaves_alone(cast):
    begun = clock.now()
    due_at = begun + 3 * HOUR
    with clock.travel(begun):
        alone, together = a_bad_hour(cast, due_at), a_bad_hour(cast, due_at)
    everything = Promise.objects.filter(case__in=alone)
    for moment in (due_at - HOUR / 2, due_at + timedelta(seconds=1)):  # first the warnings, then the breaks
        with clock.travel(moment):
            # the others are kept out of the way, not changed: one half is swept promise by promise, then the other at once
            Promise.objects.filter(case__in=together, state="open").update(set_back=1)
            by_hand = replace(ALONE[0], rows=lambda: sweep.SOURCES[0].rows().filter(set_back=0))
            sweep.tick(sources=(by_hand,))
            Promise.objects.filter(case__in=together, state="open").update(set_back=0)
            sweep.tick(sources=sweep.SOURCES[:1])
    assert everything.filter(state="broken").count() >= 7
    for one, other in zip(alone, together, strict=True):
        assert told(one) == told(other)
