"""A war room: many hands on one case, one card, and nobody's words or promises lost.

Over 300 lines: one mechanism, all of whose verbs are tried.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal, Stale
from makegood.cases.models import Case, Notice
from makegood.conversations.models import Message
from makegood.desk import closing, handling, joining, notices, promising, talking
from makegood.desk.room_card import Conflict, card, edit_card, history
from makegood.desk.room_leads import led_by
from makegood.desk.room_work import decide, finish_task, give_task, say, thank
from makegood.desk.rooming import (
    close_room,
    give_role,
    join_room,
    leave_room,
    open_room,
    room_for,
    unthanked,
)
from makegood.incidents.models import CardField, Room, RoomMember, RoomMessage, Task, Thanks
from makegood.jobs.sweep import tick
from makegood.people import actors
from makegood.people.models import Team, User
from makegood.promises.models import Promise
from tests import cast as stages
from tests.cast import fresh
from tests.desk.test_races import together

pytestmark = pytest.mark.django_db


def opened(cast, case: Case | None = None, **more) -> Room:
    case = case or stages.answered(cast)
    event = open_room(case, by=cast.by(cast.sujin), **more)
    return Room.objects.get(pk=event.data["room"])


def write(cast, room, user, field, text, n=0, **more):
    return edit_card(room, by=cast.by(user), field=field, n=n, text=text, **more)


def told(user, kind: str) -> list[Notice]:
    return list(Notice.objects.filter(user=user, kind=kind))


# Opening


def test_sujin_opens_a_room_and_leads_it(cast):
    room = opened(cast, background="Refund refused twice.", ask="39,000 won back.")
    lead = room.members.get()
    assert lead.user == cast.sujin and lead.role == "lead"
    now = card(room)
    assert now["background"].text == "Refund refused twice." and now["ask"].n == 1 and now["blocker"] is None
    event = room.case.events.order_by("-seq")[0]
    assert event.kind == "room_opened" and event.data == {"room": room.pk, "user": cast.sujin.pk}


def test_an_agent_opens_no_room(cast):
    with pytest.raises(NotAllowed):
        open_room(stages.answered(cast), by=cast.by(cast.minji))
    assert not Room.objects.exists()


def test_a_case_has_one_open_room(cast):
    room = opened(cast)
    with pytest.raises(Refusal) as no:
        opened(cast, fresh(room.case))
    assert no.value.code == "has_room" and Room.objects.count() == 1


def test_nobody_keeps_more_than_three_rooms_and_the_refusal_names_it(cast):
    for _n in range(3):
        opened(cast)
    with pytest.raises(Refusal) as no:
        opened(cast)
    assert no.value.code == "too_many_rooms" and "Sujin" in str(no.value) and "3" in str(no.value)
    assert led_by(cast.sujin.pk) == 3 == Room.objects.count()


@pytest.mark.django_db(transaction=True)
def test_four_rooms_opened_at_the_same_moment_are_three(db):
    cast = stages.assemble()
    cases = [stages.answered(cast) for _n in range(4)]
    done = together(4, lambda i: open_room(cases[i], by=cast.by(cast.sujin)))
    refused = [d for d in done if isinstance(d, Refusal)]
    assert [r.code for r in refused] == ["too_many_rooms"], done
    assert led_by(cast.sujin.pk) == 3


def test_the_ladder_opens_a_room_for_the_lead_of_the_case_who_hears_of_it(cast):
    event = open_room(stages.answered(cast), by=actors.system("worker"))
    assert event.data["user"] == cast.sujin.pk and len(told(cast.sujin, "room_opened")) == 1


def test_when_every_lead_has_three_rooms_the_ladder_opens_no_fourth_and_with_no_lead_there_a_manager_leads(
    cast,
):
    for _n in range(3):
        opened(cast)
    with pytest.raises(Refusal) as refused:
        open_room(stages.answered(cast), by=actors.system("worker"))
    assert refused.value.code == "leads_full" and Room.objects.count() == 3
    bora = stages.user("Bora", "lead")
    assert open_room(stages.answered(cast), by=actors.system("worker")).data["user"] == bora.pk
    User.objects.filter(role="lead").update(is_active=False)
    assert open_room(stages.answered(cast), by=actors.system("worker")).data["user"] == cast.hana.pk


def test_an_ended_case_gets_no_room_and_opening_is_no_work_on_the_case(cast):
    case = stages.answered(cast)
    touched = case.touched_at
    with clock.travel(timedelta(hours=1)):
        room = opened(cast, case)
    assert fresh(room.case).touched_at == touched
    with pytest.raises(Refusal):
        opened(cast, stages.made_good(cast))


# The card


def test_two_fields_never_collide_and_one_field_shows_both_texts(cast):
    room = opened(cast)
    write(cast, room, cast.minji, "progress", "Bank was called.")
    write(cast, room, cast.wei, "blocker", "The bank is closed.")
    with pytest.raises(Conflict) as clash:
        write(cast, room, cast.jun, "progress", "Sent a letter.")
    assert clash.value.status == 409
    assert clash.value.mine == "Sent a letter." and clash.value.theirs.text == "Bank was called."
    assert clash.value.theirs.by == cast.minji and clash.value.theirs.n == 1
    write(cast, room, cast.jun, "progress", "Bank was called. Sent a letter.", n=1)
    assert [(v.n, v.by.name) for v in history(room, "progress")] == [(2, "Jun"), (1, "Minji")]
    assert card(room)["blocker"].text == "The bank is closed."


@pytest.mark.django_db(transaction=True)
def test_ten_who_edit_the_card_at_once_lose_nothing(db):
    """Each adds a line to the same field, and one to a field that two share; who was slower reads both and writes again."""
    cast = stages.assemble()
    room = opened(cast)
    people = [stages.user(f"Helper{i}", "agent") for i in range(10)]
    shared = CardField.Field.values[:5]

    def add(user, field: str, line: str) -> int:
        n, text, tries = 0, "", 0
        while True:
            try:
                write(cast, room, user, field, f"{text}\n{line}".strip(), n=n)
                return tries
            except Conflict as clash:
                assert clash.mine.endswith(line), "the draft comes back whole"
                n, text, tries = clash.theirs.n, clash.theirs.text, tries + 1

    def work(i: int) -> int:
        tries = add(people[i], "handlers", f"line {i}")
        return tries + add(people[i], shared[i % 5], f"own {i}")

    done = together(10, work)
    assert all(isinstance(d, int) for d in done), done
    now = card(room)
    assert sorted(now["handlers"].text.splitlines()) == sorted(f"line {i}" for i in range(10))
    assert now["handlers"].n == 10
    for place, field in enumerate(shared):
        assert sorted(now[field].text.splitlines()) == [f"own {place}", f"own {place + 5}"]
    assert [v.n for v in history(room, "handlers")] == list(range(10, 0, -1)), "no version is missing"
    case = fresh(room.case)
    assert case.events.filter(kind="room_card_changed").count() == 20
    assert RoomMember.objects.filter(room=room).count() == 11, "whoever writes is in the room"


def test_a_version_is_never_written_over_not_even_past_the_desk(cast):
    room = opened(cast, ask="Her money.")
    row = room.card.get()
    for wrong in (
        lambda: CardField.objects.filter(pk=row.pk).update(text="Nothing."),
        lambda: CardField.objects.filter(pk=row.pk).delete(),
        lambda: CardField.objects.create(room=room, field="ask", n=1, text="Other."),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()
    assert card(room)["ask"].text == "Her money."


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("progress", "x" * 5001, "too_long"),
        ("progress", "   ", "unchanged"),
        ("shoe", "x", "unknown_code"),
    ],
)
def test_odd_edits_are_refused_and_nothing_is_written(cast, field, text, code):
    room = opened(cast)
    version = fresh(room.case).version
    with pytest.raises(Refusal) as no:
        write(cast, room, cast.minji, field, text)
    assert no.value.code == code and not room.card.exists() and fresh(room.case).version == version


def test_a_field_is_cleared_and_its_history_stays(cast):
    room = opened(cast)
    write(cast, room, cast.minji, "blocker", "Bank closed.")
    write(cast, room, cast.minji, "blocker", "", n=1)
    assert card(room)["blocker"].text == "" and history(room, "blocker")[1].text == "Bank closed."


def test_minjis_answer_to_the_customer_is_not_thrown_back_by_the_card(cast):
    case = stages.answered(cast)
    room = opened(cast, case)
    write(cast, room, cast.wei, "progress", "Found it.")
    talking.reply(
        case, by=cast.by(cast.minji), seen=case.version, text="찾았습니다.", next_word_at=stages.soon()
    )
    assert fresh(case).messages.filter(body="찾았습니다.").exists()


def test_events_hold_no_words_of_the_room(cast):
    room = opened(cast, ask="SECRET")
    write(cast, room, cast.minji, "progress", "SECRET")
    decide(room, by=cast.by(cast.minji), who=cast.sujin, what="SECRET", why="SECRET")
    give_task(room, by=cast.by(cast.sujin), owner=cast.wei, what="SECRET", due_at=stages.soon())
    assert not any("SECRET" in str(e.data) for e in room.case.events.all())


# Who hears of it


def test_progress_reaches_owner_and_the_rooms_own_leads_each_in_their_language(cast):
    room = opened(cast)
    give_role(room, by=cast.by(cast.sujin), user=cast.hana, role="business")
    give_role(room, by=cast.by(cast.sujin), user=cast.wei, role="technical")
    write(cast, room, cast.sujin, "progress", "Half done.")
    write(cast, room, cast.sujin, "help", "Somebody with a bank key.")
    for user in (cast.minji, cast.hana, cast.wei):
        [notice] = told(user, "room_changed")
        assert notice.data["what"] == "progress"
        assert notices.sentence(notice) == "The card of a war room changed: Progress."
    assert not told(cast.sujin, "room_changed"), "who wrote it knows"


def test_a_colleague_who_reported_the_case_hears_of_it_and_without_named_leads_so_does_the_cases_lead(cast):
    from makegood.desk.opening import Report, open_case

    report = Report(text="Refund stuck.", language="en")
    case = open_case(cast.haneul, report, by=cast.by(cast.jun), customer=cast.alex).case
    handling.take(case, by=cast.by(cast.minji), seen=None)
    event = open_room(case, by=cast.by(cast.hana))
    room = Room.objects.get(pk=event.data["room"])
    write(cast, room, cast.wei, "blocker", "No access.")
    assert [len(told(u, "room_changed")) for u in (cast.jun, cast.minji, cast.sujin)] == [1, 1, 1]


def test_the_merchant_reads_what_they_are_told_and_nothing_else(cast):
    room = opened(cast)
    write(cast, room, cast.sujin, "blocker", "내부 문제입니다.")
    write(cast, room, cast.sujin, "progress", "승인 기록이 필요합니다.", to_merchant=True)
    read = Message.objects.filter(case=room.case, audience="merchant").values_list("body", flat=True)
    assert list(read) == ["승인 기록이 필요합니다."]
    with pytest.raises(Refusal) as no:
        write(cast, room, cast.sujin, "background", "우리끼리", to_merchant=True)
    assert no.value.field == "to_merchant" and card(room)["background"] is None


# Roles


def test_join_leave_and_come_back_with_the_same_role(cast):
    room = opened(cast)
    join_room(room, by=cast.by(cast.wei))
    with pytest.raises(Refusal):
        join_room(room, by=cast.by(cast.wei))
    give_role(room, by=cast.by(cast.sujin), user=cast.wei, role="scribe")
    leave_room(room, by=cast.by(cast.wei))
    assert room.members.get(user=cast.wei).left_at is not None
    join_room(room, by=cast.by(cast.wei))
    mine = room.members.get(user=cast.wei)
    assert mine.left_at is None and mine.role == "scribe"


def test_the_lead_leaves_only_when_somebody_else_leads(cast):
    room = opened(cast)
    with pytest.raises(Refusal):
        leave_room(room, by=cast.by(cast.sujin))
    with pytest.raises(Refusal):
        give_role(room, by=cast.by(cast.sujin), user=cast.wei, role="lead")
    give_role(room, by=cast.by(cast.sujin), user=cast.hana, role="lead")
    leave_room(room, by=cast.by(cast.sujin))
    assert room.members.get(role="lead").user == cast.hana and led_by(cast.sujin.pk) == 0


@pytest.mark.parametrize("who", ["minji", "jun", "wei"])
def test_only_a_lead_gives_roles(cast, who):
    room = opened(cast)
    with pytest.raises(NotAllowed):
        give_role(room, by=cast.by(getattr(cast, who)), user=cast.jun, role="handler")
    assert room.members.count() == 1


def test_the_lead_of_three_rooms_is_given_no_fourth(cast):
    for _n in range(3):
        opened(cast)
    case = stages.answered(cast)
    room = Room.objects.get(pk=open_room(case, by=cast.by(cast.hana)).data["room"])
    with pytest.raises(Refusal) as no:
        give_role(room, by=cast.by(cast.hana), user=cast.sujin, role="lead")
    assert no.value.code == "too_many_rooms" and room.members.get(role="lead").user == cast.hana


def test_a_merchant_a_customer_and_a_colleague_of_another_shop_find_no_room(cast):
    room = opened(cast)
    bora = stages.user("Bora", "agent")
    moon_line = Team.objects.create(name="Moon line")
    moon_line.members.add(bora)
    moon_line.shops.add(cast.moon)
    for actor in (cast.by(cast.kang), actors.customer(cast.jiwoo.pk), cast.by(bora)):
        with pytest.raises(NotThere):
            room_for(actor, room.pk)
    assert room_for(cast.by(cast.jun), room.pk) == room


# Tasks and decisions


@pytest.mark.parametrize("missing", ["owner", "what", "due_at"])
def test_a_task_without_who_what_or_by_when_is_refused(cast, missing):
    room = opened(cast)
    task = {"owner": cast.wei, "what": "Ask the bank.", "due_at": stages.soon()}
    empty = {"owner": None, "what": " ", "due_at": None}
    with pytest.raises(Refusal) as no:
        give_task(room, by=cast.by(cast.sujin), **{**task, missing: empty[missing]})
    assert no.value.field == missing and not Task.objects.exists()
    assert not Promise.objects.filter(to="staff").exists()


def test_a_task_is_a_promise_to_colleagues_that_its_words_keep(cast):
    room = opened(cast)
    give_task(room, by=cast.by(cast.sujin), owner=cast.wei, what="Ask the bank.", due_at=stages.soon())
    task = Task.objects.select_related("promise").get()
    assert (task.promise.to, task.promise.by, task.promise.state) == ("staff", cast.wei, "open")
    assert len(told(cast.wei, "room_task")) == 1
    with pytest.raises(Refusal):
        finish_task(room, task.pk, by=cast.by(cast.wei), words="")
    finish_task(room, task.pk, by=cast.by(cast.wei), words="The bank pays tomorrow.")
    task.refresh_from_db()
    assert task.done_words == "The bank pays tomorrow." and task.promise.state == "kept"
    with pytest.raises(Refusal):
        finish_task(room, task.pk, by=cast.by(cast.wei), words="Again.")


def test_a_task_that_nobody_does_in_time_is_a_broken_promise_that_the_sweep_finds(cast):
    room = opened(cast)
    give_task(room, by=cast.by(cast.sujin), owner=cast.wei, what="Ask the bank.", due_at=stages.soon(1))
    with clock.travel(timedelta(hours=2)):
        tick()
        task = Task.objects.select_related("promise").get()
        assert task.promise.state == "broken"
        finish_task(room, task.pk, by=cast.by(cast.wei), words="Late, but done.")
    task.promise.refresh_from_db()
    assert task.promise.state == "broken" and Task.objects.get().done_words == "Late, but done."


def test_a_decision_says_who_what_and_why(cast):
    room = opened(cast)
    by = cast.by(cast.minji)
    decide(room, by=by, who=cast.sujin, what="Pay from our side.", why="The bank is shut till Monday.")
    noted = room.decisions.get()
    assert (noted.who, noted.by, noted.why) == (cast.sujin, cast.minji, "The bank is shut till Monday.")
    with pytest.raises(Refusal):
        decide(room, by=by, who=cast.sujin, what="Pay.", why="")


# The end


def ended(cast) -> Room:
    """A room whose case was made good, with Wei and Minji who helped."""
    case = stages.told(cast)
    room = opened(cast, case)
    write(cast, room, cast.wei, "progress", "Paid.")
    say(room, by=cast.by(cast.minji), text="Jiwoo knows.")
    return room


def close(cast, room, hours: float = 48):
    return close_room(room, by=cast.by(cast.sujin), review_at=stages.soon(hours))


def test_a_room_is_not_closed_before_verify_tell_confirm_thanks_and_a_review(cast):
    room = opened(cast)
    write(cast, room, cast.wei, "progress", "Working on it.")
    with pytest.raises(Refusal) as no:
        close_room(room, by=cast.by(cast.sujin), review_at=None)
    for words in ("verified", "told", "confirmed", "Wei", "look back"):
        assert words in str(no.value), words
    assert Room.objects.get().is_open


def test_made_good_thanked_and_with_a_review_it_closes_and_the_review_comes(cast):
    room = ended(cast)
    from makegood.desk.telling import confirm

    confirm(
        fresh(room.case),
        by=actors.customer(room.case.customer_id),
        telling_id=room.case.tellings.get().pk,
        answer="all_good",
    )
    with pytest.raises(Refusal) as no:
        close(cast, room)
    assert no.value.code == "not_thanked"
    assert [name for _pk, name in unthanked(room)] == ["Minji", "Wei"]
    by = cast.by(cast.sujin)
    thank(room, by=by, to=[cast.minji.pk, cast.wei.pk], words="You stayed until it was paid.")
    assert len(told(cast.wei, "room_thanks")) == len(told(cast.minji, "room_thanks")) == 1
    assert Thanks.objects.filter(words="You stayed until it was paid.").count() == 2
    close(cast, room)
    room.refresh_from_db()
    assert not room.is_open and fresh(room.case).events.order_by("-seq")[0].kind == "room_closed"
    with clock.travel(timedelta(hours=47)):
        tick()
        assert not told(cast.sujin, "room_review")
    with clock.travel(timedelta(hours=49)):
        tick()
        tick()
    assert len(told(cast.sujin, "room_review")) == 1


def test_a_closed_room_takes_nothing_more_and_stays_to_be_read(cast):
    room = ended(cast)
    closing.withdraw(fresh(room.case), by=cast.by(cast.minji), seen=None, words="필요 없어요")
    thank(room, by=cast.by(cast.sujin), to=[cast.minji.pk, cast.wei.pk], words="Thank you both.")
    close(cast, room)
    late = (
        lambda: write(cast, room, cast.wei, "progress", "More.", n=1),
        lambda: say(room, by=cast.by(cast.wei), text="More."),
        lambda: decide(room, by=cast.by(cast.wei), who=cast.wei, what="x", why="y"),
        lambda: close(cast, room),
    )
    for act in late:
        with pytest.raises(Refusal) as no:
            act()
        assert no.value.code == "room_closed"
    assert RoomMessage.objects.count() == 1 and card(room)["progress"].text == "Paid."
    assert room_for(cast.by(cast.jun), room.pk) == room


@pytest.mark.parametrize("hours", [-1, 24 * 90])
def test_a_review_yesterday_or_in_a_year_is_none(cast, hours):
    room = opened(cast, stages.told(cast))
    closing.withdraw(fresh(room.case), by=cast.by(cast.minji), seen=None, words="필요 없어요")
    with pytest.raises(Refusal) as no:
        close(cast, room, hours)
    assert no.value.field == "review_at" and Room.objects.get().is_open


def test_nobody_thanks_themselves_or_nobody(cast):
    room = opened(cast)
    for to in ([], [cast.sujin.pk], [cast.kang.pk]):
        with pytest.raises(Refusal):
            thank(room, by=cast.by(cast.sujin), to=to, words="Well done.")
    assert not Thanks.objects.exists()


# While the case moves on


def test_a_merged_case_takes_its_room_along_and_its_tasks_are_still_kept(cast):
    one, two = stages.answered(cast), stages.answered(cast)
    room = opened(cast, one)
    give_task(room, by=cast.by(cast.sujin), owner=cast.wei, what="Ask the bank.", due_at=stages.soon())
    joining.merge(fresh(one), fresh(two), by=cast.by(cast.minji), seen=None)
    write(cast, room, cast.wei, "progress", "Still on it.")
    assert fresh(two).events.order_by("-seq")[0].kind == "room_card_changed"
    finish_task(room, Task.objects.get().pk, by=cast.by(cast.wei), words="Done.")
    kept = Promise.objects.get(case=two, to="staff")
    assert kept.state == "kept"
    with pytest.raises(Refusal) as no:
        opened(cast, fresh(two))
    assert no.value.code == "has_room"


def test_the_urgency_of_a_room_is_the_highest_of_its_cases_and_is_never_stored(cast):
    one = stages.answered(cast, customer=cast.alex, text="Where is order AX-20261103?")
    room = opened(cast, one)
    mine = room_for(cast.by(cast.jun), room.pk)
    assert mine.urgency == fresh(one).urgency
    below = stages.answered(cast, customer=cast.alex, text="And my coupon does not work.")
    joining.link(below, fresh(one), by=cast.by(cast.minji), seen=None, relation="child")
    handling.raise_urgency(fresh(below), by=cast.by(cast.minji), level=5, reason="A wedding.")
    assert fresh(one).urgency < 5 and room_for(cast.by(cast.jun), room.pk).urgency == 5
    survivor = stages.answered(cast, customer=cast.lina)
    assert "urgency" not in {f.name for f in Room._meta.get_fields()}, survivor


def test_a_room_on_a_split_case_hears_of_the_part_that_went(cast):
    case = stages.owned(cast, customer=cast.alex, text="Where is order AX-20261103?")
    room = opened(cast, case)
    talking.customer_writes(fresh(case), by=actors.customer(case.customer_id), text="The coupon fails too.")
    moved = fresh(case).messages.filter(author="customer").last()
    event = joining.split(fresh(case), [moved.pk], by=cast.by(cast.minji), seen=None, subject="Coupon")
    part = Case.objects.get(number=event.data["case"])
    handling.raise_urgency(part, by=cast.by(cast.minji), level=5, reason="A wedding.")
    assert room_for(cast.by(cast.jun), room.pk).urgency == 5


# The chat


@pytest.mark.django_db(transaction=True)
def test_ten_lines_at_once_are_ten_lines_and_their_writers_are_in_the_room_once(db):
    cast = stages.assemble()
    room = opened(cast)
    version = fresh(room.case).version
    done = together(10, lambda i: say(room, by=cast.by([cast.minji, cast.jun][i % 2]), text=f"line {i}"))
    assert all(isinstance(d, RoomMessage) for d in done), done
    assert room.messages.count() == 10 and room.members.count() == 3
    assert fresh(room.case).version == version, "a chat is nothing that happened to the case"


@pytest.mark.parametrize("text", ["", "   ", "x" * 5001])
def test_an_empty_or_endless_line_is_refused(cast, text):
    room = opened(cast)
    with pytest.raises(Refusal) as no:
        say(room, by=cast.by(cast.minji), text=text)
    assert no.value.field == "text" and not room.messages.exists()


def test_a_promise_of_the_room_and_one_by_hand_stand_beside_each_other(cast):
    room = opened(cast)
    give_task(room, by=cast.by(cast.sujin), owner=cast.wei, what="Ask the bank.", due_at=stages.soon(2))
    promising.promise(
        fresh(room.case),
        by=cast.by(cast.minji),
        seen=None,
        what="other",
        due_at=stages.soon(3),
        words="Call Kang.",
        to="staff",
    )
    task = Task.objects.get()
    finish_task(room, task.pk, by=cast.by(cast.wei), words="Done.")
    states = dict(Promise.objects.filter(to="staff").values_list("words", "state"))
    assert states == {"Ask the bank.": "kept", "Call Kang.": "open"}


def test_conflict_is_a_stale_form_for_every_door(cast):
    assert issubclass(Conflict, Stale)
