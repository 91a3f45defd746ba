"""A reply is looked at while it is written and again when it is sent: what is wrong or missing, and which times it promises.

One look for every door: the page shows it, ``reply`` and ``tell`` refuse by it. Nothing here changes a word of anybody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean
from makegood.cases.models import Case, Verification
from makegood.cases.states import Status
from makegood.conversations.models import Mailbox, Message, ReplyOverride, RuleLevel
from makegood.desk.saying import GivenTime
from makegood.packs import reply_rules
from makegood.packs.replying import ReplyRule
from makegood.people.actors import Actor
from makegood.people.calendars import standing
from makegood.people.models import Team, User
from makegood.promises.ledger import LONGEST
from makegood.text import checks, dues
from makegood.text.checks import Facts, Finding
from makegood.text.dues import Given
from makegood.transactions.models import Order

UNHEARD = "unheard_promise"
#: What is promised (``text/times.py``) -> what stands in the ledger. The next word itself is the form's own field.
WHAT = {
    "refund": "remedy",
    "reship": "remedy",
    "deliver": "remedy",
    "pickup": "remedy",
    "fix": "remedy",
    "contact": "call_back",
    "investigate": "decision",
}
#: So far may the time in the words and the time of the next word lie apart and still be one.
SAME = timedelta(minutes=1)
#: The newest messages that are read for what the customer wrote and how often we apologised.
_MOST_READ = 40
_MOST_ORDERS = 200
_REASON = 1000


@dataclass(frozen=True)
class Told:
    """A finding as its writer reads it: how grave it is for this team, and the rule that explains it."""

    finding: Finding
    level: str
    rule: ReplyRule


@dataclass(frozen=True)
class Offer:
    """A time that the words promise, to be confirmed or declined. ``at`` is None where the words name no real moment."""

    key: str
    given: Given
    what: str
    at: datetime | None
    past: bool
    far: bool

    @property
    def possible(self) -> bool:
        """Whether it can be kept as a promise at all."""
        return self.at is not None and not (self.past or self.far)


@dataclass(frozen=True)
class Look:
    """What was found in a reply, and what it promises. ``unheard`` is how grave a promise is that nobody answered for."""

    findings: tuple[Told, ...]
    offers: tuple[Offer, ...]
    unheard: str


class Unfit(Refusal):
    """The reply needs a reason or an answer first. ``look`` holds what was found, for the door to show."""

    def __init__(self, code: str, reason: object, look: Look) -> None:
        super().__init__(code, reason, field="text")
        self.look = look


def look(case: Case, text: str, *, by: Actor, verb: str) -> Look:
    """What stands in ``text`` as an answer on ``case`` by ``verb`` ('reply' or 'tell'); offsets are those of ``text``."""
    levels = levels_of(team_of(case, by))
    facts = facts_of(case)
    found = checks.check(text, case.language, stage(case, verb), facts)
    rules = reply_rules()
    told = tuple(
        Told(one, levels[one.rule], rules[one.rule]) for one in found if levels.get(one.rule, "off") != "off"
    )
    offered = offers(case, text, by=by) if levels[UNHEARD] != "off" else ()
    return Look(told, tuple(offered), levels[UNHEARD])


def offers(case: Case, text: str, *, by: Actor, language: str = "") -> list[Offer]:
    """Each firm time that ``text`` promises, with the moment that the writer means by it; one for the same words.

    ``language`` is that of the text where it is not the case's.
    """
    given = dues.given(text, language or case.language)
    if not given:
        return []
    calendar, _version = standing(case.shop, case.team)
    now = clock.now()
    here = now.astimezone(_zone(case, by))
    found: dict[str, Offer] = {}
    for one in given:
        key = key_of(one)
        if key not in found:
            at = dues.resolve(one.due, here, calendar)
            past, far = at is not None and at <= now, at is not None and at > now + LONGEST
            found[key] = Offer(key, one, WHAT.get(one.kind, "other"), at, past, far)
    return list(found.values())


def key_of(given: Given) -> str:
    """The same for the same words of the same time, wherever they stand: an answer survives what is written around it."""
    return hashlib.blake2s(f"{given.due}|{' '.join(given.quote.split())}".encode(), digest_size=5).hexdigest()


def passing(
    case: Case,
    text: str,
    *,
    by: Actor,
    verb: str,
    next_word_at: datetime | None,
    justified: Mapping[str, str] | None,
    promises: Sequence[GivenTime],
    declined: Sequence[str],
) -> dict[str, str]:
    """Let a reply pass, or raise Unfit beside 'text'; returns the reasons (rule -> words) that it passes with.

    Needed: a reason for each finding that must be justified, and for each promised time that it is among ``promises``,
    or the time of the next word itself, or among ``declined`` (words that are no promise; that needs no reason).
    """
    seen = look(case, text, by=by, verb=verb)
    reasons = {rule: str(words).strip() for rule, words in (justified or {}).items() if str(words).strip()}
    grave = {told.finding.rule: told for told in seen.findings if told.level == "justify"}
    lacking = [told for rule, told in grave.items() if rule not in reasons]
    unheard = [o for o in seen.offers if not heard(o, next_word_at, promises, declined)]
    if lacking:
        titles = "; ".join(str(told.rule.title) for told in lacking)
        raise Unfit(
            lacking[0].finding.rule,
            _("Before this is sent, give a reason for: %(what)s.") % {"what": titles},
            seen,
        )
    if unheard and seen.unheard == "justify" and UNHEARD not in reasons:
        raise Unfit(
            UNHEARD,
            _("The words promise a time: '%(words)s'. Keep it as a promise, or say that it is none.")
            % {"words": unheard[0].given.quote},
            seen,
        )
    wanted = {*grave, *([UNHEARD] if unheard else [])}
    return {
        rule: clean(words, limit=_REASON, field="text") for rule, words in reasons.items() if rule in wanted
    }


def heard(
    offer: Offer, next_word_at: datetime | None, promises: Sequence[GivenTime], declined: Sequence[str]
) -> bool:
    """Whether somebody answered for a promised time."""
    if offer.at is not None and next_word_at is not None and abs(offer.at - next_word_at) <= SAME:
        return True
    words = _bare(offer.given.quote)
    return any(words in _bare(said) for said in (*(p.words for p in promises), *declined))


def keep(reasons: Mapping[str, str], message_id: int, *, by: Actor) -> None:
    """Store the reasons with the message that they let pass; the event holds their codes alone."""
    ReplyOverride.objects.bulk_create(
        [
            ReplyOverride(message_id=message_id, rule=rule, reason=words, by_id=by.user_id, at=clock.now())
            for rule, words in reasons.items()
        ]
    )


def stage(case: Case, verb: str) -> str:
    """Which kind of answer this is, as the packs name it: its slots are what must not be missing."""
    if verb == "tell":
        return "resolve"
    if not Message.objects.filter(case=case, author="staff", audience="customer").exists():
        return "acknowledge"
    return "delay" if case.due_at is not None and case.due_at < clock.now() else "update"


def facts_of(case: Case) -> Facts:
    """What the case knows that a text alone cannot tell. Five queries, whatever the length of the case."""
    messages = Message.objects.filter(case=case, audience="customer").order_by("-id")
    rows = list(messages.values_list("author", "body", "language", "at")[:_MOST_READ])
    begun = _round_began(case)
    sorry = sum(
        checks.apologises(body, language)
        for author, body, language, at in rows
        if author == "staff" and (begun is None or at >= begun)
    )
    proof = (
        Verification.objects.filter(case=case, round=case.round)
        .order_by("-id")
        .values_list("fix__remedy", flat=True)
        .first()
        if case.status in (Status.VERIFIED, Status.TOLD, Status.ENDED)
        else None
    )
    customer = case.customer
    own = {customer.email, customer.phone, customer.name, case.order_number, str(case.number)}
    own.update(Order.objects.filter(customer=customer).values_list("number", flat=True)[:_MOST_ORDERS])
    own.update(Mailbox.objects.filter(shop_id=case.shop_id).values_list("address", flat=True))
    return Facts(
        language=case.language,
        name=customer.name,
        own=frozenset(own - {""}),
        said="\n".join(body for author, body, _language, _at in rows if author == "customer"),
        apologised=sorry,
        verified=proof is not None,
        approved=bool(proof),
    )


def _round_began(case: Case) -> datetime | None:
    if case.round == 1:
        return None
    event = case.events.filter(kind="reopened").order_by("-seq").first()
    return event.written_at if event else None


def team_of(case: Case, by: Actor) -> int | None:
    """Whose switches count: the case's team, else the first team of the writer."""
    if case.team_id or by.user_id is None:
        return case.team_id
    return Team.objects.filter(members=by.user_id).order_by("tier", "id").values_list("pk", flat=True).first()


def levels_of(team_id: int | None) -> dict[str, str]:
    """How grave each check is for a team: as the pack says, but for what its lead switched."""
    levels = {code: rule.level for code, rule in reply_rules().items()}
    if team_id:
        switched = RuleLevel.objects.filter(team_id=team_id).values_list("rule", "level")
        levels.update({rule: level for rule, level in switched if rule in levels})
    return levels


def _zone(case: Case, by: Actor) -> ZoneInfo:
    name = User.objects.filter(pk=by.user_id or 0).values_list("zone", flat=True).first() or case.shop.zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _bare(words: str) -> str:
    return "".join(words.split()).casefold()
