"""Opening: whatever door a problem comes through, it is the same act."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.cases.models import Case
from makegood.cases.models.case import is_number
from makegood.cases.urgency import Impact
from makegood.conversations.messages import Upload
from makegood.conversations.models import Delivery, Message, SearchEntry
from makegood.desk.opening import Report, open_case
from makegood.desk.talking import customer_writes, reply
from makegood.people import actors
from makegood.people.models import Customer
from makegood.promises.models import Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db


def test_jiwoo_reports_and_everything_is_there_at_once(cast):
    case = stages.reported(cast)
    assert (case.status, case.version, case.language) == ("reported", 1, "ko")
    assert is_number(case.number) and case.number > 100_000
    assert case.order == cast.order, "the order number in her words leads to the order"
    assert Promise.objects.get(case=case).due_at == case.due_at > clock.now()
    assert Delivery.objects.get(case=case).to == "jiwoo@customer.example"
    assert SearchEntry.objects.filter(case=case).exists() and case.links.count() == 1
    assert case.references.filter(kind="order_no").exists()


def test_the_order_that_was_told_stands_whatever_the_words_name(cast):
    case = stages.reported(cast, text="지난번 HN-20261101 때처럼 또 늦습니다", order_number="HN-99999999")
    assert (case.order_number, case.order) == ("HN-99999999", None)


def test_a_number_that_was_mistyped_is_nobodys(cast):
    number = stages.reported(cast).number
    digits = str(number)
    for i, digit in enumerate(digits):
        wrong = int(digits[:i] + str((int(digit) + 1) % 10) + digits[i + 1 :])
        assert not is_number(wrong)
    swapped = int(digits[:-2] + digits[-1] + digits[-2])
    assert swapped == number or not is_number(swapped)


def test_urgency_comes_with_the_customers_own_words(cast):
    words = "오늘 행사인데 물건이 안 와서 매출 손실이 큽니다. 1372에 신고하겠습니다."
    case = stages.reported(cast, text=words)
    assert case.urgency >= 4
    for evidence in case.evidence.exclude(quote=""):
        message = Message.objects.get(pk=evidence.message_id)
        assert message.body[evidence.start : evidence.end] == evidence.quote


def test_impact_is_heard_too(cast):
    impact = Impact(money_lost=Decimal("5000000"), currency="KRW", orders_blocked=3)
    case = stages.reported(cast, text="문의드립니다", impact=impact)
    assert case.urgency == 5
    assert {e.source for e in case.evidence.all()} >= {"impact:money_lost", "impact:orders_blocked"}


def test_the_language_is_read_from_the_words_not_from_the_shop(cast):
    assert stages.reported(cast, text="我的包裹一直没有更新，请帮我查一下").language == "zh-hans"
    assert stages.reported(cast, text="👍👍").language == "ko", "nothing to read: the shop's own"


@pytest.mark.parametrize(
    ("report", "field"),
    [
        (Report(text="   "), "text"),
        (Report(text="x" * 100_001), "text"),
        (Report(text="x", customer_email="not an address"), "email"),
        (Report(text="x", type="no.such"), "type"),
        (Report(text="x", asked_remedy="a pony"), "asked_remedy"),
        (Report(text="x", impact=Impact(money_lost=Decimal("-1"))), "money_lost"),
        (Report(text="x", impact=Impact(money_lost=Decimal("NaN"))), "money_lost"),
        (Report(text="x", subject="s" * 201), "subject"),
        (Report(text="x", happened_at=clock.now() + timedelta(days=3)), "happened_at"),
        (Report(text="x", files=[Upload("a.bin", "", b"0" * (20 * 2**20 + 1))]), "files"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field_and_nothing_is_half_written(cast, report, field):
    before = (
        Case.objects.count(),
        Message.objects.count(),
        Customer.objects.count(),
        Delivery.objects.count(),
    )
    with pytest.raises(Refusal) as refused:
        open_case(cast.haneul, report, by=actors.system("command"))
    assert refused.value.field == field
    after = (
        Case.objects.count(),
        Message.objects.count(),
        Customer.objects.count(),
        Delivery.objects.count(),
    )
    assert after == before


def test_half_a_surrogate_pair_and_nul_are_made_harmless(cast):
    case = stages.reported(cast, text="broken \ud83d emoji \x00 and nul\x07")
    body = case.messages.get().body
    assert "\x00" not in body and "\ufffd" in body and "emoji" in body


def test_a_file_keeps_only_its_name(cast):
    files = [
        Upload("../../etc/<script>alert(1)</script>.png", "image/png", b"png"),
        Upload("bomb\u202egnp.zip", "", b"zip"),
    ]
    case = stages.reported(cast, files=files)
    names = [*case.attachments.order_by("id").values_list("name", flat=True)]
    assert names == ["script>.png", "bombgnp.zip"]
    assert bytes(case.attachments.order_by("id")[0].blob.content) == b"png"


def test_the_same_person_is_found_again(cast):
    for email in ("New@Customer.example", "new@customer.example"):
        open_case(cast.haneul, Report(text="hello", customer_email=email), by=actors.system("command"))
    assert Customer.objects.filter(email="new@customer.example").count() == 1


def test_a_second_and_a_third_contact_move_it_up(cast):
    case = stages.reported(cast, text="문의드립니다")
    assert case.urgency == 2
    by = actors.customer(case.customer_id)
    customer_writes(case, by=by, text="여보세요")
    assert stages.fresh(case).urgency == 3
    customer_writes(case, by=by, text="답이 없네요")
    assert stages.fresh(case).urgency >= 4
    reply(
        stages.fresh(case), by=cast.by(cast.minji), seen=None, text="죄송합니다", next_word_at=stages.soon()
    )
    assert stages.fresh(case).urgency >= 4, "an answer does not lower it"


def test_a_merchant_may_open_but_nobody_unknown(cast):
    case = open_case(cast.haneul, Report(text="재고 오류"), by=cast.by(cast.kang)).case
    assert case.messages.get().author == "merchant"
    with pytest.raises(NotAllowed):
        open_case(cast.haneul, Report(text="x"), by=actors.Actor(role="stranger", door="page"))
