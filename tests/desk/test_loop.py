"""The loop: from a problem reported to the customer's own confirmation."""

from __future__ import annotations

import pytest

from makegood.base.errors import Refusal
from makegood.cases.closing import blockers
from makegood.desk.closing import close, closing_facts
from makegood.desk.telling import confirm
from makegood.people import actors
from tests import cast as stages

pytestmark = pytest.mark.django_db


def test_a_problem_goes_all_the_way_and_only_jiwoo_closes_it(cast):
    case = stages.made_good(cast)
    assert case.status == "ended" and case.ended_as == "made_good"
    assert [e.kind for e in case.events.all()] == [
        "opened",
        "triaged",
        "taken",
        "fixed",
        "verified",
        "told",
        "confirmed",
        "closed",
    ]
    assert case.closure.confirmation.channel == "page"
    assert [e.seq for e in case.events.all()] == list(range(1, case.version + 1))


def test_the_page_and_the_refusal_name_the_same_blockers(cast):
    case = stages.owned(cast)
    shown = [b.code for b in blockers(closing_facts(case))]
    assert shown == ["not_fixed", "not_verified", "not_told", "not_confirmed"]
    with pytest.raises(Refusal) as refused:
        close(case, by=actors.system())
    assert refused.value.code == shown[0]
    assert stages.fresh(case).version == case.version


def test_partly_is_not_yes(cast):
    case = stages.told(cast)
    confirm(
        case,
        by=actors.customer(case.customer_id),
        telling_id=case.tellings.get().pk,
        answer="partly",
        words="절반만 들어왔어요",
    )
    case = stages.fresh(case)
    assert (case.status, case.round, case.ended_as) == ("working", 2, "")
    assert "not_verified" in [b.code for b in blockers(closing_facts(case))]


def test_all_good_with_words_that_say_otherwise_waits_for_a_person(cast):
    case = stages.told(cast)
    confirm(
        case,
        by=actors.customer(case.customer_id),
        telling_id=case.tellings.get().pk,
        answer="all_good",
        words="감사하지만 아직 해결 안 됐어요",
    )
    case = stages.fresh(case)
    assert case.status == "told"
    close(case, by=cast.by(cast.minji))
    assert stages.fresh(case).ended_as == "made_good"
