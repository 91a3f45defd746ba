"""What may be offered in a situation, by whom, up to how much, and why: pure, from the rows of ``packs/remedies``.

``menu`` gives the choices, ``judge`` says what one of them at an amount needs: nothing, the approval of a second person, or that
the law does not allow it. Amounts are decimals in major units of one currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base.languages import EN, KO, ZH, speaking
from makegood.packs.legal import clocks
from makegood.packs.loader import taxonomy
from makegood.packs.remedying import APPROVERS, RANK, Floor, RemedyPolicy, RemedyRule
from makegood.people.models import Role

#: Currencies without decimals; all others are counted to the second place.
WHOLE = frozenset({"KRW", "JPY", "VND"})
MONEY = frozenset({"refund", "partial_refund", "credit", "compensation"})
#: Money that goes back on the payment itself.
BACK = frozenset({"refund", "partial_refund"})


@dataclass(frozen=True)
class Situation:
    """What the policy looks at. ``days``: age by moment (ordered, paid, received), where it was told. ``paid``: what was taken.

    ``left``: what of it can still go back. ``law``: clocks of the law that stand now. ``before``: remedies of this customer in the
    last 90 days. ``asked``: what they asked for.
    """

    type: str
    currency: str
    responsibility: str = "unknown"
    shop: str = ""
    paid: Decimal | None = None
    left: Decimal | None = None
    days: Mapping[str, int] = field(default_factory=dict)
    delivered: bool = False
    before: int = 0
    law: frozenset[str] = frozenset()
    asked: str = ""


@dataclass(frozen=True)
class Choice:
    """One thing that may be given. ``up_to``: at most (None: not about money, or nobody told what was paid). ``limit``: what the
    role decides alone (None: without limit). ``law``: the clock that demands it in full; ``chooses``: among several of them."""

    remedy: str
    rule: RemedyRule
    role: str
    currency: str
    up_to: Decimal | None
    limit: Decimal | None
    approver: str
    law: str = ""
    chooses: bool = False
    worth: Decimal | None = None

    @property
    def budgeted(self) -> bool:
        return self.rule.budgeted and not self.law

    def alone(self, amount: Decimal | None) -> bool:
        """Whether the role may decide it alone: by the amount, or by what the order was worth where no money is given."""
        weighed = amount if amount is not None else self.worth
        if self.limit is None:
            return True
        return (weighed is not None and weighed <= self.limit) or (weighed is None and self.limit > 0)

    def sentence(self) -> dict[str, str]:
        """The policy in one sentence, in three languages: what, up to how much, by whom, why, within what, by which law."""
        found = {}
        for key, language in (("ko", KO), ("zh", ZH), ("en", EN)):
            with speaking(language):
                found[key] = _sentence(self)
        return found


ROLES = {role.value: role.label for role in Role}


def _sentence(choice: Choice) -> str:
    rule = choice.rule
    why = [str(rule.name)]
    if rule.within_days:
        why.append(_SINCE[rule.since] % {"days": rule.within_days})
    if choice.law:
        why.append(clocks().rule(choice.law).authority)
    said = {
        "remedy": str(taxonomy().remedies[choice.remedy].name),
        "role": str(ROLES.get(choice.role, choice.role)),
        "amount": money(choice.limit, choice.currency) if choice.limit else "",
        "why": ", ".join(why),
        "approver": str(ROLES[choice.approver]),
    }
    if choice.limit is None:
        return spoken("%(remedy)s by %(role)s: %(why)s.") % said
    if choice.limit <= 0:
        return spoken("%(remedy)s only with approval, %(approver)s or above: %(why)s.") % said
    return spoken("%(remedy)s up to %(amount)s by %(role)s: %(why)s.") % said


_SINCE = {
    "ordered": _("within %(days)s days of the order"),
    "paid": _("within %(days)s days of the payment"),
    "received": _("within %(days)s days of arrival"),
}


def money(amount: Decimal, currency: str) -> str:
    """'50,000 KRW': the way in which all three languages read it."""
    places = 0 if currency in WHOLE or amount == amount.to_integral_value() else 2
    return f"{amount:,.{places}f} {currency}"


def floors(situation: Situation, policy: RemedyPolicy) -> list[Floor]:
    """What the law demands here: floors whose clock stands and that are for this type."""
    return [
        f
        for f in policy.floors.values()
        if f.clock in situation.law and (not f.types or situation.type in f.types)
    ]


def menu(situation: Situation, role: str, policy: RemedyPolicy) -> list[Choice]:
    """What may be given here, each remedy once (its most generous row), what the law demands first, then by the policy's order."""
    standing = floors(situation, policy)
    found: dict[str, Choice] = {}
    for rule in policy.rules.values():
        demanded = next((f for f in standing if f.clock in rule.law and rule.remedy in f.demands), None)
        if not (demanded if rule.law else _fits(rule, situation)):
            continue
        choice = _choice(rule, situation, role, standing)
        old = found.get(rule.remedy)
        found[rule.remedy] = choice if old is None or _better(choice, old) else old
    return sorted(found.values(), key=lambda c: not c.law)


