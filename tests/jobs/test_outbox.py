"""Order, several workers, and mail servers as they are: slow, full, rude, and gone in the middle of a letter."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, connections

from makegood.base import clock
from makegood.conversations import outbox, threads
from makegood.conversations.models import Delivery, Mailbox
from makegood.desk import delivering
from makegood.desk.talking import reply
from makegood.jobs.deliver import send_due
from tests import cast as stages
from tests.jobs.test_letters import CUT, later, postbox, words  # noqa: F401

pytestmark = pytest.mark.django_db


def answer(cast, case, text):
    reply(case, by=cast.by(cast.minji), seen=None, text=text, next_word_at=stages.soon())


def states(case) -> list[str]:
    return list(case.deliveries.order_by("id").values_list("state", flat=True))


def test_a_later_letter_never_leaves_before_an_earlier_one_that_still_waits(cast, postbox):  # noqa: F811
    case = stages.owned(cast)
    postbox.refuse["jiwoo@customer.example"] = "452 mailbox full"
    send_due()
    answer(cast, case, "첫째 답")
    answer(cast, case, "둘째 답")
    assert send_due() == 0, "the confirmation waits, so nothing of the case is tried"
    postbox.refuse.clear()
    with later(minutes=2):
        assert send_due() == 3
    assert ["접수번호" in words(x) or "첫째" in words(x) or "둘째" in words(x) for x in postbox.letters]
    assert [x["Message-ID"] for x in postbox.letters] == [d.header_id for d in case.deliveries.order_by("id")]
    assert "첫째 답" in words(postbox.letters[1]) and "둘째 답" in words(postbox.letters[2])


def test_a_letter_that_failed_for_good_frees_the_next(cast, postbox):  # noqa: F811
    case = stages.owned(cast)
    answer(cast, case, "첫째 답")
    postbox.answers = ["554 5.6.0 we do not take such letters"]
    send_due()
    assert states(case) == ["failed", "sent"] and "첫째 답" in words(postbox.letters[0])


def test_another_customers_letters_do_not_wait_for_a_full_mailbox(cast, postbox):  # noqa: F811
    postbox.refuse["jiwoo@customer.example"] = "452 mailbox full"
    stages.answered(cast)
    stages.answered(cast, customer=cast.alex)
    send_due()
    assert [x["To"] for x in postbox.letters] == ["alex@customer.example"] * 2


def test_letters_that_are_stuck_behind_another_are_not_looked_at_again_and_again(cast, postbox):  # noqa: F811
    postbox.refuse["jiwoo@customer.example"] = "452 mailbox full"
    case = stages.answered(cast)
    send_due()
    head, behind = case.deliveries.order_by("id")
    assert behind.look_at == head.look_at > clock.now()
    answer(cast, case, "나중 답")
    assert case.deliveries.order_by("id").last().look_at >= head.look_at


@pytest.mark.parametrize(
    "said, state, marked",
    [
        ("550 5.1.1 no such user", "failed", True),
        ("550 no such user here", "failed", True),
        ("550 5.2.1 mailbox disabled", "failed", True),
        ("552 5.2.2 mailbox full", "failed", False),
        ("550 5.7.1 message blocked: spam", "failed", False),
        ("554 relay access denied", "failed", False),
        ("450 4.2.0 greylisted, come back", "waiting", False),
    ],
)
def test_only_what_the_server_blames_on_the_address_marks_it(cast, postbox, said, state, marked):  # noqa: F811
    postbox.refuse["jiwoo@customer.example"] = said
    case = stages.reported(cast)
    send_due()
    assert states(case) == [state]
    cast.jiwoo.refresh_from_db()
    assert bool(cast.jiwoo.email_failed_at) is marked
    assert ("no such" in cast.jiwoo.email_failed_why or "disabled" in cast.jiwoo.email_failed_why) is marked


@pytest.mark.parametrize(
    "said, state",
    [
        ("451 try later", "waiting"),
        ("554 5.6.0 malformed", "failed"),
        ("550 5.1.1 unknown after all", "failed"),
    ],
)
def test_a_server_that_refuses_only_after_the_letter_is_through(cast, postbox, said, state):  # noqa: F811
    postbox.answers = [said]
    case = stages.reported(cast)
    send_due()
    assert states(case) == [state] and postbox.letters == []
    cast.jiwoo.refresh_from_db()
    assert bool(cast.jiwoo.email_failed_at) is ("5.1.1" in said)


def test_a_connection_cut_in_the_middle_loses_nothing_and_the_same_letter_goes_again(cast, postbox):  # noqa: F811
    postbox.answers = [CUT, CUT]
    case = stages.reported(cast)
    send_due()
    fixed = case.deliveries.get()
    assert fixed.state == "waiting" and fixed.header_id and "Disconnected" in fixed.error
    for minutes in (2, 10):
        with later(minutes=minutes):
            send_due()
    (letter,) = postbox.letters
    assert letter["Message-ID"] == fixed.header_id and states(case) == ["sent"]


def test_a_server_that_never_answers_is_left_after_a_while(cast, postbox, settings):  # noqa: F811
    settings.EMAIL_TIMEOUT = 0.5
    postbox.delay = 5.0
    case = stages.reported(cast)
    began = time.monotonic()
    send_due()
    assert time.monotonic() - began < 4 and states(case) == ["waiting"]


def test_a_wrong_password_of_ours_fails_no_letter_and_marks_nobody(cast, settings, postbox):  # noqa: F811
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "makegood", "wrong"
    case = stages.reported(cast)
    send_due()
    cast.jiwoo.refresh_from_db()
    assert states(case) == ["waiting"] and not cast.jiwoo.email_failed_at


def test_a_claim_that_ran_out_never_undoes_what_the_next_worker_did(cast, postbox):  # noqa: F811
    case = stages.reported(cast)
    slow = delivering.claim()
    with later(minutes=6):
        send_due()
    assert states(case) == ["sent"]
    by = stages.actors.system()
    assert delivering.undelivered(slow, "timed out", by=by) is None
    assert delivering.undelivered(slow, "550 5.1.1", by=by, for_good=True, address_is_wrong=True) is None
    assert states(case) == ["sent"] and not case.events.filter(kind="letter_failed").exists()
    cast.jiwoo.refresh_from_db()
    assert not cast.jiwoo.email_failed_at


def test_the_name_it_leaves_in_and_the_message_id_stand_from_the_first_try(cast, postbox):  # noqa: F811
    postbox.answers = ["451 later"]
    case = stages.reported(cast)
    send_due()
    first = case.deliveries.get()
    Mailbox.objects.create(shop=cast.haneul, address="help@haneul.example", name="하늘", first=True)
    with later(minutes=2):
        send_due()
    assert postbox.letters[0]["Message-ID"] == first.header_id
    assert "makegood.example" in postbox.letters[0]["From"]


@pytest.mark.django_db(transaction=True)
def test_several_workers_send_each_letter_once_and_each_case_in_its_order(cast, postbox):  # noqa: F811
    cases = [stages.owned(cast, customer=who) for who in (cast.jiwoo, cast.alex, cast.lina) for _ in range(3)]
    for n in range(3):
        for case in cases:
            answer(cast, case, f"answer {n}")
    postbox.delay = 0.005
    assert connection.vendor == "postgresql" and Delivery.objects.filter(state="waiting").count() == 36

    def work() -> None:
        try:
            while Delivery.objects.filter(state="waiting").exists():
                send_due()
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    arrived = [x["Message-ID"] for x in postbox.letters]
    assert len(arrived) == len(set(arrived)) == 36
    for case in cases:
        ours = list(case.deliveries.order_by("id").values_list("header_id", flat=True))
        assert [m for m in arrived if m in ours] == ours
    assert outbox.declined(cases[0]) is False


def test_a_letter_that_was_taken_and_comes_back_is_matched_by_its_envelope(cast, postbox):  # noqa: F811
    Mailbox.objects.create(
        shop=cast.haneul, address="help@haneul.example", name="하늘", first=True, plus=True
    )
    case = stages.answered(cast)
    send_due()
    sender, _to = postbox.envelopes[-1]
    letter = threads.delivery_of_return_path(sender)
    assert letter == case.deliveries.order_by("id").last() and letter.state == "sent"
    delivering.bounced(letter, by=stages.actors.system(), why="550 5.1.1 user unknown", for_good=True)
    assert states(case) == ["sent", "bounced"]


def test_the_wait_after_the_last_try_is_the_end(cast, settings):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    case = stages.reported(cast)
    Delivery.objects.update(tries=len(delivering.WAITS))
    assert stages.fresh(case).due_at > clock.now()
    send_due()
    assert states(case) == ["failed"]
    assert stages.fresh(case).due_at <= clock.now() + timedelta(seconds=1), "the queue shows it now"
