"""A letter becomes a case, a word on a case, or visibly nothing; whose word it is, is never guessed.

Over 300 lines: one table of what may come, each a few lines.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.cases.models import Case
from makegood.conversations import threads
from makegood.conversations.models import Delivery, Letter, Message, OnCopy
from makegood.desk import closing, joining
from makegood.packs import policy
from makegood.people import actors
from tests import cast as stages
from tests.mail.post import WORDS, box, header_of, letter, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(cast):
    cast.box = box(cast.haneul)
    return cast


def last_word(case: Case) -> Message:
    return case.messages.order_by("id").last()


def test_jiwoos_letter_opens_a_case_and_is_acknowledged(desk):
    row = sent(desk.box, letter(files=(("영수증.png", "image/png", b"\x89PNG"),)))
    assert (row.state, row.outcome) == ("done", "opened")
    case = row.case
    assert (case.customer, case.subject, case.language) == (desk.jiwoo, "환불이 안 됩니다", "ko")
    said = case.messages.get()
    assert (said.body, said.author, said.channel) == (WORDS, "customer", "letter")
    assert said.attachments.get().name == "영수증.png"
    assert case.order_number == "HN-20261101"
    assert case.deliveries.get().what == "received"
    event = case.events.get()
    assert (event.kind, event.door, event.actor_role) == ("opened", "mail", "customer")


def test_a_new_customer_is_added_with_the_name_of_the_letter(desk):
    row = sent(
        desk.box, letter("Bora Kim <bora@new.example>", text="My parcel AX-1 never arrived, where is it?")
    )
    assert (row.case.customer.name, row.case.customer.email) == ("Bora Kim", "bora@new.example")
    assert row.case.language == "en"


def answer_to(case: Case, **more: str) -> bytes:
    """A reply to the last letter that left on this case, as a mail program writes it."""
    delivery = Delivery.objects.filter(case=case).order_by("id").last()
    known = threads.message_id_for(delivery)
    return letter(
        **{"subject": "RE: 답변", "In_Reply_To": known, "References": known, "text": "아직입니다.", **more}
    )


def test_a_reply_to_our_letter_joins_its_case_and_quotes_are_apart(desk):
    case = stages.answered(desk)
    row = sent(
        desk.box,
        answer_to(
            case, text="아직 안 들어왔어요.\n\nOn Sun, 22 Nov 2026, Haneul wrote:\n> 확인하고 있습니다."
        ),
    )
    assert (row.outcome, row.because, row.case) == ("joined", "signed", case)
    said = last_word(case)
    assert (said.body, said.author) == (
        "아직 안 들어왔어요.",
        "customer",
    ) and "확인하고 있습니다" in said.quoted
    assert stages.fresh(case).events.last().kind in ("customer_wrote", "urgency_raised")


def test_a_letter_to_the_signed_address_joins_without_any_header(desk):
    case = stages.answered(desk)
    to = threads.reply_address(desk.box, case)
    row = sent(desk.box, letter(to=to, subject="?", text="새 메일로 씁니다."))
    assert (row.because, row.case) == ("signed", case)


def test_a_forged_signature_leads_nowhere(desk):
    case = stages.answered(desk)
    to = f"help+{case.number}.{'a' * 16}@haneul.example"
    row = sent(
        desk.box,
        letter("Eve <eve@elsewhere.example>", to=to, In_Reply_To=f"<letter-1.{'b' * 16}@haneul.example>"),
    )
    assert row.outcome == "opened" and row.case != case


def test_a_second_letter_finds_the_first_by_its_id(desk):
    first = letter()
    case = sent(desk.box, first).case
    row = sent(
        desk.box,
        letter(subject="Re: 환불이 안 됩니다", text="하나 더요.", References=header_of(first, "Message-ID")),
    )
    assert (row.because, row.case) == ("thread", case)


def test_a_stranger_who_knows_an_id_from_outside_gets_a_case_of_their_own(desk):
    first = letter()
    case = sent(desk.box, first).case
    row = sent(
        desk.box,
        letter(
            "eve@elsewhere.example",
            text="Me too, my order is late.",
            In_Reply_To=header_of(first, "Message-ID"),
        ),
    )
    assert row.outcome == "opened" and row.case != case and row.case.customer != case.customer


@pytest.mark.parametrize(
    ("sender", "joins"),
    [("jiwoo@customer.example", True), ("JIWOO@Customer.Example", True), ("eve@elsewhere.example", False)],
)
def test_the_number_in_the_subject_counts_only_for_those_of_the_case(desk, sender, joins):
    case = stages.reported(desk)
    row = sent(desk.box, letter(sender, subject=f"Re: [{case.number}] 문의", text="추가로 말씀드립니다."))
    assert (row.case == case) is joins
    assert row.because == ("subject" if joins else "new")


def test_a_mistyped_number_leads_nowhere(desk):
    case = stages.reported(desk)
    row = sent(desk.box, letter(subject=f"[{case.number + 1}] 문의"))
    assert row.outcome == "opened" and row.case != case


def test_a_stranger_with_a_signed_address_is_read_by_staff_only(desk):
    case = stages.answered(desk)
    before = stages.fresh(case)
    row = sent(desk.box, answer_to(case, sender="남편 <husband@elsewhere.example>", text="제가 대신 씁니다."))
    assert (row.outcome, row.because, row.case) == ("joined", "stranger", case)
    said = last_word(case)
    assert (said.author, said.audience, said.body) == ("system", "staff", "제가 대신 씁니다.")
    after = stages.fresh(case)
    assert after.events.last().kind == "letter_noted" and after.customer_wrote_at == before.customer_wrote_at
    assert after.due_at == before.due_at and after.urgency == before.urgency


def test_who_was_on_copy_belongs_to_the_case(desk):
    case = sent(desk.box, letter(Cc="Sister <sister@family.example>")).case
    assert [c.email for c in OnCopy.objects.filter(case=case)] == ["sister@family.example"]
    row = sent(
        desk.box, letter("sister@family.example", subject=f"Re: [{case.number}]", text="동생 일로 씁니다.")
    )
    assert (row.case, row.because) == (case, "subject") and last_word(case).author == "customer"


def test_mr_kang_writes_by_letter_as_the_merchant(desk):
    case = stages.answered(desk)
    to = threads.reply_address(desk.box, case)
    row = sent(desk.box, letter("kang@makegood.example", to=to, text="어제 보냈습니다."))
    said = last_word(case)
    assert row.outcome == "joined" and (said.author, said.audience, said.by) == (
        "merchant",
        "merchant",
        desk.kang,
    )


@pytest.mark.parametrize(
    "sender", ["minji@makegood.example", "kang@makegood.example", "luo@makegood.example"]
)
def test_people_of_the_house_open_no_case_in_their_own_name(desk, sender):
    row = sent(desk.box, letter(sender))
    assert (row.state, row.because) == ("set_aside", "from_the_house") and not Case.objects.exists()


def test_a_mailbox_of_one_shop_never_joins_a_case_of_another(desk):
    moon = box(desk.moon, "help@moon.example")
    case = stages.answered(desk)
    for raw in (
        answer_to(case),
        letter(to=threads.reply_address(desk.box, case)),
        letter(subject=f"[{case.number}]"),
    ):
        row = sent(moon, raw)
        assert row.case != case and row.case.shop == desk.moon
    assert case.messages.filter(channel="letter").count() == 0


def test_a_reply_to_a_merged_case_goes_to_the_survivor(desk):
    case, into = stages.answered(desk), stages.reported(desk)
    raw = answer_to(case)
    joining.merge(case, into, by=desk.by(desk.minji), seen=None)
    assert sent(desk.box, raw).case == into
    assert sent(desk.box, letter(subject=f"[{case.number}]", text="번호로도 됩니다.")).case == into


def test_a_reply_to_a_case_that_ended_lately_opens_it_again(desk):
    case = stages.made_good(desk)
    row = sent(desk.box, answer_to(case, text="다시 문제가 생겼어요. 아직도 환불이 안 됐습니다."))
    case = stages.fresh(case)
    assert row.case == case and case.is_open and case.round == 2
    assert case.messages.filter(channel="letter").count() == 1, "said once"


def test_thanks_for_what_was_made_good_is_kept_and_opens_nothing(desk):
    case = stages.made_good(desk)
    row = sent(desk.box, answer_to(case, text="네, 정말 감사합니다!"))
    assert (
        row.case == case and not stages.fresh(case).is_open and last_word(case).body == "네, 정말 감사합니다!"
    )


def test_a_reply_to_a_case_that_ended_long_ago_opens_a_new_one(desk):
    case = stages.made_good(desk)
    with clock.travel(policy().letters.reopen_within + timedelta(days=1)):
        row = sent(desk.box, answer_to(case, text="다시 문제가 생겼어요."))
    assert row.outcome == "opened" and row.case != case and not stages.fresh(case).is_open


def test_a_child_whose_parent_has_ended_is_not_opened_again_alone(desk):
    case, parent = stages.reported(desk), stages.reported(desk)
    by = actors.customer(case.customer_id)
    joining.link(case, parent, by=desk.by(desk.minji), seen=None, relation="child")
    for each in (case, parent):
        closing.withdraw(stages.fresh(each), by=by, seen=None, words="됐어요")
    row = sent(desk.box, letter(subject=f"[{case.number}]", text="역시 안 됩니다."))
    assert row.outcome == "opened" and not stages.fresh(case).is_open


AUTOMATIC = {
    "auto_reply": {"Auto_Submitted": "auto-replied"},
    "auto_generated": {"Auto_Submitted": "auto-generated"},
    "list": {"List_Id": "<news.example>"},
    "bulk": {"Precedence": "bulk"},
}


@pytest.mark.parametrize("kind", AUTOMATIC)
def test_a_machine_opens_no_case_and_gets_no_answer(desk, kind):
    row = sent(
        desk.box, letter("robot@elsewhere.example", subject="News", text="Nothing to do.", **AUTOMATIC[kind])
    )
    assert (row.state, row.outcome) == ("done", "automatic") and row.because.startswith(kind)
    assert not Case.objects.exists() and not Delivery.objects.exists()


def test_a_shops_address_that_is_a_group_is_no_list_to_us(desk):
    row = sent(desk.box, letter(List_Id="Help <help.haneul.example>", Precedence="list"))
    assert row.outcome == "opened" and row.case.deliveries.exists()


def test_an_out_of_office_is_seen_by_staff_and_moves_nothing(desk):
    case = stages.answered(desk)
    before = stages.fresh(case)
    row = sent(
        desk.box, answer_to(case, text="휴가 중입니다. 지금 당장 환불!", Auto_Submitted="auto-replied")
    )
    after = stages.fresh(case)
    assert (row.outcome, row.case) == ("automatic", case) and last_word(case).audience == "staff"
    assert (after.urgency, after.due_at, after.status, after.customer_wrote_at) == (
        before.urgency,
        before.due_at,
        before.status,
        before.customer_wrote_at,
    )
    assert set(case.promises.values_list("state", flat=True)) == set(
        before.promises.values_list("state", flat=True)
    )


def test_the_same_sender_opens_only_so_many_and_the_rest_is_kept(desk):
    most = policy().letters.opens_per_hour
    rows = [
        sent(desk.box, letter("flood@elsewhere.example", subject=f"{n}", text=f"Problem number {n}"))
        for n in range(most + 2)
    ]
    assert [r.outcome for r in rows] == ["opened"] * most + ["limited"] * 2
    assert Case.objects.count() == most and Delivery.objects.count() == most
    with clock.travel(timedelta(hours=2)):
        assert sent(desk.box, letter("flood@elsewhere.example", text="Later")).outcome == "opened"


def test_the_filter_of_the_mail_server_is_heard(desk):
    row = sent(desk.box, b"X-Spam-Flag: YES\n" + letter())
    assert (row.state, row.because) == ("set_aside", "filter:x-spam-flag") and not Case.objects.exists()
    assert sent(desk.box, b"X-Spam-Flag: NO\n" + letter()).outcome == "opened"


def test_a_form_that_writes_in_the_shops_own_name_opens_for_its_reply_address(desk):
    row = sent(desk.box, letter("Haneul <help@haneul.example>", Reply_To="지우 <jiwoo@customer.example>"))
    assert row.case.customer == desk.jiwoo
    alone = sent(desk.box, letter("Haneul <help@haneul.example>", text="x"))
    assert (alone.state, alone.because) == ("set_aside", "from_ourselves")


def bounce(to: str, original: str, status: str = "5.1.1", action: str = "failed") -> bytes:
    head = letter(
        "MAILER-DAEMON@mx.example", to=to, subject="Undelivered Mail Returned to Sender", text="x"
    ).split(b"\n\n")[0]
    head = b"\n".join(
        line for line in head.split(b"\n") if not line.lower().startswith((b"content-", b"mime-"))
    )
    return head + (
        b'\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        b"--b\nContent-Type: text/plain\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n"
        b"Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; jiwoo@customer.example\n"
        + f"Action: {action}\nStatus: {status}\nDiagnostic-Code: smtp; 550 no such user\n".encode()
        + b"\n--b\nContent-Type: text/rfc822-headers\n\n"
        + f"Message-ID: {original}\nTo: jiwoo@customer.example\n".encode()
        + b"\n--b--\n"
    )


def test_a_bounce_of_ours_marks_the_letter_and_the_address(desk):
    case = stages.answered(desk)
    delivery = Delivery.objects.filter(case=case, what="reply").get()
    Delivery.objects.filter(pk=delivery.pk).update(state="sent", sent_at=clock.now())
    row = sent(desk.box, bounce("help@haneul.example", threads.message_id_for(delivery)))
    delivery.refresh_from_db()
    desk.jiwoo.refresh_from_db()
    assert (row.outcome, row.case) == ("bounce", case)
    assert delivery.state == "bounced" and desk.jiwoo.email_failed_at is not None
    assert last_word(case).author == "staff", "nobody's words were added"


def test_a_bounce_without_our_sign_is_a_hint_and_never_a_fact(desk):
    case = stages.answered(desk)
    Delivery.objects.filter(case=case).update(state="sent", sent_at=clock.now())
    row = sent(desk.box, bounce("help@haneul.example", "<forged@elsewhere.example>"))
    desk.jiwoo.refresh_from_db()
    assert row.outcome == "bounce" and desk.jiwoo.email_failed_at is None
    assert last_word(case).audience == "staff" and not Delivery.objects.filter(state="bounced").exists()


def test_a_bounce_of_nothing_of_ours_opens_nothing(desk):
    row = sent(desk.box, bounce("help@haneul.example", "<x@elsewhere.example>"))
    assert (row.outcome, row.case) == ("bounce", None) and not Case.objects.exists()


def test_what_does_not_fit_is_told_and_stays_in_the_source(desk, settings):
    settings.ATTACHMENT_BYTES = 1000
    row = sent(
        desk.box, letter(files=(("film.mov", "video/quicktime", b"x" * 1001), ("a.txt", "text/plain", b"ok")))
    )
    assert row.kept_apart == [["too_large", "film.mov"]]
    assert [a.name for a in row.message.attachments.all()] == ["a.txt"]


def test_a_very_long_letter_is_cut_and_whole_beside_it(desk, settings):
    settings.MESSAGE_CHARACTERS = 200
    row = sent(desk.box, letter(text="환불 " * 200))
    assert len(row.message.body) <= 200 and row.message.body.endswith("…")
    whole = row.message.attachments.get(name="letter.txt").blob.content
    assert bytes(whole).decode().count("환불") == 200 and ["cut", "letter.txt"] in row.kept_apart


def test_only_a_picture_is_a_letter_too(desk):
    row = sent(desk.box, letter(subject="", text="", files=(("broken.jpg", "image/jpeg", b"\xff\xd8"),)))
    assert row.outcome == "opened" and row.message.attachments.get().name == "broken.jpg"


def test_nothing_is_in_the_events_but_codes(desk):
    sent(desk.box, letter())
    for event in Letter.objects.get().case.events.all():
        assert "jiwoo" not in str(event.data) and "환불" not in str(event.data)
