"""The case sheet is read: one look tells what there is, to who may see it, in a bounded number of queries.

Over 300 lines: one page, all of whose parts are tried.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.utils import CaptureQueriesContext

from makegood.base import clock
from makegood.cases.models import Presence
from makegood.conversations.messages import Upload
from makegood.conversations.models import Attachment, Draft, Message
from makegood.desk import closing, handling, joining, sheet, talking, triaging
from makegood.desk.opening import Report, open_case
from makegood.people import actors
from makegood.people.models import Customer, Team
from makegood.transactions.models import Payment, Shipment
from makegood.web.case_verbs import VERBS
from tests import cast as stages

pytestmark = pytest.mark.django_db
SCRIPT = "<script>alert(1)</script>"
#: How many queries one sheet takes, with the session and the presence row, however long the case is.
#: One more for the appointments of the house, and one for the number of notices in the navigation;
#: two for the law (its switches, its calendar), one for letters that were set aside (the navigation),
#: three for the editor: what is about to go out, words that were covered, the team's ready-made replies.
#: Two for a hand-over: whether the case is offered, and to whom it may be.
#: One for its war room.
# Two of them ask of incidents: which one the case is part of, and whether it looks like one with others.
# One for the stores of the order; what hangs on it besides payments and parcels is one more, by a cursor not counted here.
#: Two for its remedies: those of the case, and how many its customer had before.
# Two more since: what outside parties owe, and what is masked.
# One for what the watch found on it.
# One for the letters that wait, asked once for both badges of the navigation.
QUERIES = 59


def page(client, user, case) -> str:
    client.force_login(user)
    answer = client.get(f"/cases/{case.number}/")
    assert answer.status_code == 200
    return answer.content.decode()


def stranger(cast: stages.Cast):
    """Bora serves another shop's customers only."""
    bora = stages.user("Bora", "agent")
    team = Team.objects.create(name="Moon line")
    team.members.add(bora)
    team.shops.add(cast.moon)
    return bora


@pytest.mark.parametrize("stage", ["reported", "owned", "answered", "fixed", "verified", "told", "made_good"])
@pytest.mark.parametrize("who", ["minji", "sujin", "wei", "hana"])
def test_at_every_stage_everybody_of_the_desk_reads_it(cast, client, stage, who):
    case = getattr(stages, stage)(cast)
    read = page(client, getattr(cast, who), case)
    assert str(case.number) in read and "Haneul" in read and "지우" in read


@pytest.mark.parametrize(
    ("stage", "main"),
    [
        ("reported", "triage"),
        ("owned", "fix"),
        ("fixed", "verify"),
        ("verified", "tell"),
        ("told", "ask"),
        ("made_good", None),
    ],
)
def test_the_next_step_of_the_loop_is_the_main_action(cast, client, stage, main):
    case = getattr(stages, stage)(cast)
    client.force_login(cast.hana)
    shown = client.get(f"/cases/{case.number}/").context["main"]
    assert (shown.verb.name if shown else None) == main


def test_the_page_names_what_still_blocks_closing(cast, client):
    case = stages.fixed(cast)
    read = page(client, cast.hana, case)
    for blocker in closing.blockers(closing.closing_facts(case)):
        assert str(blocker.reason) in read


def test_why_it_is_urgent_stands_with_the_customers_words_and_a_lowering_stays(cast, client):
    case = stages.owned(cast, customer=cast.alex, text="Order AX-20261103: I will sue you if this goes on.")
    handling.lower_urgency(
        case,
        by=cast.by(cast.sujin),
        seen=None,
        level=2,
        reason="They wrote again.",
        evidence="Letter of today.",
    )
    handling.raise_urgency(case, by=cast.by(cast.minji), level=4, reason="Now it is.")
    quote = case.evidence.exclude(quote="").first().quote
    read = page(client, cast.hana, case)
    assert f"{quote}</blockquote>" in read and '<mark class="urgency"' in read
    assert "They wrote again." in read and "Letter of today." in read and "Now it is." in read
    assert '<mark class="order_no" title="Order number">' in read


def test_an_order_number_in_a_later_letter_is_marked_too(cast, client):
    case = stages.owned(cast)
    talking.customer_writes(case, by=actors.customer(case.customer_id), text="주문번호 HN-20269999 건입니다")
    assert "HN-20269999</mark>" in page(client, cast.hana, case)


def test_the_order_is_shown_with_the_age_of_each_fact(cast, client):
    hours = clock.now() - timedelta(hours=3)
    Payment.objects.create(order=cast.order, state="taken", amount=39000, currency="KRW", told_at=hours)
    Shipment.objects.create(order=cast.order, state="moving", carrier="CJ", tracking="612345", told_at=hours)
    read = page(client, cast.hana, stages.owned(cast))
    assert read.count("as told") == 3 and read.count("3 hours ago") >= 2 and "39,000 KRW" in read


