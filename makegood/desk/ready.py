"""Ready-made replies: which there are for a case, filled for it, and kept by a lead. Not verbs: they write no case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal
from makegood.base.languages import CODES, EN, closest, speaking
from makegood.base.moments import said
from makegood.base.words import clean, clean_line
from makegood.cases.models import Case
from makegood.conversations.models import CannedReply
from makegood.packs import policy, shipped_replies
from makegood.packs.replying import SHORT
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Role, Team
from makegood.text import canned

LONGEST = 5_000
#: A time in words is a round one: nobody promises 14:07.
ROUND = timedelta(minutes=5)


@dataclass(frozen=True)
class Ready:
    """A ready-made reply: names and texts by language code; ``kept`` is the team's own row, None for a shipped one."""

    code: str
    names: Mapping[str, str]
    texts: Mapping[str, str]
    kept: CannedReply | None = None

    def name(self, language: str) -> str:
        return _best(self.names, language)[1] or self.code


@dataclass(frozen=True)
class Filled:
    """A ready-made reply for one case. ``language`` is that of the text, which may not be the one that was asked for."""

    text: str
    language: str
    asked: str
    next_word_at: datetime


def for_team(team_id: int | None) -> list[Ready]:
    """What a team may use, by name: its own before those of all teams, those before the shipped ones."""
    found = {
        code: Ready(code, _by_code(reply.name), _by_code(reply.text))
        for code, reply in shipped_replies().items()
    }
    rows = CannedReply.objects.filter(Q(team=None) | Q(team_id=team_id)).select_related("team")
    for row in sorted(rows, key=lambda row: row.team_id is not None):
        found[row.code] = Ready(row.code, row.names, row.texts, row)
    return [one for one in found.values() if not (one.kept and one.kept.off)]


def filled(case: Case, code: str, *, by: Actor, team_id: int | None) -> Filled:
    """The reply ``code`` for this case, in the customer's language, else in English, else in any. Raises NotThere.

    The next word is the one of the policy, on a round minute: the form must give the same one.
    """
    ready = next((one for one in for_team(team_id) if one.code == code), None)
    if ready is None:
        raise NotThere("no_reply", _("There is no such ready-made reply."), field="snippet")
    language, text = _best(ready.texts, case.language)
    at = _round(clock.now() + policy().level(case.urgency).next_word)
    with speaking(language):
        next_word = said(at)
    values = {
        "customer": case.customer.name,
        "order": case.order_number or (case.order.number if case.order else ""),
        "number": str(case.number),
        "shop": case.shop.name,
        "agent": by.name,
        "next_word": next_word,
    }
    return Filled(canned.fill(text, values), language, case.language, at)


def kept(by: Actor) -> QuerySet[CannedReply]:
    """The rows that this person may change: those of their teams, and of all where they are a manager."""
    every = CannedReply.objects.select_related("team", "by").order_by("code", "team_id")
    return every if by.role in (Role.MANAGER, Role.ADMIN) else every.filter(team__in=teams_of(by))


def teams_of(by: Actor) -> QuerySet[Team]:
    """The teams that this person leads: a lead's own, a manager's all. For reading whose switches and replies are theirs."""
    teams = Team.objects.order_by("tier", "name")
    if by.role in (Role.MANAGER, Role.ADMIN):
        return teams
    return teams.filter(Q(lead=by.user_id) | Q(members=by.user_id)).distinct()


def save(
    row: CannedReply | None,
    *,
    by: Actor,
    team: Team | None,
    code: str,
    names: Mapping[str, str],
    texts: Mapping[str, str],
    off: bool = False,
) -> CannedReply:
    """Keep a ready-made reply of a team (None: of all, by managers). Raises Refusal with the field, NotAllowed."""
    roles.check(by, "keep_replies")
    _refuse_others_team(team, by)
    if row is not None:
        _refuse_others_team(row.team, by)
    code = clean_line(code, limit=40, field="code").lower().removeprefix("/")
    if not SHORT.fullmatch(code):
        raise Refusal("bad_code", _("One word: letters, digits and hyphens."), field="code")
    found = {
        language: clean(texts.get(language, ""), limit=LONGEST, field=f"text_{language}", required=False)
        for language in CODES
    }
    for language, text in found.items():
        refuse_wrong(text, f"text_{language}")
    if not off and not any(found.values()):
        raise Refusal("empty", _("Write it in one language at least."), field=f"text_{closest(None)}")
    with transaction.atomic():
        if CannedReply.objects.filter(team=team, code=code).exclude(pk=row.pk if row else 0).exists():
            raise Refusal("taken", _("This short code is taken."), field="code")
        row = row or CannedReply(by_id=by.person)
        row.team, row.code, row.off, row.by_id, row.at = team, code, off, by.person, clock.now()
        row.names = {
            c: clean_line(names.get(c, ""), limit=80, field=f"name_{c}", required=False) for c in CODES
        }
        row.texts = found
        row.save()
    return row


def remove(row: CannedReply, *, by: Actor) -> None:
    """Take a team's own reply away; a shipped one of its code is there again."""
    roles.check(by, "keep_replies")
    _refuse_others_team(row.team, by)
    row.delete()


def refuse_wrong(text: str, field: str) -> None:
    """Raise Refusal beside ``field`` at the first blank that nothing can fill, with its place."""
    for wrong in canned.wrong(text)[:1]:
        raise Refusal(
            "unknown_blank",
            _("Line %(line)s, column %(column)s: nothing fills %(words)s. There are: %(names)s.")
            % {
                "line": wrong.line,
                "column": wrong.column,
                "words": wrong.words[:60],
                "names": ", ".join(f"{{{{{name}}}}}" for name in canned.NAMES),
            },
            field=field,
        )


def _refuse_others_team(team: Team | None, by: Actor) -> None:
    if by.role in (Role.MANAGER, Role.ADMIN):
        return
    if team is None or not teams_of(by).filter(pk=team.pk).exists():
        raise NotAllowed("other_team", _("This belongs to another team, or to all of them."), field="team")


def _by_code(text: object) -> dict[str, str]:
    return {code: text.into(code) for code in CODES}  # type: ignore[attr-defined]


def _best(texts: Mapping[str, str], language: str) -> tuple[str, str]:
    """(language, text): the asked one, else English, else any that there is."""
    for code in (closest(language), EN, *CODES):
        if texts.get(code):
            return code, texts[code]
    return closest(language), ""


def _round(moment: datetime) -> datetime:
    over = timedelta(minutes=moment.minute % 5, seconds=moment.second, microseconds=moment.microsecond)
    return moment - over + (ROUND if over else timedelta())
