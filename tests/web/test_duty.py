"""The page of duty and the queue of what is offered to me, as those who use them see them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.escalation.models import Absence, Shift
from makegood.people.models import User
from tests import cast as stages
from tests.desk.test_handing import offered

pytestmark = pytest.mark.django_db


def send(client, who, address, /, **data):
    client.force_login(who)
    return client.post(address, data)


def page(client, user, query="") -> str:
    client.force_login(user)
    answer = client.get(f"/duty/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture(autouse=True)
def english(cast):
    User.objects.update(language="en")


def tomorrow() -> str:
    return (clock.now() + timedelta(days=1)).date().isoformat()


def test_sujin_enters_copies_and_takes_out_a_shift_on_the_page(cast, client):
    front = cast.front.pk
    day = clock.now().date() + timedelta(days=1)
    monday = day - timedelta(days=day.weekday())
    shift = {"user": cast.minji.pk, "day": day, "start": "09:00", "end": "18:00", "week": monday}
    assert send(client, cast.sujin, f"/duty/{front}/shift/", **shift).status_code == 302
    assert "09:00–18:00" in page(client, cast.jun, f"?team={front}&week={monday}")
    again = send(client, cast.sujin, f"/duty/{front}/shift/", **shift)
    assert again.status_code == 422 and "on duty then already" in again.content.decode()
    later = monday + timedelta(days=7)
    assert send(client, cast.sujin, f"/duty/{front}/copy/", week=later).status_code == 302
    assert Shift.objects.count() == 2
    assert send(client, cast.sujin, f"/duty/{front}/drop/", shift=Shift.objects.first().pk).status_code == 302
    assert Shift.objects.count() == 1


@pytest.mark.parametrize(
    ("who", "act", "status"),
    [("minji", "shift", 403), ("kang", "shift", 403), ("sujin", "drop", 404), ("minji", "copy", 403)],
)
def test_who_may_not_changes_nothing(cast, client, who, act, status):
    answer = send(
        client, getattr(cast, who), f"/duty/{cast.front.pk}/{act}/", shift="99999999999999999999", text="x"
    )
    assert answer.status_code == status and not Shift.objects.exists()


def test_what_was_pasted_comes_back_with_the_line_that_is_wrong(cast, client):
    text = f"Minji {tomorrow()} 09:00-18:00\n<b>Nobody</b> {tomorrow()} 09:00-18:00"
    answer = send(client, cast.sujin, f"/duty/{cast.front.pk}/paste/", text=text)
    shown = answer.content.decode()
    assert answer.status_code == 422 and "Line 2" in shown and f"Minji {tomorrow()} 09:00-18:00" in shown
    assert "<b>Nobody" not in shown and not Shift.objects.exists()


def test_minji_is_away_and_comes_back_and_jun_cannot_end_it(cast, client):
    until = f"{clock.now() + timedelta(days=2):%Y-%m-%dT%H:%M}"
    assert send(client, cast.minji, f"/duty/{cast.front.pk}/away/", ends_at=until).status_code == 302
    row = Absence.objects.get()
    assert row.user == cast.minji and row.by == cast.minji and "away" in page(client, cast.sujin)
    assert send(client, cast.jun, f"/duty/back/{row.pk}/").status_code == 403
    assert send(client, cast.minji, f"/duty/back/{row.pk}/").status_code == 302
    row.refresh_from_db()
    assert row.ends_at <= clock.now()


def test_an_agent_enters_nobody_elses_absence(cast, client):
    until = f"{clock.now() + timedelta(days=2):%Y-%m-%dT%H:%M}"
    send(client, cast.minji, f"/duty/{cast.front.pk}/away/", ends_at=until, user=cast.jun.pk)
    assert Absence.objects.get().user == cast.minji, "the field is not hers: it is her own absence"


def test_leads_see_how_far_each_arm_reaches_and_agents_do_not(cast, client):
    assert "of at most 20" in page(client, cast.sujin) and "of at most 20" not in page(client, cast.minji)


@pytest.mark.parametrize(
    "query", ["?team=abc", "?team=99999999", "?week=nonsense", "?week=0001-01-01", "?week=9999-12-31"]
)
def test_odd_addresses_are_as_if_nothing_was_asked(cast, client, query):
    assert "Shifts of the week" in page(client, cast.minji, query)


def test_the_page_takes_no_more_queries_for_thirty_people(cast, client, django_assert_max_num_queries):
    for n in range(30):
        cast.front.members.add(stages.user(f"Agent{n}", "agent"))
    client.force_login(cast.sujin)
    with django_assert_max_num_queries(40):
        client.get(f"/duty/?team={cast.front.pk}")


def test_wei_sees_what_is_offered_to_him_with_the_time_left_and_minji_does_not(cast, client):
    case = offered(cast)
    client.force_login(cast.wei)
    shown = client.get("/?view=offered").content.decode()
    assert str(case.number) in shown and "Accept by" in shown
    assert f"/cases/{case.number}/#verb-accept_handover" in shown
    assert 'id="verb-accept_handover"' in client.get(f"/cases/{case.number}/").content.decode()
    client.force_login(cast.minji)
    theirs = client.get("/?view=offered").content.decode()
    assert (
        str(case.number) not in theirs and "Offered to me</a>" not in client.get("/notices/").content.decode()
    )
