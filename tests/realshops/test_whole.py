"""A real Vendure order through the whole product: bought, broken, reported, offered, chosen, refunded, verified by the shop's own word,
told, and confirmed by Jiwoo on her page. Nobody presses 'verify': the transaction says so itself.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.test import Client

from makegood.base import clock
from makegood.cases import access
from makegood.cases.models import Case, CaseEvent, Verification
from makegood.desk import stores
from makegood.jobs import events, remedies
from makegood.people.models import User
from makegood.remedies.models import Remedy, Step, TransactionProof
from makegood.transactions.models import Order, Refund
from tests import cast as stages
from tests.cast import Cast
from tests.log import seen_by_readers
from tests.realshops.vendure.running import Shop

pytestmark = [pytest.mark.realshop, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def connected(shop: Shop) -> Cast:
    """The cast, with Haneul's shop a real Vendure: Hana has connected it, and it can be read."""
    cache.clear()
    cast = stages.assemble()
    User.objects.update(language="en")
    given = shop.settings()
    password = given.pop("password")
    stores.make(
        "vendure", by=cast.by(cast.hana), shop="haneul", kind="vendure", readable=True, settings=given,
        secrets={"password": password},
    )  # fmt: skip
    return cast


def press(cast: Cast, who: User, case: Case, verb: str, **fields: Any) -> None:
    """Somebody of the desk fills in a form of the sheet and sends it."""
    desk = Client()
    desk.force_login(who)
    case.refresh_from_db()
    fields = {"seen": case.version, **{name: str(value) for name, value in fields.items()}}
    answer = desk.post(f"/cases/{case.number}/{verb}/", fields)
    wrong = re.findall(r'class="(?:error|notice bad)"[^>]*>(.*?)<', answer.content.decode())
    assert answer.status_code in (302, 303), wrong


def reported(code: str) -> tuple[Case, str]:
    """Jiwoo writes on the shop's page that a cup came broken. Her case, and the address of her own page."""
    sent = {"text": "One of the two cups came broken.", "name": "Jiwoo", "email": "jiwoo@customer.example",
            "order_number": code, "type": "delivery.damaged"}  # fmt: skip
    answer = Client().post("/report/haneul/", sent)
    assert answer.status_code == 302, answer.content.decode()[-4000:]
    case = Case.objects.get(order_number=code)
    return case, f"/c/{access.token_of(case.links.latest('id'))}/"


def the_worker() -> None:
    """What the worker does each minute: hear, look up, carry out; and read at the stores."""
    remedies.work()
    read_at_the_stores()


def read_at_the_stores() -> None:
    """Read and applied; another run on the same server may hold readers of the log up for a moment."""
    events.read_due()
    seen_by_readers()
    events.apply_due()


def in_two_days(of: User) -> str:
    """As the control of a moment sends it, in the zone of who fills it in."""
    return (clock.now() + timedelta(days=2)).astimezone(ZoneInfo(of.zone)).strftime("%Y-%m-%dT%H:%M")


