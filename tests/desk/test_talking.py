"""Talking: an answer promises the next word in the same act."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.conversations.messages import readable_by
from makegood.conversations.models import Delivery
from makegood.desk.handling import wait
from makegood.desk.talking import answer_merchant, customer_writes, merchant_says, note, reply
from makegood.people import actors
from makegood.promises.models import Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db


def test_a_reply_without_the_next_word_is_refused_and_nothing_is_sent(cast):
    case = stages.owned(cast)
    letters = Delivery.objects.count()
    with pytest.raises(Refusal) as refused:
        reply(case, by=cast.by(cast.minji), seen=case.version, text="hello", next_word_at=None)
    assert refused.value.field == "next_word_at"
    assert stages.fresh(case).version == case.version and Delivery.objects.count() == letters


@pytest.mark.parametrize("hours", [-1, 0, 24 * 61])
def test_the_next_word_lies_ahead_and_not_too_far(cast, hours):
    case = stages.owned(cast)
    with pytest.raises(Refusal) as refused:
        reply(
            case,
            by=cast.by(cast.minji),
            seen=None,
            text="hello",
            next_word_at=clock.now() + timedelta(hours=hours),
        )
    assert refused.value.field == "next_word_at"


def test_a_reply_in_time_keeps_the_first_promise_and_gives_the_next(cast):
    case = stages.answered(cast)
    states = {p.what: p.state for p in Promise.objects.filter(case=case)}
    assert states == {"first_word": "kept", "decision": "open", "next_word": "open"}
    assert case.due_at == Promise.objects.get(case=case, what="next_word").due_at


def test_a_late_reply_breaks_the_promise_and_says_so(cast):
    case = stages.owned(cast)
    with clock.travel(timedelta(days=3)):
        reply(case, by=cast.by(cast.minji), seen=None, text="sorry", next_word_at=stages.soon())
    assert Promise.objects.get(case=case, what="first_word").state == "broken"


def test_a_note_is_read_by_staff_only(cast):
    case = stages.answered(cast)
    note(case, by=cast.by(cast.wei), text="the bank was down")
    merchant_says(case, by=cast.by(cast.kang), text="we refunded it")
    answer_merchant(case, by=cast.by(cast.minji), text="thank you")
    read = {
        who: [m.audience for m in readable_by(actor, case)]
        for who, actor in {
            "jiwoo": actors.customer(case.customer_id),
            "kang": cast.by(cast.kang),
            "minji": cast.by(cast.minji),
        }.items()
    }
    assert read["jiwoo"] == ["customer", "customer"]
    assert read["kang"] == ["customer", "customer", "merchant", "merchant"]
    assert len(read["minji"]) == 5


def test_a_word_of_the_customer_ends_the_waiting(cast):
    case = stages.answered(cast)
    wait(case, by=cast.by(cast.minji), seen=None, waiting_for="customer")
    assert stages.fresh(case).status == "waiting"
    customer_writes(case, by=actors.customer(case.customer_id), text="계좌는 국민은행입니다")
    assert stages.fresh(case).status == "working"


def test_waiting_for_the_customer_needs_a_question_that_was_sent(cast):
    case = stages.owned(cast)
    with pytest.raises(Refusal, match="Nothing was asked"):
        wait(case, by=cast.by(cast.minji), seen=None, waiting_for="customer")


def test_a_customer_cannot_answer_as_staff_nor_a_merchant_write_notes(cast):
    case = stages.owned(cast)
    for actor in (actors.customer(case.customer_id), cast.by(cast.kang)):
        with pytest.raises(NotAllowed):
            note(case, by=actor, text="x")
    assert stages.fresh(case).version == case.version
