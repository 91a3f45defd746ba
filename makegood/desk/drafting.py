"""What somebody was writing to the customer. Not a verb: a draft is nobody's word yet, and changes nothing of the case."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere
from makegood.base.words import clean
from makegood.cases import vault
from makegood.cases.models import Case
from makegood.conversations.models import Draft, DraftVersion
from makegood.people.actors import Actor

#: So many covered versions are kept for a person on a case.
VERSIONS = 5


def keep(case: Case, user_id: int, text: str, tab: str = "") -> None:
    """Keep the text; an empty one takes the draft away. Raises Refusal beside 'text' when it is too long.

    The newest wins; but words that another page (``tab``) wrote and that this text does not hold are offered back.
    """
    text, tab = clean(text, limit=settings.MESSAGE_CHARACTERS, field="text", required=False), tab[:16]
    with transaction.atomic():
        text = vault.taken(case, text, by=Actor("staff", "page", user_id))
        before = Draft.objects.select_for_update().filter(case=case, user_id=user_id).first()
        if before and before.tab != tab and before.body not in text:
            _cover(case, user_id, before.body)
        if text:
            Draft.objects.update_or_create(
                case=case, user_id=user_id, defaults={"body": text, "tab": tab, "at": clock.now()}
            )
        elif before:
            before.delete()


def put_back(case: Case, user_id: int, text: str) -> None:
    """Words that were not sent are the draft again; what was begun meanwhile is offered back."""
    with transaction.atomic():
        before = Draft.objects.select_for_update().filter(case=case, user_id=user_id).first()
        if before and before.body not in text:
            _cover(case, user_id, before.body)
        if text:
            Draft.objects.update_or_create(
                case=case, user_id=user_id, defaults={"body": text, "tab": "", "at": clock.now()}
            )


def take_version(case: Case, user_id: int, version_id: int) -> None:
    """An earlier version is the draft again, and the present one is kept in its place. Raises NotThere."""
    with transaction.atomic():
        version = DraftVersion.objects.filter(pk=version_id, case=case, user_id=user_id).first()
        if version is None:
            raise NotThere("no_version", _("There is no such version."))
        version.delete()
        put_back(case, user_id, version.body)


def of(case: Case, user_id: int) -> str:
    """The draft of this user on this case, '' when there is none."""
    return Draft.objects.filter(case=case, user_id=user_id).values_list("body", flat=True).first() or ""


def versions(case: Case, user_id: int) -> list[DraftVersion]:
    """Words that were covered, the newest first."""
    return list(DraftVersion.objects.filter(case=case, user_id=user_id).order_by("-id")[:VERSIONS])


def forget(case: Case, user_id: int) -> None:
    """What was written has been said: the draft and what it covered are done with."""
    Draft.objects.filter(case=case, user_id=user_id).delete()
    DraftVersion.objects.filter(case=case, user_id=user_id).delete()


def _cover(case: Case, user_id: int, body: str) -> None:
    DraftVersion.objects.create(case=case, user_id=user_id, body=body)
    old = DraftVersion.objects.filter(case=case, user_id=user_id).order_by("-id").values_list("pk", flat=True)
    DraftVersion.objects.filter(pk__in=list(old[VERSIONS:])).delete()
