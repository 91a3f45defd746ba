"""What somebody was writing to the customer. Not a verb: a draft is nobody's word yet, and changes nothing of the case."""

from __future__ import annotations

from django.conf import settings

from makegood.base import clock
from makegood.base.words import clean
from makegood.cases.models import Case
from makegood.conversations.models import Draft


def keep(case: Case, user_id: int, text: str) -> None:
    """Keep the text; an empty one takes the draft away. Raises Refusal beside 'text' when it is too long."""
    text = clean(text, limit=settings.MESSAGE_CHARACTERS, field="text", required=False)
    if text:
        Draft.objects.update_or_create(case=case, user_id=user_id, defaults={"body": text, "at": clock.now()})
    else:
        Draft.objects.filter(case=case, user_id=user_id).delete()


def of(case: Case, user_id: int) -> str:
    """The draft of this user on this case, '' when there is none."""
    return Draft.objects.filter(case=case, user_id=user_id).values_list("body", flat=True).first() or ""
