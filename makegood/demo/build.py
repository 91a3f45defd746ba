"""Building the demo: everything in one transaction, so that a run that was stopped leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction

from makegood.base import clock
from makegood.base.languages import CODES
from makegood.cases import links
from makegood.cases.models import Case, Relation
from makegood.cases.states import Status
from makegood.conversations.models import Delivery
from makegood.demo import amends, stream
from makegood.demo.acts import ACTS
from makegood.demo.plans import WHOLE, Goal, acts_of, goals
from makegood.demo.scripts import Script, scripts
from makegood.demo.tale import Tale, moments_of
from makegood.demo.world import (
    PEOPLE,
    STATES,
    World,
    address,
    assemble,
    hang_on,
    order_for,
    ordinary_orders,
    tracking,
)
from makegood.desk.joining import link
from makegood.people import actors
from makegood.people.models import User

SEED, ORDERS = 20261122, 300


@dataclass(frozen=True)
class SignIn:
    role: str
    name: str
    email: str


def there() -> bool:
    """Whether the demo stands in this database."""
    return User.objects.filter(email=address(PEOPLE[0][0])).exists()


def sign_ins() -> list[SignIn]:
    """One person of each role to sign in as, as far as they are there."""
    found: dict[str, SignIn] = {}
    for key, *_rest in PEOPLE:
        user = User.objects.filter(email=address(key)).first()
        if user and user.role not in found:
            found[user.role] = SignIn(user.role, user.name, user.email)
    return list(found.values())


def set_password(password: str) -> None:
    """Give the demo's people this password, where theirs is another."""
    for user in User.objects.filter(email__in=[address(key) for key, *_rest in PEOPLE]):
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])


def customer_address() -> str:
    """The signed address of a demo case that waits for its customer's confirmation; '' when none does any more."""
    told = Case.objects.filter(status=Status.TOLD, customer__email__endswith="@customer.example")
    case = told.filter(confirmations=None).order_by("id").first() or told.order_by("id").first()
    return links.address(links.standing(case)) if case else ""


def build(
    *,
    password: str,
    seed: int = SEED,
    cases: int = WHOLE,
    orders: int = ORDERS,
    step: Callable[[], object] = lambda: None,
) -> int:
    """Build the demo and return the number of its cases; ``step`` is called after each of the ``cases`` tales.

    The same seed at the same moment gives the same texts. Nothing is written when anything fails.
    """
    rng, now = Random(seed), clock.now()
    with transaction.atomic():
        before = Case.objects.count()
        world = assemble(rng, password, now)
        ordinary_orders(world, max(0, orders - cases), now)
        for tale in tales(world, cases, now):
            play(tale)
            step()
        join(world, now)
        amends.tell(world, now)
        letters_are_sent(world)
        stream.tell(world, now)
        return Case.objects.count() - before


def tales(world: World, count: int, now: datetime) -> Iterator[Tale]:
    """The tales by the moment of their first word, so that case numbers grow with time as they would have."""
    rng = world.rng
    # Goals that sort the case come first: each script is used there once, so that every type is in the demo.
    planned = sorted(goals(count, rng), key=lambda g: "triage" not in g.acts)
    drafted = []
    for nth, (goal, script) in enumerate(zip(planned, _scripts(count, rng), strict=True)):
        acts, turn = acts_of(goal, rng), nth // _all()
        drafted.append((moments_of(acts, script, turn, goal, now, rng), nth, goal, script, acts, turn))
    for moments, _nth, goal, script, acts, turn in sorted(drafted, key=lambda d: d[:2]):
        yield _tale(world, goal, script, acts, turn, moments, now)


def _all() -> int:
    return sum(len(scripts(language)) for language in CODES)


def _scripts(count: int, rng: Random) -> list[Script]:
    chosen: list[Script] = []
    while len(chosen) < count:
        every = [script for language in CODES for script in scripts(language)]
        rng.shuffle(every)
        chosen += every
    return chosen[:count]


def _tale(
    world: World,
    goal: Goal,
    script: Script,
    acts: list[str],
    turn: int,
    moments: list[datetime],
    now: datetime,
) -> Tale:
    rng, language = world.rng, script.language
    homes = [key for key in world.customers if key[1] == language]
    home = homes[0] if rng.random() < 0.85 else rng.choice(homes)
    customer = rng.choice(world.customers[home])
    product = script.products[turn % len(script.products)]
    placed = moments[0] - timedelta(days=rng.randrange(3, 16), hours=rng.uniform(0, 12))
    order = order_for(world, customer, product, language, placed, moments[0])
    payment, shipment, still = STATES.get(script.type, ("taken", "delivered", 1))
    number = tracking(order.currency, rng)
    hang_on(world, order, payment, shipment, moments[0] - timedelta(days=still), number)
    owner = rng.choice(world.agents(language))
    special = [u for u in world.users.values() if u.role == "specialist"]
    fixer = rng.choice(special) if rng.random() < 0.4 else owner
    return Tale(world, script, goal, acts, turn, customer, order, product, number, owner, fixer, now, moments)


def play(tale: Tale) -> None:
    """Every act at its moment; then the laws that the database keeps to the end of a transaction are asked at once."""
    for nth, act in enumerate(tale.acts):
        tale.at = nth
        with clock.travel(tale.moments[nth]):
            ACTS[act](tale)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def join(world: World, now: datetime) -> None:
    """One case above two others that have the same fault, and two pairs that have to do with each other."""
    by = actors.user(world.leads()[0])
    free = [
        case
        for case in Case.objects.filter(
            status__in=(Status.WORKING, Status.TRIAGED), customer__email__endswith="@customer.example"
        ).order_by("id")
        if not Relation.objects.filter(case=case).exists()
    ]
    with clock.travel(now - timedelta(minutes=2)):
        if len(free) >= 3:
            above, *below = free[:3]
            for child in below:
                link(child, above, by=by, seen=None, relation="child")
        for one, other in list(zip(free[3::2], free[4::2], strict=False))[:2]:
            link(one, other, by=by, seen=None, relation="related")


def letters_are_sent(world: World) -> None:
    """The demo writes to nobody: its letters stand as sent at their moment, before any worker sees them; two came back."""
    ours = Delivery.objects.filter(to__endswith="@customer.example", state=Delivery.State.WAITING)
    for nth, letter in enumerate(ours.order_by("id")):
        failed = nth % 97 == 41
        Delivery.objects.filter(pk=letter.pk).update(
            state=Delivery.State.FAILED if failed else Delivery.State.SENT,
            tries=5 if failed else 1,
            error="550 5.1.1 mailbox unavailable" if failed else "",
            sent_at=None if failed else letter.look_at + timedelta(seconds=4),
        )
