"""The rows of the made cases, by number alone: the same case number and seed always give the same rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from makegood.base.languages import CODES, EN, KO, ZH
from makegood.demo import names
from makegood.demo.scripts import Script, report_text, scripts
from makegood.packs import taxonomy
from makegood.text import search

#: Columns that are filled by us; the others of a table take their model's default.
COLUMNS = {
    "Case": "id shop_id customer_id order_id order_number subject language status version ended_as ended_at kind type "
    "responsibility currency urgency urgency_floor owner_id team_id waiting_for opened_at due_at touched_at customer_wrote_at",
    "CaseEvent": "case_id seq kind actor_role actor_id door true_at written_at data",
    "Message": "id case_id author by_id audience channel language body at",
    "SearchEntry": "case_id message_id shop_id staff_only vector",
    "UrgencyEvidence": "case_id seq level source quote message_id at",
    "Promise": "id case_id what basis made_at due_at look_at state settled_at proof_id",
    "Fix": "id case_id round remedy cause done by_id at",
    "Verification": "id case_id round fix_id fixed_by_id by_id proof reference seen at",
    "Telling": "id case_id round verification_id message_id at",
    "ConfirmationAsk": "case_id round telling_id channel message_id by_id at",
    "Confirmation": "id case_id round telling_id answer words channel at",
    "Closure": "case_id round verification_id telling_id confirmation_id answer at",
    "Ending": "case_id round kind words by_id at",
}
OPEN_SHARE, MADE_GOOD_SHARE = 0.08, 0.7
SPAN = timedelta(days=730)


@dataclass(frozen=True)
class House:
    """What the cases stand on: ids of shops by language, customers (a range for each shop), agents, teams."""

    shops: dict[str, int]
    currencies: dict[str, str]
    customers: dict[str, tuple[int, int]]
    orders: dict[str, list[tuple[int, str]]]
    agents: list[int]
    teams: list[int]
    first_case: int
    total: int
    now: datetime
    seed: int


def rows_of(nth: int, house: House) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the ``nth`` case (from 0), by model name, in the order of COLUMNS."""
    rng = Random(f"{house.seed}/{nth}")
    case = house.first_case + nth
    language = rng.choice(CODES)
    script = rng.choice(scripts(language))
    shop, currency = house.shops[language], house.currencies[language]
    customer = rng.randrange(*house.customers[language])
    order, number = (
        rng.choice(house.orders[language]) if rng.random() < 0.1 else (None, _number(rng, language))
    )
    body = _body(script, rng, number, currency)
    subject = body[:79]
    opened = house.now - SPAN * (1 - nth / house.total) - timedelta(minutes=5)
    urgency = rng.choices((1, 2, 3, 4, 5), (10, 50, 25, 12, 3))[0]
    of_type = taxonomy().types[script.type]
    agent, other, team = rng.choice(house.agents), rng.choice(house.agents), rng.choice(house.teams)
    roll, status, ended_as = rng.random(), "ended", "withdrawn"
    if roll < OPEN_SHARE:
        ended_as = ""
        kinds, shares = ("reported", "triaged", "working", "waiting", "told"), (30, 10, 35, 15, 10)
        status = rng.choices(kinds, shares)[0]
        # What is open is young, whatever its number: an old open case would be the exception.
        opened = house.now - timedelta(minutes=rng.randrange(10, 14 * 1440))
    elif roll < OPEN_SHARE + (1 - OPEN_SHARE) * MADE_GOOD_SHARE:
        ended_as = "made_good"
    ended = opened + timedelta(hours=rng.uniform(2, 200)) if ended_as else None
    ended = min(ended, house.now) if ended else None
    sorted_, owned = status not in ("reported",), status not in ("reported", "triaged")
    due = None if ended_as else house.now + timedelta(minutes=rng.randrange(-2 * 1440, 3 * 1440))
    due = max(due, opened + timedelta(minutes=1)) if due else None

    rows: dict[str, list[tuple[Any, ...]]] = {}
    kinds_of = ["opened"] + (["triaged"] if sorted_ else []) + (["taken"] if owned else [])
    if status == "told":
        kinds_of[-1] = "told"
    if ended_as:
        kinds_of = (
            ["opened", "triaged", "confirmed", "closed"] if ended_as == "made_good" else ["opened", "ended"]
        )
    if ended_as == "made_good" or status == "told":
        rows.update(_proven(case, agent, other, script, ended or opened, good=bool(ended_as)))
    if ended_as == "withdrawn":
        rows["Ending"] = [(case, 1, "withdrawn", "-", agent, ended)]
    shown = str(case * 100 + 98 - case * 100 % 97)
    rows["Case"] = [
        (
            case, shop, customer, order, number, subject, language, status, len(kinds_of), ended_as, ended,
            of_type.kind if sorted_ else "", script.type if sorted_ else "", of_type.responsibility if sorted_ else "unknown",
            currency, urgency, urgency, agent if owned else None, team if owned else None,
            "carrier" if status == "waiting" else "", opened, due, opened if owned else None, opened,
        )
    ]  # fmt: skip
    rows["Message"] = [(case, case, "customer", None, "customer", "page", language, body, opened)]
    rows["SearchEntry"] = [
        (case, case, shop, False, search.vector([(shown, "A"), (subject, "A"), (number, "A"), (body, "D")]))
    ]
    rows["UrgencyEvidence"] = [(case, 1, urgency, "opening", "", case, opened)]
    rows["CaseEvent"] = [
        _event(case, seq, kind, agent, opened, ended, script, urgency)
        for seq, kind in enumerate(kinds_of, start=1)
    ]
    if due:
        rows["Promise"] = [(case, case, "next_word", "policy", opened, due, due, "open", None, None)]
    return rows


