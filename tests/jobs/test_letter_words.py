"""What a letter carries: the thread, the name, the words, the files, and ways out; what it must never carry."""

from __future__ import annotations

import re
from datetime import timedelta
from email.utils import parseaddr

import pytest

from makegood.base import clock
from makegood.base.marker import LINE, MARKERS, marker
from makegood.conversations import outbox, threads
from makegood.conversations.messages import Upload
from makegood.conversations.models import Delivery, Letter, Mailbox
from makegood.desk.talking import reply
from makegood.jobs import letter_files
from makegood.jobs.deliver import send_due
from makegood.jobs.letters import compose
from makegood.people.models import Shop
from tests import cast as stages
from tests.jobs.test_letters import later, postbox, words  # noqa: F401

pytestmark = pytest.mark.django_db
HANGUL, HANZI = re.compile("[가-힣]"), re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def mailbox(cast):
    return Mailbox.objects.create(
        shop=cast.haneul, address="help@haneul.example", name="하늘상점", first=True, plus=True
    )


def html(letter) -> str:
    return letter.get_body(("html",)).get_content()


def of_kind(cast, what, **more):
    """A letter of this kind as it would leave."""
    case = stages.told(cast, **more)
    delivery = case.deliveries.order_by("id").last()
    delivery.what, delivery.mailbox = what, outbox.mailbox_for(case)
    return compose(delivery)


def test_it_leaves_in_the_name_of_the_shops_mailbox_and_answers_find_the_case(cast, mailbox, postbox):  # noqa: F811
    case = stages.answered(cast)
    send_due()
    letter = postbox.letters[-1]
    assert parseaddr(letter["From"]) == ("하늘상점", "help@haneul.example")
    name, address = parseaddr(letter["Reply-To"])
    assert name == "하늘상점" and threads.case_of_address(address) == case
    assert threads.delivery_of(letter["Message-ID"]).case == case
    assert threads.delivery_of_return_path(postbox.envelopes[-1][0]).case == case


def test_a_mailbox_without_plus_addresses_never_names_one(cast, mailbox, postbox):  # noqa: F811
    Mailbox.objects.update(plus=False)
    stages.reported(cast)
    send_due()
    (letter,) = postbox.letters
    assert letter["Reply-To"] is None and postbox.envelopes[0][0] == "help@haneul.example"
    assert "+" not in letter["From"]


def test_each_brand_writes_in_its_own_name_and_the_one_that_was_written_to_answers(cast, mailbox, postbox):  # noqa: F811
    second = Mailbox.objects.create(shop=cast.haneul, address="b@brand.example", name="Brand B")
    foreign = Mailbox.objects.create(shop=cast.moon, address="m@moon.example", name="月茶")
    case = stages.owned(cast)
    for box in (foreign, second):
        Letter.objects.create(
            mailbox=box, way="pipe", sha256=box.address, case=case, header_id=f"<from-{box.pk}@x>"
        )
    assert outbox.mailbox_for(case) == second
    second.active = False
    second.save(update_fields=["active"])
    assert outbox.mailbox_for(case) == mailbox


def test_the_thread_holds_ours_and_theirs_in_order_and_nothing_that_breaks_a_header(cast, mailbox, postbox):  # noqa: F811
    case = stages.answered(cast)
    send_due()
    ours = [d.header_id for d in case.deliveries.order_by("id")]
    for n, raw in enumerate(("<hostile\r\nBcc: x@y>", "<>", "<two words@x>", "plain@jiwoo.example")):
        Letter.objects.create(way="pipe", sha256=str(n), case=case, header_id=raw, mailbox=mailbox)
    reply(case, by=cast.by(cast.minji), seen=None, text="또 답합니다", next_word_at=stages.soon())
    with later(minutes=1):
        send_due()
    letter = postbox.letters[-1]
    thread, *rest = letter["References"].split()
    assert threads.case_of_message_id(thread) == case
    assert rest == [*ours, "<plain@jiwoo.example>"]
    assert letter["In-Reply-To"] == "<plain@jiwoo.example>" and letter["Bcc"] is None


def test_a_long_correspondence_keeps_its_references_bounded(cast, mailbox):
    case = stages.answered(cast)
    link = case.links.first()
    for n in range(40):
        Delivery.objects.create(
            case=case,
            link=link,
            what="reply",
            to="jiwoo@customer.example",
            language="ko",
            state="sent",
            sent_at=clock.now() - timedelta(minutes=40 - n),
            header_id=f"<letter-{n}.x@haneul.example>",
        )
    last = Delivery.objects.create(
        case=case, link=link, what="reply", to="jiwoo@customer.example", language="ko"
    )
    named = compose(last).extra_headers["References"].split()
    assert len(named) == 11 and named[-1] == "<letter-39.x@haneul.example>"


def test_who_wrote_by_letter_gets_their_own_subject_again_but_never_in_the_first_letter(cast, mailbox):
    case = stages.answered(cast)
    Letter.objects.create(
        mailbox=mailbox,
        way="pipe",
        sha256="1",
        case=case,
        sender="Jiwoo@customer.example",
        subject="Re: 환불\n문의",
    )
    received, answer = case.deliveries.order_by("id")
    assert compose(answer).subject == f"Re: 환불 문의 [{case.number}]"
    assert "환불" not in compose(received).subject


