"""The order of a case as its stores last told it: every thing with its standing, the age of each fact, and the picture."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from makegood.base import clock, rows
from makegood.base.errors import Refusal
from makegood.cases.models import Case, CaseEvent
from makegood.desk import events_in
from makegood.desk.standing import Standing, standing
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.transactions import reading, toread
from makegood.transactions.models import MODELS, Order, Payment, Shipment, Store, Thing
from makegood.transactions.reading import Read

MONEY, GOODS, PAPER = "money", "goods", "paper"
#: noun -> the line on which it is drawn
LINES = {
    "order": GOODS,
    "payment": MONEY,
    "refund": MONEY,
    "dispute": MONEY,
    "credit": MONEY,
    "shipment": GOODS,
    "return": GOODS,
    "invoice": PAPER,
}
LINE_NAMES = {MONEY: gettext_lazy("Money"), GOODS: gettext_lazy("Goods"), PAPER: gettext_lazy("Paper")}
_HANGING = ("refund", "dispute", "return", "invoice", "credit")
# Five nouns and the orders that make this one good, in one query: a query each would be six for every sheet.
_REST = " UNION ALL ".join(
    [
        *(
            f"SELECT '{noun}', to_jsonb(t) - 'known' FROM {MODELS[noun]._meta.db_table} t WHERE order_id = $1"
            for noun in _HANGING
        ),
        "SELECT 'order', to_jsonb(t) - 'known' FROM makegood_order t WHERE shop_id = $2 AND made_for = $3 AND made_for <> ''",
    ]
)
#: So many columns fit a narrow picture; of more, the newest are drawn.
COLUMNS = 6
#: Why a reading failed, as far as an agent can use it.
TROUBLE = {
    "cannot_read": gettext_lazy("This shop cannot be asked: it tells us by itself. Nothing was read."),
    "resting": gettext_lazy("The shop did not answer several times, so we leave it alone for some minutes."),
    "no_connector": gettext_lazy("The shop cannot be asked, since its connector is not installed here."),
    "secret": gettext_lazy("The shop cannot be asked: its key must be typed in again."),
}


@dataclass(frozen=True)
class Seen:
    """One thing: what it is, how it stands, when the source said so and when we last heard it."""

    noun: str
    thing: Any
    standing: Standing

    @property
    def line(self) -> str:
        return LINES[self.noun]

    @property
    def name(self) -> str:
        """Its state in the reader's language."""
        return str(self.thing.get_state_display()) or _("Not told yet")

    @property
    def amount(self) -> Any:
        return self.thing.total if self.noun == "order" else getattr(self.thing, "amount", None)

    @property
    def detail(self) -> str:
        return " ".join(str(self.thing.more.get(name, "")) for name in ("detail", "reason")).strip()


@dataclass(frozen=True)
class Dot:
    """A dot of the picture: its column and line, in the units of the SVG."""

    seen: Seen
    x: int
    y: int


@dataclass(frozen=True)
class Line:
    """One line of the picture with its dots, and the things that its text tells."""

    code: str
    name: str
    y: int
    dots: list[Dot]
    things: list[Seen]


@dataclass(frozen=True)
class Column:
    """A moment under the picture."""

    x: int
    at: datetime


@dataclass(frozen=True)
class OrderSeen:
    """The order as its stores last told it."""

    order: Order
    payments: list[Payment]
    shipments: list[Shipment]
    things: list[Seen] = field(default_factory=list)
    whole: Standing | None = None
    readable: bool = False
    stores: list[Store] = field(default_factory=list)

    @property
    def lines(self) -> list[Line]:
        """Money, goods and paper, each with what lies on it; only lines on which something does."""
        drawn = sorted(self.things, key=lambda s: (s.thing.told_at, s.noun))[-COLUMNS:]
        places = {id(seen): 68 + n * 42 for n, seen in enumerate(drawn)}
        codes = [code for code in LINE_NAMES if any(s.line == code for s in self.things)]
        return [
            Line(
                code,
                str(LINE_NAMES[code]),
                18 + n * 30,
                [Dot(s, places[id(s)], 18 + n * 30) for s in drawn if s.line == code],
                [s for s in self.things if s.line == code],
            )
            for n, code in enumerate(codes)
        ]

    @property
    def columns(self) -> list[Column]:
        drawn = sorted(self.things, key=lambda s: (s.thing.told_at, s.noun))[-COLUMNS:]
        return [Column(68 + n * 42, s.thing.told_at) for n, s in enumerate(drawn)]

    @property
    def height(self) -> int:
        return 18 + 30 * len(self.lines) + 6


def order_seen(case: Case) -> OrderSeen | None:
    """The order of the case with all that hangs on it; None when none is known. Four queries (five where the case knows
    only the number: the shop may have told the order after the case was opened).
    """
    order = case.order
    if order is None and case.order_number:
        order = Order.objects.filter(shop_id=case.shop_id, number=case.order_number).first()
    if order is None:
        return None
    payments = list(Payment.objects.filter(order=order).order_by("id"))
    shipments = list(Shipment.objects.filter(order=order).order_by("id"))
    stores = list(Store.objects.filter(shop_id=order.shop_id, active=True).order_by("id"))
    now, today = clock.now(), clock.today(case.shop.zone)
    pairs: list[tuple[str, Thing]] = [("payment", p) for p in payments]
    pairs += [("shipment", s) for s in shipments]
    pairs += _rest(order)
    return OrderSeen(
        order,
        payments,
        shipments,
        [Seen(noun, thing, standing(noun, thing, now=now, today=today)) for noun, thing in pairs],
        standing("order", order, now=now, today=today),
        any(store.told_by == Store.ToldBy.READING for store in stores),
        stores,
    )


def _rest(order: Order) -> Iterable[tuple[str, Thing]]:
    for noun, row in rows.ask(_REST, order.pk, order.shop_id, order.number):
        values, model = json.loads(row), MODELS[noun]  # Django has psycopg hand JSON over as text
        columns = [f for f in model._meta.concrete_fields if f.column in values]
        yield noun, model(**{f.attname: f.to_python(values[f.column]) for f in columns})


def read_again(case: Case, *, by: Actor) -> Read:
    """Ask the stores of the case's order now. Slow: outside of every transaction. Raises Refusal where no order is known."""
    roles.check(by, "read_store")
    order = case.order or Order.objects.filter(shop_id=case.shop_id, number=case.order_number or "-").first()
    if order is not None:
        return reading.refresh(order)
    if not case.order_number:
        raise Refusal("no_order", _("No order is known."))
    return reading.seek(case.shop_id, case.order_number)


def seek_order(event: CaseEvent) -> None:
    """opened, triaged: a number that no store has told us of is asked for, so that whoever opens the case sees its true state."""
    case = Case.objects.select_related("order").get(pk=event.case_id)
    if not case.order_number or (case.order is not None and case.order.store_id is not None):
        return
    stores = reading.readable(case.shop_id)
    if toread.ask_all({(store.pk, "order", case.order_number): store for store in stores}):
        transaction.on_commit(lambda: events_in.nudge(events_in.READ), robust=True)


def told(read: Read) -> str:
    """What became of a reading, in one sentence."""
    if read.trouble and not read.things:
        return str(
            TROUBLE.get(read.trouble) or _("The shop did not answer. What is shown is what we knew before.")
        )
    if read.trouble:
        return _("Only a part could be read. What is older is marked with its age.")
    return _("Read now: something is new.") if read.new else _("Read now: nothing has changed.")
