"""The history reads in the reader's language, whoever wrote it; words are cut where something was found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.base import clock
from makegood.base.languages import CODES, speaking
from makegood.cases.events import KINDS
from makegood.cases.models import Correction, TriageModel
from makegood.cases.models.event import CaseEvent
from makegood.desk import suggesting, timeline
from makegood.desk.marking import Span, cut
from makegood.desk.reasons import SIGNALS, source_name
from makegood.packs import policy
from makegood.text import triage
from tests import cast as stages

VALUES = {
    "type": "refund.delay",
    "kind": "technical",
    "responsibility": "platform",
    "until": "2026-11-22T09:30:00+00:00",
    "waiting_for": "carrier",
    "proof": "payment_record",
    "answer": "partly",
    "ended_as": "disagreed",
    "relation": "child",
    "remedy": "refund",
    "channel": "phone",
    "item": "asked_when",
    "was": "made_good",
    "case": 100105,
    "rule": "kr.refund",
    "trigger_at": "2026-11-20T09:30:00+00:00",
    "was_trigger_at": "2026-11-19T09:30:00+00:00",
    "was_until": "2026-11-21T09:30:00+00:00",
    "why": "untouched",
    "act_kind": "word",
    "withheld": "leads_full",
    "action": "refund",
    "there": "paid_out",
    "refused": "locked",
    "watched": "refund.payout",
    "sources": ["signal:threat.legal", "inherited:100105"],
}


def example(cast: stages.Cast, kind: str, everything: bool) -> CaseEvent:
    """An event of this kind with all that it must hold, or with all that it may."""
    spec = KINDS[kind]
    data = {}
    for key, holds in {**spec.holds, **(spec.optional if everything else {})}.items():
        first = holds if isinstance(holds, type) else holds[0]
        usual = {int: 2, str: "x", bool: True, list: [], dict: {}}[first]
        data[key] = VALUES[key] if isinstance(VALUES.get(key), first) else usual
        if key in ("user", "was_user"):
            data[key] = cast.minji.pk
        if key in ("team", "was_team"):
            data[key] = cast.tech.pk
    return CaseEvent(
        seq=2,
        kind=kind,
        actor_role="agent",
        actor_id=cast.wei.pk,
        true_at=clock.now(),
        written_at=clock.now(),
        data=data,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_event_has_its_whole_sentence_in_every_language(cast, kind, language):
    case = stages.reported(cast)
    with speaking(language):
        for everything in (False, True):
            row = timeline.render([example(cast, kind, everything)], case)[0]
            assert row.sentence and row.who == "Wei"
            assert not re.search(r"%\(|None|  |\s[.。]$|—", row.sentence), row.sentence
            assert ("100105" in row.sentence) == ("case" in KINDS[kind].holds)
            for part in row.parts:
                assert part.case in (None, 100105)


@pytest.mark.django_db
def test_names_are_spoken_in_the_readers_language(cast):
    case = stages.fixed(cast)
    spoken = {}
    for language in CODES:
        with speaking(language):
            spoken[language] = " ".join(r.sentence for r in timeline.of_case(case))
    assert "환불 지연" in spoken["ko"] and "Refund is late" in spoken["en"] and "退款" in spoken["zh-hans"]


@pytest.mark.django_db
def test_only_what_came_since_is_read(cast):
    case = stages.verified(cast)
    assert [r.kind for r in timeline.of_case(case, since=3)] == ["fixed", "verified"]
    assert [r.seq for r in timeline.of_case(case, last=2)] == [case.version - 1, case.version]


def test_every_signal_that_raises_has_a_name():
    assert set(policy().signals) == set(SIGNALS)
    assert source_name("hand") and source_name("never.seen") == "never.seen"


SPANS = st.lists(st.tuples(st.integers(-3, 60), st.integers(-3, 60)))


@given(st.text(max_size=50), SPANS)
def test_cutting_never_loses_or_doubles_a_character(text, spans):
    pieces = cut(text, [Span(a, b, "date") for a, b in spans])
    assert "".join(p.text for p in pieces) == text and all(p.text for p in pieces)


def test_a_span_counts_characters_also_beyond_the_basic_plane():
    assert [p.text for p in cut("😡😡 HN-1 😡", [Span(3, 7, "order_no")])] == ["😡😡 ", "HN-1", " 😡"]


def corrected(cast: stages.Cast, number: int, type_code: str) -> None:
    """``number`` cases that people sorted as one type, in words that no other type has."""
    for n in range(number):
        case = stages.reported(cast, text=f"The zorblax number {n} wobbles in the {n * 7} flimflam")
        Correction.objects.create(
            case=case,
            text=f"The zorblax number {n} wobbles in the {n * 7} flimflam",
            language="en",
            type=type_code,
        )


@pytest.mark.django_db
def test_too_few_corrections_train_nothing(cast):
    corrected(cast, 3, "refund.delay")
    assert suggesting.retrain() is None and not TriageModel.objects.exists()


@pytest.mark.django_db
def test_what_people_taught_is_suggested_from_then_on(cast):
    corrected(cast, 60, "account.login")
    stored = suggesting.retrain()
    assert stored is not None and stored.examples + stored.held_out == 60 and stored.accuracy == 1
    case = stages.reported(cast, text="My zorblax wobbles, what now?")
    assert suggesting.suggest(case.messages.get()).top[0].type == "account.login"


@pytest.mark.django_db
def test_a_model_that_is_worse_on_what_it_never_saw_is_not_stored(cast, monkeypatch):
    corrected(cast, 60, "account.login")
    good = suggesting.retrain()
    assert good is not None
    bad = triage.default_model()
    monkeypatch.setattr(suggesting.Model, "train", classmethod(lambda cls, examples: bad))
    assert suggesting.retrain() is None
    assert TriageModel.objects.get().pk == good.pk
