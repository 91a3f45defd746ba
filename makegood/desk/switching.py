"""Which checks a team has, how grave, and how often they were overridden: switched by its lead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.conversations.models import ReplyOverride, RuleLevel
from makegood.desk.ready import teams_of
from makegood.packs import reply_rules
from makegood.packs.replying import LEVELS, ReplyRule
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Team
from makegood.text.lexicon import pack

COUNTED = timedelta(days=90)


@dataclass(frozen=True)
class Shown:
    """A check as the page shows it: its rule, what the team has, examples that are found and not found, overrides."""

    rule: ReplyRule
    level: str
    found: tuple[str, ...]
    let_be: tuple[str, ...]
    overrides: int


def shown(team: Team | None, language: str) -> list[Shown]:
    """Every check for a team (None: as shipped), with its examples in ``language``."""
    levels = dict(RuleLevel.objects.filter(team=team).values_list("rule", "level")) if team else {}
    since = ReplyOverride.objects.filter(at__gte=clock.now() - COUNTED)
    if team:
        since = since.filter(by__teams=team)
    counts = {row["rule"]: row["n"] for row in since.values("rule").annotate(n=Count("id", distinct=True))}
    return [
        Shown(rule, levels.get(code, rule.level), *_examples(rule, language), counts.get(code, 0))
        for code, rule in reply_rules().items()
    ]


def switch(team: Team, rule: str, level: str, *, by: Actor) -> None:
    """Set how grave a check is for a team; what it is at first takes the row away. Raises Refusal or NotAllowed."""
    roles.check(by, "switch_checks")
    if not teams_of(by).filter(pk=team.pk).exists():
        raise NotAllowed("other_team", _("This belongs to another team, or to all of them."), field="team")
    known = reply_rules().get(rule)
    if known is None or level not in LEVELS:
        raise Refusal("unknown_code", _("This is not in the list."), field="level")
    if level == known.level:
        RuleLevel.objects.filter(team=team, rule=rule).delete()
        return
    RuleLevel.objects.update_or_create(
        team=team, rule=rule, defaults={"level": level, "by_id": by.person, "at": clock.now()}
    )


def _examples(rule: ReplyRule, language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sentences that the check finds, and some that it lets be: of the packs, else those tried with the case."""
    book = pack(language)
    if rule.code.startswith("missing."):
        slot = next(s for s in book.slots if s.id == rule.code.removeprefix("missing."))
        return tuple(slot.raw["miss"][:2]), tuple(slot.raw["hit"][:2])
    of_words = next((r for r in book.rules if r.id == rule.code and "hit" in r.raw), None)
    if of_words is not None:
        return tuple(of_words.raw["hit"][:3]), tuple(of_words.raw["miss"][:2])
    tried = [t for t in rule.tried if t.language == language]
    return tuple(t.text for t in tried if t.finds), tuple(t.text for t in tried if not t.finds)
