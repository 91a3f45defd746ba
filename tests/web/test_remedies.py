"""What people see of remedies: the block of the sheet, Jiwoo's page, the list of a lead, the budget of a shop, the API."""

from __future__ import annotations

from decimal import Decimal

import pytest

from makegood.base import clock
from makegood.cases import access
from makegood.desk import budgets
from makegood.people.models import User
from makegood.remedies.models import Remedy, Step
from tests import cast as stages
from tests.remedies import stages as st

pytestmark = pytest.mark.django_db


def key(case) -> str:
    return access.token_of(case.links.latest("id"))


def sheet(client, user, case) -> str:
    client.force_login(user)
    return client.get(f"/cases/{case.number}/").content.decode()


def test_the_sheet_says_what_the_policy_gives_in_one_sentence(cast, client):
    User.objects.update(language="en")
    st.paid(cast)
    case = st.case(cast)
    page = sheet(client, cast.minji, case)
    assert "Refund up to 100,000 KRW by Agent: Money that is owed back." in page


def test_the_sheet_says_what_nobody_knows_and_since_when(cast, client):
    User.objects.update(language="en")
    st.paid(cast)
    case = st.case(cast)
    row = st.decided(cast, case)
    Remedy.objects.filter(pk=row.pk).update(state="carrying")
    Step.objects.create(case=case, remedy=row, n=1, action="refund", ours="mg-lost-0002", payment=row.payment, amount=39000,
                        currency="KRW", state="unknown", code="lost", sent_at=clock.now(), unknown_since=clock.now(), looked=2,
                        look_at=clock.now())  # fmt: skip
    page = sheet(client, cast.minji, case)
    assert "no answer came. Looked up so far: 2. It is not sent again" in page
    assert f"/cases/{case.number}/settle_by_hand/" not in sheet(client, cast.sujin, case), (
        "not before it was looked up in vain"
    )


def test_jiwoo_chooses_on_her_page_and_reads_by_when(cast, client):
    st.paid(cast)
    case = st.case(cast, "delivery.missing", responsibility="carrier")
    refund, again = st.offered(cast, case, st.refund(), st.Wish("resend"))
    address = f"/c/{key(case)}/"
    page = client.get(address).content.decode()
    assert "39,000 KRW" in page and f'value="{again.pk}"' in page
    refused = client.post(address + "choose/", {"remedy": refund.pk, "reason": "", "why": "빨리요"})
    assert refused.status_code == 422 and "빨리요</textarea>" in refused.content.decode()
    assert Remedy.objects.get(pk=refund.pk).state == "offered"
    assert client.post(address + "choose/", {"remedy": refund.pk, "reason": "not_arrived"}).status_code == 302
    after = client.get(address).content.decode()
    assert "/choose/" not in after and "39,000 KRW" in after
    late = client.post(address + "choose/", {"remedy": again.pk, "reason": "late"})
    assert late.status_code == 422 and Remedy.objects.get(pk=again.pk).state == "not_chosen"


@pytest.mark.parametrize("sent", ["", "x", "9" * 40, "-1", "１２"])
def test_an_odd_choice_is_refused_calmly(cast, client, sent):
    st.paid(cast)
    case = st.case(cast)
    st.offered(cast, case, st.refund())
    answer = client.post(f"/c/{key(case)}/choose/", {"remedy": sent, "reason": "late"})
    assert answer.status_code == 422 and Remedy.objects.get().state == "offered"


def test_nobody_chooses_on_anothers_case(cast, client):
    st.paid(cast)
    case = st.case(cast)
    (row,) = st.offered(cast, case, st.refund())
    other = stages.reported(cast, cast.alex)
    answer = client.post(f"/c/{key(other)}/choose/", {"remedy": row.pk, "reason": "late"})
    assert answer.status_code == 422 and Remedy.objects.get().state == "offered"


def test_jiwoo_proposes_something_else_on_her_page(cast, client):
    st.paid(cast)
    case = st.case(cast)
    (row,) = st.offered(cast, case, st.refund())
    address = f"/c/{key(case)}/propose/"
    assert client.post(address, {"offer": row.offer_id, "proposal": " "}).status_code == 422
    assert client.post(address, {"offer": row.offer_id, "proposal": "반만 환불해 주세요."}).status_code == 302
    assert "반만 환불해 주세요." in sheet(client, cast.minji, case)


def test_sujin_reads_what_waits_for_her_and_may_not_approve_her_own(cast, client):
    User.objects.update(language="en")
    st.paid(cast, 390_000)
    case = st.case(cast)
    st.decided(cast, case, st.refund(390_000))
    client.force_login(cast.sujin)
    page = client.get("/approvals/").content.decode()
    assert "390,000 KRW" in page and str(case.number) in page and "Another person" not in page
    Remedy.objects.get().approval.__class__.objects.update(asked_by=cast.sujin)
    assert "Another person has to decide this one." in client.get("/approvals/").content.decode()


def test_like_cases_unlike_remedies_are_shown_to_leads(cast, client):
    User.objects.update(language="en")
    first = st.paid(cast, 60_000)
    one, two = st.case(cast), st.case(cast)
    Remedy.objects.filter(pk=st.decided(cast, one, st.refund(20_000, first)).pk).update(state="done")
    Remedy.objects.filter(pk=st.decided(cast, two, st.refund(40_000, first)).pk).update(state="done")
    client.force_login(cast.sujin)
    page = client.get("/approvals/likeness/").content.decode()
    assert "33 %" in page and "67 %" in page and str(one.number) in page and str(two.number) in page


def test_hana_sets_the_budget_and_reads_what_is_used(cast, client):
    User.objects.update(language="en")
    client.force_login(cast.hana)
    address = f"/people/shops/{cast.haneul.pk}/budget/"
    assert client.post(address, {"limit": "20000"}).status_code == 302
    case = st.case(cast, "service.attitude", responsibility="platform")
    st.decided(cast, case, st.Wish("credit", Decimal(5000)))
    assert "5,000 of 20,000 KRW used" in client.get(address).content.decode()
    too_low = client.post(address, {"limit": "4000"})
    assert too_low.status_code == 422 and budgets.of(cast.haneul, "KRW").limit == 20_000


def test_the_merchant_reads_what_was_decided(cast, client):
    st.paid(cast)
    case = st.case(cast)
    st.decided(cast, case)
    client.force_login(cast.kang)
    assert "39,000 KRW" in client.get(f"/merchant/{case.number}/").content.decode()
