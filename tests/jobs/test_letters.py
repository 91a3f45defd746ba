"""Letters leave through rows, are tried again, arrive at least once, and a failed one shows on the case."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import timezone

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.base.moments import said
from makegood.cases.models import CaseEvent
from makegood.conversations.models import Delivery
from makegood.desk import delivering
from makegood.desk.sharing import revoke_links
from makegood.desk.talking import reply
from makegood.jobs.deliver import send_due
from makegood.people.signatures import Signature
from makegood.promises.models import Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db


CUT = "cut"


class Postbox:
    """A real SMTP server in this process: keeps what it takes, refuses whom it is told to."""

    def __init__(self) -> None:
        self.letters, self.refuse = [], {}
        #: (envelope's sender, recipient) of each letter; what to say to the next letters; how long to take over each.
        self.envelopes, self.answers, self.delay = [], [], 0.0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.delay:
            await asyncio.sleep(self.delay)
        answer = self.answers.pop(0) if self.answers else ""
        if answer == CUT:
            server.transport.abort()
            return "421 gone"
        if answer:
            return answer
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos[0]))
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@pytest.fixture
def postbox(settings):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    yield box
    controller.stop()


@contextmanager
def later(**span: float):
    with clock.travel(timedelta(**span)):
        yield


def words(letter) -> str:
    return letter.get_body(("plain",)).get_content()


def test_jiwoo_gets_a_letter_in_korean_with_the_number_and_her_link(cast, postbox):
    case = stages.reported(cast)
    assert send_due() == 1
    (letter,) = postbox.letters
    assert letter["To"] == "jiwoo@customer.example" and f"[{case.number}]" in letter["Subject"]
    assert letter["Auto-Submitted"] == "auto-generated" and letter["Content-Language"] == "ko"
    assert f"/c/{case.links.get().pk}~" in words(letter)
    assert letter["Message-ID"].startswith(f"<letter-{case.deliveries.get().pk}.")
    assert Delivery.objects.get().state == "sent" and send_due() == 0


def test_the_first_letter_never_carries_the_words_of_the_report(cast, postbox):
    stages.reported(cast, text="Buy pills at http://bad.example now")
    send_due()
    assert "pills" not in postbox.letters[0].as_string()


def test_an_answer_carries_our_words_and_when_we_speak_again(cast, postbox):
    stages.answered(cast)
    send_due()
    answer = postbox.letters[-1]
    assert "확인하고 있습니다" in words(answer) and "(대한민국 표준시)까지" in words(answer)
    assert answer["Auto-Submitted"] is None
    assert "확인하고 있습니다" in answer.get_body(("html",)).get_content()


@pytest.mark.parametrize("who, language", [("jiwoo", "ko"), ("lina", "zh-hans"), ("alex", "en")])
def test_every_letter_speaks_the_recipients_language(cast, postbox, who, language):
    stages.told(cast, customer=getattr(cast, who))
    send_due()
    assert [x["Content-Language"] for x in postbox.letters] == [language] * 2


def test_without_a_mail_server_letters_wait_and_are_not_tried(cast):
    stages.reported(cast)
    assert send_due() == 0
    letter = Delivery.objects.get()
    assert (letter.state, letter.tries) == ("waiting", 0)


def test_a_silent_mail_server_is_tried_again_with_longer_waits_and_then_the_case_says_so(cast, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    case = stages.reported(cast)
    spent = timedelta()
    for wait in delivering.WAITS:
        with clock.travel(spent):
            assert send_due() == 1 and send_due() == 0
        assert Delivery.objects.get().state == "waiting"
        spent += wait + timedelta(seconds=1)
    assert timedelta(hours=20) < spent < timedelta(hours=28)
    before = stages.fresh(case).touched_at
    with clock.travel(spent):
        send_due()
    failed = Delivery.objects.get()
    assert failed.state == "failed" and "refused" in failed.error.lower()
    event = CaseEvent.objects.get(case=case, kind="letter_failed")
    assert event.data["delivery"] == failed.pk and event.actor_role == "system"
    assert stages.fresh(case).touched_at == before


def test_an_address_that_does_not_exist_fails_at_once(cast, postbox):
    postbox.refuse["jiwoo@customer.example"] = "550 no such user"
    case = stages.reported(cast)
    send_due()
    assert Delivery.objects.get().state == "failed" and case.events.filter(kind="letter_failed").exists()


def test_a_full_mailbox_is_tried_again(cast, postbox):
    postbox.refuse["jiwoo@customer.example"] = "452 mailbox full"
    stages.reported(cast)
    send_due()
    assert Delivery.objects.get().state == "waiting"
    postbox.refuse.clear()
    with later(minutes=2):
        send_due()
    assert Delivery.objects.get().state == "sent" and len(postbox.letters) == 1


def test_one_bad_letter_stops_nobody(cast, postbox):
    bad = stages.reported(cast)
    Delivery.objects.update(to="jiwoo@customer.example\nBcc: all@customer.example")
    stages.reported(cast, customer=cast.alex)
    assert send_due() == 2
    assert [x["To"] for x in postbox.letters] == ["alex@customer.example"]
    assert bad.deliveries.get().state == "failed"


def test_a_worker_killed_after_the_claim_loses_nothing(cast, postbox):
    stages.reported(cast)
    assert delivering.claim() is not None  # and then kill -9
    assert send_due() == 0
    with later(minutes=6):
        assert send_due() == 1
    assert len(postbox.letters) == 1


def test_a_worker_killed_after_sending_sends_the_same_letter_again(cast, postbox, monkeypatch):
    stages.reported(cast)
    with monkeypatch.context() as killed:
        killed.setattr(delivering, "delivered", lambda delivery: None)
        send_due()
    with later(minutes=6):
        send_due()
    first, again = postbox.letters
    assert first["Message-ID"] == again["Message-ID"] and Delivery.objects.get().state == "sent"


def test_a_revoked_link_is_not_sent(cast, postbox):
    case = stages.reported(cast)
    old = case.links.get()
    revoke_links(case, by=cast.by(cast.minji))
    send_due()
    new = case.links.exclude(pk=old.pk).get()
    assert f"/c/{new.pk}~" in words(postbox.letters[0]) and f"/c/{old.pk}~" not in words(postbox.letters[0])


def test_a_late_letter_says_that_we_are_late(cast, postbox):
    stages.reported(cast, customer=cast.alex)
    with later(days=1):
        send_due()
    assert "are late" in words(postbox.letters[0])


def test_script_in_our_words_is_only_text_in_the_letter(cast, postbox):
    case = stages.owned(cast)
    reply(
        case, by=cast.by(cast.minji), seen=None, text="<script>alert(1)</script>", next_word_at=stages.soon()
    )
    send_due()
    assert "<script>" not in postbox.letters[-1].get_body(("html",)).get_content()


def test_a_slow_sender_holds_no_row(cast, postbox, monkeypatch):
    """While a letter is being sent, no transaction of ours is open: others may write to its case."""
    stages.reported(cast)
    outside, seen = len(connection.savepoint_ids), []
    send = EmailMessage.send

    def watched(self, *args, **kwargs):
        seen.append(len(connection.savepoint_ids))
        return send(self, *args, **kwargs)

    monkeypatch.setattr(EmailMessage, "send", watched)
    send_due()
    assert seen == [outside]


def test_a_letter_ends_with_minjis_own_lines_and_never_tells_the_customer_a_date_of_the_law(cast, postbox):
    Signature.objects.create(user=cast.minji, language="ko", text="민지 드림")
    case = stages.answered(cast)
    now = clock.now()
    Promise.objects.create(
        case=case, what="legal", basis="statutory", to="staff", due_at=now + timedelta(minutes=7), trigger_at=now,
        look_at=now, rule="kr.ecommerce.refund",
    )  # fmt: skip
    send_due()
    last = words(postbox.letters[-1])
    assert "민지 드림" in last
    word = Promise.objects.get(case=case, state="open", what="next_word")
    with timezone.override(ZoneInfo("Asia/Seoul")), speaking("ko"):
        assert said(word.due_at) in last
        assert said(now + timedelta(minutes=7)) not in last
