"""What the templates of the case sheet are given: the sheet that was read, and the forms that fit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from makegood.base import clock
from makegood.cases import links
from makegood.cases.models import Case, CaseEvent, CaseLink, Fact
from makegood.desk import helping, owed, promising
from makegood.desk.handling import WAITING_FOR, waits_for
from makegood.desk.sheet import Sheet
from makegood.desk.sheet_work import Line, Section
from makegood.desk.timeline import Row
from makegood.insight import travel
from makegood.packs.remedying import remedy_policy
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.promises.models import Promise
from makegood.web import promise_line
from makegood.web.case_forms import VerbForm
from makegood.web.case_verbs import GROUPS, VERBS, Verb, next_verb

#: inline verb -> the field that says which row its form is for.
_ROWS = {
    "strike_fact": "fact",
    "tick": "item",
    "unlink": "other",
    "start_clock": "rule",
    "correct_clock": "promise",
    "meet_clock": "promise",
    "keep_promise": "promise",
    "withdraw_promise": "promise",
    "send_again": "delivery",
    "carry_out": "remedy",
    "withdraw_remedy": "remedy",
    "approve_remedy": "remedy",
    "refuse_approval": "remedy",
    "settle_by_hand": "step",
    "chase_party": "ask",
    "withdraw_party_ask": "ask",
    "frozen": "freeze",
    "release": "freeze",
    "reveal": "masked",
}


@dataclass(frozen=True)
class Offer:
    """A verb with its form; ``open`` when it came back with a reason."""

    verb: Verb
    form: VerbForm
    open: bool
    main: bool


@dataclass(frozen=True)
class Group:
    """Verbs that belong together."""

    name: Any
    offers: list[Offer]
    open: bool


def drawn(
    sheet: Sheet,
    by: Actor,
    *,
    tried: VerbForm | None = None,
    changed: list[Row] | None = None,
    said: Row | None = None,
    link: Any = None,
) -> dict[str, Any]:
    """The context of ``cases/_sheet.html``. ``tried`` is the form that was refused: it is drawn as it was filled in."""
    main = next_verb(sheet, by)
    offers = [
        offer(sheet, by, verb, tried, main)
        for verb in VERBS.values()
        if verb.group != "inline" and (verb.offered(sheet, by) or (tried and tried.verb == verb.name))
    ]
    named = {o.verb.name: o for o in offers}
    beside = {"ask": "record_confirmation", "verify": "find_wanting", "tell": "find_wanting"}.get(main, "")
    if tried:
        tried.case = sheet.case
    return {
        "sheet": sheet,
        "case": sheet.case,
        "tried": tried,
        "changed": changed or [],
        "said": said,
        "offers": named,
        "main": named.get(main),
        "beside": named.get(beside),
        "groups": groups(offers, {main, beside}),
        "facts": facts(sheet, by, tried),
        "promises": promises(sheet, by, tried),
        "promise_line": promise_line.of(sheet.promises + sheet.past_promises, clock.now()),
        "checklist": checklist(sheet, by, tried),
        "asks": [
            (
                owed.owing(ask),
                *_small(("chase_party", "withdraw_party_ask"), sheet, by, tried, ask.pk, ask.is_open),
            )
            for ask in sheet.asks
        ],
        "freezes": [
            (
                row,
                *_small(("frozen",), sheet, by, tried, row.pk, row.state == "asked"),
                *_small(("release",), sheet, by, tried, row.pk, row.state == "frozen"),
            )
            for row in sheet.freezes
        ],
        "masked": [
            (row, *_small(("reveal",), sheet, by, tried, row.pk, row.erased_at is None))
            for row in sheet.masked
        ],
        "again": {
            said.letter.pk: form_for("send_again", sheet, by, tried, str(said.letter.pk))
            for said in sheet.conversation
            if said.letter and said.not_arrived and roles.may(by, "send_again")
        },
        "unlinks": {c.pk: form_for("unlink", sheet, by, tried, str(c.number)) for c in sheet.around.linked},
        "may_unlink": roles.may(by, "unlink"),
        "tried_inline": tried if tried and VERBS[tried.verb].group == "inline" else None,
        "remedies": remedies(sheet, by, tried),
        "address": address_of(sheet, by, link),
        "version": sheet.case.version,
        "waiting_for": _waits_for(sheet),
        "policy_read_by": remedy_policy().read_by,
        "mine": sheet.case.owner_id == by.user_id,
        **helper(sheet.case, by, sheet.draft),
        "legs": travel.of_case(sheet.case)
        if sum(row.kind in travel.GIVES for row in sheet.timeline) > 1
        else [],
    }


def _small(
    verbs: tuple[str, ...], sheet: Sheet, by: Actor, tried: VerbForm | None, row: int, may: bool
) -> list[VerbForm | None]:
    """The small forms of one row, None where this person or this row has none."""
    return [
        form_for(verb, sheet, by, tried, str(row)) if may and VERBS[verb].offered(sheet, by) else None
        for verb in verbs
    ]


def helper(case: Case, by: Actor, draft: str) -> dict[str, Any]:
    """What ``cases/_helper.html`` is given; nothing, and no query, while the helper is off."""
    shown = helping.seen(case, by.person) if roles.may(by, "ask_helper") else []
    return {
        "helper": shown,
        "helper_waits": any(s.waiting for s in shown),
        "machine_draft": helping.still_machine(shown, draft),
    }


def offer(sheet: Sheet, by: Actor, verb: Verb, tried: VerbForm | None, main: str) -> Offer:
    """The verb with its form: the one that was refused, or a new one with the draft and the choices of the case."""
    if tried and tried.verb == verb.name:
        return Offer(verb, tried, True, verb.name == main)
    initial: dict[str, Any] = {}
    if verb.name in ("reply", "tell"):
        initial["text"] = sheet.draft
    if verb.name == "triage" and sheet.suggested and sheet.suggested.choices:
        best = sheet.suggested.choices[0].type
        chosen = sheet.suggested.reported_as or (best if sheet.suggested.sure else "")
        initial = {"suggested": best, **({"type": chosen} if chosen else {})}
    if verb.group == "remedy":
        initial["menu"] = sheet.remedies.menu
    if verb.name == "wait":
        initial["asks"] = [ask for ask in sheet.asks if ask.is_open and ask.case_id == sheet.case.pk]
    form = verb.form(initial=initial, case=sheet.case, by=by, verb=verb.name)
    if verb.name == "reply" and not any(p.what == "decision" and p.to == "customer" for p in sheet.promises):
        del form.fields["decides"]  # nothing to tell
    return Offer(verb, form, False, verb.name == main)


def groups(offers: list[Offer], shown: set[str]) -> list[Group]:
    """The verbs by group; talking stands below the conversation, and what is next (``shown``) above it."""
    found = []
    for code, name in GROUPS.items():
        mine = [
            o
            for o in offers
            if o.verb.group == code and code not in ("talk", "offer") and o.verb.name not in shown
        ]
        if mine:
            found.append(Group(name, mine, any(o.open for o in mine)))
    return found


def promises(
    sheet: Sheet, by: Actor, tried: VerbForm | None
) -> list[tuple[Promise, VerbForm | None, VerbForm | None]]:
    """Each open promise, the form that keeps it by words of proof, and the one that withdraws it, where that may be."""

    def form(promise: Promise, verb: str, may: bool) -> VerbForm | None:
        offered = may and VERBS[verb].offered(sheet, by)
        return form_for(verb, sheet, by, tried, str(promise.pk)) if offered else None

    return [
        (p, form(p, "keep_promise", promising.by_proof(p)), form(p, "withdraw_promise", promising.may_go(p)))
        for p in sheet.promises
    ]


def remedies(sheet: Sheet, by: Actor, tried: VerbForm | None) -> list[dict[str, Any]]:
    """Each remedy with the small forms that this person may use on it now."""
    found = []
    for seen in sheet.remedies.rows:
        pk = str(seen.remedy.pk)
        may = {
            "carry_out": seen.may_carry,
            "approve_remedy": seen.may_approve,
            "refuse_approval": seen.may_approve,
            "withdraw_remedy": seen.may_withdraw,
        }
        forms = {verb: form_for(verb, sheet, by, tried, pk) for verb, yes in may.items() if yes}
        steps = [
            (s, form_for("settle_by_hand", sheet, by, tried, str(s.step.pk)) if s.may_say else None)
            for s in seen.steps
        ]
        found.append({"seen": seen, "forms": forms, "steps": steps})
    return found


def form_for(
    verb: str, sheet: Sheet, by: Actor, tried: VerbForm | None, value: str, **initial: Any
) -> VerbForm:
    """The small form of an inline verb for one row; the refused one where it is this row's."""
    key = _ROWS[verb]
    if tried and tried.verb == verb and str(tried.data.get(key)) == value:
        return tried
    return VERBS[verb].form(
        initial={key: value, **initial}, case=sheet.case, by=by, verb=verb, mark=f"_{value}".replace(".", "_")
    )


