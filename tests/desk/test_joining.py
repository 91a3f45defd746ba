"""Joining and parting: nothing is lost on the way, least of all urgency."""

from __future__ import annotations

import pytest

from makegood.base.errors import NotThere, Refusal
from makegood.cases import access, links
from makegood.cases.models import Case, CaseLink
from makegood.conversations.messages import readable_by
from makegood.desk.handling import raise_urgency
from makegood.desk.joining import link, merge, split, unlink
from makegood.desk.sharing import revoke_links, share_link
from makegood.desk.talking import customer_writes, reply
from makegood.people import actors
from makegood.promises.models import Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db


def test_the_survivor_has_the_higher_urgency_the_earlier_promise_and_both_conversations(cast):
    first, second = stages.answered(cast), stages.reported(cast, text="같은 문제입니다. 빨리요")
    raise_urgency(second, by=cast.by(cast.jun), level=5, reason="angry")
    due = min(first.due_at, stages.fresh(second).due_at)
    merge(second, first, by=cast.by(cast.minji), seen=None)
    first, second = stages.fresh(first), stages.fresh(second)
    assert (second.ended_as, first.urgency, first.due_at) == ("merged", 5, due)
    assert "같은 문제입니다. 빨리요" in [m.body for m in readable_by(cast.by(cast.minji), first)]
    assert not Promise.objects.filter(case=second, state="open").exists()
    assert Promise.objects.filter(case=first, state="open", due_at=due).exists()


def test_the_old_number_and_the_old_link_lead_to_the_survivor_however_long_the_chain(cast):
    a, b, c = stages.reported(cast), stages.reported(cast), stages.reported(cast)
    token = access.token_of(a.links.get())
    merge(a, b, by=cast.by(cast.minji), seen=None)
    merge(b, c, by=cast.by(cast.minji), seen=None)
    assert access.case_for(cast.by(cast.minji), a.number) == c
    assert access.case_by_token(token)[0] == c
    assert len(readable_by(cast.by(cast.minji), c)) == 3


def test_a_link_that_was_only_shown_to_a_reporter_does_not_follow_a_merge(cast):
    pretended, real = stages.reported(cast), stages.answered(cast)
    shown = access.token_of(links.make(pretended, shown=True))
    assert access.case_by_token(shown)[0] == pretended
    merge(pretended, real, by=cast.by(cast.minji), seen=None)
    with pytest.raises(NotThere):
        access.case_by_token(shown)


def test_strangers_cases_are_not_merged(cast):
    with pytest.raises(Refusal) as refused:
        merge(
            stages.reported(cast),
            stages.reported(cast, customer=cast.alex),
            by=cast.by(cast.minji),
            seen=None,
        )
    assert refused.value.code == "other_customer"


def test_split_takes_words_files_and_urgency_along(cast):
    case = stages.reported(cast)
    event = customer_writes(case, by=actors.customer(case.customer_id), text="그리고 영수증도 틀렸어요")
    raise_urgency(case, by=cast.by(cast.jun), level=4, reason="twice")
    split(case, [event.data["message"]], by=cast.by(cast.minji), seen=None, subject="영수증")
    new = Case.objects.exclude(pk=case.pk).get()
    assert (new.urgency, new.subject, new.customer_id) == (4, "영수증", case.customer_id)
    assert new.messages.get().body == "그리고 영수증도 틀렸어요" and case.messages.count() == 1
    with pytest.raises(Refusal):
        split(case, [case.messages.get().pk], by=cast.by(cast.minji), seen=None, subject="all")


def test_a_child_inherits_and_a_circle_is_refused(cast):
    parent, child = stages.reported(cast), stages.reported(cast)
    raise_urgency(parent, by=cast.by(cast.jun), level=5, reason="fire")
    link(child, parent, by=cast.by(cast.minji), seen=None, relation="child")
    assert stages.fresh(child).urgency == 5
    with pytest.raises(Refusal) as refused:
        link(parent, child, by=cast.by(cast.minji), seen=None, relation="child")
    assert refused.value.code == "circle"
    unlink(parent, child, by=cast.by(cast.minji), seen=None)
    assert stages.fresh(child).parent is None and stages.fresh(child).urgency == 5


def test_a_link_opens_one_case_until_it_is_revoked_forged_or_old(cast):
    case = stages.reported(cast)
    row = case.links.get()
    token = access.token_of(row)
    found, actor = access.case_by_token(token)
    assert found == case and actor.customer_id == case.customer_id
    for bad in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.replace("~", "1~", 1),
        "x",
        "",
        "1",
        "\ud83d",
    ):
        with pytest.raises(NotThere):
            access.case_by_token(bad)
    event = share_link(case, by=cast.by(cast.minji))
    revoke_links(case, by=cast.by(cast.minji))
    for link_row in (row, CaseLink.objects.get(pk=event.data["link"])):
        with pytest.raises(NotThere):
            access.case_by_token(access.token_of(link_row))
    reply(stages.fresh(case), by=cast.by(cast.minji), seen=None, text="hi", next_word_at=stages.soon())
    assert access.case_by_token(access.token_of(links.standing(case)))[0] == case


def test_what_is_not_yours_is_not_there(cast):
    case = stages.reported(cast)
    cast.front.shops.add(cast.moon)
    for stranger in (cast.by(cast.luo), cast.by(cast.jun), actors.customer(cast.alex.pk)):
        with pytest.raises(NotThere):
            access.case_for(stranger, case.number)
    for known in (
        cast.by(cast.kang),
        cast.by(cast.wei),
        cast.by(cast.hana),
        actors.customer(case.customer_id),
    ):
        assert access.case_for(known, case.number) == case
