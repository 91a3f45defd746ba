"""The pages of incidents: what is suggested, how far each is, and one form to tell everybody."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from makegood.base import clock
from makegood.cases.models import Case
from makegood.conversations.models import Message
from makegood.desk import incident_acts, incident_affected, incident_again, incident_page, incidents
from makegood.desk.incident_finding import look
from makegood.incidents.models import Incident, IncidentAct, IncidentCase, Suggestion
from makegood.jobs.sweep import tick
from makegood.people.models import Customer, User
from tests import cast as stages
from tests.desk.test_incident_finding import LAMP, bought, reports
from tests.desk.test_incidents import EN, KO, many, opened, tell

pytestmark = pytest.mark.django_db
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def english(cast):
    User.objects.update(language="en")


def page(client, user, incident: Incident, query: str = "") -> str:
    client.force_login(user)
    answer = client.get(f"/incidents/{incident.pk}/{query}")
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer.content.decode()


def send(client, incident: Incident, verb: str, data: dict[str, object]):
    return client.post(f"/incidents/{incident.pk}/{verb}/", data)


def local(moment) -> str:
    return moment.astimezone(ZoneInfo("Asia/Seoul")).strftime("%Y-%m-%dT%H:%M")


def test_the_sheet_says_that_the_case_looks_like_one_fault_and_a_lead_accepts_it(cast, client):
    case = reports(cast, 5)[0]
    look()
    client.force_login(cast.minji)
    sheet = client.get(f"/cases/{case.number}/").content.decode()
    assert "5 cases in 2 hours about the same product (Lamp No. 4) at Haneul" in sheet
    suggestion = Suggestion.objects.get()
    assert f"/incidents/suggested/{suggestion.pk}/accept/" not in client.get("/incidents/").content.decode()
    assert client.post(f"/incidents/suggested/{suggestion.pk}/accept/").status_code == 403
    client.force_login(cast.sujin)
    assert f"/incidents/suggested/{suggestion.pk}/accept/" in client.get("/incidents/").content.decode()
    answer = client.post(f"/incidents/suggested/{suggestion.pk}/accept/", follow=True)
    assert answer.status_code == 200 and "5 cases" in answer.content.decode()
    sheet = client.get(f"/cases/{case.number}/").content.decode()
    assert f'href="/incidents/{Incident.objects.get().pk}/"' in sheet and "Part of the incident" in sheet
    assert "Looks like one fault" not in client.get("/incidents/").content.decode()


def test_a_dismissal_without_a_reason_comes_back_with_it(cast, client):
    reports(cast, 5)
    look()
    suggestion = Suggestion.objects.get()
    client.force_login(cast.sujin)
    answer = client.post(f"/incidents/suggested/{suggestion.pk}/dismiss/", {"reason": ""})
    assert answer.status_code == 422 and "must not be empty" in answer.content.decode()
    answer = client.post(f"/incidents/suggested/{suggestion.pk}/dismiss/", {"reason": "x" * 1001})
    assert answer.status_code == 422 and "x" * 1001 in answer.content.decode()
    assert (
        client.post(f"/incidents/suggested/{suggestion.pk}/dismiss/", {"reason": "A sale."}).status_code
        == 303
    )
    assert client.post(f"/incidents/suggested/{suggestion.pk}/dance/").status_code == 404
    assert client.get(f"/incidents/suggested/{suggestion.pk}/dismiss/").status_code == 405


def test_the_page_says_how_many_customers_need_which_language_and_tells_them_all(cast, client):
    cases = many(cast, 3)
    incident = opened(cast, *cases)
    shown = page(client, cast.sujin, incident)
    counts = {code: Case.objects.filter(language=code).count() for code in ("ko", "en")}
    assert (
        f"In 한국어, for {counts['ko']} customers" in shown
        and f"In English, for {counts['en']} customers" in shown
    )
    answer = send(client, incident, "word", {"text_ko": KO + SCRIPT, "text_en": ""})
    refused = answer.content.decode()
    assert answer.status_code == 422 and f"{counts['en']} customers read English" in refused
    assert "&lt;script&gt;" in refused and SCRIPT not in refused and not IncidentAct.objects.exists()
    sent = {"text_ko": KO, "text_en": EN, "next_word_at": local(stages.soon(5)), "reason": "One word to all."}
    assert send(client, incident, "word", sent).status_code == 303
    waiting = page(client, cast.sujin, incident)
    assert "0 of 4 done" in waiting and "4 waiting" in waiting and 'hx-trigger="every 4s"' in waiting
    again = send(client, incident, "word", sent)
    assert again.status_code == 422 and "still being carried out" in again.content.decode()
    tick()
    through = page(client, cast.sujin, incident)
    assert "4 of 4 done" in through and 'hx-trigger="every 4s"' not in through
    assert Message.objects.filter(author="staff").count() == 4
    client.force_login(cast.sujin)
    assert "4 of 4 done" in client.get(f"/incidents/{incident.pk}/now/").content.decode()
    sheet = client.get(f"/cases/{cases[0].number}/").content.decode()
    assert "Answered the customer" in sheet


def test_the_whole_way_by_the_page_until_everybody_confirmed(cast, client):
    from makegood.desk.telling import confirm
    from makegood.people import actors

    incident = opened(cast, *many(cast, 1))
    page(client, cast.sujin, incident)
    assert (
        send(client, incident, "fix", {"done": "Restored.", "cause": "Key.", "remedy": "refund"}).status_code
        == 303
    )
    tick()
    client.force_login(cast.wei)
    answer = send(client, incident, "verify", {"proof": "", "what_was_seen": "Seen."})
    assert answer.status_code == 422 and "Say what kind of proof it is." in answer.content.decode()
    assert (
        send(client, incident, "verify", {"proof": "payment_record", "what_was_seen": "Seen."}).status_code
        == 303
    )
    tick()
    assert send(client, incident, "mended", {"text_ko": KO, "text_en": EN}).status_code == 403
    client.force_login(cast.sujin)
    texts = {
        f"text_{code}": {"ko": KO, "en": EN}[code] for code in Case.objects.values_list("language", flat=True)
    }
    assert send(client, incident, "mended", {**texts, "reason": "To all."}).status_code == 303
    tick()
    shown = page(client, cast.sujin, incident)
    assert "2 still open" in shown
    answer = send(client, incident, "close", {})
    assert answer.status_code == 422 and "2 cases of this incident are still open" in answer.content.decode()
    for case in Case.objects.all():
        confirm(
            case, by=actors.customer(case.customer_id), telling_id=case.tellings.get().pk, answer="all_good"
        )
    assert "0 still open" in page(client, cast.sujin, incident)
    assert send(client, incident, "close", {}).status_code == 303
    assert f"/incidents/{incident.pk}/word/" not in page(client, cast.sujin, incident)
    assert incident.what in client.get("/incidents/?view=closed").content.decode()
    assert incident.what not in client.get("/incidents/").content.decode()


def test_others_that_it_struck_are_counted_and_cases_opened_for_them(cast, client):
    anchor = reports(cast, 1)[0]
    incident = opened(cast, anchor=anchor, common={"shop": cast.haneul.pk, "product": LAMP})
    bought(cast, 3)
    since = local(clock.now() - timedelta(hours=9))
    shown = page(client, cast.sujin, incident, f"?since={since}")
    assert "3 orders were probably struck" in shown and f"/incidents/{incident.pk}/open/" in shown
    odd = page(client, cast.sujin, incident, f"?since={since}&until={local(clock.now() - timedelta(days=2))}")
    assert "must begin before it ends" in odd and f"/incidents/{incident.pk}/open/" not in odd
    data = {"since": since, "text_ko": KO, "text_en": ""}
    answer = send(client, incident, "open", data)
    assert answer.status_code == 422 and KO in answer.content.decode()
    assert send(client, incident, "open", {**data, "text_en": EN}).status_code == 303
    tick()
    assert IncidentCase.objects.filter(incident=incident).count() == 4
    assert "0 orders were probably struck" in page(client, cast.sujin, incident, f"?since={since}")


def asked(client, incident: Incident, since: str, **more):
    """The page of those whom it struck, as the form asks for it: nothing is done yet."""
    answer = send(client, incident, "open", {"since": since, **more})
    assert answer.status_code == 200 and not IncidentAct.objects.exists(), answer.content.decode()[:2000]
    return answer


def test_those_whom_it_struck_are_listed_with_why_masked_and_who_has_a_case_already(cast, client):
    anchor = reports(cast, 1)[0]
    incident = opened(cast, anchor=anchor, common={"shop": cast.haneul.pk, "product": LAMP})
    bought(cast, 2)
    second = bought(cast, 1)[0]
    other = stages.reported(cast, customer=second.customer, text="My invoice is wrong.", order_number="OLD-1")
    Customer.objects.filter(pk=second.customer_id).update(name="Grace Hopper")
    shown = page(client, cast.sujin, incident, f"?since={local(clock.now() - timedelta(hours=9))}")
    listed = shown[shown.index('id="struck"') :]
    assert "3 orders were probably struck" in listed and f"Product: {LAMP}" in listed
    assert "G•••• H•••••" in listed and "Hopper" not in listed, "nobody of them has written about it"
    assert f'href="/cases/{other.number}/"' in listed and "on something else" in listed
    assert f'href="/cases/{anchor.number}/"' in listed, (
        "the order of the case that began it is there, and cannot be opened again"
    )
    assert listed.count('name="out"') == 3 and listed.count("data-row") == 4
    assert 'id="struck"' not in page(client, cast.minji, incident, "?since=2026-01-01T00:00"), (
        "an agent does not open them"
    )


def test_whom_the_lead_leaves_out_on_any_page_gets_no_case_and_the_words_stay(cast, client, monkeypatch):
    monkeypatch.setattr(incident_affected, "PAGE", 2)
    incident = opened(cast, anchor=reports(cast, 1)[0], common={"shop": cast.haneul.pk, "product": LAMP})
    first, *_others, last = bought(cast, 5)
    since = local(clock.now() - timedelta(hours=9))
    client.force_login(cast.sujin)
    found = page(client, cast.sujin, incident, f"?since={since}")
    place = incident_affected.read(
        incident, by=cast.by(cast.sujin), since=clock.now() - timedelta(hours=9), until=None
    )
    assert "5 orders" in found and place.next
    second = asked(
        client, incident, since, out=[first.pk], at=place.next, text_ko=KO + SCRIPT
    ).content.decode()
    assert "4 orders" in second and "1 is left out." in second and f'value="{first.pk}"' in second
    assert "&lt;script&gt;" in second and SCRIPT not in second, "what was typed already stays"
    third = asked(client, incident, since, left=f"{first.pk},x,-1,", at=last.pk).content.decode()
    assert f'value="{last.pk}"' in third and 'value="0"' in third
    back = asked(client, incident, since, left=str(first.pk), at=0).content.decode()
    assert "checked" in back[back.index('id="struck"') :]
    ready = {"since": since, "text_ko": KO, "text_en": EN, "left": str(first.pk), "out": [last.pk]}
    assert send(client, incident, "open", ready).status_code == 303
    tick()
    assert not Case.objects.filter(order__in=[first, last]).exists()
    assert IncidentCase.objects.filter(incident=incident).count() == 4
    assert IncidentAct.objects.get().details["left_out"] == sorted([first.pk, last.pk])


def test_who_leaves_everybody_out_opens_nothing_and_hears_it(cast, client):
    incident = opened(cast, anchor=reports(cast, 1)[0], common={"shop": cast.haneul.pk, "product": LAMP})
    ids = [order.pk for order in bought(cast, 2)]
    client.force_login(cast.sujin)
    since = local(clock.now() - timedelta(hours=9))
    answer = send(client, incident, "open", {"since": since, "out": ids, "text_ko": KO})
    assert answer.status_code == 422 and "There is nobody to be told" in answer.content.decode()
    assert not IncidentAct.objects.exists() and f'value="{ids[0]}"' in answer.content.decode()


def broken(cast, n: int = 4, failing: int = 2) -> tuple[Incident, IncidentAct, list[Case]]:
    """A word to all that could not be written on some cases, as the sweep leaves it after its last try."""
    cases = many(cast, n)
    incident = opened(cast, *cases)
    act = tell(cast, incident)
    steps = act.steps.filter(case__in=cases[:failing])
    steps.update(state="failed", why="trouble", set_back=6, look_at=None, done_at=clock.now())
    tick()
    return incident, act, cases[:failing]


def test_what_failed_is_listed_and_tried_again_and_each_is_told_once(cast, client):
    incident, act, cases = broken(cast)
    act.steps.filter(case=cases[1]).update(why="missing_language", set_back=0)
    shown = page(client, cast.sujin, incident)
    listed = shown[shown.index('id="failed"') :]
    assert "What failed of: Word to all customers" in listed and "2 failed" in shown
    for case in cases:
        assert f'href="/cases/{case.number}/"' in listed
    assert "something went wrong by itself" in listed and "6 times" in listed
    assert "no words in the customer&#x27;s language" in listed and "1 time<" in listed
    again = f'action="/incidents/{incident.pk}/again/"'
    assert again in shown and again not in page(client, cast.minji, incident)
    assert send(client, incident, "again", {"act": act.pk}).status_code == 403
    client.force_login(cast.sujin)
    assert send(client, incident, "again", {"act": act.pk}).status_code == 303
    twice = send(client, incident, "again", {"act": act.pk})
    assert twice.status_code == 422 and "still being carried out" in twice.content.decode()
    tick()
    assert (
        Message.objects.filter(author="staff").count() == 5 and not act.steps.exclude(state="done").exists()
    )
    late = send(client, incident, "again", {"act": act.pk})
    assert late.status_code == 422 and "Nothing of this act is failed any more." in late.content.decode()
    assert incident.case.events.get(kind="incident_tried_again").data["n"] == 2
    assert 'id="failed"' not in page(client, cast.sujin, incident)


def test_what_fails_again_is_failed_again_with_one_more_try(cast, client):
    incident, act, cases = broken(cast, failing=1)
    with connection.cursor() as cursor:
        connection.check_constraints()
        cursor.execute(
            f"ALTER TABLE makegood_message ADD CONSTRAINT poison CHECK (case_id <> {cases[0].pk} OR author <> 'staff')"
        )
    client.force_login(cast.sujin)
    send(client, incident, "again", {"act": act.pk})
    tick()
    step = act.steps.get(case=cases[0])
    assert (step.state, step.why, step.set_back) == ("failed", "trouble", 7)
    assert "7 times" in page(client, cast.sujin, incident)


def test_an_older_word_is_not_tried_again_after_another_was_told(cast, client):
    incident, act, _cases = broken(cast)
    tell(cast, incident, texts={"ko": KO + " 2", "en": EN + " 2"})
    tick()
    client.force_login(cast.sujin)
    answer = send(client, incident, "again", {"act": act.pk})
    assert answer.status_code == 422 and "Another word was told to all since then" in answer.content.decode()
    assert act.steps.filter(state="failed").count() == 2
    for odd in ("", "x", "0", str(act.pk + 999), "9" * 30):
        assert send(client, incident, "again", {"act": odd}).status_code in (404, 422)


def test_what_failed_is_read_a_page_at_a_time(cast, client, monkeypatch):
    monkeypatch.setattr(incident_again, "PAGE", 2)
    incident, act, cases = broken(cast, n=5, failing=5)
    client.force_login(cast.sujin)
    seen, place = [], 0
    while place is not None:
        found = client.get(f"/incidents/{incident.pk}/?failed={act.pk}&from={place}").context["page"].failed
        seen += [row.case.pk for row in found.rows]
        place = found.next
    assert seen == [case.pk for case in cases]
    assert len(page(client, cast.sujin, incident, "?failed=999999&from=-3")) > 1000


def test_cases_are_shown_a_page_at_a_time_and_by_where_they_stand(cast, client):
    incident = opened(cast, *many(cast, 2))
    first = page(client, cast.minji, incident)
    assert first.count('class="num">') > 3 and "Not told yet" in first
    assert "None." in page(client, cast.minji, incident, "?stage=confirmed")
    assert "None." in page(client, cast.minji, incident, "?after=99999999999")
    assert "None." not in page(client, cast.minji, incident, "?stage=nonsense&after=-1")


def test_a_long_incident_is_read_page_by_page_without_gap_or_double(cast, client, monkeypatch):
    monkeypatch.setattr(incident_page, "PAGE", 2)
    incident = opened(cast, *many(cast, 4))
    seen, after = [], ""
    client.force_login(cast.minji)
    while True:
        found = client.get(f"/incidents/{incident.pk}/?after={after}").context["page"].members
        seen += [row.case_id for row in found.rows]
        if found.next is None:
            break
        after = found.next
    assert (
        seen == list(incidents.members(incident).order_by("id").values_list("case", flat=True))
        and len(seen) == 5
    )


def test_the_page_takes_no_more_queries_with_more_cases(cast, client):
    incident = opened(cast, *many(cast, 1))
    client.force_login(cast.sujin)
    counts = []
    for n in (0, 6):
        for case in many(cast, n):
            incidents.join_incident(case, incident, by=cast.by(cast.minji))
        tell(cast, incident, texts={"ko": KO + str(n), "en": EN + str(n)})
        tick()
        with CaptureQueriesContext(connection) as seen:
            client.get(f"/incidents/{incident.pk}/")
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 30, counts


def test_an_agent_reads_it_and_is_offered_only_the_look_that_verifies(cast, client):
    incident = opened(cast, *many(cast, 1))
    incident_acts.fix_incident(incident, by=cast.by(cast.sujin), done="Restored.", cause="Key.")
    tick()
    shown = page(client, cast.minji, incident)
    assert f"/incidents/{incident.pk}/verify/" in shown
    for verb in ("word", "mended", "fix", "close", "join", "open"):
        assert f"/incidents/{incident.pk}/{verb}/" not in shown
        assert send(client, incident, verb, {"text_ko": KO, "text_en": EN}).status_code in (403, 422)
    assert not IncidentAct.objects.exclude(kind="fix").exists()


@pytest.mark.parametrize("who", ["kang", "luo", "mira"])
def test_who_may_not_see_the_case_finds_no_incident(cast, client, who):
    from makegood.people.models import Team

    incident = opened(cast)
    mira = stages.user("Mira", "lead")
    Team.objects.create(name="Moon line", lead=mira).shops.add(cast.moon)
    client.force_login(User.objects.get(name=who.capitalize()))
    for address in ("", "now/", "word/"):
        answer = client.get(f"/incidents/{incident.pk}/{address}")
        assert answer.status_code == 404 and incident.what not in answer.content.decode()
    assert send(client, incident, "close", {}).status_code == 404
    assert incident.what not in client.get("/incidents/").content.decode()


@pytest.mark.parametrize(
    "address", ["/incidents/0/", "/incidents/99999999999999999999/", "/incidents/1/dance/"]
)
def test_addresses_that_lead_nowhere(cast, client, address):
    client.force_login(cast.hana)
    assert client.get(address).status_code == 404
