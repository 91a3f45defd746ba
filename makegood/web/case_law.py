"""The panel 'What the law says' with its small forms, one for each clock that runs or could start."""

from __future__ import annotations

from dataclasses import dataclass

from makegood.desk.law import Law, Possible, Running
from makegood.desk.sheet import Sheet
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.promises.models import Promise
from makegood.web.case_draw import form_for
from makegood.web.case_forms import VerbForm


@dataclass(frozen=True)
class Clock:
    """A clock that runs, or one that broke and was not met: with the forms that are left for it."""

    clock: Running
    meet: VerbForm | None
    correct: VerbForm | None


@dataclass(frozen=True)
class Panel:
    """What ``cases/_clocks.html`` is given."""

    law: Law
    running: list[Clock]
    past: list[Clock]
    ours: list[tuple[Possible, VerbForm]]

    @property
    def open(self) -> bool:
        """Whether a form of those that could start came back with a reason."""
        return any(form.is_bound for _p, form in self.ours)


def panel(sheet: Sheet, by: Actor, tried: VerbForm | None) -> Panel:
    """The panel of one case for one reader."""
    law = sheet.law
    ours = [
        (p, form_for("start_clock", sheet, by, tried, p.rule.code, trigger_at=p.at))
        for p in law.ours
        if sheet.case.is_open and roles.may(by, "start_clock")
    ]
    return Panel(
        law=law,
        running=[_clock(sheet, by, tried, c) for c in law.running],
        past=[_clock(sheet, by, tried, c) for c in law.past],
        ours=ours,
    )


def _clock(sheet: Sheet, by: Actor, tried: VerbForm | None, running: Running) -> Clock:
    promise = running.promise
    left = promise.state in (Promise.State.OPEN, Promise.State.BROKEN) and promise.proof_event_id is None
    pk = str(promise.pk)
    meets = left and roles.may(by, "meet_clock")
    corrects = left and sheet.case.is_open and roles.may(by, "correct_clock")
    return Clock(
        clock=running,
        meet=form_for("meet_clock", sheet, by, tried, pk) if meets else None,
        correct=form_for("correct_clock", sheet, by, tried, pk, trigger_at=promise.trigger_at)
        if corrects
        else None,
    )