def test_what_the_reporter_chose_is_not_lost(cast, client):
    case = stages.reported(cast, type="delivery.late")
    assert case.type == "", "a customer's choice is no sorting"
    client.force_login(cast.minji)
    page = client.get(f"/cases/{case.number}/").content.decode()
    assert '<option value="delivery.late" selected' in page and "배송 지연" in page


def test_an_unsorted_case_is_suggested_three_types_or_one(cast, client):
    case = stages.reported(cast)
    client.force_login(cast.hana)
    suggested = client.get(f"/cases/{case.number}/").context["sheet"].suggested
    assert suggested.choices[0].type == "refund.delay"
    assert len(suggested.choices) == 3 and suggested.reasons


def test_a_merged_number_leads_to_the_survivor_which_tells_all(cast, client):
    case, into = stages.owned(cast), stages.reported(cast)
    talking.note(case, by=cast.by(cast.minji), text="Before the merge.")
    joining.merge(case, into, by=cast.by(cast.minji), seen=None)
    client.force_login(cast.hana)
    answer = client.get(f"/cases/{case.number}/")
    assert answer.url == f"/cases/{into.number}/?from={case.number}"
    read = client.get(answer.url).content.decode()
    assert "Before the merge." in read and "merged into this one" in read and str(case.number) in read


def test_a_linked_case_that_i_may_not_see_is_not_shown(cast, client):
    bora = stranger(cast)
    case, other = stages.owned(cast, customer=cast.lina), stages.reported(cast, text="비밀 제목")
    joining.link(case, other, by=cast.by(cast.hana), seen=None, relation="related")
    assert "비밀 제목" not in page(client, bora, case)


def test_script_in_words_subject_and_file_name_is_harmless(cast, client):
    alex = Customer.objects.create(shop=cast.haneul, name=SCRIPT, email="s@customer.example")
    files = (Upload(f"{SCRIPT}.html", "text/html", b"<script>"),)
    report = Report(text=SCRIPT, subject=SCRIPT, order_number=SCRIPT, files=files)
    case = open_case(cast.haneul, report, by=actors.customer(alex.pk), customer=alex).case
    triaging.note_fact(case, by=cast.by(cast.minji), text=SCRIPT, source="other", detail=SCRIPT)
    talking.reply(case, by=cast.by(cast.minji), seen=None, text=SCRIPT, next_word_at=stages.soon())
    read = page(client, cast.hana, case)
    assert SCRIPT not in read and "&lt;script&gt;" in read


def long_case(cast: stages.Cast, times: int):
    case = stages.answered(cast)
    by = cast.by(cast.minji)
    for n in range(times):
        talking.customer_writes(
            case,
            by=actors.customer(case.customer_id),
            text=f"{n}?",
            files=[Upload("a.png", "image/png", b"x")],
        )
        talking.reply(case, by=by, seen=None, text=f"{n}", next_word_at=stages.soon())
        triaging.note_fact(case, by=by, text=f"{n}", source="other")
        joining.link(case, stages.reported(cast), by=by, seen=None, relation="related")
    return stages.fresh(case)


def test_the_number_of_queries_does_not_grow_with_the_case(cast, client):
    client.force_login(cast.minji)
    from django.db import connection

    counts = []
    for times in (1, 5):
        case = long_case(cast, times)
        client.get(f"/cases/{case.number}/")
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/cases/{case.number}/").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= QUERIES, counts


def test_of_a_long_case_the_newest_is_drawn_and_the_rest_is_one_press_away(cast, client, monkeypatch):
    monkeypatch.setattr(sheet, "LAST", 2)
    case = stages.answered(cast)
    read = page(client, cast.hana, case)
    assert "?all" in read and "The problem was reported." not in read
    whole = client.get(f"/cases/{case.number}/?all").content.decode()
    assert "The problem was reported." in whole and "Show earlier" not in whole


ADDRESSES = ["", "presence/", "draft/", *(f"{verb}/" for verb in VERBS)]


@pytest.mark.parametrize("address", ADDRESSES)
def test_to_a_stranger_the_case_is_not_there_and_who_is_signed_out_signs_in(cast, client, address):
    case = stages.owned(cast)
    ask = client.get if address == "" else client.post
    path = f"/cases/{case.number}/{address}"
    signed_out = ask(path)
    assert signed_out.status_code == 302 and signed_out.url.startswith("/sign-in/login/")
    assert ask(path, headers={"HX-Request": "true"}).status_code == 401
    for user in (stranger(cast), cast.kang, cast.luo):
        client.force_login(user)
        assert ask(path).status_code == 404
    assert stages.fresh(case).version == case.version


