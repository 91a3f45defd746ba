"""The pen: the only writer of a case's state, version and events (law). Everything else asks a desk verb.

A verb holds the case (row lock), compares the version that its form was drawn from, and writes once: evidence, named
fields, version and event go together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from makegood.base import clock, rows
from makegood.base.errors import NotThere, Refusal, Stale
from makegood.cases import events, urgency
from makegood.cases.models import Case, CaseEvent, UrgencyEvidence, UrgencyLowering
from makegood.cases.models.case import number_of
from makegood.cases.states import Status, may_move
from makegood.people.actors import Actor

#: Fields that a verb may change; number, shop and the first clock are not among them.
WRITABLE = frozenset(
    [
        "status",
        "round",
        "ended_as",
        "ended_at",
        "kind",
        "type",
        "second_type",
        "responsibility",
        "asked_remedy",
        "money_lost",
        "currency",
        "orders_blocked",
        "campaign_at_risk",
        "owner_id",
        "team_id",
        "waiting_for",
        "parent_id",
        "due_at",
        "snoozed_until",
        "touched_at",
        "customer_wrote_at",
        "customer_id",  # of a case opened for somebody unknown, once the shop names them
        "order_id",
        "order_number",
        "subject",
        "language",
    ]
)


def hold(case_id: int, *, seen: int | None = None) -> Case:
    """Lock the case for this transaction. ``seen`` is the version that the form was drawn from; None never collides.

    Raises Stale when the case moved on since, NotThere when there is none. Must be called inside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("the pen writes inside a transaction only")
    case = Case.objects.select_for_update(of=("self",)).filter(pk=case_id).first()
    if case is None:
        raise NotThere("no_case", _("There is no such case."))
    if seen is not None and seen != case.version and not _quiet_since(case, seen):
        raise Stale(_("Somebody else worked on this case meanwhile."), seen=seen, now_at=case.version)
    return case


def _quiet_since(case: Case, seen: int) -> bool:
    """Whether nothing but what the house did by itself (``events.py``: quiet) happened after version ``seen``."""
    if seen > case.version:
        return False
    quiet = [kind.code for kind in events.KINDS.values() if kind.quiet]
    return not CaseEvent.objects.filter(case=case, seq__gt=seen).exclude(kind__in=quiet).exists()


def write(
    case: Case,
    kind: str,
    /,
    *,
    by: Actor,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
    cause: CaseEvent | None = None,
    evidence: Iterable[urgency.Evidence] = (),
    evidence_message: int | None = None,
    lowering: UrgencyLowering | None = None,
    **changes: Any,
) -> CaseEvent:
    """Write one event and what it changes. ``case`` must come from :func:`hold` (or :func:`begin`) in this transaction.

    ``at`` is when it became true (now by default). ``evidence`` can only raise urgency and floor; ``lowering`` alone
    can lower them. Raises Refusal for a move that the table of statuses does not know.
    """
    if unknown := changes.keys() - WRITABLE:
        raise RuntimeError(f"not the pen's to write: {sorted(unknown)}")
    if not may_move(case.status, changes.get("status", case.status)):
        raise Refusal("no_such_move", _("The case is not at a point where this can be done."))
    moment = clock.now()
    seq = case.version + 1
    checked = events.checked(kind, data or {})
    evidence = list(evidence)
    if evidence:
        changes["urgency"], changes["urgency_floor"] = urgency.raised(
            case.urgency, case.urgency_floor, evidence
        )
        _store_evidence(case.pk, seq, evidence, evidence_message, by, moment)
    if lowering is not None:
        lowering.case_id, lowering.seq = case.pk, seq
        lowering.save(force_insert=True)
        changes["urgency"] = changes["urgency_floor"] = lowering.to_level
    if by.is_staff and "touched_at" not in changes:
        changes["touched_at"] = moment
    rows.change(Case, case.pk, version=seq, **changes)
    for name, value in changes.items():
        setattr(case, name, value)
    case.version = seq
    return _store_event(case, seq, kind, by, checked, at or moment, moment, cause)


def hold_all(case_ids: Iterable[int]) -> list[Case]:
    """:func:`hold` for many, always in the order of their ids, so that two who hold many never wait for each other for ever."""
    if not connection.in_atomic_block:
        raise RuntimeError("the pen writes inside a transaction only")
    held = Case.objects.select_for_update(of=("self",)).select_related("customer", "shop")
    return list(held.filter(pk__in=list(case_ids)).order_by("pk"))


