"""Finding what looks like one fault: similar cases in a short time, and far more of them than usual.

A job looks every two minutes (``jobs/tasks.py``): nothing of it stands in the way of a report, and one look over the last
hours sees all cases together, where a look at each opening would count the same cohort again and again. (Over 300 lines:
looking, and deciding about what was found.)
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.access import cases_for
from makegood.cases.models import Case, CaseEvent
from makegood.cases.states import OPEN_STATUSES
from makegood.conversations.models import Message
from makegood.desk import cohorts, incidents, notices
from makegood.desk.verb import verb
from makegood.incidents.models import Incident, IncidentCase, SuggestedCase, Suggestion
from makegood.packs import incident_rules, names
from makegood.packs.incident_rules import Alike
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.transactions.models import Order, Payment, Shipment

State = Suggestion.State
#: The newest cases that one look reads; a flood larger than this is found among them all the more.
MOST_READ = 5000
#: Two cohorts that share so much are one: the narrower is suggested.
SAME = 0.8


@dataclass(frozen=True)
class Cohort:
    """Cases of the last hours that share ``common`` by ``rule``."""

    rule: Alike
    common: dict[str, Any]
    cases: tuple[int, ...]

    @property
    def key(self) -> str:
        return f"{self.rule.code}|{json.dumps(self.common, sort_keys=True, ensure_ascii=False)}"


def look() -> list[Suggestion]:
    """Suggest what looks like one fault now, and forget suggestions whose time has passed; returns those that are new."""
    rules, now = incident_rules(), clock.now()
    known = {tuple(sorted(i.items())) for i in _known_common()}
    away, dismissed = _silenced(now)
    seen: list[set[int]] = []
    new = []
    for cohort in _cohorts(now):
        mine = set(cohort.cases)
        told_already = any(len(mine & other) >= SAME * len(mine) for other in [*seen, *away])
        if told_already or cohort.key in dismissed or tuple(sorted(cohort.common.items())) in known:
            continue
        usual = _usual(cohort, now)
        if len(mine) < cohort.rule.times * usual:
            continue
        seen.append(mine)
        if made := _keep(cohort, usual, now):
            new.append(made)
    longest = max(rule.span for rule in rules.rules.values())
    Suggestion.objects.filter(state=State.OPEN, seen_at__lt=now - longest).update(
        state=State.PAST, settled_at=now
    )
    return new


def sentence(suggestion: Suggestion) -> str:
    """Why it is suggested, in one sentence, in the active language."""
    rule = incident_rules().rules.get(suggestion.rule)
    if rule is None:  # a team took the rule away meanwhile
        return f"{suggestion.rule}: {suggestion.n}"
    blanks = {
        "n": str(suggestion.n),
        "hours": number_format(suggestion.hours, 0),
        "usual": number_format(round(suggestion.usual, 1), 1),
        **{key: str(value) for key, value in spoken_common(suggestion.common).items()},
    }
    return str(rule.says) % {key: blanks.get(key, "") for key in ("n", "hours", "usual", *rule.same)}


def spoken_common(common: Mapping[str, Any]) -> dict[str, str]:
    """What is shared, as people say it: the shop by its name, the type in the active language."""
    found = {key: str(value) for key, value in common.items()}
    if "shop" in common:
        found["shop"] = Shop.objects.filter(pk=common["shop"]).values_list("name", flat=True).first() or "—"
    if "type" in common:
        found["type"] = str(names("type").get(common["type"], common["type"]))
    return found


def open_for(actor: Actor) -> list[Suggestion]:
    """The open suggestions whose first case the actor may see, the largest first."""
    found = Suggestion.objects.filter(state=State.OPEN, case__in=cases_for(actor)).select_related(
        "case__shop"
    )
    return list(found.order_by("-n", "id")[:50])


@transaction.atomic
def accept_suggestion(suggestion_id: int, *, by: Actor, words: str = "") -> CaseEvent:
    """It is one fault: an incident is opened with its cases. ``words`` say the fault; else its sentence does.

    Not a verb of its own: it is ``open_incident``, with its right and its event.
    """
    suggestion = _held(suggestion_id, by)
    pks = suggestion.cases.order_by("case").values_list("case", flat=True)[: incidents.AT_ONCE]
    cases = incidents.joinable(Case.objects.filter(pk__in=list(pks)).order_by("id"))
    if not cases:
        raise Refusal("nobody", _("None of these cases is open and free any more."))
    anchor = next((case for case in cases if case.pk == suggestion.case_id), cases[0])
    event = incidents.open_incident(
        anchor, by=by, words=words.strip() or sentence(suggestion), common=suggestion.common, cases=cases
    )
    Suggestion.objects.filter(pk=suggestion.pk).update(
        state=State.ACCEPTED,
        incident_id=event.data["incident"],
        settled_by_id=by.user_id,
        settled_at=clock.now(),
    )
    return event


@verb("lead_incident")
def dismiss_suggestion(suggestion_id: int, *, by: Actor, reason: str) -> CaseEvent:
    """It is no one fault, for this reason: the same cohort is not suggested again for a while."""
    suggestion = _held(suggestion_id, by)
    words, now = clean(reason, limit=1000, field="reason"), clock.now()
    Suggestion.objects.filter(pk=suggestion.pk).update(
        state=State.DISMISSED,
        because=words,
        settled_by_id=by.person,
        settled_at=now,
        silent_until=now + incident_rules().silent,
    )
    case = pen.hold(suggestion.case_id)
    data = {"suggestion": suggestion.pk}
    return pen.write(case, "incident_dismissed", by=by, data=data, touched_at=case.touched_at)


def _held(suggestion_id: int, by: Actor) -> Suggestion:
    found = Suggestion.objects.select_for_update(of=("self",)).filter(
        pk=suggestion_id, case__in=cases_for(by)
    )
    suggestion = found.first() if 0 < suggestion_id < 2**63 else None
    if suggestion is None:
        raise NotThere("no_suggestion", _("There is no such suggestion."))
    if suggestion.state != State.OPEN:
        raise Refusal("settled", _("Somebody has decided about this suggestion already."))
    return suggestion


def _cohorts(now: datetime) -> list[Cohort]:
    """Every cohort that a rule counts enough cases of, in the order of the rules; the larger first."""
    rules = incident_rules().rules.values()
    cases = _recent(now - max(rule.span for rule in rules))
    features = _features(cases)
    found: list[Cohort] = []
    for rule in rules:
        since = now - rule.span
        groups: defaultdict[tuple[Any, ...], list[Case]] = defaultdict(list)
        for case in cases:
            if case.opened_at >= since:
                for values in _combined(rule.same, features[case.pk]):
                    groups[values].append(case)
        # Of so many customers: one who writes five times about one order is no fault of many.
        large = [
            (v, alike) for v, alike in groups.items() if len({c.customer_id for c in alike}) >= rule.at_least
        ]
        for values, alike in sorted(large, key=lambda pair: -len(pair[1])):
            common = dict(zip(rule.same, values, strict=True))
            found.append(Cohort(rule, common, tuple(case.pk for case in alike)))
    return found


def _recent(since: datetime) -> list[Case]:
    """Open cases since then that are in no incident."""
    taken = IncidentCase.objects.filter(standing=True).values("case")
    found = Case.objects.filter(opened_at__gte=since, status__in=OPEN_STATUSES).exclude(pk__in=taken)
    return list(
        found.only("shop_id", "type", "order_id", "customer_id", "opened_at").order_by("-opened_at")[
            :MOST_READ
        ]
    )


def _features(cases: list[Case]) -> dict[int, dict[str, list[Any]]]:
    """Case -> what it could share; a handful of queries for all of them."""
    orders = [case.order_id for case in cases if case.order_id]
    products = {
        pk: cohorts.names_of(lines)
        for pk, lines in Order.objects.filter(pk__in=orders).values_list("pk", "lines")
    }
    carriers = _grouped(
        Shipment.objects.filter(order__in=orders).exclude(carrier="").values_list("order", "carrier")
    )
    methods = _grouped(
        Payment.objects.filter(order__in=orders).exclude(method="").values_list("order", "method")
    )
    words = _words([case.pk for case in cases])
    return {
        case.pk: {
            "shop": [case.shop_id],
            "type": [case.type] if case.type else [],
            "product": products.get(case.order_id or 0, []),
            "carrier": carriers.get(case.order_id or 0, []),
            "method": methods.get(case.order_id or 0, []),
            "words": words.get(case.pk, []),
        }
        for case in cases
    }


def _words(cases: list[int]) -> dict[int, list[str]]:
    """Case -> what its customer repeats of a broken screen, in the first words on it."""
    said = Message.objects.filter(case__in=cases, author="customer").order_by("case", "id").distinct("case")
    return {pk: cohorts.words_of(body[:4000]) for pk, body in said.values_list("case", "body")}


def _grouped(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for pk, value in pairs:
        if value not in found[pk]:
            found[pk].append(value)
    return found


def _combined(same: tuple[str, ...], features: Mapping[str, list[Any]]) -> list[tuple[Any, ...]]:
    """Every combination of one value each; none where one is unknown."""
    rows: list[tuple[Any, ...]] = [()]
    for key in same:
        rows = [(*row, value) for row in rows for value in features[key]]
    return rows


def _usual(cohort: Cohort, now: datetime) -> float:
    """How many such cases come in such a span, over the days before it."""
    before, rule = now - cohort.rule.span, cohort.rule
    days = incident_rules().usual
    n = cohorts.cases(cohort.common, before - days, before).count()
    return n * (rule.span / days)


def _keep(cohort: Cohort, usual: float, now: datetime) -> Suggestion | None:
    """Write the suggestion down, or that it still holds; returns it when it is new. The leads hear of a new one."""
    pks = sorted(cohort.cases)[: incident_rules().most_cases]
    values = {"n": len(cohort.cases), "usual": usual, "seen_at": now}
    suggestion, made = Suggestion.objects.update_or_create(
        key=cohort.key,
        state=State.OPEN,
        defaults=values,
        create_defaults={
            **values,
            "rule": cohort.rule.code,
            "common": cohort.common,
            "case_id": pks[0],
            "hours": cohort.rule.hours,
            "made_at": now,
        },
    )
    SuggestedCase.objects.bulk_create(
        [SuggestedCase(suggestion=suggestion, case_id=pk) for pk in pks], ignore_conflicts=True
    )
    if made:
        case = suggestion.case
        notices.notify(
            case, "incident_suggested", to=notices.leads_serving(case.shop_id), data={"n": suggestion.n}
        )
    return suggestion if made else None


def _known_common() -> list[dict[str, Any]]:
    """What the open incidents share: more of the same is brought in there, not suggested anew."""
    return list(Incident.objects.filter(closed_at__isnull=True).values_list("common", flat=True))


def _silenced(now: datetime) -> tuple[list[set[int]], set[str]]:
    """What a lead dismissed a while ago: the cases of each suggestion, and the keys."""
    silent = Suggestion.objects.filter(state=State.DISMISSED, silent_until__gt=now)
    found: defaultdict[int, set[int]] = defaultdict(set)
    for suggestion, case in SuggestedCase.objects.filter(suggestion__in=silent).values_list(
        "suggestion", "case"
    ):
        found[suggestion].add(case)
    return list(found.values()), set(silent.values_list("key", flat=True))


def forget(older: timedelta = timedelta(days=90)) -> int:
    """Suggestions that nobody decided about, long past, are taken away; how many."""
    old = Suggestion.objects.filter(state=State.PAST, settled_at__lt=clock.now() - older)
    return old.delete()[1].get("makegood.Suggestion", 0)
