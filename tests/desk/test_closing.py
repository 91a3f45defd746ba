"""Closing and the other endings, each by its honest name; opening again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.cases.closing import blockers
from makegood.desk.closing import close, closing_facts, end_disagreed, end_unconfirmed, reopen, withdraw
from makegood.desk.fixing import find_wanting, record_fix, verify
from makegood.desk.joining import link
from makegood.desk.telling import ask_again, confirm, record_confirmation, tell
from makegood.people import actors
from makegood.promises.models import Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db


def test_a_fix_that_nobody_verified_is_not_announced(cast):
    case = stages.fixed(cast)
    with pytest.raises(Refusal) as refused:
        tell(case, by=cast.by(cast.minji), seen=None, text="all done", next_word_at=stages.soon())
    assert refused.value.code == "not_verified" and case.messages.count() == 1


def test_minji_fixed_it_so_she_needs_a_record_or_another_pair_of_eyes(cast):
    case = stages.fixed(cast)
    fields = {"proof": "payment_record", "what_was_seen": "it left"}
    with pytest.raises(Refusal) as refused:
        verify(case, by=cast.by(cast.minji), seen=None, **fields)
    assert refused.value.field == "reference"
    verify(case, by=cast.by(cast.minji), seen=None, reference="re_3Nf", **fields)
    assert stages.fresh(case).status == "verified"


def test_a_fix_found_wanting_goes_back_to_work(cast):
    case = stages.verified(cast)
    find_wanting(case, by=cast.by(cast.wei), seen=None, what_was_seen="The bank sent it back.")
    case = stages.fresh(case)
    assert case.status == "working"
    record_fix(case, by=cast.by(cast.minji), seen=None, done="again", cause="wrong account")
    facts = closing_facts(stages.fresh(case))
    assert facts.fixed and not facts.verified, "the old proof was of the old fix"


def test_nobody_of_the_desk_confirms(cast):
    case = stages.told(cast)
    with pytest.raises(NotAllowed):
        confirm(case, by=cast.by(cast.hana), telling_id=case.tellings.get().pk, answer="all_good")
    with pytest.raises(Refusal):
        record_confirmation(
            case, by=cast.by(cast.minji), seen=None, answer="all_good", words="she said fine", channel="phone"
        )
    assert stages.fresh(case).status == "told"


def test_a_spoken_word_is_written_down_by_somebody_else_in_words(cast):
    case = stages.told(cast)
    with pytest.raises(Refusal):
        record_confirmation(
            case, by=cast.by(cast.jun), seen=None, answer="all_good", words=" ", channel="phone"
        )
    record_confirmation(
        case, by=cast.by(cast.jun), seen=None, answer="all_good", words="네, 잘 들어왔어요", channel="phone"
    )
    case = stages.fresh(case)
    assert case.ended_as == "made_good" and case.closure.confirmation.written_by == cast.jun


def test_not_good_opens_a_new_round_with_its_own_clock_and_more_urgency(cast):
    case = stages.told(cast)
    first = case.opened_at
    confirm(
        case,
        by=actors.customer(case.customer_id),
        telling_id=case.tellings.get().pk,
        answer="not_good",
        words="하나도 안 들어왔어요",
    )
    case = stages.fresh(case)
    assert (case.status, case.round, case.opened_at) == ("working", 2, first)
    assert case.urgency >= 3 and case.evidence.filter(source="answer:not_good").exists()
    assert case.due_at > clock.now()


def test_an_answer_to_an_older_telling_is_not_taken_for_the_new_one(cast):
    case = stages.told(cast)
    old = case.tellings.get().pk
    customer = actors.customer(case.customer_id)
    confirm(case, by=customer, telling_id=old, answer="partly")
    record_fix(case, by=cast.by(cast.minji), seen=None, done="rest sent", cause="split payment")
    verify(case, by=cast.by(cast.wei), seen=None, proof="payment_record", what_was_seen="seen")
    tell(case, by=cast.by(cast.minji), seen=None, text="now all of it", next_word_at=stages.soon())
    with pytest.raises(Refusal):
        confirm(case, by=customer, telling_id=old, answer="all_good")
    assert stages.fresh(case).status == "told"


def test_pressing_twice_answers_once(cast):
    case = stages.made_good(cast)
    with pytest.raises(Refusal):
        confirm(
            case, by=actors.customer(case.customer_id), telling_id=case.tellings.get().pk, answer="all_good"
        )
    assert case.confirmations.count() == 1


def test_silence_ends_as_unconfirmed_only_after_three_asks_over_a_week(cast):
    case = stages.told(cast)
    by = cast.by(cast.minji)
    with pytest.raises(Refusal):
        ask_again(case, by=by, seen=None, next_word_at=stages.soon())
    for day in (2, 4):
        with clock.travel(timedelta(days=day)):
            ask_again(case, by=by, seen=None, next_word_at=stages.soon())
    with clock.travel(timedelta(days=5)), pytest.raises(Refusal):
        end_unconfirmed(case, by=by, seen=None)
    with clock.travel(timedelta(days=8)):
        end_unconfirmed(case, by=by, seen=None)
    case = stages.fresh(case)
    assert case.ended_as == "unconfirmed" and not hasattr(case, "closure")


def test_an_ask_by_telephone_replaces_the_promise_and_keeps_none(cast):
    case = stages.told(cast)
    with clock.travel(timedelta(days=1)):
        ask_again(
            case,
            by=cast.by(cast.jun),
            seen=None,
            next_word_at=stages.soon(72),
            channel="phone",
            note="no answer",
        )
    promises = {p.state for p in Promise.objects.filter(case=case)}
    assert (
        promises == {"kept", "superseded", "open"}
        and Promise.objects.filter(case=case, state="open").count() == 1
    )


def test_to_disagree_is_a_leads_word_with_the_outside_route_told(cast):
    case = stages.owned(cast)
    words = {"text": "사용하신 상품이라 환불이 어렵습니다.", "outside_route": "한국소비자원 1372"}
    with pytest.raises(NotAllowed):
        end_disagreed(case, by=cast.by(cast.minji), seen=None, **words)
    with pytest.raises(Refusal):
        end_disagreed(case, by=cast.by(cast.sujin), seen=None, text="no", outside_route=" ")
    end_disagreed(case, by=cast.by(cast.sujin), seen=None, **words)
    case = stages.fresh(case)
    assert case.ended_as == "disagreed" and "1372" in case.messages.last().body
    assert not Promise.objects.filter(case=case, state="open").exists()


def test_jiwoo_takes_it_back_in_her_own_words(cast):
    case = stages.answered(cast)
    with pytest.raises(Refusal):
        withdraw(case, by=actors.customer(case.customer_id), seen=None, words="")
    withdraw(case, by=actors.customer(case.customer_id), seen=None, words="방금 입금됐어요")
    assert stages.fresh(case).ended_as == "withdrawn"


def test_it_came_back_so_it_opens_again_with_all_its_history(cast):
    case = stages.made_good(cast)
    events, first = case.version, case.opened_at
    reopen(case, by=actors.customer(case.customer_id), why="또 안 들어왔어요")
    case = stages.fresh(case)
    assert (case.status, case.round, case.ended_as, case.opened_at) == ("working", 2, "", first)
    assert case.version == events + 1 and case.confirmations.count() == 1
    assert {b.code for b in blockers(closing_facts(case))} >= {"not_fixed", "not_verified", "not_confirmed"}


def test_a_case_that_comes_back_does_not_go_to_somebody_who_left(cast):
    case = stages.made_good(cast)
    cast.minji.is_active = False
    cast.minji.save(update_fields=["is_active"])
    reopen(case, by=actors.customer(case.customer_id), why="또 안 들어왔어요")
    assert stages.fresh(case).owner is None and stages.fresh(case).team == cast.front


def test_a_parent_does_not_end_before_its_child_and_then_closes_by_itself(cast):
    parent, child = stages.told(cast), stages.told(cast)
    link(child, parent, by=cast.by(cast.minji), seen=None, relation="child")
    customer = actors.customer(parent.customer_id)
    confirm(parent, by=customer, telling_id=parent.tellings.get().pk, answer="all_good")
    assert stages.fresh(parent).status == "told"
    with pytest.raises(Refusal) as refused:
        close(parent, by=cast.by(cast.minji))
    assert refused.value.code == "open_children"
    confirm(child, by=customer, telling_id=child.tellings.get().pk, answer="all_good")
    assert stages.fresh(parent).ended_as == stages.fresh(child).ended_as == "made_good"
