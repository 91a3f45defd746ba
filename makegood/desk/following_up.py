"""Whether it held: what the customer answers, some days after they confirmed that it was made good."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.desk.verb import verb
from makegood.people.actors import Actor


@verb("answer_follow_up")
def answer_follow_up(case: Case, *, by: Actor, answer: str, words: str = "") -> CaseEvent:
    """The customer's answer, once: 'yes' is written down and changes nothing else, 'no' opens the case again (``follows.py``)."""
    case = pen.hold(case.pk)
    if answer not in ("yes", "no"):
        raise Refusal("unknown_answer", _("Choose one of the two answers."), field="answer")
    if not asks_whether_it_held(case):
        raise Refusal("not_asked", _("There is nothing to answer at the moment."), field="answer")
    words = clean(words, limit=5000, field="words", required=False)
    data: dict[str, Any] = {"held": answer}
    if words:
        said = messages.store(case, by=by, author=Author.CUSTOMER, audience=Audience.CUSTOMER, body=words)
        data["message"] = said.pk
    return pen.write(case, "held", by=by, data=data)


def asks_whether_it_held(case: Case) -> bool:
    """Whether the question stands open on the customer's page."""
    if case.ended_as != "made_good":
        return False
    last = CaseEvent.objects.filter(case=case, kind__in=("followed_up", "held", "reopened")).order_by("-seq")
    return last.values_list("kind", flat=True).first() == "followed_up"
