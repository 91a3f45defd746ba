"""The demo's remedies, outside parties and its case of security: each told by the desk's own verbs, at the moment at which it happened.

Haneul's system is connected by name only: nobody answers at its address, so what the worker asks there stays unknown or on its way, as it
would on a bad day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from makegood.base import clock
from makegood.base.languages import EN, KO, ZH
from makegood.cases.models import Case, Freeze
from makegood.connectors.ports import Outcome
from makegood.demo import names
from makegood.demo.world import CARRIERS, World, hang_on, order_for, tracking
from makegood.desk import (
    asking,
    freezing,
    handling,
    parties,
    remedy_settling,
    remedy_steps,
    remedying,
    stores,
    triaging,
)
from makegood.desk.opening import Report, open_case
from makegood.desk.remedy_rows import Wish
from makegood.parties.models import Party, PartySending
from makegood.people import actors
from makegood.people.models import Customer, User
from makegood.remedies.models import Remedy, Step
from makegood.transactions.models import Order, Payment, Refund, Store

#: language -> (code, name, connector) of the system that tells of the payments there.
STORES = {
    KO: ("haneul-shop", "하늘리빙 쇼핑몰", "generic"),
    ZH: ("qinghe-shop", "清禾生活 商城", "generic"),
    EN: ("harbor-shop", "Harbor & Pine store", "generic"),
}
WORDS = {
    KO: {
        "broken": "택배 상자를 열어 보니 컵 하나가 깨져 있습니다. 환불이나 교환을 받고 싶습니다.",
        "late": "반품한 지 열흘이 지났는데 환불이 아직 들어오지 않았습니다.",
        "gone": "일주일째 배송 조회가 멈춰 있습니다. 어디에 있는지 알려 주세요.",
        "fraud": "제가 하지 않은 결제가 있습니다. 카드번호 4111 1111 1111 1111 로 나갔어요. 바로 막아 주세요.",
        "offer": "불편을 드려 죄송합니다. 편하신 쪽을 골라 주세요.",
        "agreed": "전화로 환불을 원한다고 하셨습니다.",
        "where": "이 송장의 마지막 위치와 도착 예정일을 알려 주세요.",
        "scan": "지난주 금요일의 집하 기록을 보내 주세요.",
        "stop": "본인이 하지 않은 결제라고 하십니다.",
    },
    ZH: {
        "broken": "收到时杯子碎了一个，希望退款或者换新的。",
        "late": "退货已经十天了，退款一直没有到账。",
        "gone": "物流一个星期没有更新，请帮忙查一下包裹在哪里。",
        "fraud": "有一笔不是我本人的付款，请马上处理。",
        "offer": "给您添麻烦了，请选择您觉得合适的方式。",
        "agreed": "顾客在电话里说希望退款。",
        "where": "请告知这个运单的最新位置和预计送达日期。",
        "scan": "请提供上周五的揽收记录。",
        "stop": "顾客说不是本人付款。",
    },
    EN: {
        "broken": "One of the cups was broken when I opened the parcel. I would like my money back or a new one.",
        "late": "I sent it back ten days ago and the refund has not arrived.",
        "gone": "The tracking has not moved for a week. Where is my parcel?",
        "fraud": "There is a payment that I did not make. Please stop it now.",
        "offer": "We are sorry for the trouble. Please choose what suits you.",
        "agreed": "The customer said on the telephone that a refund is wanted.",
        "where": "Please tell us where this parcel was last seen, and by which day it arrives.",
        "scan": "Please send us the record of last Friday's pick-up.",
        "stop": "The customer says that they did not make this payment.",
    },
}


def tell(world: World, now: datetime) -> int:
    """All of it; how many cases."""
    found = [_stage(world, now, *row) for row in _STAGES]
    _owed(world, now, found)
    return len(found)


def _stage(
    world: World, now: datetime, language: str, type_: str, words: str, price: int, hours: float, act: Act
) -> Case:
    """A case of so many hours ago on a paid order, sorted and taken, and what ``act`` makes of it."""
    customer = world.customers[(world.shops[language].pk, language)][world.rng.randrange(20)]
    owner = world.agents(language)[0]
    began = now - timedelta(hours=hours)
    order = _order(world, customer, language, price, began)
    by = actors.customer(customer.pk)
    report = Report(text=WORDS[language][words], order_number=order.number)
    with clock.travel(began):
        case = open_case(customer.shop, report, by=by, customer=customer).case
    with clock.travel(began + timedelta(minutes=12)):
        handling.take(_now(case), by=actors.user(owner), seen=None)
        sorting = triaging.Sorting(type=type_, order_number=order.number, responsibility="carrier")
        triaging.triage(_now(case), sorting, by=actors.user(owner), seen=None)
    with clock.travel(began + timedelta(hours=hours * 0.5)):
        act(world, _now(case), owner, language)
    return case


def _order(world: World, customer: Customer, language: str, price: int, began: datetime) -> Order:
    """Paid and delivered, as its store told it: each thing with the source's own time."""
    code, name, kind = STORES[language]
    if not Store.objects.filter(code=code).exists():
        secrets = {"secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}
        settings = {"address": f"https://{code}.example"}
        shop = world.shops[language].code
        stores.make(code, by=actors.system("command"), shop=shop, name=name, kind=kind, settings=settings, secrets=secrets)  # fmt: skip
    store = Store.objects.get(code=code)
    placed = began - timedelta(days=6)
    product = sorted(names.PRODUCTS)[0]
    order = order_for(world, customer, product, language, placed, began)
    lines = [{"ref": f"{order.number}-1", "name": names.product(product, language), "quantity": 2, "price": str(price // 2)}]  # fmt: skip
    Order.objects.filter(pk=order.pk).update(store=store, ref=order.number, total=price, lines=lines)
    order.refresh_from_db()
    hang_on(
        world, order, "taken", "delivered", began - timedelta(days=2), tracking(order.currency, world.rng)
    )
    Payment.objects.filter(order=order).update(store=store, ref=f"pay-{order.number}")
    return order


def _offered(world: World, case: Case, owner: User, language: str) -> None:
    """Two ways, as the law asks; the customer has not chosen yet."""
    until = clock.now() + timedelta(days=3)
    options = [Wish("refund", _left(case)), Wish("exchange")]
    remedying.offer_remedy(
        case, by=actors.user(owner), seen=None, options=options, until=until, words=WORDS[language]["offer"]
    )


def _decided(world: World, case: Case, owner: User, language: str) -> Remedy:
    remedying.decide_remedy(
        case, by=actors.user(owner), seen=None, wish=Wish("refund", _left(case)), reason="late",
        agreed=WORDS[language]["agreed"],
    )  # fmt: skip
    return Remedy.objects.filter(case=case).latest("id")


def _waits(world: World, case: Case, owner: User, language: str) -> None:
    """More than an agent decides alone."""
    _decided(world, case, owner, language)


def _settled(world: World, case: Case, owner: User, language: str, outcome: Outcome, then: str = "") -> None:
    """Decided, asked of the shop once, and answered like this; the shop tells of the refund, and perhaps later of its arrival."""
    row = _decided(world, case, owner, language)
    remedy_steps.carry_out(_now(case), row.pk, by=actors.user(owner), seen=None)
    step = remedy_steps.claim(Step.objects.get(remedy=row).pk)
    assert step is not None
    remedy_settling.settle(step.pk, outcome)
    if not outcome.done:
        return
    order, payment = step.order, step.payment
    assert order is not None and payment is not None
    at = clock.now()
    refund = Refund.objects.create(order=order, store=payment.store, ref=outcome.ref, payment_ref=payment.ref, our_key=step.ours,
                                   state=outcome.state, amount=step.amount, currency=step.currency, told_at=at,
                                   expected_by=(at + timedelta(days=3)).date())  # fmt: skip
    if then:
        with clock.travel(at + timedelta(hours=2)):
            remedy_settling.hear(step.pk, outcome.ref, then, clock.now())
            Refund.objects.filter(pk=refund.pk).update(state=then, told_at=clock.now())
            Payment.objects.filter(pk=payment.pk).update(refunded=step.amount, left_to_refund=0)


def _unknown(world: World, case: Case, owner: User, language: str) -> None:
    _settled(world, case, owner, language, Outcome("unknown", "lost"))


def _on_its_way(world: World, case: Case, owner: User, language: str) -> None:
    _settled(world, case, owner, language, Outcome("done", ref=f"re-{case.number}", state="sent"))


def _arrived(world: World, case: Case, owner: User, language: str) -> None:
    _settled(world, case, owner, language, Outcome("done", ref=f"re-{case.number}", state="sent"), "paid_out")


def _stopped(world: World, case: Case, owner: User, language: str) -> None:
    """One payment is being stopped; the number that was pasted is masked."""
    payment = Payment.objects.get(order__number=case.order_number)
    freezing.freeze(case, by=actors.user(world.leads()[0]), what=Freeze.What.PAYMENT, which=payment.ref, why=WORDS[language]["stop"])  # fmt: skip


def _nothing(world: World, case: Case, owner: User, language: str) -> None:
    """Outside parties owe the next step (:func:`_owed`)."""


Act = Callable[[World, Case, User, str], object]
#: language, type, words, what was paid, hours ago, what was done
_STAGES: tuple[tuple[str, str, str, int, float, Act], ...] = (
    (KO, "delivery.damaged", "broken", 32000, 20, _offered),
    (ZH, "delivery.damaged", "broken", 180, 26, _offered),
    (KO, "refund.delay", "late", 390000, 3, _waits),
    (EN, "refund.delay", "late", 64, 9, _on_its_way),
    (KO, "refund.delay", "late", 48000, 0.6, _unknown),
    (ZH, "refund.delay", "late", 220, 30, _arrived),
    (KO, "delivery.stuck", "gone", 27000, 50, _nothing),
    (EN, "delivery.stuck", "gone", 58, 40, _nothing),
    (KO, "account.fraud", "fraud", 89000, 0.3, _stopped),
)


def _owed(world: World, now: datetime, cases: list[Case]) -> None:
    """A carrier is asked for something in good time, and another has let its time pass."""
    lead = actors.user(world.leads()[0])
    for case in (one for one in cases if one.type == "delivery.stuck" or _now(one).type == "delivery.stuck"):
        language = KO if case.shop.currency == "KRW" else EN
        name = CARRIERS[case.shop.currency]
        party = Party.objects.filter(shop=case.shop, name=name).first()
        if party is None:
            party, _secret = parties.save(
                by=lead, shop=case.shop, name=name, kind="carrier", language=language, way="letter",
                email=f"desk@{'hanbit' if language == KO else 'northway'}.example",
            )  # fmt: skip
        owner = _now(case).owner
        assert owner is not None
        late = language == KO
        with clock.travel(now - timedelta(hours=30 if late else 5)):
            asking.ask_party(
                _now(case), by=actors.user(owner), seen=None, party=party, shows=["order"],
                what=WORDS[language]["scan" if late else "where"],
                due_at=clock.now() + timedelta(hours=24 if late else 48),
            )  # fmt: skip
    # The demo writes to nobody: these letters stand as sent.
    PartySending.objects.filter(ask__case__in=cases, state="waiting").update(
        state="sent", tries=1, sent_at=now
    )


def _left(case: Case) -> Decimal:
    return Payment.objects.get(order__number=case.order_number, order__shop=case.shop).amount or Decimal(0)


def _now(case: Case) -> Case:
    return Case.objects.select_related("shop", "customer", "owner", "order").get(pk=case.pk)
