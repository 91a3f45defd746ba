"""The editor of an answer as Minji has it: findings in her language, promised times, ready-made words, ten seconds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from makegood.base import clock
from makegood.cases.models import Notice
from makegood.conversations.models import (
    CannedReply,
    Draft,
    DraftVersion,
    HeldFile,
    HeldReply,
    Message,
    ReplyOverride,
)
from makegood.desk import holding, talking
from makegood.jobs import sweep
from makegood.people.signatures import Habit, Signature, signature_for
from makegood.promises.models import Promise
from tests import cast as stages

#: What the sweep does for answers that wait their ten seconds.
HELD = tuple(source for source in sweep.SOURCES if source.name == "held replies")
pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
WORDS = "확인하고 있습니다. 곧 알려 드리겠습니다."
FIRM = "확인해서 내일 오전까지 전화드리겠습니다."


@pytest.fixture
def case(cast, client):
    client.force_login(cast.minji)
    return stages.owned(cast)


@pytest.fixture
def holds(cast):
    Habit.objects.filter(user=cast.minji).update(hold=True)


def post(client, case, what, data, **more):
    return client.post(f"/cases/{case.number}/{what}/", data, **more)


def send(client, case, text=WORDS, **more):
    return post(
        client, case, "reply", {"seen": case.version, "text": text, "next_word": "2h", **more}, headers=HTMX
    )


def said(case):
    return list(
        Message.objects.filter(case=case, author="staff", audience="customer").values_list("body", flat=True)
    )


# ---------------------------------------------------------------- what is found


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("ko", "확인되지 않은 &#x27;완료&#x27;"),
        ("zh-hans", "未经核实的“已完成”"),
        ("en", "&#x27;Done&#x27;, but not verified"),
    ],
)
def test_findings_come_in_the_writers_language_by_the_rules_of_the_customers(
    cast, client, case, language, title
):
    type(cast.minji).objects.filter(pk=cast.minji.pk).update(language=language)
    page = post(
        client, case, "check", {"text": "네,\r\n환불이 완료되었습니다.", "verb": "reply"}
    ).content.decode()
    assert title in page and 'name="justify-done.claimed"' in page
    assert 'data-place="3,14"' in page, "the place counts one line break as one, as the text area does"
    assert not Draft.objects.exists() and stages.fresh(case).version == case.version


def test_what_was_typed_as_a_reason_stands_in_the_next_look(client, case):
    page = post(
        client, case, "check", {"text": "환불이 완료되었습니다.", "justify-done.claimed": "<b>보았음"}
    ).content.decode()
    assert 'value="&lt;b&gt;보았음"' in page


def test_refused_at_sending_the_words_the_reason_and_the_place_come_back(client, case):
    answer = send(client, case, "환불이 완료되었습니다.")
    page = answer.content.decode()
    assert answer.status_code == 422 and "환불이 완료되었습니다.</textarea>" in page
    assert 'name="justify-done.claimed"' in page and not said(case)
    again = send(client, case, "환불이 완료되었습니다.", **{"justify-done.claimed": "카드사 화면에서 보았음"})
    assert again.status_code == 200 and said(case) == ["환불이 완료되었습니다."]
    assert ReplyOverride.objects.get().reason == "카드사 화면에서 보았음"


def test_a_promised_time_is_offered_confirmed_and_kept_as_a_promise(client, case):
    answer = send(client, case, FIRM)
    page = answer.content.decode()
    assert answer.status_code == 422 and "내일 오전까지" in page
    key = page.split('name="heard-')[1].split('"')[0]
    at = page.split(f'name="at-{key}" value="')[1].split('"')[0]
    assert at.endswith("T12:00"), "noon of tomorrow, in her zone"
    assert send(client, case, FIRM, **{f"heard-{key}": "yes", f"at-{key}": at}).status_code == 200
    assert Promise.objects.get(case=case, what="call_back").words == "내일 오전까지"


def test_a_promised_time_can_be_declined_without_a_reason(client, case):
    key = send(client, case, FIRM).content.decode().split('name="heard-')[1].split('"')[0]
    assert send(client, case, FIRM, **{f"heard-{key}": "no"}).status_code == 200
    assert not Promise.objects.filter(case=case, what="call_back").exists()


def test_a_moment_that_is_none_is_refused_and_keeps_the_words(client, case):
    key = send(client, case, FIRM).content.decode().split('name="heard-')[1].split('"')[0]
    answer = send(client, case, FIRM, **{f"heard-{key}": "yes", f"at-{key}": "soon"})
    assert answer.status_code == 422 and FIRM in answer.content.decode() and not said(case)


def test_the_first_call_back_fills_the_empty_next_word(client, case):
    page = post(client, case, "check", {"text": FIRM, "verb": "reply", "next_word": "rule"}).content.decode()
    assert "data-fills=" in page
    fills = page.split('data-fills="')[1].split('"')[0]
    page = post(
        client, case, "check", {"text": FIRM, "verb": "reply", "next_word_at": fills}
    ).content.decode()
    assert "data-fills=" not in page and "heard-" not in page, "it is the next word itself now"


# ---------------------------------------------------------------- ten seconds


def test_an_answer_waits_and_goes_out_once_however_often_the_page_calls(client, case, holds):
    page = send(client, case).content.decode()
    held = HeldReply.objects.get()
    assert 'id="undo"' in page and not said(case) and held.text == WORDS
    assert post(client, case, f"held/{held.pk}/send", {}, headers=HTMX).status_code == 200
    assert not said(case), "called too early it still waits"
    with clock.travel(timedelta(seconds=11)):
        for _ in range(3):
            assert post(client, case, f"held/{held.pk}/send", {}, headers=HTMX).status_code == 200
        assert sweep.tick(sources=HELD) == 0
    held.refresh_from_db()
    assert said(case) == [WORDS] and (held.state, held.text) == ("sent", "")


def test_without_its_page_the_worker_sends_it(client, case, holds):
    file = SimpleUploadedFile("proof.txt", b"seen", "text/plain")
    answer = post(
        client, case, "reply", {"seen": case.version, "text": WORDS, "next_word": "2h", "files": file}
    )
    assert answer.status_code == 303, "plain, without script"
    assert (
        "Undo" in client.get(answer.url).content.decode() or "되돌" in client.get(answer.url).content.decode()
    )
    with clock.travel(timedelta(seconds=11)):
        assert sweep.tick(sources=HELD) == 1
    assert said(case) == [WORDS] and case.attachments.get().name == "proof.txt"
    assert not HeldFile.objects.exists(), "no second copy is kept"


def test_undo_puts_the_words_back_and_nothing_is_said(client, case, holds):
    send(client, case)
    held = HeldReply.objects.get()
    page = post(client, case, f"held/{held.pk}/undo", {}, headers=HTMX).content.decode()
    assert f"{WORDS}</textarea>" in page and Draft.objects.get().body == WORDS
    with clock.travel(timedelta(seconds=20)):
        sweep.tick(sources=HELD)
    assert not said(case) and stages.fresh(case).version == case.version


def test_undo_too_late_says_so(client, case, holds):
    send(client, case)
    held = HeldReply.objects.get()
    with clock.travel(timedelta(seconds=11)):
        holding.send(held.pk)
        page = post(client, case, f"held/{held.pk}/undo", {}, headers=HTMX).content.decode()
    assert said(case) == [WORDS] and 'id="told"' in page and not Draft.objects.exists()


def test_when_a_colleague_was_faster_the_words_come_back_and_she_is_told(cast, client, case, holds):
    send(client, case)
    talking.note(case, by=cast.by(cast.sujin), text="은행과 통화함")
    with clock.travel(timedelta(seconds=11)):
        sweep.tick(sources=HELD)
    assert not said(case) and Draft.objects.get(user=cast.minji).body == WORDS
    assert Notice.objects.get(kind="reply_returned").user == cast.minji
    assert HeldReply.objects.get().why == "stale"


def test_her_own_note_meanwhile_stops_nothing(cast, client, case, holds):
    send(client, case)
    talking.note(case, by=cast.by(cast.minji), text="제가 통화함")
    with clock.travel(timedelta(seconds=11)):
        sweep.tick(sources=HELD)
    assert said(case) == [WORDS]


def test_what_would_be_refused_is_refused_at_once_and_not_held(client, case, holds):
    assert send(client, case, "환불이 완료되었습니다.").status_code == 422
    assert (
        send(
            client,
            case,
            "",
        ).status_code
        == 422
    )
    assert not HeldReply.objects.exists() and stages.fresh(case).version == case.version


def test_a_stranger_neither_sends_nor_takes_back(cast, client, case, holds):
    send(client, case)
    held = HeldReply.objects.get()
    client.force_login(cast.jun)
    assert post(client, case, f"held/{held.pk}/undo", {}).status_code == 404
    assert post(client, case, f"held/{held.pk}/send", {}).status_code == 404
    assert HeldReply.objects.get().state == "held"
    assert "Minji" in client.get(f"/cases/{case.number}/").content.decode()


# ---------------------------------------------------------------- drafts


def test_after_a_dead_session_she_lands_on_the_same_case_with_her_draft(cast, client, case):
    post(client, case, "draft", {"text": WORDS, "tab": "a"})
    client.logout()
    assert post(client, case, "draft", {"text": WORDS + " 더"}, headers=HTMX).status_code == 401
    asked = post(client, case, "reply", {"seen": case.version, "text": WORDS})
    assert asked.status_code == 302 and f"next=/cases/{case.number}/reply/" in asked.url
    client.force_login(cast.minji)
    landed = client.get(f"/cases/{case.number}/reply/", follow=True)
    assert f"{WORDS}</textarea>" in landed.content.decode()


def test_two_tabs_the_newest_wins_and_the_older_is_offered_back(cast, client, case):
    post(client, case, "draft", {"text": "첫 번째 탭의 말", "tab": "a"})
    post(client, case, "draft", {"text": "두 번째 탭의 말", "tab": "b"})
    version = DraftVersion.objects.get()
    page = client.get(f"/cases/{case.number}/").content.decode()
    assert "두 번째 탭의 말</textarea>" in page and "첫 번째 탭의 말" in page
    post(client, case, f"version/{version.pk}", {})
    assert Draft.objects.get().body == "첫 번째 탭의 말"
    assert DraftVersion.objects.get().body == "두 번째 탭의 말", "and nothing is lost by it"


def test_typing_on_in_one_tab_covers_nothing_and_five_are_kept(client, case):
    for text in ("네", "네, 확인", "확인했습니다"):
        post(client, case, "draft", {"text": text, "tab": "a"})
    assert not DraftVersion.objects.exists()
    for n in range(9):
        post(client, case, "draft", {"text": f"말 {n}", "tab": f"t{n}"})
    assert DraftVersion.objects.count() == 5


# ---------------------------------------------------------------- ready-made replies


def test_a_ready_made_reply_is_filled_for_the_case_and_its_next_word_fits(client, case):
    made = client.get(f"/cases/{case.number}/ready/?pick=received").json()
    assert "지우님" in made["text"] and "Minji" in made["text"] and str(case.number) in made["text"]
    answer = send(client, case, made["text"], next_word_at=made["at"])
    assert answer.status_code == 200 and said(case) == [made["text"]], answer.content.decode()[:2000]


def test_without_script_it_is_put_below_the_words(client, case):
    post(client, case, "insert", {"text": "안녕하세요.", "snippet": "checking"})
    assert Draft.objects.get().body.startswith("안녕하세요.\n\n지우님")


def test_a_language_that_is_missing_is_said(cast, client, case):
    CannedReply.objects.create(team=cast.front, code="hello", texts={"zh-hans": "您好"}, by=cast.sujin)
    made = client.get(f"/cases/{case.number}/ready/?pick=hello").json()
    assert made["text"] == "您好" and "简体中文" in made["note"]
    assert client.get(f"/cases/{case.number}/ready/?pick=none").status_code == 404


def test_sujin_writes_her_teams_own_in_the_place_of_a_shipped_one(cast, client, case):
    client.force_login(cast.sujin)
    data = {
        "team": cast.front.pk,
        "code": "/received",
        "name_ko": "우리 인사",
        "text_ko": "{{customer|고객}}님, 팀입니다.",
    }
    assert client.post("/replies/new/", data).status_code == 302
    client.force_login(cast.minji)
    assert client.get(f"/cases/{case.number}/ready/?pick=received").json()["text"] == "지우님, 팀입니다."
    assert "우리 인사" in client.get("/replies/").content.decode()
    assert client.get("/replies/new/").status_code == 403


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"code": "x", "text_en": "Hi {{parcel}}"}, "Line 1"),
        ({"code": "x"}, "one language"),
        ({"code": "two words", "text_en": "Hi"}, "One word"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(cast, client, data, where):
    type(cast.sujin).objects.filter(pk=cast.sujin.pk).update(language="en")
    client.force_login(cast.sujin)
    answer = client.post("/replies/new/", {"team": cast.front.pk, **data})
    assert answer.status_code == 422 and where in answer.content.decode() and not CannedReply.objects.exists()


def test_a_lead_writes_for_no_other_team_and_not_for_all(cast, client):
    client.force_login(cast.sujin)
    for team in ("", cast.tech.pk):
        answer = client.post("/replies/new/", {"team": team, "code": "x", "text_en": "Hi"})
        assert answer.status_code in (403, 422) and not CannedReply.objects.exists()


# ---------------------------------------------------------------- switches, signatures


def test_sujin_switches_a_check_for_her_team_and_minji_only_reads(cast, client, case):
    assert client.get("/checks/").status_code == 200
    data = {"team": cast.front.pk, "rule": "done.claimed", "level": "warn"}
    assert client.post("/checks/switch/", data).status_code == 403
    client.force_login(cast.sujin)
    assert client.post("/checks/switch/", {**data, "team": cast.tech.pk}).status_code == 403
    assert client.post("/checks/switch/", {**data, "level": "never"}).status_code == 422
    assert client.post("/checks/switch/", data).status_code == 302
    client.force_login(cast.minji)
    assert send(client, case, "환불이 완료되었습니다.").status_code == 200


def test_lines_under_a_letter_are_the_writers_then_the_teams_then_the_brands(cast, client):
    client.force_login(cast.minji)
    mine = {
        "name": "Minji",
        "language": "ko",
        "zone": "Asia/Seoul",
        "writing": "1",
        "signature_ko": "민지 드림",
    }
    assert client.post("/me/", {**mine, "signature_en": "Yours, Minji"}).status_code == 302
    assert Habit.objects.get(user=cast.minji).hold is False, "an empty box is a no"
    Signature.objects.create(shop=cast.haneul, language="ko", text="하늘")
    assert signature_for(cast.haneul.pk, cast.front.pk, cast.minji, "ko") == "민지 드림\n하늘"
    Signature.objects.create(team=cast.front, language="ko", text="상담 1팀")
    assert signature_for(cast.haneul.pk, cast.front.pk, cast.minji, "ko") == "민지 드림\n상담 1팀"
    assert signature_for(cast.haneul.pk, None, cast.minji, "zh-hans") == "Yours, Minji"
    assert signature_for(cast.moon.pk, None, None, "ko") == ""
