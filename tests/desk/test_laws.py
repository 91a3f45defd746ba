"""What the database refuses even to somebody who goes round the desk."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from makegood.cases.models import (
    Case,
    CaseEvent,
    Closure,
    Ending,
    UrgencyEvidence,
    UrgencyLowering,
    Verification,
)
from makegood.promises.models import Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db


def refused(statement: str, *values: object) -> str:
    """Run one statement to the end of its checks; it must be refused. Returns the reason."""
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return str(error.value)


def test_history_cannot_be_edited(cast):
    case = stages.owned(cast)
    assert "append-only" in refused(
        "UPDATE makegood_caseevent SET kind = 'closed' WHERE case_id = %s", case.pk
    )
    assert "append-only" in refused("DELETE FROM makegood_caseevent WHERE case_id = %s", case.pk)


def test_history_cannot_be_emptied(cast):
    stages.owned(cast)
    with connection.cursor() as cursor:  # tests/conftest.py switches it off, so that tests can begin empty
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE makegood_caseevent ENABLE TRIGGER events_stand_all")
    assert "append-only" in refused("TRUNCATE makegood_caseevent CASCADE")


def test_an_event_is_the_version_of_its_case(cast):
    case = stages.owned(cast)
    add = (
        "INSERT INTO makegood_caseevent (case_id, seq, kind, actor_role, door, true_at, written_at, data)"
        " VALUES (%s, %s, 'noted', 'agent', 'page', now(), now(), '{}')"
    )
    assert "not the version" in refused(add, case.pk, case.version + 1)
    assert "not the version" in refused(add, case.pk, case.version + 7)
    assert "one_event_per_seq" in refused(add, case.pk, case.version)


def test_a_case_never_changes_without_an_event(cast):
    case = stages.owned(cast)
    assert "one version at a time" in refused("UPDATE makegood_case SET subject = 'x' WHERE id = %s", case.pk)
    assert "no event" in refused("UPDATE makegood_case SET version = version + 1 WHERE id = %s", case.pk)
    assert "one version" in refused("UPDATE makegood_case SET version = version + 2 WHERE id = %s", case.pk)


def test_the_first_clock_stays_and_no_case_is_deleted(cast):
    case = stages.owned(cast)
    assert "first clock" in refused(
        "UPDATE makegood_case SET opened_at = now(), version = version + 1 WHERE id = %s", case.pk
    )
    assert "never deleted" in refused("DELETE FROM makegood_case WHERE id = %s", case.pk)


def test_urgency_does_not_drop_silently(cast):
    case = stages.reported(cast, text="1372에 신고하고 소송하겠습니다. 환불 안 해주면 바로 고소합니다.")
    assert case.urgency >= 4
    drop = "UPDATE makegood_case SET urgency = 1, urgency_floor = 1, version = version + 1 WHERE id = %s"
    assert "law 3" in refused(drop, case.pk)
    assert stages.fresh(case).urgency == case.urgency


def test_a_lowering_by_an_agent_or_by_the_owner_does_not_count(cast):
    case = stages.reported(cast, text="1372에 신고하고 소송하겠습니다.")
    stages.take(case, by=cast.by(cast.sujin), seen=None)
    case = stages.fresh(case)
    for who in (cast.minji, cast.sujin):  # an agent; the lead who owns it
        with pytest.raises(DatabaseError, match="law 3"), transaction.atomic():
            UrgencyLowering.objects.create(
                case=case,
                seq=case.version + 1,
                from_level=case.urgency,
                to_level=1,
                reason="r",
                evidence="e",
                by=who,
            )
            Case.objects.filter(pk=case.pk).update(urgency=1, urgency_floor=1, version=case.version + 1)


def test_a_rise_needs_its_evidence(cast):
    case = stages.owned(cast)
    with pytest.raises(DatabaseError, match="without evidence"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(urgency=5, version=case.version + 1)
        CaseEvent.objects.create(
            case=case,
            seq=case.version + 1,
            kind="urgency_raised",
            actor_role="agent",
            door="page",
            true_at=case.opened_at,
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not UrgencyEvidence.objects.filter(case=case, level=5).exists()


def test_made_good_cannot_be_stored_without_its_pieces(cast):
    case = stages.told(cast)
    assert "null value" in refused(
        "INSERT INTO makegood_closure (case_id, round, answer, at) VALUES (%s, 1, 'all_good', now())", case.pk
    )
    with pytest.raises(DatabaseError, match="law 2"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(
            status="ended",
            ended_as="made_good",
            ended_at=case.opened_at,
            due_at=None,
            version=case.version + 1,
        )
        CaseEvent.objects.create(
            case=case,
            seq=case.version + 1,
            kind="closed",
            actor_role="system",
            door="worker",
            true_at=case.opened_at,
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_closure_takes_only_pieces_of_its_own_case_round_and_an_all_good(cast):
    mine, other = stages.made_good(cast), stages.told(cast, customer=cast.alex)
    closure = mine.closure
    add = (
        "INSERT INTO makegood_closure (case_id, round, verification_id, telling_id, confirmation_id, answer, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, now())"
    )
    pieces = (closure.verification_id, closure.telling_id, closure.confirmation_id)
    assert "foreign key" in refused(add, other.pk, 1, *pieces, "all_good")
    assert "only_all_good_closes" in refused(add, other.pk, 1, *pieces, "partly")


def test_the_fixer_alone_does_not_verify(cast):
    case = stages.fixed(cast)
    fix = case.fixes.get()
    with pytest.raises(DatabaseError, match="not_by_the_fixer_alone"), transaction.atomic():
        Verification.objects.create(
            case=case,
            round=1,
            fix=fix,
            fixed_by_id=fix.by_id,
            by_id=fix.by_id,
            proof="payment_record",
            seen="I say so",
        )
    with pytest.raises(DatabaseError, match="foreign key"), transaction.atomic():
        Verification.objects.create(
            case=case,
            round=1,
            fix=fix,
            fixed_by=cast.wei,
            by_id=fix.by_id,
            proof="payment_record",
            seen="renamed",
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_unconfirmed_needs_three_asks(cast):
    case = stages.told(cast)
    with pytest.raises(DatabaseError, match="not asked three times"), transaction.atomic():
        Ending.objects.create(case=case, round=1, kind="unconfirmed", telling=case.tellings.get())


def test_an_ended_case_stays_ended_while_its_closure_stands(cast):
    case = stages.made_good(cast)
    assert "law 2" in refused("DELETE FROM makegood_closure WHERE case_id = %s", case.pk)
    assert Closure.objects.filter(case=case).exists()


def test_a_promise_that_was_given_never_moves(cast):
    case = stages.answered(cast)
    promise = Promise.objects.filter(case=case, state="open", what="next_word").get()
    assert "never moves" in refused(
        "UPDATE makegood_promise SET due_at = due_at + interval '1 day' WHERE id = %s", promise.pk
    )
    kept = Promise.objects.filter(case=case, state="kept").get()
    assert "never changes" in refused("UPDATE makegood_promise SET state = 'broken' WHERE id = %s", kept.pk)


def test_an_open_case_has_a_next_moment(cast):
    case = stages.owned(cast)
    assert "next_moment" in refused(
        "UPDATE makegood_case SET due_at = NULL, version = version + 1 WHERE id = %s", case.pk
    )
