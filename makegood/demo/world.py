"""The demo's house: three shops, four teams, their people, customers, and orders in believable states."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from makegood.base.languages import EN, KO, ZH
from makegood.demo import names
from makegood.people.customers import find_or_add
from makegood.people.models import Customer, Role, Shop, Team, User
from makegood.transactions.models import Order, Payment, Shipment

SHOPS = (
    ("haneul-living", "하늘리빙", KO, "Asia/Seoul", "KRW", "HN"),
    ("qinghe-home", "清禾生活", ZH, "Asia/Shanghai", "CNY", "QH"),
    ("harbor-pine", "Harbor & Pine", EN, "America/New_York", "USD", "HP"),
)
#: (key of the address, name, role, language, teams by key)
PEOPLE = (
    ("agent", "민서", Role.AGENT, KO, "front"),
    ("agent2", "지안", Role.AGENT, KO, "front"),
    ("agent3", "도현", Role.AGENT, KO, "front"),
    ("agent4", "小琳", Role.AGENT, ZH, "front"),
    ("agent5", "文杰", Role.AGENT, ZH, "front"),
    ("agent6", "Grace", Role.AGENT, EN, "front"),
    ("agent7", "Daniel", Role.AGENT, EN, "front"),
    ("lead", "수진", Role.LEAD, KO, "front"),
    ("lead2", "Rachel", Role.LEAD, EN, "front"),
    ("specialist", "伟", Role.SPECIALIST, ZH, "technology"),
    ("specialist2", "현우", Role.SPECIALIST, KO, "finance"),
    ("specialist3", "Tom", Role.SPECIALIST, EN, "logistics"),
    ("manager", "하나", Role.MANAGER, KO, ""),
    ("merchant", "문가람", Role.MERCHANT, KO, ""),
    ("merchant2", "陆清禾", Role.MERCHANT, ZH, ""),
)
TEAMS = (
    ("front", "Front line", 1, ""),
    ("technology", "Technology", 3, "technology"),
    ("finance", "Finance", 3, "finance"),
    ("logistics", "Logistics", 3, "logistics"),
)
ZONES = {KO: "Asia/Seoul", ZH: "Asia/Shanghai", EN: "America/New_York"}
SHOP_DIGITS = {code: nth for nth, (code, *_rest) in enumerate(SHOPS, start=1)}
CARRIERS = {"KRW": "한빛택배", "CNY": "迅达快递", "USD": "Northway Parcel"}
METHODS = {
    "KRW": ("신용카드", "계좌이체", "간편결제"),
    "CNY": ("微信支付", "支付宝", "银行卡"),
    "USD": ("Visa", "Mastercard", "PayPal"),
}


def address(key: str) -> str:
    """The demo's people sign in with these addresses; ``.example`` reaches nobody (RFC 2606)."""
    return f"{key}@demo.makegood.example"


@dataclass
class World:
    """Everybody and everything that the stories happen to."""

    rng: Random
    shops: dict[str, Shop] = field(default_factory=dict)  # by language
    prefixes: dict[int, str] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    customers: dict[tuple[int, str], list[Customer]] = field(default_factory=dict)  # by shop and language
    numbers: set[str] = field(default_factory=set)

    def agents(self, language: str) -> list[User]:
        return [u for u in self.users.values() if u.role == Role.AGENT and u.language == language]

    def leads(self) -> list[User]:
        return [u for u in self.users.values() if u.role == Role.LEAD]


def assemble(rng: Random, password: str, now: datetime) -> World:
    """Shops, teams, people and customers, as rows; what stands already under the same code or address is used."""
    world = World(rng)
    for code, name, language, zone, currency, prefix in SHOPS:
        shop, _new = Shop.objects.get_or_create(
            code=code, defaults={"name": name, "language": language, "zone": zone, "currency": currency}
        )
        world.shops[language], world.prefixes[shop.pk] = shop, prefix
    for key, name, tier, skill in TEAMS:
        world.teams[key], _new = Team.objects.get_or_create(
            name=name, defaults={"tier": tier, "skill": skill}
        )
    for key, name, role, language, team in PEOPLE:
        user = User.objects.create_user(
            address(key), password, name=name, role=role, language=language, zone=ZONES[language]
        )
        world.users[key] = user
        if team:
            world.teams[team].members.add(user)
    front = world.teams["front"]
    if front.lead_id is None:
        front.lead = world.users["lead"]
        front.save(update_fields=["lead"])
    world.shops[KO].merchants.add(world.users["merchant"])
    world.shops[EN].merchants.add(world.users["merchant"])
    world.shops[ZH].merchants.add(world.users["merchant2"])
    _customers(world)
    return world