def _event(
    case: int,
    seq: int,
    kind: str,
    agent: int,
    opened: datetime,
    ended: datetime | None,
    script: Script,
    level: int,
) -> tuple[Any, ...]:
    data: dict[str, Any] = {
        "opened": {"message": case, "level": level},
        "triaged": {"type": script.type, "kind": "mistake", "responsibility": "unknown"},
        "taken": {"user": agent},
        "told": {"telling": case, "message": case, "ask": case, "promise": case, "until": ""},
        "confirmed": {"confirmation": case, "answer": "all_good", "channel": "page"},
        "closed": {"closure": case},
        "ended": {"ending": case, "ended_as": "withdrawn"},
    }[kind]
    by_customer = kind in ("opened", "confirmed", "ended")
    at = ended if ended and kind in ("closed", "confirmed", "ended") else opened
    role, actor = ("customer", None) if by_customer else ("agent", agent)
    return case, seq, kind, role, actor, "page", at, at, json.dumps(data)


def _proven(
    case: int, agent: int, other: int, script: Script, at: datetime, *, good: bool
) -> dict[str, list[tuple[Any, ...]]]:
    """Fix, verification, telling (by the one message of the case), and the confirmation and closure where it is made good."""
    rows: dict[str, list[tuple[Any, ...]]] = {
        "Fix": [(case, case, 1, script.remedy, "cause", "done", agent, at)],
        "Verification": [(case, case, 1, case, agent, other, script.proof, f"R{case}", "seen", at)],
        "Telling": [(case, case, 1, case, case, at)],
        "ConfirmationAsk": [(case, 1, case, "letter", case, agent, at)],
    }
    if good:
        rows["Confirmation"] = [(case, case, 1, case, "all_good", "", "page", at)]
        rows["Closure"] = [(case, 1, case, case, case, "all_good", at)]
    return rows


def _number(rng: Random, language: str) -> str:
    return f"{ {KO: 'HN', ZH: 'QH', EN: 'HP'}[language] }-{rng.randrange(10**9, 10**10)}"


def _body(script: Script, rng: Random, number: str, currency: str) -> str:
    product = rng.choice(script.products)
    return report_text(script, rng.randrange(6)).format(
        name=names.person(script.language, rng),
        order=number,
        product=names.product(product, script.language),
        amount=names.money(rng.randrange(20, 900) * (1000 if currency == "KRW" else 1), currency),
        date={KO: "11월 3일", ZH: "11月3日", EN: "November 3"}[script.language],
        days=rng.randrange(3, 20),
        tracking=rng.randrange(10**11, 10**12),
        ref=rng.randrange(10**6),
        agent="",
        shop="",
        next="",
    )


def order_row(
    rng: Random, shop: int, customer: int, language: str, currency: str, at: datetime
) -> dict[str, Any]:
    """One of the few orders."""
    total = Decimal(names.price(rng.choice(sorted(names.PRODUCTS)), currency, rng))
    number = _number(rng, language)
    return {
        "shop_id": shop, "customer_id": customer, "number": number, "placed_at": at, "total": total,
        "currency": currency, "told_at": at, "lines": [],
    }  # fmt: skip
