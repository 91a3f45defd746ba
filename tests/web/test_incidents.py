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
from makegood.desk import incident_acts, incident_page, incidents
from makegood.desk.incident_finding import look
from makegood.incidents.models import Incident, IncidentAct, IncidentCase, Suggestion
from makegood.jobs.sweep import tick
from makegood.people.models import User
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
