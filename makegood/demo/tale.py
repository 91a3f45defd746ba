"""One demo case as it is told: its script, its people, its moments, and the words filled in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from makegood.base.languages import EN, KO
from makegood.cases.models import Case
from makegood.cases.urgency import Impact
from makegood.demo import names
from makegood.demo.plans import GAPS, Goal
from makegood.demo.scripts import Script, phrases, pick, report_text
from makegood.demo.world import World
from makegood.desk import demands
from makegood.packs import policy
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.people.models import Customer, User
from makegood.transactions.models import Order

#: Acts that reach the customer with a word, and so keep or break the word before them.
SPEAKS = frozenset(["reply", "progress", "tell", "ask", "ask_late", "again_reply", "tell_again", "disagree"])
#: How often a word is given late, and how often the last word of an open case lies behind us.
BROKEN, OVERDUE = 0.14, 0.25


@dataclass
class Tale:
    """``turn`` is the how-manyth use of the script; ``moments[i]`` is when ``acts[i]`` happens."""

    world: World
    script: Script
    goal: Goal
    acts: list[str]
    turn: int
    customer: Customer
    order: Order
    product: str
    tracking: str
    owner: User
    fixer: User
    now: datetime
    moments: list[datetime]
    at: int = 0
    case: Case | None = None

    @property
    def rng(self) -> Random:
        return self.world.rng

    @property
    def here(self) -> Case:
        """The case as the database has it now."""
        assert self.case is not None, "a tale begins with 'open'"
        return Case.objects.select_related("shop", "customer").get(pk=self.case.pk)

    def by(self, user: User) -> Actor:
        return actors.user(user)

    def fill(self, text: str, next_word: datetime | None = None) -> str:
        """The text with this case's names, numbers and moments."""
        language, currency = self.script.language, self.order.currency
        assert self.order.total is not None and self.order.placed_at is not None
        amount = names.money(int(self.order.total), currency)
        return text.format(
            name=self.customer.name,
            agent=self.owner.name,
            shop=self.customer.shop.name,
            order=self.order.number,
            product=names.product(self.product, language),
            amount=amount,
            date=day(self.order.placed_at, self.customer.shop.zone, language),
            days=max(1, (self.moments[0] - self.order.placed_at).days),
            tracking=self.tracking,
            ref=self.order.number.rsplit("-", 1)[-1],
            next=moment(next_word, self.customer.shop.zone, language) if next_word else "",
        )

    def phrase(self, key: str) -> str:
        return self.fill(pick(phrases(self.script.language)[key], self.turn))

    def letter(self, core: str, next_word: datetime, *, asks: bool = False) -> str:
        """A whole letter of the agent: greeting, what there is to say, what we ask, and when the next word comes."""
        said = phrases(self.script.language)
        parts = [pick(said["hello"], self.turn + self.at), core]
        parts += [pick(said["ask"], self.turn)] if asks else []
        parts.append(pick(said["bye"], self.turn + self.at))
        return self.fill("\n\n".join(parts), next_word)

    def next_word(self) -> datetime:
        """The time that is promised now: after the next word that the case will see (kept), before it (broken), or ahead."""
        here = self.moments[self.at]
        later = next(
            (
                m
                for act, m in zip(self.acts[self.at + 1 :], self.moments[self.at + 1 :], strict=True)
                if act in SPEAKS
            ),
            None,
        )
        zone = self.customer.shop.zone
        if later is not None:
            gap = (later - here) * 0.6 if self.rng.random() < BROKEN else (later - here) + self.hours(0.5, 5)
        elif self.goal.name == "working_late" or (
            self.rng.random() < OVERDUE and self.now - here > timedelta(hours=2)
        ):
            gap = (self.now - here) * 0.6
        else:
            gap = (self.now - here if self.goal.rest[1] < 48 else timedelta()) + self.hours(1, 30)
        return round_up(here + max(gap, timedelta(minutes=20)), zone)

    def hours(self, low: float, high: float) -> timedelta:
        return timedelta(hours=self.rng.uniform(low, high))


def moments_of(
    acts: list[str], script: Script, turn: int, goal: Goal, now: datetime, rng: Random
) -> list[datetime]:
    """When each act happens, so that the last one lies as far behind ``now`` as the goal says."""
    text = report_text(script, turn)
    level = max(e.level for e in demands.at_opening(text, script.language, Impact(), ""))
    first_word, swift = policy().level(level).first_word, 0.5 if level >= 4 else 1.0
    shares = {"triage": (0.05, 0.15), "take": (0.02, 0.1), "reply": (0.15, 0.6)}
    gaps: list[timedelta] = []
    for act in acts:
        if act in shares:
            late = 3 if act == "reply" and rng.random() < BROKEN else 1
            gaps.append(first_word * rng.uniform(*shares[act]) * late)
        else:
            slow = 1.0 if act.startswith(("ask", "end", "good", "open", "reopen")) else swift
            gaps.append(timedelta(hours=rng.uniform(*GAPS[act]) * slow))
    begin = now - timedelta(hours=rng.uniform(*goal.rest)) - sum(gaps, timedelta())
    found = []
    for gap in gaps:
        begin += gap
        found.append(begin)
    return found


def round_up(when: datetime, zone: str) -> datetime:
    """The next half hour of the shop's clock: nobody promises 14:07."""
    local = when.astimezone(ZoneInfo(zone)).replace(second=0, microsecond=0)
    return local + timedelta(minutes=30 - local.minute % 30)


def day(when: datetime, zone: str, language: str) -> str:
    local = when.astimezone(ZoneInfo(zone))
    if language == KO:
        return f"{local.month}월 {local.day}일"
    return f"{local:%B} {local.day}" if language == EN else f"{local.month}月{local.day}日"


def moment(when: datetime, zone: str, language: str) -> str:
    local = when.astimezone(ZoneInfo(zone))
    hour, half = local.hour % 12 or 12, local.minute
    if language == KO:
        minutes = f" {half}분" if half else ""
        return f"{day(when, zone, language)} {'오전' if local.hour < 12 else '오후'} {hour}시{minutes}"
    if language == EN:
        return f"{day(when, zone, language)}, {hour}:{half:02d} {'am' if local.hour < 12 else 'pm'}"
    return f"{day(when, zone, language)}{local:%H:%M}"
