"""The standing cast. Tests are sentences about people we know.

Minji (agent), Sujin (lead), Wei (specialist, technology), Hana (manager), Root (administrator) and Jun (agent of another
team) work at the desk. Mr Kang sells through the shop 'Haneul'; Ms Luo through 'Moon Tea'. Jiwoo, Li Na and Alex bought
something that went wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from makegood.base import clock
from makegood.cases.models import Case
from makegood.desk.fixing import record_fix, verify
from makegood.desk.handling import take
from makegood.desk.opening import Report, open_case
from makegood.desk.talking import reply
from makegood.desk.telling import confirm, tell
from makegood.desk.triaging import Sorting, triage
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.people.models import Customer, Role, Shop, Team, User
from makegood.people.signatures import Habit
from makegood.transactions.models import Order

WORDS = {
    "ko": "주문번호 HN-20261101 환불을 신청한 지 열흘이 지났는데 아직 입금되지 않았습니다. 언제 처리되나요?",
    "zh-hans": "订单 MT-20261102 退款申请十天了还没到账，什么时候能退？",
    "en": "I returned order AX-20261103 ten days ago and my refund has not arrived. When will I get it?",
}


@dataclass
class Cast:
    minji: User
    jun: User
    sujin: User
    wei: User
    hana: User
    root: User
    kang: User
    luo: User
    haneul: Shop
    moon: Shop
    front: Team
    tech: Team
    jiwoo: Customer
    lina: Customer
    alex: Customer
    order: Order

    def by(self, user: User, door: str = "page") -> Actor:
        return actors.user(user, door)  # type: ignore[arg-type]


def user(name: str, role: str, language: str = "en") -> User:
    return User.objects.create_user(
        f"{name.lower()}@makegood.example", "correct horse 9", name=name, role=role, language=language
    )


def assemble() -> Cast:
    """Everybody, their shops and teams, in the database."""
    haneul = Shop.objects.create(
        name="Haneul", code="haneul", language="ko", zone="Asia/Seoul", currency="KRW"
    )
    moon = Shop.objects.create(
        name="Moon Tea", code="moon", language="zh-hans", zone="Asia/Shanghai", currency="CNY"
    )
    minji, jun = user("Minji", Role.AGENT, "ko"), user("Jun", Role.AGENT)
    sujin, wei = user("Sujin", Role.LEAD, "ko"), user("Wei", Role.SPECIALIST, "zh-hans")
    hana, root = user("Hana", Role.MANAGER), user("Root", Role.ADMIN)
    # They like it immediate; whoever tries the ten seconds switches them on (tests/web/test_composer.py).
    Habit.objects.bulk_create([Habit(user=one, hold=False) for one in (minji, jun, sujin, wei, hana, root)])
    kang, luo = user("Kang", Role.MERCHANT, "ko"), user("Luo", Role.MERCHANT, "zh-hans")
    haneul.merchants.add(kang)
    moon.merchants.add(luo)
    front = Team.objects.create(name="Front line", lead=sujin)
    front.members.add(minji, jun, sujin)
    tech = Team.objects.create(name="Technology", tier=3, skill="technology")
    tech.members.add(wei)
    jiwoo = Customer.objects.create(shop=haneul, name="지우", email="jiwoo@customer.example", language="ko")
    lina = Customer.objects.create(shop=moon, name="李娜", email="lina@customer.example", language="zh-hans")
    alex = Customer.objects.create(shop=haneul, name="Alex", email="alex@customer.example", language="en")
    order = Order.objects.create(
        shop=haneul,
        customer=jiwoo,
        number="HN-20261101",
        placed_at=clock.now() - timedelta(days=20),
        total="39000",
        currency="KRW",
        told_at=clock.now(),
    )
    return Cast(
        minji, jun, sujin, wei, hana, root, kang, luo, haneul, moon, front, tech, jiwoo, lina, alex, order
    )


def soon(hours: float = 4) -> object:
    return clock.now() + timedelta(hours=hours)


def fresh(case: Case) -> Case:
    """The case as the database has it now."""
    return Case.objects.select_related("shop", "customer", "owner", "team").get(pk=case.pk)


# The stages of the loop, each from the one before; a test begins where it has something to say.


def reported(cast: Cast, customer: Customer | None = None, text: str = "", **more: object) -> Case:
    customer = customer or cast.jiwoo
    report = Report(text=text or WORDS[customer.language], **more)  # type: ignore[arg-type]
    return open_case(customer.shop, report, by=actors.customer(customer.pk), customer=customer).case


def owned(cast: Cast, by: User | None = None, **more: object) -> Case:
    case = reported(cast, **more)  # type: ignore[arg-type]
    who = cast.by(by or cast.minji)
    triage(case, Sorting(type="refund.delay"), by=who, seen=case.version)
    take(case, by=who, seen=None)
    return fresh(case)


def answered(cast: Cast, **more: object) -> Case:
    case = owned(cast, **more)  # type: ignore[arg-type]
    reply(
        case,
        by=cast.by(cast.minji),
        seen=case.version,
        text="확인하고 있습니다. 곧 알려 드리겠습니다.",
        next_word_at=soon(),
    )  # type: ignore[arg-type]
    return fresh(case)


def fixed(cast: Cast, **more: object) -> Case:
    case = owned(cast, **more)  # type: ignore[arg-type]
    record_fix(
        case,
        by=cast.by(cast.minji),
        seen=case.version,
        done="Refund sent again.",
        cause="Bank was down.",
        remedy="refund",
    )
    return fresh(case)


def verified(cast: Cast, **more: object) -> Case:
    case = fixed(cast, **more)
    verify(
        case,
        by=cast.by(cast.wei),
        seen=case.version,
        proof="payment_record",
        what_was_seen="Money left on the 3rd.",
    )
    return fresh(case)


def told(cast: Cast, **more: object) -> Case:
    case = verified(cast, **more)
    tell(
        case,
        by=cast.by(cast.minji),
        seen=case.version,
        text="환불이 완료되었습니다. 확인 부탁드립니다.",
        next_word_at=soon(48),
    )  # type: ignore[arg-type]
    return fresh(case)


def made_good(cast: Cast, **more: object) -> Case:
    case = told(cast, **more)
    confirm(case, by=actors.customer(case.customer_id), telling_id=case.tellings.get().pk, answer="all_good")
    return fresh(case)
