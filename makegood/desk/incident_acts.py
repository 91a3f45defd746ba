"""Acts on all cases of an incident: one row with the words, and a step for each case that the sweep carries out.

What needs a person's judgement is decided here, at once: rights, languages, the checks of a reply, whether another act
still runs. Nothing here holds 20,000 cases: the steps are inserted by one statement and done in small batches
(``incident_steps.py``), each exactly once.

Over 300 lines: one mechanism, with a verb for each kind of act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, F, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.base.languages import CODES, LANGUAGES
from makegood.base.words import clean, clean_line
from makegood.cases import pen
from makegood.cases.access import shops_for
from makegood.cases.models import Case, CaseEvent, Fix
from makegood.cases.states import OPEN_STATUSES, Status
from makegood.desk import checking, cohorts, incidents
from makegood.desk.verb import verb
from makegood.incidents.models import ActStep, Incident, IncidentAct, IncidentCase
from makegood.incidents.progress import SPEAKS, Spread
from makegood.packs import incident_rules, reply_rules, sources, taxonomy
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.promises.ledger import LONGEST
from makegood.text import checks
from makegood.transactions.models import Order

Kind = IncidentAct.Kind
MOST_CHARACTERS = 5000
#: act -> the statuses that its cases stand in. Who was told that it is mended hears no word on how it goes.
WHOSE: dict[str, tuple[str, ...]] = {
    Kind.WORD: tuple(s for s in OPEN_STATUSES if s != Status.TOLD),
    Kind.MENDED: (Status.VERIFIED,),
    Kind.FIX: (Status.REPORTED, Status.TRIAGED, Status.WORKING, Status.WAITING),
    Kind.VERIFY: (Status.FIXED,),
}


def cases_of(incident: Incident, kind: str) -> QuerySet[Case]:
    """The cases of the incident on which such an act has something to do."""
    mine = incidents.members(incident).values("case")
    return Case.objects.filter(pk__in=mine, status__in=WHOSE[kind])


def languages_of(found: QuerySet[Case]) -> dict[str, int]:
    """How many customers need which language; one statement."""
    rows = found.order_by().values("language").annotate(n=Count("id")).values_list("language", "n")
    counts = dict(rows)
    return {code: counts[code] for code in CODES if code in counts}


def standing(rows: Iterable[Spread]) -> tuple[int, dict[str, dict[str, int]]]:
    """How urgent the open cases are (0: none is), and for each kind of act how many customers need which language."""
    found: dict[str, dict[str, int]] = {kind: dict.fromkeys(CODES, 0) for kind in WHOSE}
    level = 0
    for row in rows:
        level = max(level, row.level if row.status in OPEN_STATUSES else 0)
        for kind in (kind for kind, statuses in WHOSE.items() if row.status in statuses):
            found[kind][row.language] += row.n
    return level, {kind: {code: n for code, n in counts.items() if n} for kind, counts in found.items()}


@verb("lead_incident")
def tell_incident(
    incident: Incident,
    *,
    by: Actor,
    texts: Mapping[str, str],
    next_word_at: datetime | None = None,
    reason: str = "",
) -> CaseEvent:
    """Tell all customers how it goes, each in their own language, with their own next word: by ``next_word_at``, or else by
    the rule of their case's level. It is a reply on each case, not the telling that asks for their confirmation.

    Refused with the count when a language is missing; ``reason`` is why it goes out although a check wants one.
    """
    return _speak(incident, Kind.WORD, by, texts, next_word_at, reason)


@verb("lead_incident")
def tell_mended(
    incident: Incident,
    *,
    by: Actor,
    texts: Mapping[str, str],
    next_word_at: datetime | None = None,
    reason: str = "",
) -> CaseEvent:
    """Tell every customer whose case is verified that it is mended, and ask each of them whether it is made good."""
    return _speak(incident, Kind.MENDED, by, texts, next_word_at, reason)


@verb("lead_incident")
def fix_incident(incident: Incident, *, by: Actor, done: str, cause: str, remedy: str = "") -> CaseEvent:
    """Record what mended the fault, on every case that is not fixed yet. Who records it owns those that nobody owned."""
    if remedy and remedy not in taxonomy().remedies:
        raise Refusal("unknown_code", _("This is not in the list."), field="remedy")
    details = {
        "done": clean(done, limit=MOST_CHARACTERS, field="done"),
        "cause": clean(cause, limit=MOST_CHARACTERS, field="cause"),
        "remedy": remedy,
    }
    return _begin(incident, Kind.FIX, by, details=details)


@verb("verify_incident")
def verify_incident(
    incident: Incident, *, by: Actor, proof: str, what_was_seen: str, reference: str = ""
) -> CaseEvent:
    """Verify the fix on every case that waits for it: by somebody else than who fixed it, or by the record that proves it."""
    if proof not in sources().proofs:
        raise Refusal("unknown_proof", _("Say what kind of proof it is."), field="proof")
    reference = clean_line(reference, limit=200, field="reference", required=False)
    own = Fix.objects.filter(case__in=cases_of(incident, Kind.VERIFY), round=F("case__round"), by=by.person)
    if not reference and own.exists():
        raise Refusal(
            "fixer_alone",
            _("You fixed it: name the record that proves it, or let somebody else verify."),
            field="reference",
        )
    seen = clean(what_was_seen, limit=MOST_CHARACTERS, field="what_was_seen")
    return _begin(
        incident, Kind.VERIFY, by, details={"proof": proof, "reference": reference, "what_was_seen": seen}
    )


@verb("lead_incident")
def bring_in(incident: Incident, *, by: Actor) -> CaseEvent:
    """Bring in all open cases that share what the incident's cases share and stand in no other."""
    return _begin(incident, Kind.JOIN, by, found=alike(incident))


