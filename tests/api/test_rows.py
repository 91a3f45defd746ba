"""Rows that are sent together are the rows that would have been sent one by one, under the same laws."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from makegood.base import rows
from makegood.cases.models import Case, CaseEvent
from makegood.cases.models.case import is_number, number_of
from makegood.conversations.messages import Upload
from makegood.conversations.models import Attachment, Message, SearchEntry
from tests import cast as stages

pytestmark = pytest.mark.django_db


def test_what_the_act_gives_back_is_what_the_database_holds(cast):
    case = stages.reported(cast, files=[Upload("a.txt", "text/plain", b"x")])
    kept = Case.objects.get(pk=case.pk)
    for field in Case._meta.concrete_fields:
        assert getattr(case, field.attname) == getattr(kept, field.attname), field.name
    assert kept.number == number_of(kept.pk) and is_number(kept.number)
    message, event = Message.objects.get(case=case), CaseEvent.objects.get(case=case)
    assert event.data["message"] == message.pk == SearchEntry.objects.get(case=case).message_id
    assert Attachment.objects.get().message_id == message.pk
    assert kept.promises.get().pk == event.data["promise"]


def test_the_laws_see_rows_that_are_sent_together(cast):
    case = stages.reported(cast)
    event = CaseEvent(case=case, seq=7, kind="noted", actor_role="agent", door="page", true_at=case.opened_at)
    with pytest.raises(IntegrityError), transaction.atomic(), rows.together(CaseEvent):
        rows.add(event)


def test_an_act_that_fails_sends_nothing(cast):
    before = CaseEvent.objects.count()
    with pytest.raises(ZeroDivisionError), transaction.atomic(), rows.together(Message):
        rows.add(
            Message(case=stages.reported(cast), author="staff", audience="staff", language="en", body="x")
        )
        raise ZeroDivisionError
    assert CaseEvent.objects.count() == before and not Message.objects.exists()
