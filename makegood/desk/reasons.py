"""Why a case is as urgent as it is, as a person says it: each source of evidence by name."""

from __future__ import annotations

from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.packs import names

#: The signals of the text pack (``policy.toml`` gives each its level).
SIGNALS = {
    "urgent.safety": _("Safety or health at stake"),
    "urgent.deadline": _("A deadline is near"),
    "urgent.vulnerable": _("Somebody who needs care is affected"),
    "urgent.now": _("Needed at once"),
    "threat.regulator": _("Speaks of an authority"),
    "threat.legal": _("Speaks of legal action"),
    "threat.press": _("Speaks of going to the press"),
    "threat.public": _("Speaks of going public"),
    "threat.leave": _("Speaks of leaving"),
    "loss.sales": _("Sales are being lost"),
    "loss.orders": _("Orders are blocked"),
    "loss.campaign": _("A campaign is at risk"),
    "loss.money": _("Money is being lost"),
    "loss.event": _("An occasion is missed"),
    "repeat.broken_promise": _("A promise was broken before"),
    "repeat.contact": _("Has written about it before"),
    "repeat.bounced": _("Was sent from one to another"),
    "repeat.unanswered": _("Got no answer before"),
    "emotion.anger": _("Anger in the words"),
    "emotion.anxiety": _("Worry in the words"),
    "emotion.disappointed": _("Disappointment in the words"),
    "emotion.abuse": _("Harsh words"),
}
STOPPED = {
    "freeze": _("Use has to be stopped at once"),
    "leak": _("A leak of personal data is confirmed"),
    "not_secure": _("It is not secure any more"),
}
ANSWERS = {"all_good": _("All good"), "partly": _("Partly"), "not_good": _("Not good")}


def source_name(source: str) -> str:
    """The name of an evidence source in the active language; a code that nobody knows is shown as it is."""
    head, _colon, code = source.partition(":")
    if head == "signal":
        return str(SIGNALS.get(code, code))
    if head in ("impact", "type"):
        return str(names(head).get(code, code))
    if head == "contact":
        return spoken("Contact %(n)s without an answer") % {"n": code}
    if head == "inherited":
        return spoken("Comes with case %(case)s") % {"case": code}
    if head == "incident":
        return spoken("One fault over many cases, of which %(case)s is one") % {"case": code}
    if head == "watch":
        return spoken("The watch over transactions noticed it")
    if source == "promise:broken":
        return spoken("A promise was broken")
    if source == "answer:not_held":
        return spoken("The customer says that it did not hold")
    if source == "remedy:came_back":
        return spoken("What had been done did not hold")
    if source == "remedy:stuck":
        return spoken("What was done is stuck")
    if head == "answer":
        return spoken("The customer's own word: %(answer)s.") % {"answer": ANSWERS.get(code, code)}
    if head in STOPPED:
        return str(STOPPED[head])
    if head == "opening":
        return spoken("Nobody had looked at it yet")
    return spoken("Raised by hand") if head == "hand" else source
