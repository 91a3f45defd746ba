"""What a carrier owes by when: asked, reminded, answered by a link or a letter, seen by everybody, and closing nothing."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest
from django.core import mail
from standardwebhooks.webhooks import Webhook

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal
from makegood.base.languages import speaking
from makegood.cases.models import Case, Notice
from makegood.conversations.models import Letter, Message
from makegood.desk import (
    asking,
    closing,
    customer_page,
    handling,
    joining,
    owed,
    parties,
    party_answers,
    party_page,
    promising,
    triaging,
)
from makegood.jobs import party_sendings
from makegood.jobs.sweep import tick
from makegood.parties.models import Party, PartyAsk, PartySending
from makegood.people import actors
from makegood.people.models import User
from makegood.promises.models import Promise
from makegood.transactions.models import Shipment
from tests import cast as stages
from tests.mail import post
from tests.receiver import receiver

pytestmark = pytest.mark.django_db


def carrier(cast: stages.Cast, **more: object) -> Party:
    values = {
        "name": "Hanjin",
        "kind": "carrier",
        "language": "ko",
        "way": "letter",
        "email": "cs@hanjin.example",
        **more,
    }
    return parties.save(by=cast.by(cast.hana), shop=cast.haneul, **values)[0]  # type: ignore[arg-type]


def with_carrier(cast: stages.Cast) -> Case:
    carrier(cast)
    return stages.owned(cast)


def carrier_asked(cast: stages.Cast, case: Case, hours: float = 24, **more: object) -> PartyAsk:
    party = Party.objects.filter(shop=case.shop).first() or carrier(cast)
    values = {"what": "운송장 5101을 찾아 주세요.", "due_at": stages.soon(hours), **more}
    event = asking.ask_party(case, by=cast.by(cast.minji), seen=None, party=party, **values)  # type: ignore[arg-type]
    return PartyAsk.objects.get(pk=event.data["ask"])


def asked(cast: stages.Cast) -> Case:
    case = stages.owned(cast)
    carrier_asked(cast, case)
    PartySending.objects.update(state="sent")
    return stages.fresh(case)


def answer(ask: PartyAsk, what: str, **more: object):
    return party_answers.answer_party(ask, by=actors.party(ask.party_id), answer=what, **more)  # type: ignore[arg-type]


def again(ask: PartyAsk) -> PartyAsk:
    return PartyAsk.objects.select_related("promise", "case", "party").get(pk=ask.pk)


def told(user: object, kind: str) -> int:
    return Notice.objects.filter(user=user, kind=kind).count()


@pytest.fixture
def mailing(settings):
    settings.EMAIL_HOST = "mail.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.BASE_URL = "https://makegood.example"


def test_a_task_is_a_promise_with_a_clock_and_a_letter_in_their_language(cast, mailing):
    ask = carrier_asked(cast, stages.owned(cast))
    assert (ask.promise.to, ask.promise.due_at, ask.promise.state) == ("partner", ask.due_at, "open")
    assert party_sendings.send_due() == 1
    letter = mail.outbox[0]
    assert letter.to == ["cs@hanjin.example"] and "운송장 5101" in letter.body
    assert f"https://makegood.example/p/{party_page.token_of(ask)}/" in letter.body
    assert re.search(r"\d+월 \d+일", letter.body), "Hanjin reads Korean"
    assert "지우" not in letter.body and "jiwoo@" not in letter.body
    assert party_sendings.send_due() == 0


def test_done_in_time_keeps_what_they_owed_and_closes_nothing(cast):
    case = stages.owned(cast)
    ask = carrier_asked(cast, case)
    event = answer(ask, "done", words="창고에서 찾았습니다")
    assert again(ask).promise.state == "kept" and again(ask).promise.proof_event == event
    assert again(ask).state == "done" and stages.fresh(case).status == "working"
    said = Message.objects.get(pk=event.data["message"])
    assert (said.author, said.audience, said.body) == ("party", "staff", "창고에서 찾았습니다")
    assert told(cast.minji, "party_answered") == 1
    with pytest.raises(Refusal):
        answer(again(ask), "done")


def test_late_it_is_broken_as_of_its_time_without_making_us_the_ones_who_broke_a_word(cast):
    case = stages.owned(cast)
    ask = carrier_asked(cast, case, hours=2)
    level = stages.fresh(case).urgency
    with clock.travel(timedelta(hours=2, minutes=1)):
        tick()
        assert again(ask).promise.state == "broken" and again(ask).is_open
        assert stages.fresh(case).events.filter(kind="party_late").count() == 1
        assert not case.events.filter(kind="promise_broken", data__promise=ask.promise_id).exists()
        assert told(cast.minji, "party_late") == 1
        answer(again(ask), "done")
        assert again(ask).promise.state == "broken" and again(ask).state == "done"
    assert stages.fresh(case).urgency >= level


def test_a_time_of_theirs_moves_no_deadline_of_ours(cast):
    ask = carrier_asked(cast, stages.owned(cast), hours=4)
    answer(ask, "by", until=clock.now() + timedelta(hours=30))
    assert again(ask).says_by and again(ask).promise.due_at == ask.due_at
    with pytest.raises(Refusal) as refused:
        answer(again(ask), "by", until=clock.now() - timedelta(hours=1))
    assert refused.value.field == "until"


def test_cannot_needs_a_reason_and_goes_to_the_lead(cast):
    ask = carrier_asked(cast, stages.owned(cast))
    with pytest.raises(Refusal) as refused:
        answer(ask, "cannot", words=" ")
    assert refused.value.field == "words" and again(ask).is_open
    answer(ask, "cannot", words="파손되었습니다")
    assert again(ask).state == "cannot" and again(ask).promise.state == "withdrawn"
    assert told(cast.sujin, "party_cannot") == 1


def test_they_are_reminded_in_working_hours_and_then_the_lead_hears(cast):
    now = clock.now()
    monday = now + timedelta(days=(7 - now.weekday()) % 7 or 7)
    ten = monday.replace(hour=1, minute=0, second=0, microsecond=0)  # ten o'clock in Seoul
    with clock.travel(ten - clock.now()):
        ask = carrier_asked(cast, stages.owned(cast), hours=8)
        PartySending.objects.update(state="sent")
    reminders: list[datetime] = []
    for hours in range(1, 24 * 6):
        with clock.travel(ten + timedelta(hours=hours) - clock.now()):
            tick()
            if PartySending.objects.filter(state="waiting").update(state="sent"):
                reminders.append(clock.now() + timedelta(hours=9))
    assert len(reminders) == 4 and again(ask).reminded == 4, (
        "one before its time, three after it, and no more"
    )
    assert all(9 <= at.hour <= 18 for at in reminders), reminders
    assert told(cast.sujin, "party_silent") == 1


def test_the_words_may_not_say_who_the_customer_is_unless_that_is_ticked(cast):
    case = stages.owned(cast)
    for words in ("지우 고객님의 상자를 찾아 주세요", "Call jiwoo@customer.example", "010-1234-5678로 전화"):
        with pytest.raises(Refusal) as refused:
            carrier_asked(cast, case, what=words)
        assert refused.value.field == "what"
    assert not PartyAsk.objects.exists() and not PartySending.objects.exists()
    assert carrier_asked(cast, case, what="지우 고객님께 전화해 주세요", personal=True).personal


def test_the_link_shows_what_was_ticked_and_no_more(cast, client):
    Shipment.objects.create(
        order=cast.order, state="moving", carrier="Hanjin", tracking="510199887766", told_at=clock.now()
    )
    case = stages.owned(cast)
    triaging.note_fact(
        case,
        by=cast.by(cast.minji),
        text="지우 고객님이 101동 1203호로 바꿈 010-9999-8888",
        source="customer_words",
    )
    triaging.note_fact(case, by=cast.by(cast.minji), text="비밀 메모", source="customer_words")
    first, _second = case.facts.order_by("id")
    parcel = Shipment.objects.get()
    ask = carrier_asked(cast, case, shows=["order", f"shipment:{parcel.pk}", f"fact:{first.pk}"])
    page = client.get(f"/p/{party_page.token_of(ask)}/").content.decode()
    assert "HN-20261101" in page and "510199887766" in page and "운송장 5101" in page
    assert "바꿈" in page and "지우" not in page and "010-9999-8888" not in page
    assert "비밀 메모" not in page and "jiwoo@" not in page and stages.WORDS["ko"][:20] not in page
    assert 'lang="ko"' in page
    with pytest.raises(NotThere):
        carrier_asked(cast, case, shows=["fact:999999"])


def test_they_answer_on_the_page_with_a_file_and_opening_it_answers_nothing(cast, client):
    from django.core.files.uploadedfile import SimpleUploadedFile

    case = stages.owned(cast)
    ask = carrier_asked(cast, case)
    address = f"/p/{party_page.token_of(ask)}/"
    assert client.get(address).status_code == 200 and client.head(address).status_code == 200
    assert not ask.answers.exists()
    assert client.post(address, {"answer": "", "words": "찾는 중"}).status_code == 422
    kept = client.post(address, {"answer": "by", "until": "yesterday", "words": "찾는 중"})
    assert kept.status_code == 422 and "찾는 중</textarea>" in kept.content.decode()
    sent = {"answer": "done", "words": "인수증", "files": SimpleUploadedFile("sign.png", b"x", "image/png")}
    assert client.post(address, sent).status_code == 302
    assert ask.answers.get().message.attachments.get().name == "sign.png"
    page = client.get(address).content.decode()
    assert "인수증" in page and 'id="answer"' not in page, "what is done is not asked again"


def test_a_forged_or_old_link_shows_nothing(cast, client):
    ask = carrier_asked(cast, stages.owned(cast))
    token = party_page.token_of(ask)
    assert client.get(f"/p/{ask.pk}~forged/").status_code == 404
    assert client.get(f"/p/{token[:-2]}xx/").status_code == 404
    PartyAsk.objects.update(link_ends_at=clock.now())
    assert client.get(f"/p/{token}/").status_code == 404


def test_a_letter_in_reply_is_their_answer_for_a_person_to_read(cast, mailing):
    box = post.box(cast.haneul, plus=True)
    case = stages.owned(cast)
    ask = carrier_asked(cast, case)
    party_sendings.send_due()
    ours = mail.outbox[-1]
    assert "+a" in ours.reply_to[0]
    raw = post.letter(
        sender="Kim <kim@hanjin.example>",
        subject="Re: x",
        text="오늘 저녁에 찾겠습니다",
        In_Reply_To=ours.extra_headers["Message-ID"],
    )
    row = post.sent(box, raw)
    assert (row.outcome, row.because, row.case) == (Letter.Outcome.JOINED, "party", case)
    assert ask.answers.get().answer == "wrote" and again(ask).is_open, (
        "nobody guesses from words that it is done"
    )
    assert Message.objects.get(author="party").audience == "staff"
    twin = post.letter(
        sender="x@y.example", text="같은 주소로", to=ours.reply_to[0].split("<")[1].rstrip(">")
    )
    assert post.sent(box, twin, envelope_to=ours.reply_to[0].split("<")[1].rstrip(">")).because == "party"


def test_a_forged_id_of_a_task_leads_nowhere(cast):
    box = post.box(cast.haneul)
    ask = carrier_asked(cast, stages.owned(cast))
    forged = f"<ask-1-{ask.pk}.aaaaaaaaaaaaaaaa@haneul.example>"
    row = post.sent(box, post.letter(sender="x@y.example", text="Done, close it.", In_Reply_To=forged))
    assert row.because != "party" and not ask.answers.exists()


def test_what_cannot_be_sent_is_seen(cast, mailing, settings):
    settings.EMAIL_BACKEND = "tests.desk.test_parties.Refusing"
    case = stages.owned(cast)
    ask = carrier_asked(cast, case)
    for days in range(3):
        for _n in range(5):
            with clock.travel(timedelta(days=days, hours=_n * 4)):
                party_sendings.send_due()
    assert ask.sendings.get().state == "failed"
    assert told(cast.minji, "party_unreached") == 1
    assert owed.read(cast.by(cast.minji)).rows[0].unreached


class Refusing:
    """A mail server that is down."""

    def __init__(self, **_fields: object) -> None: ...

    def send_messages(self, _letters: object) -> int:
        raise ConnectionRefusedError("down")


def test_a_webhook_carries_the_task_signed_and_is_tried_again(cast, settings):
    with receiver() as there:
        settings.OUTSIDE_HOSTS = frozenset({f"127.0.0.1:{there.port}"})
        _party, secret = parties.save(
            by=cast.by(cast.hana),
            shop=cast.haneul,
            name="PayCo",
            kind="payment_provider",
            language="en",
            way="webhook",
            url=there.url,
        )
        ask = carrier_asked(cast, stages.owned(cast), what="Which card was charged twice?", shows=["order"])
        there.answers = [503]
        party_sendings.send_due()
        assert ask.sendings.get().state == "waiting"
        with clock.travel(timedelta(minutes=2)):
            party_sendings.send_due()
        assert ask.sendings.get().state == "sent"
    headers, body = there.got[-1]
    told_them = json.loads(body)
    assert told_them["type"] == "makegood.ask.asked" and told_them["data"]["what"] == ask.what
    assert told_them["data"]["facts"] == [{"name": "Order number", "text": "HN-20261101"}]
    assert party_page.token_of(ask) in told_them["data"]["answer_at"]
    assert "jiwoo" not in body.decode() and "지우" not in body.decode()
    Webhook(secret).verify(body, headers)
    assert len(set(there.ids())) == 1


def test_who_owes_what_by_when_over_all_cases_and_how_they_kept_their_word(cast):
    first, second = stages.owned(cast), stages.owned(cast)
    late, soon = carrier_asked(cast, first, hours=1), carrier_asked(cast, second, hours=30)
    kept = carrier_asked(cast, second, hours=5)
    answer(kept, "done")
    with clock.travel(timedelta(hours=2)):
        tick()
        page = owed.read(cast.by(cast.jun))
        assert [(r.ask.pk, r.late) for r in page.rows] == [(late.pk, True), (soon.pk, False)]
        (row,) = page.parties
        assert (row.open, row.kept, row.broken, row.cannot) == (2, 1, 1, 0)


def test_taken_back_they_are_told_and_the_link_says_so(cast, client):
    case = asked(cast)
    ask = case.party_asks.get()
    with pytest.raises(Refusal) as error:
        asking.withdraw_party_ask(case, ask.pk, by=cast.by(cast.minji), reason=" ")
    assert error.value.field == "reason" and again(ask).is_open
    asking.withdraw_party_ask(case, ask.pk, by=cast.by(cast.minji), reason="고객이 찾으셨습니다.")
    note = Message.objects.filter(case=case).latest("id")
    assert (note.body, note.audience) == ("고객이 찾으셨습니다.", "staff"), "they are not told why"
    assert again(ask).promise.state == "withdrawn"
    assert [s.what for s in ask.sendings.order_by("id")] == ["asked", "withdrawn"]
    page = client.get(f"/p/{party_page.token_of(ask)}/").content.decode()
    assert "운송장 5101" not in page and 'name="answer"' not in page


def test_the_end_of_a_case_takes_back_what_is_open(cast):
    case = asked(cast)
    closing.withdraw(case, by=actors.customer(case.customer_id), seen=None, words="찾았어요")
    assert case.party_asks.get().state == "withdrawn"
    assert not Promise.objects.filter(case=case, state="open").exists()


def test_merged_what_they_owe_is_owed_to_the_case_that_stays(cast):
    case = asked(cast)
    other = stages.reported(cast, text="또 문의드립니다")
    joining.merge(case, other, by=cast.by(cast.minji), seen=None)
    ask = PartyAsk.objects.get()
    assert ask.case == other and ask.promise.case == other and ask.promise.state == "open"
    answer(ask, "done")
    assert again(ask).promise.state == "kept"


def test_nobody_keeps_or_withdraws_for_them(cast):
    case = asked(cast)
    promise = case.party_asks.get().promise
    with pytest.raises(Refusal):
        promising.keep_promise(case, promise.pk, by=cast.by(cast.minji), seen=None, proof="They said so.")
    with pytest.raises(Refusal):
        promising.withdraw_promise(case, promise.pk, by=cast.by(cast.sujin), seen=None, reason="Never mind.")
    with pytest.raises(NotAllowed):
        party_answers.answer_party(case.party_asks.get(), by=cast.by(cast.minji), answer="done")


def test_the_customer_reads_nothing_of_it(cast, client):
    from makegood.cases.access import token_of

    case = asked(cast)
    answer(case.party_asks.get(), "done", words="창고 3번 선반")
    page = client.get(f"/c/{token_of(case.links.first())}/").content.decode()
    assert "Hanjin" not in page and "창고 3번" not in page


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("email", {"email": "no address"}),
        ("email", {"email": ""}),
        ("url", {"way": "webhook", "url": "http://10.0.0.1/x"}),
        ("kind", {"kind": "merchant"}),
        ("name", {"name": " "}),
        ("language", {"language": "fr"}),
    ],
)
def test_a_party_that_cannot_be_reached_is_refused(cast, field, values):
    with pytest.raises(Refusal) as refused:
        carrier(cast, **values)
    assert refused.value.field == field and not Party.objects.exists()


def test_two_parties_of_one_name_in_a_shop_are_refused(cast):
    carrier(cast)
    with pytest.raises(Refusal) as refused:
        carrier(cast)
    assert refused.value.field == "name"


def test_a_party_of_another_shop_is_not_asked(cast):
    values = {
        "name": "SF",
        "kind": "carrier",
        "language": "zh-hans",
        "way": "letter",
        "email": "sf@sf.example",
    }
    sf = parties.save(by=cast.by(cast.hana), shop=cast.moon, **values)[0]
    with pytest.raises(Refusal) as refused:
        asking.ask_party(
            stages.owned(cast),
            by=cast.by(cast.minji),
            seen=None,
            party=sf,
            what="Find it.",
            due_at=stages.soon(),
        )
    assert refused.value.field == "party"


# Waiting for what they owe


def waits(cast: stages.Cast) -> tuple[Case, PartyAsk]:
    case = asked(cast)
    ask = case.party_asks.get()
    handling.wait(case, by=cast.by(cast.minji), seen=None, waiting_for=f"ask-{ask.pk}")
    return stages.fresh(case), ask


def test_a_case_waits_for_what_the_carrier_was_asked_and_by_when(cast, client):
    User.objects.update(language="en")
    case, ask = waits(cast)
    client.force_login(cast.minji)
    sheet = client.get(f"/cases/{case.number}/").content.decode()
    assert f"Waiting for {ask.party.name}: " in sheet and "Waiting for the carrier." in sheet
    with speaking(case.language):
        assert "택배" in customer_page.headline(case, "") or "배송" in customer_page.headline(case, "")


@pytest.mark.parametrize(
    ("answer", "status"), [("done", "working"), ("cannot", "working"), ("by", "waiting")]
)
def test_their_answer_ends_the_wait_and_a_time_does_not(cast, answer, status):
    case, ask = waits(cast)
    until = clock.now() + timedelta(days=1) if answer == "by" else None
    party_answers.answer_party(
        ask, by=actors.party(ask.party_id), answer=answer, words="창고에 있습니다", until=until
    )
    case = stages.fresh(case)
    assert (case.status, bool(case.waiting_for)) == (status, status == "waiting")


def test_nobody_waits_for_what_is_no_longer_owed_or_another_cases(cast):
    case, ask = waits(cast)
    asking.withdraw_party_ask(case, ask.pk, by=cast.by(cast.minji), reason="왔습니다.")
    assert stages.fresh(case).status == "working"
    other = stages.owned(cast)
    for wrong in (f"ask-{ask.pk}", "ask-", "ask-999999999999999", "ask-x"):
        for of in (case, other):
            with pytest.raises(Refusal):
                handling.wait(of, by=cast.by(cast.minji), seen=None, waiting_for=wrong)