def _fits(rule: RemedyRule, s: Situation) -> bool:
    age = s.days.get(rule.since)
    return (
        (not rule.types or s.type in rule.types)
        and (not rule.responsibility or s.responsibility in rule.responsibility)
        and (not rule.shops or s.shop in rule.shops)
        and (not rule.within_days or age is None or age <= rule.within_days)
        and (rule.most_before is None or s.before <= rule.most_before)
        and not (rule.undelivered and s.delivered)
        and (not rule.up_to or s.currency in rule.up_to)
    )


def _choice(rule: RemedyRule, s: Situation, role: str, standing: Iterable[Floor]) -> Choice:
    """The row for this role; a row of the policy cites the law where that demands the same."""
    law = next(
        (f for f in standing if rule.remedy in f.demands and (f.clock in rule.law or not rule.law)), None
    )
    limit = rule.limit(role, s.currency)
    up_to = _most(rule, s) if rule.remedy in MONEY else None
    return Choice(
        remedy=rule.remedy,
        rule=rule,
        role=role,
        currency=s.currency,
        up_to=up_to,
        limit=limit,
        approver=_approver(rule, up_to if up_to is not None else s.paid, s.currency, role),
        law=law.clock if law else "",
        chooses=bool(law and law.chooses),
        worth=s.paid,
    )


def _most(rule: RemedyRule, s: Situation) -> Decimal | None:
    bounds = []
    if rule.remedy in BACK:
        if s.paid is not None:
            share = s.paid * rule.share / 100
            bounds.append(share.quantize(Decimal(1) if s.currency in WHOLE else Decimal("0.01"), ROUND_DOWN))
        if s.left is not None:
            bounds.append(s.left)
    if s.currency in rule.up_to:
        bounds.append(rule.up_to[s.currency])
    return min(bounds, default=None)


def _approver(rule: RemedyRule, amount: Decimal | None, currency: str, role: str) -> str:
    """The least role that may approve: that of the row, or above it where even that may not decide so much alone.

    A lead asks another lead where a lead may decide so much; nobody approves for themselves in any case.
    """
    for one in APPROVERS[APPROVERS.index(rule.approves) :]:
        limit = rule.limit(one, currency)
        if limit is None or (amount is not None and amount <= limit) or not limit:
            return one
    return APPROVERS[-1]


def _better(new: Choice, old: Choice) -> bool:
    """Whether a row gives more than another of the same remedy: by its bound, then by what the role decides alone."""

    def key(c: Choice) -> tuple[Decimal, Decimal]:
        endless = Decimal("Infinity")
        return (endless if c.up_to is None else c.up_to, endless if c.limit is None else c.limit)

    return key(new) > key(old)


@dataclass(frozen=True)
class Verdict:
    """What deciding this takes. ``approver``: the least role of a second person ('' none). ``deviates``: it departs from the policy,
    and needs a reason. ``choice``: the row that it stands on, where there is one."""

    approver: str
    deviates: bool
    choice: Choice | None


def judge(
    kind: str, amount: Decimal | None, situation: Situation, role: str, policy: RemedyPolicy
) -> Verdict:
    """What it takes that ``role`` gives ``kind`` at ``amount`` here."""
    choice = next((c for c in menu(situation, role, policy) if c.remedy == kind), None)
    if choice is None or (amount is not None and choice.up_to is not None and amount > choice.up_to):
        # Nobody departs from the policy alone, except who may change it.
        return Verdict("" if RANK.index(role) >= RANK.index("manager") else "lead", True, choice)
    return Verdict("" if choice.alone(amount) else choice.approver, False, choice)


def below_law(
    offered: Mapping[str, Decimal | None], situation: Situation, policy: RemedyPolicy
) -> list[tuple[Floor, str]]:
    """What the law demands and an offer lacks: (floor, remedy). Where it lets the customer choose, each of them; else one in full."""
    lacks = []
    for floor in floors(situation, policy):
        given = [r for r in floor.demands if _in_full(r, offered, situation)]
        if floor.chooses:
            lacks += [(floor, r) for r in floor.demands if r not in given]
        elif not given:
            lacks.append((floor, floor.demands[0]))
    return lacks


def _in_full(remedy: str, offered: Mapping[str, Decimal | None], s: Situation) -> bool:
    if remedy not in offered:
        return False
    amount, whole = offered[remedy], s.left if s.left is not None else s.paid
    return remedy not in BACK or amount is None or whole is None or amount >= whole
