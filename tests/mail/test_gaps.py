"""Nothing is lost and nothing doubled: a process is killed in each gap between the bytes and the case, and another goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction

from makegood.base import clock
from makegood.cases.models import Case
from makegood.conversations.models import Delivery, Letter, LetterSource, Message
from makegood.desk import letter_acts, receiving
from makegood.jobs.receive import read_due
from tests import cast as stages
from tests.desk.test_races import together
from tests.mail.crash import killed
from tests.mail.post import box, letter, sent

pytestmark = pytest.mark.django_db(transaction=True)
READ = "from makegood.jobs.receive import read_due; read_due()"


@pytest.fixture
def desk(transactional_db):
    cast = stages.assemble()
    cast.box = box(cast.haneul)
    return cast


def once() -> None:
    """One case, one message, one acknowledgement, one row."""
    assert (Case.objects.count(), Message.objects.count(), Delivery.objects.count()) == (1, 1, 1)
    row = Letter.objects.get()
    assert (row.state, row.outcome, row.case) == ("done", "opened", Case.objects.get())


def test_a_taker_killed_before_its_commit_leaves_nothing_half(desk):
    take = f"""
from makegood.conversations.models import Mailbox
from makegood.desk import receiving
receiving.take_in({letter()!r}, way="pipe", mailbox=Mailbox.objects.get())
"""
    killed("makegood.desk.receiving/LetterSource.objects:create!", take)
    assert not Letter.objects.exists() and not LetterSource.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "at",
    [
        "makegood.text.letters:read",  # claimed, not read yet
        "makegood.text.letters:read!",  # read, nothing done
        "makegood.desk.letter_acts:open_case!",  # the case is there, uncommitted; the row knows nothing of it
        "makegood.desk.letter_acts:finish!",  # both are there, uncommitted
    ],
)
def test_a_reader_killed_at_any_step_leaves_the_letter_to_the_next(desk, at):
    receiving.take_in(letter(), way="pipe", mailbox=desk.box)
    killed(at, READ)
    assert not Case.objects.exists() and Letter.objects.get().state == "waiting"
    assert read_due() == 0, "the dead one's claim still stands"
    with clock.travel(receiving.CLAIM + timedelta(seconds=1)):
        assert read_due() == 1
    once()


@pytest.mark.slow
def test_a_letter_that_kills_every_reader_is_set_aside_and_the_next_one_is_read(desk):
    receiving.take_in(letter(), way="pipe", mailbox=desk.box)
    Letter.objects.update(tries=len(receiving.WAITS))
    killed("makegood.text.letters:read", READ)
    receiving.take_in(letter("alex@customer.example", text="My order is late"), way="pipe", mailbox=desk.box)
    with clock.travel(receiving.CLAIM + timedelta(seconds=1)):
        read_due()
    first, second = Letter.objects.order_by("id")
    assert (first.state, first.because) == ("set_aside", "gave_up") and second.outcome == "opened"


def test_the_same_bytes_brought_twice_are_one_letter(desk):
    raw = letter()
    first = receiving.take_in(raw, way="imap", mailbox=desk.box)
    read_due()
    again = receiving.take_in(raw, way="pipe", mailbox=desk.box)
    assert again.pk == first.pk and read_due() == 0
    once()


def test_eight_who_bring_the_same_letter_at_once_bring_one(desk):
    raw = letter()
    rows = together(8, lambda i: receiving.take_in(raw, way="pipe", mailbox=desk.box))
    assert {getattr(row, "pk", row) for row in rows} == {Letter.objects.get().pk}


def test_eight_workers_read_one_letter_once(desk):
    receiving.take_in(letter(), way="pipe", mailbox=desk.box)
    counts = together(8, lambda i: read_due())
    assert sorted(counts) == [0] * 7 + [1]
    once()


def test_eight_workers_share_twelve_letters(desk):
    for n in range(12):
        receiving.take_in(
            letter(f"c{n}@new.example", text=f"Order number {n} is late"), way="pipe", mailbox=desk.box
        )
    counts = together(8, lambda i: read_due())
    assert sum(counts) == 12 and Case.objects.count() == 12


def test_a_redelivery_with_other_trace_lines_came_twice(desk):
    raw = letter()
    sent(desk.box, raw)
    row = sent(desk.box, b"Received: from elsewhere by mx; Sun, 22 Nov 2026 11:00:00 +0900\r\n" + raw)
    assert (row.outcome, row.twin.outcome, row.case) == ("twice", "opened", Case.objects.get())
    assert Message.objects.count() == 1


def test_one_letter_to_two_mailboxes_of_a_shop_is_one_case_also_when_read_at_once(desk):
    brand = box(desk.haneul, "brand@haneul.example")
    raw = letter(to="help@haneul.example, brand@haneul.example")
    receiving.take_in(b"Delivered-To: help@haneul.example\n" + raw, way="pipe", mailbox=desk.box)
    receiving.take_in(b"Delivered-To: brand@haneul.example\n" + raw, way="pipe", mailbox=brand)
    together(2, lambda i: read_due())
    assert Case.objects.count() == Message.objects.count() == 1
    assert sorted(Letter.objects.values_list("outcome", flat=True)) == ["opened", "twice"]


def test_one_letter_to_two_shops_is_a_case_of_each(desk):
    moon = box(desk.moon, "help@moon.example")
    raw = letter(to="help@haneul.example, help@moon.example")
    sent(desk.box, raw)
    sent(moon, raw)
    assert {c.shop for c in Case.objects.all()} == {desk.haneul, desk.moon}


def test_a_program_that_gives_every_letter_the_same_id_is_heard_each_time(desk):
    first = sent(desk.box, letter(Message_ID="<1@localhost>", text="My parcel is lost"))
    second = sent(desk.box, letter(Message_ID="<1@localhost>", text="My refund has not come"))
    assert first.outcome == second.outcome == "opened"


def test_letters_without_an_id_are_told_apart_by_what_they_say(desk):
    same = letter(Message_ID="")
    sent(desk.box, same)
    assert sent(desk.box, b"Received: x\n" + same).outcome == "twice"
    assert sent(desk.box, letter(Message_ID="", text="다른 이야기입니다. 배송이 늦어요.")).outcome == "opened"
    again = letter(Message_ID="", Date="Mon, 23 Nov 2026 10:00:00 +0900")
    assert sent(desk.box, again).outcome == "opened", "the same words a day later are said again"


def test_a_trouble_of_ours_waits_longer_each_time_and_then_people_see_it(desk, monkeypatch):
    row = receiving.take_in(letter(), way="pipe", mailbox=desk.box)

    def broken(*args: object, **fields: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(letter_acts, "open_case", broken)
    now = clock.now()
    for wait in receiving.WAITS:
        with clock.travel(now):
            assert read_due() == 1
        row.refresh_from_db()
        assert row.state == "waiting" and row.look_at == now + wait and "disk is full" in row.because
        now = row.look_at
    with clock.travel(now):
        read_due()
    row.refresh_from_db()
    assert row.state == "set_aside" and "disk is full" in row.because and not Case.objects.exists()


@pytest.mark.parametrize("raw", [b"", b"\x00\x01\x02", b"hello world", b"\n\n\n"])
def test_what_is_no_letter_is_set_aside_at_once_and_kept(desk, raw):
    row = sent(desk.box, raw)
    assert row.state == "set_aside" and row.because.startswith("unreadable:")
    assert bytes(row.source.content) == raw


def test_a_refusal_of_the_desk_leaves_no_half_case(desk):
    row = sent(desk.box, letter('"not an address"@nowhere'))
    assert row.state == "set_aside" and row.because.startswith("refused:") and not Case.objects.exists()


def test_the_source_never_changes(desk):
    row = sent(desk.box, letter())
    with pytest.raises(Exception, match="never changes"), transaction.atomic():
        LetterSource.objects.filter(pk=row.pk).update(content=b"x")


def test_a_claim_that_ran_out_writes_nothing_over_the_one_who_took_over(desk):
    receiving.take_in(letter(), way="pipe", mailbox=desk.box)
    slow = receiving.claim()
    with clock.travel(receiving.CLAIM + timedelta(seconds=1)):
        read_due()
    receiving.read_letter(slow)
    receiving.put_off(slow, "late")
    receiving.set_aside(slow, "late")
    once()
    assert connection.in_atomic_block is False