@verb("lead_incident")
def open_for_affected(
    incident: Incident,
    *,
    by: Actor,
    texts: Mapping[str, str],
    since: datetime | None,
    until: datetime | None,
    without: Iterable[int] = (),
) -> CaseEvent:
    """Open a case for every order of that time that shares what is common and has none: noticed by us, before they complain.

    ``texts`` is what we noticed, in the language of each customer. They are told by the next word to all. ``without``: ids of
    orders that the lead left out; they are kept with the act.
    """
    since, until = span(since, until)
    left = sorted(set(without))
    found = affected(incident, since, until, without=left)
    counts = dict(
        found.order_by()
        .values("customer__language")
        .annotate(n=Count("id"))
        .values_list("customer__language", "n")
    )
    total, most = sum(counts.values()), incident_rules().most_affected
    if total > most:
        raise Refusal(
            "too_many",
            _("%(n)s orders: at most %(most)s at once. Choose a shorter time.") % {"n": total, "most": most},
            field="until",
        )
    words = _words(texts, counts)
    details: dict[str, Any] = {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "type": _type_of(incident),
    }
    if left:
        details["left_out"] = left
    return _begin(incident, Kind.OPEN, by, orders=found, texts=words, details=details)


def alike(incident: Incident) -> QuerySet[Case]:
    """Open cases that share what is common and are in no incident; from a day before the incident on."""
    taken = IncidentCase.objects.filter(standing=True).values("case")
    since = _first(incident)
    return cohorts.cases(incident.common, since).filter(status__in=OPEN_STATUSES).exclude(pk__in=taken)


def affected(
    incident: Incident, since: datetime, until: datetime, *, without: Collection[int] = ()
) -> QuerySet[Order]:
    """Orders that the fault probably struck, on which nobody has a case, but ``without`` these."""
    found = cohorts.orders(incident.common, since, until)
    return found.exclude(pk__in=without) if without else found


