"""Stopping use by the shop's own system, beside the people who are asked to: one signed call to the example shop, once and only once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from makegood.base import clock
from makegood.base.seal import seal
from makegood.cases.models import CaseEvent, Freeze, Notice
from makegood.desk import freeze_asks, freezing
from makegood.desk.triaging import Sorting, triage
from makegood.jobs import remedies, sweep
from makegood.remedies.freezes import FreezeAsk
from makegood.transactions.models import Payment, Store
from tests import cast as stages
from tests.connectors.fakes.base import SECRET
from tests.connectors.fakes.shop import FakeShop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(settings: object) -> Iterator[FakeShop]:
    settings.SHOPS_INSIDE = frozenset({"127.0.0.1"})  # type: ignore[attr-defined]
    fake = FakeShop()
    fake.start()
    yield fake
    fake.stop()


def connected(shop: FakeShop) -> tuple[stages.Cast, object]:
    """Jiwoo's order, paid at a shop that can be asked; and her case, which is one of security."""
    cast = stages.assemble()
    shop.pay("39000", "KRW", order=cast.order.number, ref="P-1")
    store = Store.objects.create(
        shop=cast.haneul, code="own", name="Own", kind="generic", settings={"address": shop.url},
        secret=seal({"secret": SECRET}),
    )  # fmt: skip
    cast.order.store = store
    cast.order.save(update_fields=["store"])
    Payment.objects.create(order=cast.order, store=store, ref="P-1", state="taken", amount=39000, currency="KRW",
                           told_at=clock.now())  # fmt: skip
    case = stages.reported(cast, text="제가 하지 않은 결제예요.", order_number=cast.order.number)
    triage(case, Sorting(type="account.security"), by=cast.by(cast.sujin), seen=None)
    return cast, stages.fresh(case)


def stop(cast: stages.Cast, case: object, what: str = "payment", which: str = "P-1") -> FreezeAsk:
    freezing.freeze(case, by=cast.by(cast.sujin), what=what, which=which)  # type: ignore[arg-type]
    return FreezeAsk.objects.get()


def kinds(case: object) -> list[str]:
    return list(CaseEvent.objects.filter(case=case).order_by("seq").values_list("kind", flat=True))


def test_the_shop_stops_it_and_its_record_is_the_proof(shop: FakeShop):
    cast, case = connected(shop)
    row = stop(cast, case)
    assert row.state == "planned" and Freeze.objects.get().state == "asked", "the task stands beside it"
    remedies.work()
    row.refresh_from_db()
    frozen = Freeze.objects.select_related("promise", "proof").get()
    assert (row.state, row.ref, row.sends, frozen.state, frozen.frozen_by) == (
        "done",
        "P-1",
        1,
        "frozen",
        None,
    )
    assert frozen.promise.state == "kept" and "P-1" in frozen.proof.body
    assert shop.shop.payments["P-1"]["frozen"] is True
    remedies.work()
    assert shop.writes == 1, "once"


def test_a_shop_that_cannot_is_read_not_assumed_and_people_hear_at_once(shop: FakeShop, monkeypatch):
    able = shop.shop.able
    monkeypatch.setattr(shop.shop, "able", lambda: {**able(), "actions": ["refund"]})
    cast, case = connected(shop)
    row = stop(cast, case)
    remedies.work()
    row.refresh_from_db()
    assert (row.state, row.code, Freeze.objects.get().state) == ("refused", "not_able", "asked")
    assert shop.writes == 0 and kinds(case)[-1] == "freeze_refused"
    assert Notice.objects.filter(kind="freeze_by_hand").exists()


def test_a_lost_answer_is_looked_up_and_never_sent_again(shop: FakeShop):
    cast, case = connected(shop)
    row = stop(cast, case)
    shop.switches.lost = shop.switches.dark = True
    # It is asked what it can do before: the line breaks with the deed itself.
    remedies.work()
    row.refresh_from_db()
    assert row.state == "unknown" and Notice.objects.filter(kind="freeze_by_hand").exists()
    assert Freeze.objects.get().state == "asked", "nobody waits for the machine"
    shop.light()
    with clock.travel(timedelta(seconds=30)):
        remedies.work()
    row.refresh_from_db()
    assert (row.state, row.sends, shop.writes) == ("done", 1, 1) and Freeze.objects.get().state == "frozen"


def test_a_worker_that_died_with_it_leaves_a_row_that_is_looked_up(shop: FakeShop):
    cast, case = connected(shop)
    stop(cast, case)
    assert freeze_asks.claim() is not None  # and the worker is gone
    with clock.travel(timedelta(minutes=3)):
        sweep.tick()
        assert FreezeAsk.objects.get().state == "unknown"
    with clock.travel(timedelta(minutes=4)):
        remedies.work()
        assert FreezeAsk.objects.get().state == "planned", (
            "it never arrived, which the shop proves: asked again"
        )
        assert shop.writes == 0
    with clock.travel(timedelta(minutes=4, seconds=30)):
        remedies.work()
    assert FreezeAsk.objects.get().state == "done" and shop.writes == 1


def test_people_were_faster(shop: FakeShop):
    cast, case = connected(shop)
    stop(cast, case)
    freezing.frozen(case, Freeze.objects.get().pk, by=cast.by(cast.sujin), proof="Admin, 10:31")  # type: ignore[arg-type]
    remedies.work()
    assert FreezeAsk.objects.get().state == "dropped" and shop.writes == 0
    assert Freeze.objects.get().frozen_by == cast.sujin


def test_what_the_shop_cannot_name_stays_with_people(shop: FakeShop):
    cast, case = connected(shop)
    freezing.freeze(case, by=cast.by(cast.sujin), what="payment", which="the one of Tuesday")  # type: ignore[arg-type]
    assert not FreezeAsk.objects.exists() and Freeze.objects.get().state == "asked"


def test_the_account_is_stopped_with_all_that_was_paid(shop: FakeShop):
    cast, case = connected(shop)
    stop(cast, case, what="account", which="")
    remedies.work()
    assert shop.shop.payments["P-1"]["frozen"] and Freeze.objects.get().state == "frozen"


def test_the_database_refuses_that_it_is_sent_twice(shop: FakeShop):
    cast, case = connected(shop)
    row = stop(cast, case)
    remedies.work()
    for change in ({"state": "sending"}, {"ours": "mg-other-0001"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            FreezeAsk.objects.filter(pk=row.pk).update(**change)