def write_all(
    cases: Sequence[Case],
    kind: str,
    /,
    *,
    by: Actor,
    data: Mapping[int, dict[str, Any]],
    changes: Mapping[int, dict[str, Any]],
    evidence: Mapping[int, list[urgency.Evidence]] | None = None,
    at: Mapping[int, datetime] | None = None,
    cause: Mapping[int, CaseEvent | None] | None = None,
) -> list[CaseEvent]:
    """:func:`write` on many held cases with a few statements: the same rows, laws and triggers, one event each.

    ``data``, ``changes``, ``evidence``, ``at`` and ``cause`` are by the case's id. Raises what :func:`write` raises; then
    nothing is written.
    """
    moment, events_, found_all = clock.now(), [], []
    names: set[str] = set()
    for case in cases:
        new = dict(changes[case.pk])
        if unknown := new.keys() - WRITABLE:
            raise RuntimeError(f"not the pen's to write: {sorted(unknown)}")
        if not may_move(case.status, new.get("status", case.status)):
            raise Refusal("no_such_move", _("The case is not at a point where this can be done."))
        seq, found = case.version + 1, (evidence or {}).get(case.pk, [])
        if found:
            new["urgency"], new["urgency_floor"] = urgency.raised(case.urgency, case.urgency_floor, found)
            found_all += _evidence_rows(case.pk, seq, found, None, by, moment)
        if by.is_staff and "touched_at" not in new:
            new["touched_at"] = moment
        for name, value in new.items():
            setattr(case, name, value)
        case.version = seq
        names |= new.keys()
        checked = events.checked(kind, data[case.pk])
        true_at, why = (at or {}).get(case.pk, moment), (cause or {}).get(case.pk)
        events_.append(_event(case, seq, kind, by, checked, true_at, moment, why))
    UrgencyEvidence.objects.bulk_create(found_all)
    rows.change_all(cases, ["version", *sorted(names)])
    return CaseEvent.objects.bulk_create(events_)


def begin(case: Case, *, evidence: list[urgency.Evidence]) -> Case:
    """Insert a new case at version 1, with the urgency that its evidence demands. Its 'opened' event must follow: :func:`opened`."""
    if not connection.in_atomic_block:
        raise RuntimeError("the pen writes inside a transaction only")
    case.version, case.status = 1, Status.REPORTED
    case.urgency, case.urgency_floor = urgency.raised(1, 1, evidence)
    rows.add(case)
    case.number = number_of(case.pk)
    return case


def opened(
    case: Case,
    *,
    by: Actor,
    data: dict[str, Any],
    evidence: list[urgency.Evidence],
    evidence_message: int,
    at: datetime | None = None,
) -> CaseEvent:
    """The first event of a case that :func:`begin` inserted in this transaction."""
    moment = clock.now()
    _store_evidence(case.pk, 1, evidence, evidence_message, by, moment)
    return _store_event(case, 1, "opened", by, events.checked("opened", data), at or moment, moment, None)


def _store_event(*given: Any) -> CaseEvent:
    return rows.add(_event(*given))


def _event(
    case: Case,
    seq: int,
    kind: str,
    by: Actor,
    data: dict[str, Any],
    at: datetime,
    moment: datetime,
    cause: CaseEvent | None,
) -> CaseEvent:
    return CaseEvent(
        case=case,
        seq=seq,
        kind=kind,
        actor_role=by.role,
        actor_id=by.user_id,
        door=by.door,
        true_at=at,
        written_at=moment,
        data=data,
        cause=cause,
    )


def _store_evidence(*given: Any) -> None:
    rows.add_all(_evidence_rows(*given))


def _evidence_rows(
    case_id: int, seq: int, evidence: list[urgency.Evidence], message: int | None, by: Actor, moment: datetime
) -> list[UrgencyEvidence]:
    return [
        UrgencyEvidence(
            case_id=case_id,
            seq=seq,
            level=urgency.known(e.level),
            source=e.source,
            quote=e.quote,
            start=e.start,
            end=e.end,
            message_id=message if e.quote else None,
            words=e.words,
            by_id=by.user_id,
            at=moment,
        )
        for e in evidence
    ]