def span(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """The time that is asked for; raises Refusal beside its end when it is none."""
    if since is None:
        raise Refusal("empty", _("This must not be empty."), field="since")
    until = min(until or clock.now(), clock.now())
    if since >= until:
        raise Refusal("bad_time", _("The time must begin before it ends."), field="until")
    return since, until


def _first(incident: Incident) -> datetime:
    first = (
        incidents.members(incident)
        .order_by("case__opened_at")
        .values_list("case__opened_at", flat=True)
        .first()
    )
    return min(first or incident.opened_at, incident.opened_at) - timedelta(days=1)


def _type_of(incident: Incident) -> str:
    return incident.type or incidents.standing_anchor(incident).type


def _speak(
    incident: Incident,
    kind: str,
    by: Actor,
    texts: Mapping[str, str],
    next_word_at: datetime | None,
    reason: str,
) -> CaseEvent:
    anchor, incident = incidents.hold(incident)
    incidents.refuse_running(incident)
    now = clock.now()
    if next_word_at is not None and not now < next_word_at <= now + LONGEST:
        raise Refusal(
            "bad_time", _("The time must be ahead of now, and within 60 days."), field="next_word_at"
        )
    words = _words(texts, languages_of(cases_of(incident, kind)))
    last = IncidentAct.objects.filter(incident=incident, kind__in=SPEAKS).order_by("-id").first()
    if (
        last is not None
        and last.kind == kind
        and all(last.texts.get(code) == text for code, text in words.items())
    ):
        raise Refusal(
            "told_already", _("These words were told to all already."), field=f"text_{next(iter(words))}"
        )
    verb_ = "tell" if kind == Kind.MENDED else "reply"
    reason = clean(reason, limit=1000, field="reason", required=False)
    grave = {
        code: _checked(anchor, text, code, by, verb_, next_word_at, reason) for code, text in words.items()
    }
    details = {"justified": grave, "reason": reason}
    return _begin(incident, kind, by, texts=words, next_word_at=next_word_at, details=details)


def _words(texts: Mapping[str, str], needed: Mapping[str, int]) -> dict[str, str]:
    """The words in every language that somebody needs; raises Refusal beside the first that is missing, with the count."""
    names, found = dict(LANGUAGES), {}
    if not needed:
        raise Refusal("nobody", _("There is nobody to be told at the moment."))
    for code, n in needed.items():
        field = f"text_{code}"
        text = clean(texts.get(code) or "", limit=MOST_CHARACTERS, field=field, required=False)
        if not text:
            raise Refusal(
                "missing_language",
                _("%(n)s customers read %(language)s: write it in that language too.")
                % {"n": n, "language": names[code]},
                field=field,
            )
        found[code] = text
    return found


def _checked(
    anchor: Case,
    text: str,
    language: str,
    by: Actor,
    verb_: str,
    next_word_at: datetime | None,
    reason: str,
) -> list[str]:
    """The checks of a reply, once a language: one word for all names nobody and promises no time beside the next word's.

    Returns the rules that it passes with a reason; raises Refusal beside its words where there is none.
    """
    levels, rules = checking.levels_of(checking.team_of(anchor, by)), reply_rules()
    outcome = verb_ == "tell"
    facts = checks.Facts(language=language, verified=outcome, approved=outcome)
    found = checks.check(text, language, "resolve" if outcome else "update", facts)
    grave = {one.rule for one in found if levels.get(one.rule) == "justify"}
    if levels[checking.UNHEARD] == "justify":
        offers = checking.offers(anchor, text, by=by, language=language)
        grave |= {checking.UNHEARD for o in offers if not checking.heard(o, next_word_at, (), ())}
    if grave and not reason:
        titles = "; ".join(str(rules[rule].title) for rule in sorted(grave))
        raise Refusal(
            sorted(grave)[0],
            _("Before this is sent, give a reason for: %(what)s.") % {"what": titles},
            field=f"text_{language}",
        )
    return sorted(grave)


def _begin(
    incident: Incident,
    kind: str,
    by: Actor,
    *,
    found: QuerySet[Case] | None = None,
    orders: QuerySet[Order] | None = None,
    texts: Mapping[str, str] | None = None,
    next_word_at: datetime | None = None,
    details: Mapping[str, Any] | None = None,
) -> CaseEvent:
    """The act as a row, its steps by one statement, and the event on the anchor."""
    anchor, incident = incidents.hold(incident)
    incidents.refuse_running(incident)
    act = IncidentAct.objects.create(
        incident=incident,
        kind=kind,
        by_id=by.person,
        at=clock.now(),
        texts=dict(texts or {}),
        next_word_at=next_word_at,
        details=dict(details or {}),
    )
    if orders is None:
        which = cases_of(incident, kind) if found is None else found
        refuse_strange(which.order_by().values_list("shop_id", flat=True), by)
        n = _steps(act, "case_id", which)
    else:
        refuse_strange(orders.order_by().values_list("shop_id", flat=True), by)
        n = _steps(act, "order_id", orders)
    if not n:
        raise Refusal("nobody", _("There is no case for this at the moment."))
    data = {"incident": incident.pk, "act": act.pk, "act_kind": str(kind), "n": n}
    return pen.write(anchor, "incident_acted", by=by, data=data)


def refuse_strange(shops: QuerySet[Any, int], by: Actor) -> None:
    """Whoever acts on all cases must serve all their shops."""
    mine = shops_for(by)
    if mine is None:
        return
    strange = set(shops.distinct()) - set(mine)
    if strange:
        names = ", ".join(
            Shop.objects.filter(pk__in=strange).order_by("name").values_list("name", flat=True)[:5]
        )
        raise NotAllowed(
            "strange_shops",
            _("Cases of shops that you do not serve are among them: %(names)s.") % {"names": names},
        )


def _steps(act: IncidentAct, column: str, which: QuerySet[Any]) -> int:
    """A waiting step for each row of ``which``, in the order of their ids; how many. Django has no INSERT … SELECT."""
    rows = (
        which.order_by("pk")
        .annotate(act_=Value(act.pk), at_=Value(clock.now()))
        .values_list("act_", "pk", "at_")
    )
    select, values = rows.query.sql_with_params()
    table = ActStep._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (act_id, {column}, look_at, state, why, set_back, trouble) "
            f"SELECT q.a, q.b, q.c, 'waiting', '', 0, '' FROM ({select}) AS q(a, b, c)",
            values,
        )
        return cursor.rowcount