def test_an_answer_quotes_what_the_customer_wrote_last_under_a_line_that_our_reader_knows(cast, mailbox):
    mail = of_kind(cast, "told")
    assert mail.body.startswith(marker("ko"))
    above, _over, quoted = mail.body.rpartition(":\n> ")
    assert "환불을 신청한 지 열흘" in quoted and "환불을 신청한 지 열흘" not in above
    assert "<blockquote" in mail.alternatives[0][0]


@pytest.mark.parametrize("language", MARKERS)
def test_the_line_is_found_again_quoted_and_rewritten(language):
    line = marker(language)
    for text in (line, f"> {line}", f">> {line} ", line.replace("─", "-"), line.strip("─ "), f"*{line}*"):
        assert LINE.fullmatch(text), text
    assert not LINE.fullmatch("Please write your answer soon")


def test_the_first_letter_quotes_nothing_not_even_with_a_mailbox(cast, mailbox):
    case = stages.reported(cast, text="Buy pills at http://bad.example now")
    mail = compose(case.deliveries.get())
    assert "pills" not in mail.message().as_string() and "pills" not in mail.alternatives[0][0]


@pytest.mark.parametrize("who, speaks", [("jiwoo", HANGUL), ("lina", HANZI)])
@pytest.mark.parametrize("what", Delivery.What.values)
def test_every_kind_of_letter_is_whole_in_text_and_html(cast, mailbox, who, speaks, what):
    mail = of_kind(cast, what, customer=getattr(cast, who))
    for part in (mail.body, mail.alternatives[0][0]):
        assert speaks.search(part) and "{{" not in part and "{%" not in part and "%(" not in part
        assert "/c/" in part, "the customer's page"
    assert mail.subject.startswith("[") and "%" not in mail.subject
    # A link that an examining program opens must answer nothing: every link leads to a page, none names an answer.
    assert not re.search(r"all_good|not_good|confirm/", mail.body + mail.alternatives[0][0])


@pytest.mark.parametrize("what", Delivery.What.values)
def test_only_letters_that_ask_can_be_declined_and_only_machines_letters_say_so(
    cast, mailbox, settings, what
):
    settings.BASE_URL = "https://help.haneul.example"
    headers = of_kind(cast, what).extra_headers
    asks = what in ("ask", "question", "follow_up")
    assert ("List-Unsubscribe" in headers) is asks
    assert (headers.get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click") is asks
    assert (headers.get("Auto-Submitted") == "auto-generated") is (what == "received")
    assert headers["X-Makegood-Loop"] == threads.site_id()
    if what == "received":
        assert "NDR" not in headers["X-Auto-Response-Suppress"].replace(" ", "").split(",")


def test_what_the_house_asks_by_itself_says_that_no_person_wrote_it(cast, mailbox):
    case = stages.told(cast)
    delivery = case.deliveries.order_by("id").last()
    delivery.message.by_id = None
    assert compose(delivery).extra_headers["Auto-Submitted"] == "auto-generated"


def test_files_go_along_as_far_as_a_mailbox_takes_them(cast, mailbox, postbox, monkeypatch):  # noqa: F811
    monkeypatch.setattr(letter_files, "MOST", 1000)
    case = stages.owned(cast)
    reply(
        case,
        by=cast.by(cast.minji),
        seen=None,
        text="첨부합니다",
        next_word_at=stages.soon(),
        files=[
            Upload("영수증.pdf", "application/pdf", b"%PDF" + b"1" * 600),
            Upload("video.mp4", "video/mp4", b"2" * 900),
            Upload("note.txt", "text/plain", "확인".encode("cp949")),
            Upload("odd.eml", "message/rfc822", b"From: x\n\nhello"),
        ],
    )
    send_due()
    letter = postbox.letters[-1]
    files = {p.get_filename(): p for p in letter.iter_attachments()}
    assert list(files) == ["영수증.pdf", "note.txt", "odd.eml"]
    assert files["영수증.pdf"].get_content().startswith(b"%PDF1")
    assert files["note.txt"].get_payload(decode=True) == "확인".encode("cp949")
    assert files["odd.eml"].get_content_type() == "application/octet-stream"
    left = case.attachments.get(name="video.mp4")
    assert f"video.mp4: http://127.0.0.1:8000/c/{case.deliveries.last().link_id}~" in words(letter)
    assert f"files/{left.pk}/" in words(letter) and f"files/{left.pk}/" in html(letter)


def test_the_customers_own_files_are_never_sent_back_nor_to_an_address_that_a_stranger_typed(cast, mailbox):
    case = stages.reported(cast, files=[Upload("virus.exe", "application/x-dosexec", b"MZ")])
    assert compose(case.deliveries.get()).attachments == []


@pytest.mark.parametrize(
    "name", ["A\r\nBcc: all@customer.example", "\u202eexample", '"Kang" <evil@x>', "가" * 120, ""]
)
def test_an_odd_name_of_a_brand_breaks_no_header(cast, mailbox, postbox, name):  # noqa: F811
    Mailbox.objects.update(name=name)
    Shop.objects.update(name="Haneul")
    stages.reported(cast)
    send_due()
    (letter,) = postbox.letters
    assert parseaddr(letter["From"])[1] == "help@haneul.example" and letter["Bcc"] is None


def test_times_are_said_with_the_zone_as_people_call_it(cast, mailbox):
    assert "(대한민국 표준시)까지" in of_kind(cast, "told").body
    assert "（中国标准时间）" in of_kind(cast, "told", customer=cast.lina).body
    assert "(Korean Standard Time)" in of_kind(cast, "told", customer=cast.alex).body
