"""A letter's whole way on real servers: in by IMAP, answered, come back, sent again, answered by letter, confirmed."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

import pytest

from makegood.cases.models import Case, Notice
from makegood.conversations.models import Delivery, Letter, Mailbox
from makegood.desk.fixing import record_fix, verify
from makegood.desk.handling import take
from makegood.desk.resending import send_again
from makegood.desk.talking import reply
from makegood.desk.telling import tell
from makegood.desk.triaging import Sorting, triage
from makegood.jobs.deliver import send_due
from makegood.jobs.receive import read_due
from makegood.people.models import Customer
from makegood.promises.models import Promise
from tests import cast as stages
from tests.cast import fresh
from tests.mail.post import letter
from tests.mailserver.test_real_servers import HELP, imap_box, took, until, watching

pytestmark = [pytest.mark.mailserver, pytest.mark.django_db(transaction=True)]
JIWOO = "jiwoo@customer.example"


def text_of(raw: bytes) -> str:
    return message_from_bytes(raw, policy=policy.default).get_body(("plain",)).get_content()


def test_a_problem_comes_by_letter_and_ends_by_the_customers_own_word(
    transactional_db, mail_servers, settings, client
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_servers.smtp
    cast = stages.assemble()
    box = imap_box(cast, mail_servers)
    Mailbox.objects.filter(pk=box.pk).update(plus=True)
    minji, wei = cast.by(cast.minji), cast.by(cast.wei)
    with watching(box):
        # In by IMAP.
        until(lambda: Mailbox.objects.get(pk=box.pk).seen_at)
        mail_servers.deliver(letter(), HELP)
        until(took(1))
        read_due()
        case = Case.objects.get()
        assert case.customer.email == JIWOO and send_due() == 1
        assert str(case.number) in text_of(mail_servers.arrived(JIWOO, 1)[0])

        # A wrong address on file: the answer comes back, and the word that it had kept is broken.
        Customer.objects.filter(pk=case.customer_id).update(email="jiwo@customer.example")
        triage(case, Sorting(type="refund.delay"), by=minji, seen=None)
        take(case, by=minji, seen=None)
        first = Promise.objects.get(case=case, what="first_word")
        reply(
            case,
            by=minji,
            seen=None,
            text="환불 기록을 찾았고 은행에 확인하고 있습니다.",
            next_word_at=stages.soon(),
        )
        first.refresh_from_db()
        assert first.state == "kept" and send_due() == 1
        until(took(2))
        read_due()
        back = Delivery.objects.get(case=case, what="reply")
        first.refresh_from_db()
        assert back.state == "bounced" and first.state == "broken" and first.undone_by_id == back.pk
        assert Letter.objects.get(outcome="bounce").case_id == case.pk
        assert Notice.objects.filter(case=case, user=cast.minji, kind="letter_bounced").exists()
        assert Customer.objects.get(pk=case.customer_id).email_failed_at is not None

        # Sent again to the corrected address; the customer answers by letter, to the address that only we could sign.
        send_again(fresh(case), back.pk, by=minji, seen=None, to=JIWOO)
        assert send_due() == 1
        answer = message_from_bytes(mail_servers.arrived(JIWOO, 2)[1], policy=policy.default)
        to = str(answer["Reply-To"] or answer["From"])
        found = re.search(r"[\w.+~=-]+@haneul\.example", to)
        assert found and "+" in found[0]
        mail_servers.deliver(
            letter(to=found[0], subject=f"Re: {answer['Subject']}", text="감사합니다. 계좌는 그대로입니다.",
                   In_Reply_To=str(answer["Message-ID"])),
            found[0],
        )  # fmt: skip
        until(took(3))
        read_due()
        said = case.messages.filter(author="customer").order_by("-id")[0]
        assert Case.objects.count() == 1 and said.body.startswith("감사합니다")

        # Fixed, proved by somebody else, told, and confirmed on the page that the letter leads to.
        record_fix(
            fresh(case), by=minji, seen=None, done="환불을 다시 보냄", cause="은행 점검", remedy="refund"
        )
        verify(fresh(case), by=wei, seen=None, proof="payment_record", what_was_seen="22일에 출금됨")
        tell(
            fresh(case),
            by=minji,
            seen=None,
            text="환불이 완료되었습니다. 확인해 주세요.",
            next_word_at=stages.soon(48),
        )
        assert send_due() == 1
        told = text_of(mail_servers.arrived(JIWOO, 3)[2])
    token = re.search(r"/c/([^/\s]+)/", told)
    assert token
    page = f"/c/{token[1]}/"
    assert client.get(page).status_code == 200 and fresh(case).is_open  # a look confirms nothing
    client.post(f"{page}confirm/", {"telling": case.tellings.get().pk, "answer": "all_good"})
    assert fresh(case).ended_as == "made_good"
    assert Delivery.objects.filter(case=case, state="waiting").count() <= 1
