"""A letter that did not arrive: the address is marked, the word is broken, somebody sees it and sends it again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal, Stale
from makegood.conversations.models import Delivery
from makegood.desk.delivering import bounced
from makegood.desk.joining import merge
from makegood.desk.resending import decline_asks, send_again
from makegood.desk.talking import reply
from makegood.desk.telling import ask_again
from makegood.jobs.deliver import send_due
from makegood.jobs.sweep import tick
from makegood.people import actors
from makegood.promises.models import Promise
from tests import cast as stages
from tests.jobs.test_letters import postbox  # noqa: F401

pytestmark = pytest.mark.django_db
SYSTEM = actors.system("mail")


def arrived(cast, **more):
    """An answer to Jiwoo that the mail server has taken; her case and that letter."""
    case = stages.answered(cast, **more)
    Delivery.objects.update(state="sent", sent_at=clock.now())
    return case, case.deliveries.order_by("id").last()


def back(letter, for_good=True):
    return bounced(letter, by=SYSTEM, why="550 5.1.1 user unknown", for_good=for_good)


def test_a_letter_that_came_back_marks_the_address_and_breaks_the_word_that_it_kept(cast):
    case, letter = arrived(cast)
    kept = Promise.objects.get(case=case, what="first_word")
    assert kept.state == "kept"
    event = back(letter)
    assert event.kind == "letter_bounced" and event.data == {
        "delivery": letter.pk,
        "message": letter.message_id,
    }
    kept.refresh_from_db()
    assert (kept.state, kept.undone_by_id) == ("broken", letter.pk) and kept.settled_at <= clock.now()
    letter.refresh_from_db()
    assert letter.state == "bounced" and letter.came_back_at and "user unknown" in letter.error
    cast.jiwoo.refresh_from_db()
    assert cast.jiwoo.email_failed_at and "user unknown" in cast.jiwoo.email_failed_why
    assert "jiwoo" not in str(event.data)


def test_the_case_rises_in_the_queue_but_nobody_has_touched_it(cast):
    case, letter = arrived(cast)
    touched = stages.fresh(case).touched_at
    back(letter)
    now = stages.fresh(case)
    assert now.due_at <= clock.now() and now.touched_at == touched


def test_the_same_report_twice_changes_nothing(cast):
    case, letter = arrived(cast)
    first = back(letter)
    version = stages.fresh(case).version
    assert back(letter) == first and stages.fresh(case).version == version


def test_a_delay_is_only_noted_and_the_word_stays_kept(cast):
    case, letter = arrived(cast)
    assert back(letter, for_good=False).kind == "letter_delayed"
    letter.refresh_from_db()
    cast.jiwoo.refresh_from_db()
    assert letter.state == "sent" and not cast.jiwoo.email_failed_at
    assert Promise.objects.get(case=case, what="first_word").state == "kept"
    assert back(letter).kind == "letter_bounced", "a delay that ends badly still counts"


def test_a_report_of_an_old_address_does_not_mark_the_corrected_one(cast):
    _case, letter = arrived(cast)
    cast.jiwoo.email = "jiwoo.new@customer.example"
    cast.jiwoo.save(update_fields=["email"])
    back(letter)
    cast.jiwoo.refresh_from_db()
    assert not cast.jiwoo.email_failed_at


def test_the_next_letter_to_a_marked_address_is_not_tried_silently(cast, postbox):  # noqa: F811
    case, letter = arrived(cast)
    back(letter)
    reply(case, by=cast.by(cast.minji), seen=None, text="다시 씁니다", next_word_at=stages.soon())
    send_due()
    waiting = case.deliveries.order_by("id").last()
    assert (waiting.state, waiting.error) == ("failed", "marked") and postbox.letters == []
    assert case.events.filter(kind="letter_failed", data__delivery=waiting.pk).exists()


def test_minji_corrects_the_address_and_the_letter_arrives(cast, postbox):  # noqa: F811
    case, letter = arrived(cast)
    back(letter)
    event = send_again(
        stages.fresh(case),
        letter.pk,
        by=cast.by(cast.minji),
        seen=stages.fresh(case).version,
        to=" Jiwoo.Kim@Customer.example ",
    )
    assert event.kind == "address_corrected" and "@" not in str(event.data)
    send_due()
    assert [x["To"] for x in postbox.letters] == ["jiwoo.kim@customer.example"]
    cast.jiwoo.refresh_from_db()
    assert cast.jiwoo.email == "jiwoo.kim@customer.example" and not cast.jiwoo.email_failed_at
    again = Delivery.objects.get(again_of=letter)
    assert again.state == "sent" and again.by_id == cast.minji.pk and again.message_id == letter.message_id
    letter.refresh_from_db()
    assert letter.state == "bounced", "how it ended stands"
    assert Promise.objects.get(case=case, what="first_word").state == "broken", "and so does the broken word"


def test_the_same_address_is_tried_again_when_a_person_says_so(cast, postbox):  # noqa: F811
    case, letter = arrived(cast)
    back(letter)
    assert send_again(case, letter.pk, by=cast.by(cast.minji), seen=None).kind == "letter_again"
    send_due()
    assert len(postbox.letters) == 1


def test_a_letter_is_sent_again_once_and_only_one_that_did_not_arrive(cast):
    case, letter = arrived(cast)
    by = cast.by(cast.minji)

    def refused(code, **more):
        before = (stages.fresh(case).version, Delivery.objects.count(), cast.jiwoo.email)
        with pytest.raises(Refusal) as no:
            send_again(stages.fresh(case), more.pop("letter", letter.pk), by=by, seen=None, **more)
        cast.jiwoo.refresh_from_db()
        assert (stages.fresh(case).version, Delivery.objects.count(), cast.jiwoo.email) == before
        assert no.value.code == code
        return no.value.field

    assert refused("not_failed") == "delivery"
    back(letter)
    assert refused("no_letter", letter=2**40) == "delivery"
    assert refused("bad_email", to="no address") == "to"
    assert refused("bad_email", to="a@b.example\nBcc: all@customer.example") == "to"
    assert refused("email_taken", to="ALEX@customer.example") == "to"
    foreign = stages.reported(cast, customer=cast.alex).deliveries.get()
    assert refused("no_letter", letter=foreign.pk) == "delivery"
    send_again(stages.fresh(case), letter.pk, by=by, seen=None)
    assert refused("sent_again") == "delivery"


def test_two_who_send_it_again_at_once_send_it_once(cast):
    case, letter = arrived(cast)
    back(letter)
    seen = stages.fresh(case).version
    send_again(case, letter.pk, by=cast.by(cast.minji), seen=seen)
    with pytest.raises(Stale):
        send_again(case, letter.pk, by=cast.by(cast.jun), seen=seen)
    with pytest.raises(NotAllowed):
        send_again(case, letter.pk, by=cast.by(cast.kang), seen=None)


def test_what_comes_back_to_a_merged_case_rises_on_the_survivor(cast):
    case, letter = arrived(cast)
    other = stages.owned(cast)
    merge(case, other, by=cast.by(cast.minji), seen=None)
    assert back(letter).case_id == other.pk
    assert stages.fresh(other).due_at <= clock.now()
    again = send_again(stages.fresh(other), letter.pk, by=cast.by(cast.minji), seen=None)
    assert Delivery.objects.get(pk=again.data["again"]).case_id == other.pk
    assert back(letter).case_id == other.pk and other.events.filter(kind="letter_bounced").count() == 1


def test_an_ended_case_stays_ended_when_its_last_letter_comes_back(cast):
    case = stages.made_good(cast)
    Delivery.objects.update(state="sent", sent_at=clock.now())
    back(case.deliveries.order_by("id").last())
    now = stages.fresh(case)
    assert not now.is_open and now.ended_as == "made_good"


def test_a_letter_that_was_taken_but_not_written_down_and_came_back_is_not_sent_again(cast, postbox):  # noqa: F811
    case = stages.reported(cast)
    back(case.deliveries.get())
    assert send_due() == 0 and case.deliveries.get().state == "bounced"


def test_who_wants_no_more_asks_gets_none_by_letter_and_twice_is_once(cast):
    case = stages.told(cast)
    jiwoo = actors.customer(cast.jiwoo.pk)
    first = decline_asks(case, by=jiwoo)
    version = stages.fresh(case).version
    assert decline_asks(case, by=jiwoo) == first and stages.fresh(case).version == version
    with clock.travel(timedelta(days=2)):
        with pytest.raises(Refusal) as no:
            ask_again(case, by=cast.by(cast.minji), seen=None, next_word_at=stages.soon())
        assert (no.value.code, no.value.field) == ("declined", "channel")
        ask_again(
            case,
            by=cast.by(cast.minji),
            seen=None,
            next_word_at=stages.soon(),
            channel="phone",
            note="She had no time.",
        )


def test_the_house_does_not_ask_by_itself_who_wants_no_more_asks(cast):
    """Neither the chase for confirmation nor the follow-up sends a letter; the owner is told instead."""
    case = stages.told(cast)
    decline_asks(case, by=actors.customer(cast.jiwoo.pk))
    letters = case.deliveries.count()
    for days in range(1, 12):
        with clock.travel(timedelta(days=days)):
            tick()
    assert not case.deliveries.filter(what="ask").exists()
    assert case.deliveries.count() == letters and stages.fresh(case).is_open
    assert case.notices.filter(user=cast.minji, kind="asked_in_vain").exists()


def test_the_owner_hears_that_a_letter_came_back_and_the_rung_above_that_a_promise_broke(cast):
    case, letter = arrived(cast)
    back(letter)
    told = {(n.user_id, n.kind) for n in case.notices.all()}
    assert (cast.minji.pk, "letter_bounced") in told
    assert {(cast.minji.pk, "promise_broken"), (cast.sujin.pk, "promise_broken")} <= told
    assert case.events.get(kind="promise_broken").data["undone"] == letter.pk