def test_a_broken_cup_from_vendure_to_the_customers_own_word(shop: Shop, connected: Cast):
    cast = connected
    code, _payment = shop.bought()
    shop.sent(code, "Shipped", "Delivered")
    case, page = reported(code)

    # The house has asked Vendure for the order that Jiwoo named: nobody typed it in.
    read_at_the_stores()
    order = Order.objects.get(number=code)
    assert (order.total, order.currency, order.payments.get().left_to_refund) == (Decimal("42.00"), "USD", Decimal("42.00"))  # fmt: skip
    assert order.customer is not None and "@" in order.customer.email, "Vendure says whose order it is"
    cup = order.lines[0]
    assert cup["ref"] and Decimal(cup["price"]) == Decimal("19.50") and cup["quantity"] == 2

    press(
        cast, cast.minji, case, "triage", type="delivery.damaged", responsibility="carrier", order_number=code
    )
    press(cast, cast.minji, case, "take")
    desk = Client()
    desk.force_login(cast.minji)
    sheet = desk.get(f"/cases/{case.number}/").content.decode()
    assert "Refund up to" in sheet and code in sheet

    # Minji offers all of the money and new cups (the law demands both), and the money for the broken one alone.
    press(
        cast, cast.minji, case, "offer_remedy", give_refund="on", amount_refund="42.00", give_exchange="on",
        give_partial_refund="on", line_0=1, until=in_two_days(cast.minji), words="One cup is whole: keep it if you like.",
        deviation="Half of it is broken, so 30 % would be too little.",
    )  # fmt: skip
    # 42 USD are more than an agent decides alone, and half of it more than the policy's part: Sujin approves both, and only then
    # Jiwoo reads of it.
    assert "I choose this" not in Client().get(page).content.decode()
    for kind in ("refund", "partial_refund"):
        press(cast, cast.sujin, case, "approve_remedy", remedy=Remedy.objects.get(case=case, kind=kind).pk)
    choices = Client().get(page).content.decode()
    assert "42 USD" in choices and "19.50 USD" in choices and f"({cup['name']} × 1)" in choices

    # The provider behind Vendure answers 'pending', which Vendure reports as an error and leaves a refund behind.
    shop.mode("pending")
    part = Remedy.objects.get(case=case, kind="partial_refund")
    assert Client().post(page + "choose/", {"remedy": part.pk, "reason": "damaged"}).status_code == 302
    the_worker()
    step = Step.objects.get(remedy=part)
    assert (step.state, step.there, step.sends) == ("done", "sent", 1)
    (refund,) = shop.order(code)["payments"][0]["refunds"]
    assert (refund["id"], refund["total"], refund["state"]) == (step.ref, 1950, "Pending")
    assert step.ours in refund["reason"] and refund["lines"] == [{"orderLineId": cup["ref"], "quantity": 1}]
    case.refresh_from_db()
    mine = Client().get(page).content.decode()
    assert case.status == "fixed" and step.ref in mine and str(Refund.State.SENT.label) in mine

    # The bank pays, and Vendure tells nobody: the house looks again by itself, and that is the verification.
    shop.settle(refund["id"])
    with clock.travel(timedelta(hours=2)):
        the_worker()
        case.refresh_from_db()
        proof = TransactionProof.objects.get(step=step, state="paid_out")
        verified = Verification.objects.get(case=case)
        assert case.status == "verified" and verified.by is None and verified.reference == refund["id"]
        assert proof.verification == verified
        assert Refund.objects.get(ref=refund["id"]).state == "paid_out", "the sheet shows what was read"

        # Minji tells her; she opens her page and says in her own words that it is good.
        told = "Your refund of 19.50 USD for the broken cup has been paid out. Please tell us whether it is there."
        press(cast, cast.minji, case, "tell", text=told, next_word_at=in_two_days(cast.minji))
        mine = Client().get(page).content.decode()
        assert told in mine and refund["id"] in mine and "Arrived" in mine
        asked = {
            "telling": case.tellings.get().pk,
            "answer": "all_good",
            "words": "It is on my account, thank you.",
        }
        assert Client().post(page + "confirm/", asked).status_code == 302
    case.refresh_from_db()
    assert (case.status, case.ended_as) == ("ended", "made_good")
    assert case.closure.confirmation.words == asked["words"] and case.closure.verification == verified
    assert len(shop.order(code)["payments"][0]["refunds"]) == 1, "once, whatever was pressed and looked up"
    story = list(CaseEvent.objects.filter(case=case).order_by("seq").values_list("kind", flat=True))
    for before, after in pairwise(_STORY):
        assert story.index(before) < story.index(after), story


_STORY = ("opened", "triaged", "remedy_waits", "remedy_offered", "remedy_chosen", "remedy_begun", "remedy_step_done", "fixed",
          "remedy_step_moved", "remedy_arrived", "verified", "told", "confirmed", "closed")  # fmt: skip