def facts(sheet: Sheet, by: Actor, tried: VerbForm | None) -> list[tuple[Fact, VerbForm | None]]:
    """Each fact, and the form that strikes it while it stands on this very case."""
    may = roles.may(by, "strike_fact")
    return [
        (
            fact,
            form_for("strike_fact", sheet, by, tried, str(fact.pk))
            if may and not fact.struck_at and fact.case_id == sheet.case.pk
            else None,
        )
        for fact in sheet.facts
    ]


def checklist(
    sheet: Sheet, by: Actor, tried: VerbForm | None
) -> list[tuple[Section, list[tuple[Line, VerbForm]]]]:
    """Each section of the playbook with the form of each line."""
    return [
        (s, [(line, form_for("tick", sheet, by, tried, line.item.code)) for line in s.lines])
        for s in sheet.checklist
    ]


def address_of(sheet: Sheet, by: Actor, link: Any) -> str:
    """The customer's address of a link that this person has just made; nobody else's, and no revoked one."""
    if not str(link or "").isdecimal() or len(str(link)) > 15:
        return ""
    made = CaseEvent.objects.filter(
        case=sheet.case, kind="link_shared", actor_id=by.user_id, data__link=int(link)
    )
    found = CaseLink.objects.filter(case=sheet.case, pk=int(link), revoked_at__isnull=True).first()
    return links.address(found) if found and made.exists() else ""


def _waits_for(sheet: Sheet) -> str:
    """Whom the case waits for in words; of an outside party's task also what is asked and by when."""
    code = sheet.case.waiting_for
    task = next((ask for ask in sheet.asks if f"ask-{ask.pk}" == code), None)
    return waits_for(task) if task else str(WAITING_FOR.get(code, code))
