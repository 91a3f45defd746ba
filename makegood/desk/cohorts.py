"""What cases have in common, and who else it may have struck: the cohorts of an incident. Reading only.

A cohort is named by codes (``packs/incident_rules.py: KEYS``): the shop's id, a product's name as the shop told it, a
carrier, a payment method, a type of problem, and words that stand in what was said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal
from makegood.base.words import clean_line
from makegood.cases.models import Case
from makegood.packs import taxonomy
from makegood.packs.incident_rules import KEYS
from makegood.people.models import Shop
from makegood.text import search
from makegood.transactions.models import Order, Payment, Shipment

Common = dict[str, Any]
LONGEST = 120
#: What people copy from a broken screen: a code of letters and digits, or words in quotation marks.
_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,6}[-_]?\d{2,6}(?![A-Za-z0-9])")
_QUOTED = re.compile(r"[“\"「『‘]([^“”\"「」『』‘’\n]{4,40})[”\"」』’]")


def settled(common: Mapping[str, Any]) -> Common:
    """``common`` as it may be stored; raises Refusal beside 'common' for an unknown key, shop or type, and for too long a word."""
    found: Common = {}
    for key, value in common.items():
        if key not in KEYS:
            raise Refusal("unknown_code", _("This is not in the list."), field="common")
        if value is None or value == "":
            continue
        if key == "shop":
            if not isinstance(value, int) or not Shop.objects.filter(pk=value).exists():
                raise Refusal("no_shop", _("There is no such shop."), field="common")
            found[key] = value
            continue
        found[key] = clean_line(str(value), limit=LONGEST, field="common")
        if key == "type" and value not in taxonomy().types:
            raise Refusal("unknown_type", _("There is no such type of problem."), field="common")
        if key == "words" and not search.query(found[key]):
            raise Refusal("nothing_to_find", _("Nothing can be found by these words."), field="common")
    return {key: found[key] for key in KEYS if key in found}


def cases(common: Common, since: datetime | None = None, until: datetime | None = None) -> QuerySet[Case]:
    """The cases that share all of ``common``, opened in that time. An empty ``common`` means none, not all."""
    if not common:
        return Case.objects.none()
    found = Case.objects.all()
    if since is not None:
        found = found.filter(opened_at__gte=since)
    if until is not None:
        found = found.filter(opened_at__lt=until)
    for key, column in (("shop", "shop_id"), ("type", "type")):
        if key in common:
            found = found.filter(**{column: common[key]})
    if "product" in common:
        found = found.filter(order__lines__contains=[{"name": common["product"]}])
    if "carrier" in common:
        found = found.filter(
            Exists(Shipment.objects.filter(order=OuterRef("order"), carrier=common["carrier"]))
        )
    if "method" in common:
        found = found.filter(Exists(Payment.objects.filter(order=OuterRef("order"), method=common["method"])))
    if "words" in common:
        # The ORM has no cast to tsquery; the literal holds tokens only (text/search.py).
        said = RawSQL(
            "SELECT e.case_id FROM makegood_searchentry e WHERE NOT e.staff_only AND e.vector @@ %s::tsquery",
            [search.query(common["words"])],
        )
        found = found.filter(pk__in=said)
    return found


def struck(common: Common, since: datetime, until: datetime) -> QuerySet[Order]:
    """Orders of that time that share what orders can share, of known customers; with a case or without."""
    if not {"shop", "product", "carrier", "method"} & common.keys():
        return Order.objects.none()
    found = Order.objects.filter(placed_at__gte=since, placed_at__lt=until, customer__isnull=False)
    if "shop" in common:
        found = found.filter(shop=common["shop"])
    if "product" in common:
        found = found.filter(lines__contains=[{"name": common["product"]}])
    if "carrier" in common:
        found = found.filter(Exists(Shipment.objects.filter(order=OuterRef("pk"), carrier=common["carrier"])))
    if "method" in common:
        found = found.filter(Exists(Payment.objects.filter(order=OuterRef("pk"), method=common["method"])))
    return found


def orders(common: Common, since: datetime, until: datetime) -> QuerySet[Order]:
    """Those of ``struck`` on which nobody has a case yet."""
    by_number = Case.objects.filter(order_number=OuterRef("number"), shop=OuterRef("shop")).exclude(
        order_number=""
    )
    # Two look-ups by index; joined with OR they would read every case there is.
    taken = Case.objects.filter(customer=OuterRef("customer"), order=OuterRef("pk"))
    return struck(common, since, until).filter(~Exists(taken), ~Exists(by_number))


def of_case(case: Case) -> dict[str, list[Any]]:
    """What this case could share with others: key -> its values, as its order and its sorting say."""
    found: dict[str, list[Any]] = {"shop": [case.shop_id], "type": [case.type] if case.type else []}
    order = case.order
    if order is not None:
        found["product"] = names_of(order.lines)
        found["carrier"] = _distinct(order.shipments.values_list("carrier", flat=True))
        found["method"] = _distinct(order.payments.values_list("method", flat=True))
    return found


def names_of(lines: Any) -> list[str]:
    """The names of the products in the lines of an order."""
    rows = lines if isinstance(lines, list) else []
    return _distinct(str(row.get("name") or "")[:LONGEST] for row in rows if isinstance(row, dict))


def words_of(text: str) -> list[str]:
    """What a text repeats of a broken screen: error codes and quoted words. The number of an order is nobody else's."""
    found = [*_CODE.findall(text), *(" ".join(q.split()) for q in _QUOTED.findall(text))]
    return [w for w in _distinct(found) if search.query(w)][:10]


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(v for v in values if v))
