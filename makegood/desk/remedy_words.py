"""Actions, states and reasons of remedies in words, in the language that is active."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from makegood.connectors.canon import STATES
from makegood.desk.remedy_proof import state_name

ACTIONS = {
    "refund": _("refund"),
    "cancel": _("cancellation"),
    "return_open": _("return"),
    "replace": _("replacement"),
    "credit": _("credit"),
    "invoice_correct": _("corrected invoice"),
    "freeze": _("freeze"),
}
#: Why a shop refused, or why nobody knows (connectors/ports.py).
CODES = {
    "already_done": _("it was given back before"),
    "over_balance": _("more than is left"),
    "no_partial": _("only the whole can go back"),
    "too_late": _("the provider's own time is over"),
    "funds_short": _("the shop's account holds too little"),
    "locked": _("a dispute or a freeze locks it"),
    "payee_bad": _("the customer's account or card cannot take it"),
    "changed_meanwhile": _("the balance has changed meanwhile"),
    "not_there": _("there is no such thing at the shop"),
    "not_able": _("the shop cannot do this"),
    "not_allowed": _("the shop does not let us"),
    "unfit": _("the shop finds the request wrong"),
    "declined": _("refused without a reason"),
    "busy": _("busy at that moment"),
    "unreachable": _("not reachable"),
    "lost": _("no answer came"),
    "broken": _("it answered with trouble of its own"),
    "strange": _("it answered something that we do not know"),
    "in_flight": _("the same is being asked at this moment"),
    "not_there_yet": _("too early to say"),
    "behind": _("only the provider behind the shop can tell"),
}


def there(state: str, noun: str = "") -> str:
    """A state of the transaction; without its noun as the first noun that has it says it."""
    if noun:
        return state_name(noun, state)
    return next((state_name(n, state) for n in ("refund", *STATES) if state in STATES.get(n, ())), state)
