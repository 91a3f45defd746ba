"""The history of a case in the reader's language: events hold codes and data, the sentences are made here (law 4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as spoken

from makegood.base.moments import said
from makegood.cases.events import KINDS
from makegood.cases.models import Case, CaseEvent, Ending, Freeze, MaskedValue
from makegood.desk import remedy_words
from makegood.desk.handling import PARTY_NAME, WAITING_FOR
from makegood.desk.reasons import ANSWERS, source_name
from makegood.desk.talking import LETTER_WHY
from makegood.incidents.models import CardField, IncidentAct, RoomMember
from makegood.packs import names, playbooks, policy
from makegood.packs.legal import clocks
from makegood.packs.watching import processes
from makegood.parties.models import Party, PartyAnswer
from makegood.people.actors import PARTY
from makegood.people.models import Team, User
from makegood.promises.models import Promise
from makegood.watch.words import all_names


@dataclass(frozen=True)
class Part:
    """A stretch of a sentence; ``case`` is a case number where the stretch names one, to be drawn as a link."""

    text: str
    case: int | None = None


@dataclass(frozen=True)
class Row:
    """One thing that happened. ``caused`` marks what followed by itself; ``message`` is the message it speaks of."""

    seq: int
    case: int
    kind: str
    at: datetime
    written_at: datetime
    who: str
    parts: tuple[Part, ...]
    why: tuple[str, ...] = ()
    message: int | None = None
    caused: bool = False

    @property
    def sentence(self) -> str:
        return "".join(p.text for p in self.parts)


def of_case(case: Case, *, since: int = 0, last: int = 0) -> list[Row]:
    """The rows of the case after version ``since``, oldest first; with ``last`` only so many, the newest.

    Three queries, however long the history is: events, the users and the teams that they name.
    """
    events = CaseEvent.objects.filter(case=case, seq__gt=since).order_by("-seq")
    rows = list(events[:last] if last else events)[::-1]
    return render(rows, case)


def render(events: Iterable[CaseEvent], case: Case) -> list[Row]:
    """The events as rows, in the active language and zone."""
    events = list(events)
    people: set[Any] = {e.actor_id for e in events} | {
        v for e in events for k, v in e.data.items() if k in _USER_KEYS
    }
    teams = {v for e in events for k, v in e.data.items() if k in _TEAM_KEYS}
    users = dict(User.objects.filter(pk__in=people - {None}).values_list("pk", "name"))
    groups = dict(Team.objects.filter(pk__in=teams - {None}).values_list("pk", "name")) if teams else {}
    outside = {e.data["party"] for e in events if "party" in e.data}
    parties = dict(Party.objects.filter(pk__in=outside).values_list("pk", "name")) if outside else {}
    return [_row(e, case, users, groups, parties) for e in events]


_USER_KEYS, _TEAM_KEYS = ("user", "was_user"), ("team", "was_team")
_GAP = re.compile(r"\s+(?=[.。,，;；:：]|$)")
_MARK = "\ufdd0"  # a code point that no text may hold: where a case number stands in the sentence


def _row(
    event: CaseEvent,
    case: Case,
    users: Mapping[int, str],
    teams: Mapping[int, str],
    parties: Mapping[int, str],
) -> Row:
    data = dict(event.data)
    if "party" in data:
        data["party"] = parties.get(data["party"], spoken("Outside party"))
    kind = KINDS.get(event.kind)
    sentence = str(kind.sentence) % _Said(data, users, teams) if kind else event.kind
    before, mark, after = _GAP.sub("", sentence).partition(_MARK)
    number = data.get("case") if mark else None
    parts = [Part(before)] + ([Part(str(number), number), Part(after)] if number else [])
    return Row(
        seq=event.seq,
        case=case.number,
        kind=event.kind,
        at=event.true_at,
        written_at=event.written_at,
        who=who(event, users, case),
        parts=tuple(p for p in parts if p.text),
        why=tuple(_why(data, case)),
        message=data.get("message"),
        caused=event.cause_id is not None,
    )


def _why(data: Mapping[str, Any], case: Case) -> Iterator[str]:
    """What the sentence does not say itself: the sources of a rise, the item of the playbook, the remedy."""
    yield from (source_name(s) for s in data.get("sources", ()))
    if data.get("item") and case.type in playbooks():
        yield next(
            (str(i.text) for i in playbooks()[case.type].items() if i.code == data["item"]), data["item"]
        )
    if data.get("remedy"):
        yield _say("remedy", data["remedy"], {}, {})


def who(event: CaseEvent, users: Mapping[int, str], case: Case) -> str:
    """Who did it: the person's name, the customer's, or our own for what the system did."""
    if event.actor_role == "customer":
        return str(case.customer) if event.case_id == case.pk else spoken("The customer")
    if event.actor_role == PARTY:
        return spoken("Outside party")
    if event.actor_id is None:
        return "Makegood"
    return users.get(event.actor_id, "—")


class _Said(dict[str, str]):
    """The data of an event as words; a key that the event does not hold is left blank instead of failing the page."""

    def __init__(self, data: Mapping[str, Any], users: Mapping[int, str], teams: Mapping[int, str]) -> None:
        super().__init__()
        self.data, self.users, self.teams = data, users, teams

    def __missing__(self, key: str) -> str:
        value = self.data.get(key)
        if value is None or value == "":
            return ""
        return _say(key, value, self.users, self.teams)


def _say(key: str, value: Any, users: Mapping[int, str], teams: Mapping[int, str]) -> str:
    if key in _VOCABULARIES:
        return str(names(_VOCABULARIES[key]).get(value, value))
    if key in _LEVELS:
        return str(policy().level(value).name) if value in policy().levels else str(value)
    if key in _USER_KEYS:
        return users.get(value, "—")
    if key in _TEAM_KEYS:
        return teams.get(value, "—")
    if key in _MOMENTS:
        return said(datetime.fromisoformat(value))
    if key == "there":
        return remedy_words.there(value)
    if key == "rule":
        return str(clocks().rules[value].name) if value in clocks().rules else str(value)
    if key == "watched":
        return str(all_names(processes()).get(value, value))
    if key == "case":
        return _MARK
    return str(_words(key).get(value, value))


def _words(key: str) -> Mapping[Any, Any]:
    if key == "relation":
        return {
            "child": spoken("a case below it"),
            "parent": spoken("a case above it"),
            "related": spoken("related"),
        }
    known: dict[str, Mapping[Any, Any]] = {
        "answer": ANSWERS,
        "what": dict(Promise.What.choices),
        "held": {"yes": spoken("it held"), "no": spoken("it did not hold")},
        "reached": {True: spoken("reached"), False: spoken("not reached")},
        "waiting_for": {**WAITING_FOR, **PARTY_NAME},
        "why": {
            **LETTER_WHY,
            "untouched": spoken("nobody touched it"),
            "contact": spoken("the customer wrote again without an answer"),
            "bounce": spoken("it goes round between teams"),
            "signal": spoken("a loss or a threat in the customer's words"),
            "promise_near": spoken("a promise is about to break"),
            "promise_broken": spoken("a promise was broken"),
            "statutory": spoken("a date that the law sets is near"),
            "watch": spoken("the watch over transactions found it"),
        },
        "withheld": {
            "leads_full": spoken("every lead on duty leads as many as the rules allow"),
            "nobody": spoken("nobody is there who could lead one"),
            "incident_room": spoken("the one of its incident is open"),
            "incident": spoken("its incident has none yet, and a lead was asked for one"),
        },
        "said": dict(PartyAnswer.Answer.choices),
        "frozen": dict(Freeze.What.choices),
        "masked_as": dict(MaskedValue.Kind.choices),
        "secure": {True: spoken("it is secure"), False: spoken("it is not secure")},
        "ended_as": dict(Ending.Kind.choices),
        "action": remedy_words.ACTIONS,
        "refused": remedy_words.CODES,
        "unknown": remedy_words.CODES,
        "field": dict(CardField.Field.choices),
        "role": dict(RoomMember.Role.choices),
        "act_kind": dict(IncidentAct.Kind.choices),
    }
    return known.get(key, {})


_VOCABULARIES = {"type": "type", "responsibility": "responsibility", "proof": "proof", "remedy": "remedy"}
_MOMENTS = ("until", "word_by", "was_until", "trigger_at", "was_trigger_at")
_LEVELS = ("from_level", "to_level", "level")
