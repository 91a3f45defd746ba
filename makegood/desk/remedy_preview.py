"""What the shop would do with a remedy, asked before anything is decided or sent. Slow: outside of every transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.utils.translation import gettext as _

from makegood.base.errors import Refusal
from makegood.cases.models import Case
from makegood.connectors.errors import OutsideError
from makegood.connectors.ports import Connector, Preview
from makegood.desk import remedy_lines, remedy_steps, remedy_stores, remedy_words
from makegood.desk.remedying import remedy_of
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.remedies.menu import money
from makegood.remedies.models import Step
from makegood.transactions import sources


@dataclass(frozen=True)
class Looked:
    """One step as the shop would take it: what it is, whether it goes, and why in words."""

    action: str
    goes: bool
    words: str


def preview(case: Case, remedy_id: int, *, by: Actor) -> list[Looked]:
    """Ask the shop about each step. Sends nothing that changes anything. Raises Refusal where no shop can be asked."""
    roles.check(by, "read_store")
    row = remedy_of(case, remedy_id)
    store = remedy_stores.store_of(row)
    if store is None:
        raise Refusal("by_hand", _("This shop is not connected: nobody can be asked."), field="remedy")
    found = []
    for step in remedy_steps.as_planned(row):
        action = str(remedy_words.ACTIONS.get(step.action, step.action))
        try:
            answer = cast(Connector, sources.opened(store)).preview(remedy_stores.ask_of(step))
        except OutsideError:
            found.append(Looked(action, False, _("The shop did not answer.")))
        else:
            found.append(Looked(action, answer.allowed, _in_words(answer, step)))
    return found


def _in_words(answer: Preview, step: Step) -> str:
    """What it would do, in one or two sentences."""
    if not answer.allowed:
        return _("It would not go: %(why)s.") % {"why": remedy_words.CODES.get(answer.why, answer.why)}
    said = [_("It would go.")]
    if step.remedy.lines:
        said.append(_("Of the order: %(lines)s.") % {"lines": remedy_lines.in_words(step.remedy.lines)})
    if answer.left_after is not None:
        left = money(answer.left_after.amount, answer.left_after.currency)
        said.append(_("Left of the payment afterwards: %(left)s.") % {"left": left})
    return " ".join(said)