def _customers(world: World) -> None:
    """Thirty or so for each shop in its language, and a few abroad: a Chinese and an English speaker in the Korean shop."""
    groups = [(shop, language, 30) for language, shop in world.shops.items()]
    groups += [(world.shops[KO], ZH, 5), (world.shops[KO], EN, 5), (world.shops[EN], ZH, 4)]
    for shop, language, count in groups:
        made = world.customers.setdefault((shop.pk, language), [])
        for nth in range(count):
            name = names.person(language, world.rng)
            phone = {KO: "010-0000-", ZH: "1380000", EN: "+1 555 010 "}[
                language
            ] + f"{SHOP_DIGITS[shop.code]}{nth:03d}"
            mail = f"{shop.code}.{language[:2]}{nth:02d}@customer.example"
            made.append(find_or_add(shop, name, mail, phone, language))


def order_for(
    world: World, customer: Customer, product: str, language: str, placed_at: datetime, told_at: datetime
) -> Order:
    """An order of one or two pieces of one product, as the shop told it."""
    rng, shop = world.rng, customer.shop
    number = ""
    while not number or number in world.numbers:
        number = f"{world.prefixes[shop.pk]}-{placed_at:%y%m%d}{rng.randrange(10000):04d}"
    world.numbers.add(number)
    each, pieces = names.price(product, shop.currency, rng), rng.choice([1, 1, 1, 2])
    return Order.objects.create(
        shop=shop,
        customer=customer,
        number=number,
        placed_at=placed_at,
        total=Decimal(each * pieces),
        currency=shop.currency,
        lines=[{"name": names.product(product, language), "quantity": pieces, "price": str(each)}],
        told_at=told_at,
    )


#: What the shop says of an order whose customer reports this: (payment, shipment or none, days since the last scan).
STATES: dict[str, tuple[str, str, int]] = {
    "order.place": ("failed", "", 0),
    "order.change": ("taken", "label", 0),
    "order.cancel": ("voided", "cancelled", 0),
    "payment.failed": ("awaiting", "", 0),
    "refund.delay": ("taken", "came_back", 6),
    "refund.amount": ("taken", "came_back", 4),
    "delivery.late": ("taken", "label", 0),
    "delivery.stuck": ("taken", "silent", 5),
    "delivery.damaged": ("taken", "exception", 1),
    "quality.return": ("taken", "coming_back", 1),
    "product.stock": ("held", "", 0),
}


def hang_on(
    world: World, order: Order, payment: str, shipment: str, scanned: datetime, tracking: str
) -> None:
    """Payment and shipment of an order, each an axis of its own with the source's time."""
    assert order.placed_at is not None
    rng, paid = world.rng, order.placed_at + timedelta(minutes=2)
    Payment.objects.create(
        order=order,
        state=payment,
        method=rng.choice(METHODS[order.currency]),
        amount=order.total,
        currency=order.currency,
        told_at=paid,
    )
    if shipment:
        Shipment.objects.create(
            order=order,
            state=shipment,
            carrier=CARRIERS[order.currency],
            tracking=tracking,
            promised_by=(order.placed_at + timedelta(days=3)).date(),
            last_scan_at=None if shipment in ("label", "cancelled") else scanned,
            told_at=scanned,
        )


def ordinary_orders(world: World, count: int, now: datetime) -> None:
    """Orders that nobody complained of: most arrived, some on their way, a few unpaid or cancelled."""
    rng = world.rng
    pool = [(c, language) for (_s, language), made in sorted(world.customers.items()) for c in made]
    for _nth in range(count):
        customer, language = rng.choice(pool)
        days = rng.choice([0, 1, 1, 2, 3, 4, 6, 9, 14, 20, 28, 35])
        placed = now - timedelta(days=days, minutes=rng.randrange(20, 1300))
        order = order_for(world, customer, rng.choice(sorted(names.PRODUCTS)), language, placed, placed)
        payment, shipment = "taken", "delivered" if days > 4 else rng.choice(["moving", "out_for_delivery"])
        if days <= 1:
            payment, shipment = rng.choice([("taken", "label"), ("taken", "collected"), ("awaiting", "")])
        elif rng.random() < 0.06:
            payment, shipment = rng.choice([("voided", "cancelled"), ("expired", ""), ("failed", "")])
        scanned = min(now, placed + timedelta(days=min(days, 3), minutes=30))
        hang_on(world, order, payment, shipment, scanned, tracking(order.currency, rng))
        state = Order.State.OPEN
        if payment in ("voided", "expired", "failed"):
            state = Order.State.CANCELLED
        elif days > 12:
            state = Order.State.CLOSED
        Order.objects.filter(pk=order.pk).update(state=state, told_at=scanned)


def tracking(currency: str, rng: Random) -> str:
    digits = f"{rng.randrange(10**11, 10**12)}"
    return {"KRW": digits, "CNY": f"YT{digits}8", "USD": f"1Z999AA1{digits[:10]}"[:18]}[currency]