@pytest.mark.parametrize(
    ("who", "status"),
    [("minji", 200), ("sujin", 200), ("wei", 200), ("hana", 200), ("root", 200), ("kang", 404)],
)
def test_staff_open_a_new_case_and_others_do_not(cast, client, who, status):
    client.force_login(getattr(cast, who))
    assert client.get("/cases/new/").status_code == status


def test_minji_opens_a_case_for_a_caller(cast, client):
    client.force_login(cast.minji)
    sent = {
        "shop": cast.haneul.pk,
        "customer_name": "민수",
        "customer_phone": "010-1234-5678",
        "text": "환불이 안 들어왔어요",
        "type": "refund.delay",
        "files": SimpleUploadedFile("a.txt", b"a"),
    }
    answer = client.post("/cases/new/", sent)
    read = client.get(answer.url).content.decode()
    assert "민수" in read and "환불이 안 들어왔어요" in read and "a.txt" in read


def test_a_case_without_words_is_refused_and_the_rest_stays(cast, client):
    client.force_login(cast.minji)
    answer = client.post("/cases/new/", {"shop": cast.haneul.pk, "customer_email": "nonsense", "text": "?"})
    assert answer.status_code == 422 and list(answer.context["form"].errors) == ["customer_email"]
    assert 'value="nonsense"' in answer.content.decode()


def test_bora_opens_cases_only_for_the_shops_that_she_serves(cast, client):
    client.force_login(stranger(cast))
    sent = {"shop": cast.haneul.pk, "customer_email": "a@b.example", "text": "x"}
    assert client.post("/cases/new/", sent).status_code == 422


def test_others_on_the_case_are_seen_and_that_it_moved_on(cast, client):
    case = stages.owned(cast)
    client.force_login(cast.sujin)
    client.post(f"/cases/{case.number}/draft/", {"text": "쓰는 중"})
    client.post(f"/cases/{case.number}/presence/", {"version": case.version})
    client.force_login(cast.hana)
    read = client.post(f"/cases/{case.number}/presence/", {"version": case.version - 1}).content.decode()
    assert "Sujin: writing" in read and f"Show version {case.version}" in read
    with clock.travel(timedelta(minutes=1)):
        read = client.post(f"/cases/{case.number}/presence/", {"version": case.version}).content.decode()
    assert "Sujin" not in read and "Show version" not in read
    assert Presence.objects.filter(case=case).count() == 2


def test_a_draft_is_kept_and_comes_back(cast, client):
    case = stages.owned(cast)
    client.force_login(cast.minji)
    assert client.post(f"/cases/{case.number}/draft/", {"text": "쓰다 만 말"}).status_code == 204
    assert "쓰다 만 말</textarea>" in client.get(f"/cases/{case.number}/").content.decode()
    assert "쓰다 만 말" not in page(client, cast.jun, case)
    client.force_login(cast.minji)
    client.post(f"/cases/{case.number}/draft/", {"text": ""})
    assert not Draft.objects.exists() and stages.fresh(case).version == case.version


def attached(cast: stages.Cast, content_type: str, name: str = "사진.png") -> Attachment:
    case = stages.owned(cast)
    talking.note(case, by=cast.by(cast.minji), text="x", files=[Upload(name, content_type, b"bytes")])
    return Attachment.objects.get()


@pytest.mark.parametrize(
    ("content_type", "how"),
    [
        ("image/png", "inline"),
        ("image/svg+xml", "attachment"),
        ("text/html", "attachment"),
        ("", "attachment"),
    ],
)
def test_a_file_is_never_run_as_a_page(cast, client, content_type, how):
    file = attached(cast, content_type)
    client.force_login(cast.jun)
    answer = client.get(f"/files/{file.pk}/")
    assert answer.content == b"bytes" and answer["Content-Disposition"].startswith(how)
    assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
    assert how == "inline" or answer["Content-Type"] == "application/octet-stream"


def test_a_file_of_a_note_is_for_staff_and_one_of_the_customer_for_the_merchant_too(cast, client):
    file = attached(cast, "text/plain")
    assert client.get(f"/files/{file.pk}/").status_code == 302
    for user, status in ((cast.jun, 200), (cast.kang, 404), (cast.luo, 404), (stranger(cast), 404)):
        client.force_login(user)
        assert client.get(f"/files/{file.pk}/").status_code == status
    Message.objects.filter(pk=file.message_id).update(audience="customer")
    client.force_login(cast.kang)
    assert client.get(f"/files/{file.pk}/").status_code == 200
    assert client.get("/files/999999/").status_code == 404
